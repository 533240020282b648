/*
 * Questions to the source, which may answer at once or much later. Who has asked sleeps until then.
 *
 *     asked ──answer──► replied
 *       └─► asleep ──answer──► replied
 *               ├─ late, or the reporter stops ──► replied with 503 ─┐
 *               └─ the client goes ──────────────────────────────────┴─► the answer that may come goes nowhere
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct http_request;
struct reporter;
struct reporter_answer;
struct reporter_request;
LIST_HEAD(http_question_list, reporter_request);

/* Zeroed storage is none. */
struct http_questions {
    struct http_question_list asked; /* by somebody who is still there */
};

/* Replies to who has asked, with an answer that is FOUND or MISSING. */
typedef void http_answer_fn(struct http_request *request, size_t index, const struct reporter_answer *answer);

/*
 * A question about task `index`, or HTTP_NO_TASK: then it doesn't matter whether another board is shown when the
 * answer comes. It is handed to the source, which answers it exactly once; whoever did so awaits the answer, which
 * may be there already.
 */
#define HTTP_NO_TASK SIZE_MAX
struct reporter_request *http_questions_ask(struct http_request *request, size_t index, http_answer_fn *reply);
void http_questions_await(struct http_request *request);

/* Frees the question. May be called by the source while it is asked, and after the reporter has gone. */
void http_questions_answer(struct reporter_request *question, const struct reporter_answer *answer);

/* The request ends without its answer: the one that may come later goes nowhere. */
void http_questions_abandon(struct http_request *request);

/* Replies with 503 to all that await an answer. */
void http_questions_give_up(struct reporter *reporter, const char *why);
