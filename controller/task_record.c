#include "controller/task_record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/json.h"
#include "shared/redis_reply.h"

#define TIME_MAX_MS     (INT64_C(1) << 42) /* the year 2109 */
#define DURATION_MAX_MS (INT64_C(1) << 40) /* 35 years */
#define COUNT_MAX       1000000000
#define SLOTS_MAX       1000 /* as FUNKYTOWN_SLOTS */

enum { STATUS, RESULT, STARTTIME, DURATION, ATTEMPT, WORKER, FLAKY, REASON };

const char *const task_record_fields[TASK_RECORD_FIELDS] = {
    [STATUS] = "status",   [RESULT] = "result", [STARTTIME] = "starttime", [DURATION] = "duration",
    [ATTEMPT] = "attempt", [WORKER] = "worker", [FLAKY] = "flaky",         [REASON] = "reason",
};

enum {
    RUN_STATE,
    RUN_STARTED,
    RUN_FINISHED,
    RUN_REOPENED,
    RUN_IDLE,
    RUN_CANCEL,
    RUN_CANCEL_KIND,
    RUN_RERUNS,
    RUN_FAILED,
    RUN_SOURCE,
    RUN_BRANCH,
    RUN_URL,
    RUN_ID
};

const char *const task_record_run_fields[TASK_RECORD_RUN_FIELDS] = {
    [RUN_STATE] = "state",
    [RUN_STARTED] = "started_ms",
    [RUN_FINISHED] = "finished_ms",
    [RUN_REOPENED] = "reopened_ms",
    [RUN_IDLE] = "idle_ms",
    [RUN_CANCEL] = "cancel",
    [RUN_CANCEL_KIND] = "cancel_kind",
    [RUN_RERUNS] = "reruns",
    [RUN_FAILED] = "failed",
    [RUN_SOURCE] = "source",
    [RUN_BRANCH] = "branch",
    [RUN_URL] = "source_url",
    [RUN_ID] = "id",
};

/* A whole number without sign, at most `max`; 0 for what isn't one. */
static int64_t number_of(const char *text, int64_t max)
{
    char *end;
    if (text == NULL || *text < '0' || *text > '9')
        return 0;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*end != '\0')
        return 0;
    return errno != 0 || number > (unsigned long long)max ? max : (int64_t)number;
}

static uint64_t ns_to_ms(const char *text)
{
    return (uint64_t)number_of(text, DURATION_MAX_MS * 1000000) / 1000000;
}

static const char *text_or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static enum board_state ended_state(const char *result, bool is_flaky)
{
    switch (task_result_parse(result ? result : "")) {
    case TASK_PASSED:
        return is_flaky ? BOARD_FLAKY : BOARD_PASSED;
    case TASK_FAILED:
        return BOARD_FAILED;
    case TASK_UNKNOWN:
        return BOARD_CANCELLED;
    default:
        return BOARD_ERROR;
    }
}

static enum board_state state_of(const char *status, const char *result, bool is_flaky)
{
    switch (task_status_parse(status ? status : "")) {
    case TASK_COMPLETE:
        return ended_state(result, is_flaky);
    case TASK_PROCESSING:
        return BOARD_RUNNING;
    default:
        return BOARD_QUEUED;
    }
}

static bool is_yes(const char *text)
{
    return text && strcmp(text, "1") == 0;
}

size_t task_record_failed(const char *text)
{
    return (size_t)number_of(text, COUNT_MAX);
}

enum cancel_kind task_record_cancel_kind(const char *text)
{
    int kind = cancel_kind_parse(text ? text : "");
    return kind > CANCEL_NONE ? (enum cancel_kind)kind : CANCEL_ASKED;
}

const char *task_record_run(struct board_run *run, const struct redisReply *hash)
{
    const char *fields[TASK_RECORD_RUN_FIELDS];
    for (size_t i = 0; i < TASK_RECORD_RUN_FIELDS; i++)
        fields[i] = redis_reply_text(redis_reply_at(hash, i));
    bool is_finished = fields[RUN_STATE] && strcmp(fields[RUN_STATE], "finished") == 0;
    *run = (struct board_run){
        .state = is_finished ? BOARD_RUN_FINISHED : BOARD_RUN_RUNNING,
        .started_ms = number_of(fields[RUN_STARTED], TIME_MAX_MS),
        .finished_ms = is_finished ? number_of(fields[RUN_FINISHED], TIME_MAX_MS) : 0,
        .reopened_ms = number_of(fields[RUN_REOPENED], TIME_MAX_MS),
        .idle_ms = number_of(fields[RUN_IDLE], TIME_MAX_MS),
        .reruns = number_of(fields[RUN_RERUNS], COUNT_MAX),
        .failed = task_record_failed(fields[RUN_FAILED]),
        .source = text_or_null(fields[RUN_SOURCE]),
        .branch = text_or_null(fields[RUN_BRANCH]),
        .url = text_or_null(fields[RUN_URL]),
    };
    const char *cancel = fields[RUN_CANCEL] ? fields[RUN_CANCEL] : "";
    if (*cancel)
        run->cancel_kind = task_record_cancel_kind(fields[RUN_CANCEL_KIND]);
    return cancel;
}

const char *task_record_run_id(const struct redisReply *hash)
{
    const char *id = redis_reply_text(redis_reply_at(hash, RUN_ID));
    return id ? id : "";
}

