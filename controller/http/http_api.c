/*
 * What the board knows is answered at once. Before the source is asked for what only it knows, the task is looked up,
 * so it is asked about tasks of this run alone. Nothing is rendered here: the board's JSON is board_json's.
 */
#include "controller/http/http_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/gzip.h"
#include "controller/http/http_fields.h"
#include "controller/http/http_questions.h"
#include "controller/http/http_reply.h"
#include "controller/http/http_request.h"
#include "controller/http/reporter_private.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "shared/memory.h"

enum { ARGUMENT_RUN, ARGUMENT_KEY, ARGUMENT_ATTEMPT };

/* ---- what the board knows */

void http_api_results(struct http_request *request)
{
    auto_buffer json = {0};
    board_add_summary(request->reporter->board, clock_wall_ms(), &json);
    struct MHD_Response *response = http_response_take(&json, HTTP_JSON, "no-store", HTTP_POLICY_DATA);
    http_response_field(response, MHD_HTTP_HEADER_VARY, "Accept");
    http_reply(request, MHD_HTTP_OK, response);
}

void http_api_runs(struct http_request *request)
{
    auto_buffer json = {0};
    board_add_runs(request->reporter->board, clock_wall_ms(), &json);
    http_reply_json(request, &json);
}

/* The id of the run that the address names. */
static const char *named_run(const struct http_request *request)
{
    const char *name = request->arguments[ARGUMENT_RUN];
    return strcmp(name, "current") == 0 ? board_run_id(request->reporter->board) : name;
}

void http_api_run(struct http_request *request)
{
    auto_buffer json = {0};
    if (board_add_run(request->reporter->board, named_run(request), clock_wall_ms(), &json))
        http_reply_json(request, &json);
    else
        http_reply_problem(request, MHD_HTTP_NOT_FOUND, "there is no run %s", named_run(request));
}

bool http_api_is_shown(struct http_request *request)
{
    const struct board *board = request->reporter->board;
    auto_buffer ignored = {0};
    if (strcmp(named_run(request), board_run_id(board)) == 0)
        return true;
    if (board_add_run(board, named_run(request), 0, &ignored))
        http_reply_problem(request, MHD_HTTP_NOT_FOUND,
                           "run %s is an earlier one, of which the summary alone is kept", named_run(request));
    else
        http_reply_problem(request, MHD_HTTP_NOT_FOUND, "there is no run %s", named_run(request));
    return false;
}

void http_api_forget(struct reporter *reporter)
{
    if (reporter->snapshot.plain)
        MHD_destroy_response(reporter->snapshot.plain);
    if (reporter->snapshot.zipped)
        MHD_destroy_response(reporter->snapshot.zipped);
    reporter->snapshot = (struct http_snapshot){0};
}

/*
 * The kept snapshot serves as long as nothing has changed, because a client that was just told to start anew must not
 * get an older one, and no longer than a second, because it tells how long the run takes.
 */
static bool is_fresh(const struct reporter *reporter)
{
    enum { SUMMARY_STALE_MS = 1000 };
    const struct http_snapshot *kept = &reporter->snapshot;
    return kept->generation == reporter->generation && kept->seq == board_seq(reporter->board) &&
           uv_now(reporter->loop) - kept->made_ms < SUMMARY_STALE_MS;
}

