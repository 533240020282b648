#include "controller/http/http_write.h"

#include <assert.h>
#include <string.h>

#include "controller/http/http_body.h"
#include "controller/http/http_fields.h"
#include "controller/http/http_guard.h"
#include "controller/http/http_questions.h"
#include "controller/http/http_reply.h"
#include "controller/http/http_request.h"
#include "controller/http/reporter_private.h"
#include "shared/clock.h"

/* ---- who */

static void reply_unauthorized(struct http_request *request)
{
    struct MHD_Response *response =
        http_response_problem(MHD_HTTP_UNAUTHORIZED, "writes need Authorization: Bearer and the configured token");
    http_response_field(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    http_reply(request, MHD_HTTP_UNAUTHORIZED, response);
}

bool http_write_is_allowed(struct http_request *request)
{
    const struct reporter *reporter = request->reporter;
    const char *host = http_request_field(request, MHD_HTTP_HEADER_HOST);
    const char *origin = http_request_field(request, MHD_HTTP_HEADER_ORIGIN);
    const char *authorization = http_request_field(request, MHD_HTTP_HEADER_AUTHORIZATION);
    if (!reporter->has_token)
        http_reply_problem(request, MHD_HTTP_FORBIDDEN, "writes need a token, and none is configured");
    else if (http_request_field_count(request, MHD_HTTP_HEADER_HOST) != 1 || !http_guard_is_host(host))
        http_reply_problem(request, MHD_HTTP_BAD_REQUEST, HTTP_BAD_HOST, host ? host : "nothing");
    else if (origin && !http_guard_is_own_origin(origin, host, reporter->url))
        http_reply_problem(request, MHD_HTTP_FORBIDDEN, "Origin: found %s, wanted the address of this report%s",
                           origin, reporter->url ? "" : " (behind a proxy: set FUNKYTOWN_URL)");
    else if (!http_guard_has_token(authorization, &reporter->token))
        reply_unauthorized(request);
    else
        return true;
    return false;
}

/* ---- what */

static void reply_done(struct http_request *request, size_t index, const struct reporter_answer *answer)
{
    (void)index;
    auto_buffer json = {0};
    assert(answer->status == REPORTER_FOUND);
    buffer_add(&json, answer->body.bytes, answer->body.length);
    http_reply_json(request, &json);
}

static bool is_body_empty(struct http_request *request)
{
    struct error err;
    if (http_body_parse_empty(http_request_body(request), request->body.length, &err) == 0)
        return true;
    http_reply_problem(request, MHD_HTTP_BAD_REQUEST, "%s", err.text);
    return false;
}

void http_write_cancel(struct http_request *request)
{
    struct reporter *reporter = request->reporter;
    struct board_totals totals;
    if (!is_body_empty(request))
        return;
    board_totals(reporter->board, clock_wall_ms(), &totals);
    if (totals.state != BOARD_RUN_RUNNING) {
        http_reply_problem(request, MHD_HTTP_CONFLICT, "run %s is %s already", board_run_id(reporter->board),
                           board_run_state_name(totals.state));
        return;
    }
    reporter->source->cancel(reporter->data, http_questions_ask(request, HTTP_NO_TASK, reply_done));
    http_questions_await(request);
}

static size_t count_tasks(const struct board *board, unsigned states)
{
    size_t count = 0;
    for (int state = 0; state < BOARD_STATES; state++)
        if (states & 1u << state)
            count += board_count(board, (enum board_state)state);
    return count;
}

/* "failed, error or flaky" */
static void add_states(struct buffer *out, unsigned states)
{
    for (int state = 0; states != 0; state++) {
        if ((states & 1u << state) == 0)
            continue;
        states &= ~(1u << state);
        bool is_only = out->length == 0, is_last = states == 0;
        buffer_format(out, "%s%s", is_only ? "" : is_last ? " or " : ", ", board_state_name((enum board_state)state));
    }
}

/* Whether there are tasks to run again, as many as the client has seen. */
static bool is_as_expected(struct http_request *request, const struct http_rerun *rerun)
{
    size_t count = count_tasks(request->reporter->board, rerun->states);
    auto_buffer states = {0};
    add_states(&states, rerun->states);
    if (rerun->has_count && count != rerun->expected_count)
        http_reply_problem(request, MHD_HTTP_CONFLICT,
                           "expected_count: found %zu, but %zu tasks are %s; nothing was done", rerun->expected_count,
                           count, states.data);
    else if (count == 0)
        http_reply_problem(request, MHD_HTTP_CONFLICT, "no task is %s", states.data);
    else
        return true;
    return false;
}

void http_write_rerun(struct http_request *request)
{
    struct reporter *reporter = request->reporter;
    struct http_rerun rerun;
    struct error err;
    if (!http_fields_is_json(http_request_field(request, MHD_HTTP_HEADER_CONTENT_TYPE))) {
        http_reply_problem(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "Content-Type: wanted application/json");
        return;
    }
    if (http_body_parse_rerun(&rerun, http_request_body(request), request->body.length, &err) < 0) {
        http_reply_problem(request, MHD_HTTP_BAD_REQUEST, "%s", err.text);
        return;
    }
    if (!is_as_expected(request, &rerun))
        return;
    reporter->source->rerun(reporter->data, rerun.states, http_questions_ask(request, HTTP_NO_TASK, reply_done));
    http_questions_await(request);
}