unsigned task_record_slots(const char *text)
{
    int64_t slots = number_of(text, COUNT_MAX);
    return slots < 1 || slots > SLOTS_MAX ? 1 : (unsigned)slots;
}

void task_record_from_hash(struct board_task *task, const struct redisReply *hash, const struct board_task *before)
{
    const char *fields[TASK_RECORD_FIELDS];
    for (size_t i = 0; i < TASK_RECORD_FIELDS; i++)
        fields[i] = redis_reply_text(redis_reply_at(hash, i));
    *task = (struct board_task){
        .state = state_of(fields[STATUS], fields[RESULT], is_yes(fields[FLAKY])),
        .started_ms = number_of(fields[STARTTIME], TIME_MAX_MS / 1000) * 1000,
        .duration_ms = ns_to_ms(fields[DURATION]),
        .attempt = (unsigned)number_of(fields[ATTEMPT], COUNT_MAX),
        .worker = text_or_null(fields[WORKER]),
        .message = text_or_null(fields[REASON]),
    };
    if (task->attempt == before->attempt) {
        task->earlier_ms = before->earlier_ms;
        if (before->started_ms / 1000 == task->started_ms / 1000)
            task->started_ms = before->started_ms;
    }
    if (task->state == BOARD_QUEUED)
        task->worker = NULL;
}

/* ---- events */

static void forget_failure(struct board_task *task)
{
    task->message = task->title = task->file = NULL;
    task->line = 0;
    task->tests = (struct test_counts){0};
}

static void keep_duration(struct board_task *task)
{
    task->earlier_ms += task->duration_ms;
    if (task->earlier_ms > (uint64_t)DURATION_MAX_MS)
        task->earlier_ms = (uint64_t)DURATION_MAX_MS;
    task->duration_ms = 0;
}

static void apply_claimed(struct board_task *task, const struct redisReply *event)
{
    keep_duration(task);
    forget_failure(task);
    task->state = BOARD_RUNNING;
    task->worker = text_or_null(redis_reply_field(event, "w"));
    task->started_ms = number_of(redis_reply_field(event, "at"), TIME_MAX_MS);
}

static void apply_ended(struct board_task *task, const struct redisReply *event, bool is_final)
{
    const char *duration = redis_reply_field(event, "d");
    forget_failure(task);
    task->state =
        is_final ? ended_state(redis_reply_field(event, "r"), is_yes(redis_reply_field(event, "f"))) : BOARD_QUEUED;
    if (duration)
        task->duration_ms = ns_to_ms(duration);
    task->message = text_or_null(redis_reply_field(event, "why"));
}

static void apply_put_back(struct board_task *task)
{
    keep_duration(task);
    forget_failure(task);
    task->state = BOARD_QUEUED;
    task->worker = NULL;
}

const char *task_record_apply_event(struct board_task *task, const struct redisReply *event)
{
    const char *name = redis_reply_field(event, "e");
    const char *attempt = redis_reply_field(event, "a");
    const char *result = redis_reply_field(event, "r");
    bool is_given_up = result && strcmp(result, "error") == 0;
    if (name == NULL)
        return NULL;
    if (attempt)
        task->attempt = (unsigned)number_of(attempt, COUNT_MAX);
    if (strcmp(name, "claimed") == 0) {
        apply_claimed(task, event);
    } else if (strcmp(name, "settled") == 0 || strcmp(name, "retried") == 0) {
        apply_ended(task, event, strcmp(name, "settled") == 0);
        return text_or_null(redis_reply_field(event, "x"));
    } else if (strcmp(name, "lost") == 0) {
        apply_ended(task, event, is_given_up);
    } else if (strcmp(name, "cancelled") == 0) {
        task->state = BOARD_CANCELLED;
        task->message = text_or_null(redis_reply_field(event, "why"));
    } else if (strcmp(name, "released") == 0 && is_given_up) { /* too often */
        apply_ended(task, event, true);
    } else if (strcmp(name, "released") == 0 || strcmp(name, "rerun") == 0) {
        apply_put_back(task);
    }
    return NULL;
}

/* ---- details */

static unsigned count_at(const cJSON *list, int index, int max)
{
    const cJSON *item = cJSON_GetArrayItem(list, index);
    if (!cJSON_IsNumber(item) || item->valueint < 0)
        return 0;
    return (unsigned)(item->valueint < max ? item->valueint : max);
}

static const char *text_at(const cJSON *object, const char *name)
{
    return text_or_null(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name)));
}

struct cJSON *task_record_apply_details(struct board_task *task, const char *details)
{
    struct error ignored;
    cJSON *root;
    if (json_parse(&root, details, strlen(details), &ignored) < 0 || !cJSON_IsObject(root)) {
        cJSON_Delete(root);
        return NULL;
    }
    const cJSON *tests = cJSON_GetObjectItemCaseSensitive(root, "tests");
    const cJSON *line = cJSON_GetObjectItemCaseSensitive(root, "line");
    const char *message = text_at(root, "message");
    task->tests = (struct test_counts){
        .passed = count_at(tests, 0, COUNT_MAX),
        .failed = count_at(tests, 1, COUNT_MAX),
        .skipped = count_at(tests, 2, COUNT_MAX),
        .flaky = count_at(tests, 3, COUNT_MAX),
    };
    if (message)
        task->message = message;
    task->title = text_at(root, "title");
    task->file = text_at(root, "file");
    task->line = cJSON_IsNumber(line) && line->valueint > 0 ? line->valueint : 0;
    return root;
}