static struct MHD_Response *make_snapshot(struct reporter *reporter, bool is_zipped)
{
    auto_buffer json = {0}, zipped = {0};
    board_add_snapshot(reporter->board, clock_wall_ms(), &json);
    if (is_zipped)
        gzip_add(&zipped, json.data, json.length, 1);
    struct MHD_Response *response =
        http_response_take(is_zipped ? &zipped : &json, HTTP_JSON, "no-store", HTTP_POLICY_DATA);
    http_response_field(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
    if (is_zipped)
        http_response_field(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    return response;
}

void http_api_snapshot(struct http_request *request)
{
    struct reporter *reporter = request->reporter;
    struct http_snapshot *kept = &reporter->snapshot;
    bool is_zipped = http_fields_take_gzip(http_request_field(request, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    struct MHD_Response **response = is_zipped ? &kept->zipped : &kept->plain;
    if (!is_fresh(reporter)) {
        http_api_forget(reporter);
        kept->generation = reporter->generation;
        kept->seq = board_seq(reporter->board);
        kept->made_ms = uv_now(reporter->loop);
    }
    if (*response == NULL)
        *response = make_snapshot(reporter, is_zipped);
    http_reply_shared(request, MHD_HTTP_OK, *response);
}

/* ---- the list of tasks */

/* A whole number without sign, from min to max. */
static bool parse_number(const char *text, size_t min, size_t max, size_t *number)
{
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > 9 || text[length] != '\0')
        return false;
    *number = strtoul(text, NULL, 10);
    return *number >= min && *number <= max;
}

/* "failed,error" -> a set of states. Returns the word that is none, its length in *length; NULL: all are. */
static const char *parse_states(const char *text, unsigned *states, size_t *length)
{
    for (const char *word = text;; word += *length + 1) {
        int state = 0;
        *length = strcspn(word, ",");
        for (; state < BOARD_STATES; state++) {
            const char *name = board_state_name((enum board_state)state);
            if (strlen(name) == *length && strncmp(name, word, *length) == 0)
                break;
        }
        if (state == BOARD_STATES)
            return word;
        *states |= 1u << state;
        if (word[*length] == '\0')
            return NULL;
    }
}

/* false: something is wrong with it, and has been replied to. */
static bool read_query(struct http_request *request, struct board_query *query)
{
    const struct http_target *target = &request->target;
    const char *status = http_target_query(target, "status");
    const char *limit = http_target_query(target, "limit");
    const char *cursor = http_target_query(target, "cursor");
    size_t length = 0;
    *query = (struct board_query){.text = http_target_query(target, "q"), .limit = 100};
    query->sort = http_target_query(target, "sort");
    if (query->sort && *query->sort == '\0')
        query->sort = NULL;
    const char *wrong = status && *status ? parse_states(status, &query->states, &length) : NULL;
    if (wrong) {
        http_reply_problem(
            request, MHD_HTTP_BAD_REQUEST,
            "status: %.*s: wanted some of queued, running, passed, failed, flaky, error, cancelled, skipped",
            (int)length, wrong);
        return false;
    }
    if (limit && !parse_number(limit, 1, 1000, &query->limit)) {
        http_reply_problem(request, MHD_HTTP_BAD_REQUEST, "limit: %s: wanted a number from 1 to 1000", limit);
        return false;
    }
    if (cursor && !parse_number(cursor, 0, SIZE_MAX, &query->offset)) {
        http_reply_problem(request, MHD_HTTP_BAD_REQUEST, "cursor: %s: wanted the \"next\" of an answer", cursor);
        return false;
    }
    return true;
}

void http_api_tasks(struct http_request *request)
{
    struct board_query query;
    auto_buffer json = {0};
    if (!read_query(request, &query))
        return;
    if (board_add_tasks(request->reporter->board, &query, &json))
        http_reply_json(request, &json);
    else
        http_reply_problem(request, MHD_HTTP_BAD_REQUEST, "sort: %s: wanted a column, such as spec or -duration_ms",
                           query.sort);
}

/* ---- what only the source knows */

/* The index of the task that the address names; -1: there is none, and that has been replied. */
static ptrdiff_t named_task(struct http_request *request)
{
    const char *key = request->arguments[ARGUMENT_KEY];
    ptrdiff_t index = board_find(request->reporter->board, key);
    if (index < 0)
        http_reply_problem(request, MHD_HTTP_NOT_FOUND, "this run has no task %s", key);
    return index;
}

static void reply_no_attempt(struct http_request *request)
{
    http_reply_problem(request, MHD_HTTP_NOT_FOUND, "%s has no such attempt", request->arguments[ARGUMENT_KEY]);
}

static void reply_attempts(struct http_request *request, size_t index, const struct reporter_answer *answer)
{
    struct error err;
    cJSON *attempts = NULL;
    if (answer->status == REPORTER_MISSING) {
        reply_no_attempt(request);
        return;
    }
    int parsed = json_parse(&attempts, answer->body.bytes, answer->body.length, &err);
    bool is_list = parsed == 0 && cJSON_IsArray(attempts);
    cJSON_Delete(attempts);
    if (!is_list) {
        http_reply_problem(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "the attempts of %s are not a JSON array",
                           request->arguments[ARGUMENT_KEY]);
        return;
    }
    auto_free char *text = memory_text_n(answer->body.bytes, answer->body.length);
    auto_buffer json = {0};
    board_add_task(request->reporter->board, index, text, &json);
    http_reply_json(request, &json);
}

void http_api_task(struct http_request *request)
{
    struct reporter *reporter = request->reporter;
    ptrdiff_t index = named_task(request);
    if (index < 0)
        return;
    struct reporter_request *question = http_questions_ask(request, (size_t)index, reply_attempts);
    reporter->source->attempts(reporter->data, request->arguments[ARGUMENT_KEY], question);
    http_questions_await(request);
}

/* The bytes, or the part of them that is asked for. */
static void reply_range(struct http_request *request, const struct reporter_body *body)
{
    size_t length = body->length;
    uint64_t first = 0, last = length > 0 ? length - 1 : 0;
    char content_range[80];
    /* There are no validators, so a conditional range can't be answered with a part. */
    bool is_conditional = http_request_field(request, MHD_HTTP_HEADER_IF_RANGE) != NULL;
    const char *asked = is_conditional ? NULL : http_request_field(request, MHD_HTTP_HEADER_RANGE);
    enum http_range range = http_fields_range(asked, length, &first, &last);
    if (range == HTTP_RANGE_BEYOND) {
        struct MHD_Response *response =
            http_response_problem(MHD_HTTP_RANGE_NOT_SATISFIABLE, "the log has %zu bytes", length);
        snprintf(content_range, sizeof(content_range), "bytes */%zu", length);
        http_response_field(response, MHD_HTTP_HEADER_CONTENT_RANGE, content_range);
        http_reply(request, MHD_HTTP_RANGE_NOT_SATISFIABLE, response);
        return;
    }
    bool is_part = range == HTTP_RANGE_PART;
    size_t taken = is_part ? (size_t)(last - first + 1) : length;
    struct MHD_Response *response =
        http_response_copy(body->bytes + (is_part ? first : 0), taken, HTTP_TEXT, "no-store", HTTP_POLICY_DATA);
    http_response_field(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    if (is_part) {
        snprintf(content_range, sizeof(content_range), "bytes %zu-%zu/%zu", (size_t)first, (size_t)last, length);
        http_response_field(response, MHD_HTTP_HEADER_CONTENT_RANGE, content_range);
    }
    http_reply(request, is_part ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, response);
}

static void reply_log(struct http_request *request, size_t index, const struct reporter_answer *answer)
{
    (void)index;
    if (answer->status == REPORTER_MISSING)
        reply_no_attempt(request);
    else
        reply_range(request, &answer->body);
}

void http_api_log(struct http_request *request)
{
    struct reporter *reporter = request->reporter;
    const char *number = request->arguments[ARGUMENT_ATTEMPT];
    size_t attempt;
    ptrdiff_t index = named_task(request);
    if (index < 0)
        return;
    if (!parse_number(number, 1, SIZE_MAX, &attempt)) {
        http_reply_problem(request, MHD_HTTP_NOT_FOUND, "attempt %s: wanted a number, such as 1 for the first",
                           number);
        return;
    }
    struct reporter_request *question = http_questions_ask(request, (size_t)index, reply_log);
    reporter->source->log(reporter->data, request->arguments[ARGUMENT_KEY], (unsigned)attempt, question);
    http_questions_await(request);
}

/* ---- files */

/* The file has a policy of its own, which names its script; it gets no more rights here than it has on a disk. */
static const char report_policy[] = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
                                    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
                                    "sandbox allow-scripts allow-popups";

static void reply_export(struct http_request *request, size_t name, const struct reporter_answer *answer)
{
    const char *policy = name == EXPORT_HTML ? report_policy : HTTP_POLICY_DATA;
    struct MHD_Response *response =
        http_response_copy(answer->body.bytes, answer->body.length, export_formats[name].type, "no-store", policy);
    http_reply(request, MHD_HTTP_OK, response);
}

void http_api_export(struct http_request *request)
{
    struct reporter *reporter = request->reporter;
    const char *last = request->target.segments[request->target.segment_count - 1];
    size_t name = 0;
    while (strcmp(export_name_of((enum export_name)name), last) != 0)
        name++;
    struct reporter_request *question = http_questions_ask(request, name, reply_export);
    reporter->source->exported(reporter->data, (enum export_name)name, question);
    http_questions_await(request);
}
