/* The run as JSON, and the logs: what stands under /api/v1. The arguments are those of the routes, in their order. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_request;
struct reporter;
struct reporter_request;

/* GET /results with Accept: application/json. */
void http_api_results(struct http_request *request);

void http_api_runs(struct http_request *request);
void http_api_run(struct http_request *request);
void http_api_snapshot(struct http_request *request);
void http_api_tasks(struct http_request *request);
void http_api_task(struct http_request *request);
void http_api_log(struct http_request *request);

/* Whether the first argument means the run that is shown; if not, the request has been replied to. */
bool http_api_is_shown(struct http_request *request);

/*
 * A question for the source about task `index`, or HTTP_NO_TASK: then it doesn't matter whether another board is
 * shown when the answer comes. The answer goes to `reply`; bytes NULL: there is no such thing. Whoever has asked the
 * source awaits the answer, which may be there already.
 */
#define HTTP_NO_TASK SIZE_MAX
typedef void http_answer_fn(struct http_request *request, size_t index, const char *bytes, size_t length);
struct reporter_request *http_api_question(struct http_request *request, size_t index, http_answer_fn *reply);
void http_api_await(struct http_request *request);

/* Replies with 503 to a request that sleeps until an answer comes. */
void http_api_give_up(struct http_request *request, const char *why);

/* The request ends without its answer: the one that may come later goes nowhere. */
void http_api_abandon(struct http_request *request);

/* The snapshot that is kept for others isn't needed any more. */
void http_api_forget(struct reporter *reporter);
