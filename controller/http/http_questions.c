/*
 * A question lives until it is answered, even if who asked has gone by then: the source holds it, and nobody can ask
 * it to let go. So it knows who asked, and who asked knows it, and whichever ends first tells the other.
 */
#include "controller/http/http_questions.h"

#include "controller/http/http_reply.h"
#include "controller/http/http_request.h"
#include "controller/http/reporter_private.h"
#include "shared/memory.h"

struct reporter_request {
    LIST_ENTRY(reporter_request) link;
    struct http_request *asker; /* NULL: gone, and it isn't in the list */
    size_t index;
    uint64_t generation; /* of the board that `index` belongs to */
    http_answer_fn *reply;
};

struct reporter_request *http_questions_ask(struct http_request *request, size_t index, http_answer_fn *reply)
{
    struct reporter *reporter = request->reporter;
    struct reporter_request *question = memory_zeroed(1, sizeof(*question));
    question->asker = request;
    question->index = index;
    question->generation = reporter->generation;
    question->reply = reply;
    LIST_INSERT_HEAD(&reporter->questions.asked, question, link);
    request->question = question;
    return question;
}

void http_questions_abandon(struct http_request *request)
{
    if (request->question == NULL)
        return;
    LIST_REMOVE(request->question, link);
    request->question->asker = NULL;
    request->question = NULL;
}

static void give_up(struct http_request *request, const char *why)
{
    http_questions_abandon(request);
    http_reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", why);
}

static void on_late(void *asker)
{
    give_up(asker, "Redis doesn't answer");
}

void http_questions_await(struct http_request *request)
{
    if (request->question == NULL)
        return;
    http_peers_await(&request->reporter->peers, request->connection, on_late, request);
    request->is_asleep = true;
    MHD_suspend_connection(request->connection);
}

/* Whether what was asked about is what is shown. */
static bool is_of_board(const struct reporter_request *question, const struct reporter *reporter)
{
    return question->index == HTTP_NO_TASK ||
           (reporter->board != NULL && question->generation == reporter->generation);
}

void http_questions_answer(struct reporter_request *request, const struct reporter_answer *answer)
{
    auto_free struct reporter_request *question = request;
    struct http_request *asker = question->asker;
    if (asker == NULL)
        return;
    http_questions_abandon(asker);
    http_peers_rest(&asker->reporter->peers, asker->connection);
    if (answer->status == REPORTER_UNAVAILABLE)
        http_reply_problem(asker, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", answer->why);
    else if (!is_of_board(question, asker->reporter))
        http_reply_problem(asker, MHD_HTTP_SERVICE_UNAVAILABLE, "another run has begun");
    else if (answer->status == REPORTER_CONFLICT)
        http_reply_problem(asker, MHD_HTTP_CONFLICT, "the run has changed in the meantime; nothing was done");
    else
        question->reply(asker, question->index, answer);
}

void http_questions_give_up(struct reporter *reporter, const char *why)
{
    for (struct reporter_request *question; (question = LIST_FIRST(&reporter->questions.asked)) != NULL;) {
        struct http_request *asker = question->asker;
        http_peers_rest(&reporter->peers, asker->connection);
        give_up(asker, why);
    }
}
