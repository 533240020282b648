#include "controller/task_record.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "shared/bounds.h"
#include "shared/json.h"
#include "shared/redis_reply.h"

enum { STATUS, RESULT, STARTTIME, DURATION, ATTEMPT, WORKER, FLAKY, REASON };

const char *const task_record_fields[TASK_RECORD_FIELDS] = {
    [STATUS] = "status",   [RESULT] = "result", [STARTTIME] = "starttime", [DURATION] = "duration",
    [ATTEMPT] = "attempt", [WORKER] = "worker", [FLAKY] = "flaky",         [REASON] = "reason",
};

static const char *text_or_null(const char *text)
{
    return text && *text ? text : NULL;
}

/* ERROR for a result that is no word of ours (-1) too. */
static enum board_state ended_state(int result, bool is_flaky)
{
    switch (result) {
    case TASK_PASSED:
        return is_flaky ? BOARD_FLAKY : BOARD_PASSED;
    case TASK_FAILED:
        return BOARD_FAILED;
    case TASK_UNKNOWN:
        return BOARD_CANCELLED;
    case TASK_SKIPPED:
        return BOARD_SKIPPED;
    default:
        return BOARD_ERROR;
    }
}

static enum board_state state_of(const char *status, const char *result, bool is_flaky)
{
    switch (task_status_parse(status ? status : "")) {
    case TASK_COMPLETE:
        return ended_state(task_result_parse(result ? result : ""), is_flaky);
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

void task_record_from_hash(struct board_task *task, const struct redisReply *hash, const struct board_task *before)
{
    const char *fields[TASK_RECORD_FIELDS];
    for (size_t i = 0; i < TASK_RECORD_FIELDS; i++)
        fields[i] = redis_reply_text(redis_reply_at(hash, i));
    *task = (struct board_task){
        .state = state_of(fields[STATUS], fields[RESULT], is_yes(fields[FLAKY])),
        .started_ms = bounds_number(fields[STARTTIME], BOUNDS_TIME_MAX_MS / 1000) * 1000,
        .duration_ms = bounds_ns_to_ms(fields[DURATION]),
        .attempt = (unsigned)bounds_number(fields[ATTEMPT], BOUNDS_COUNT_MAX),
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
    if (task->earlier_ms > (uint64_t)BOUNDS_DURATION_MAX_MS)
        task->earlier_ms = (uint64_t)BOUNDS_DURATION_MAX_MS;
    task->duration_ms = 0;
}

static void apply_claimed(struct board_task *task, const struct event *event)
{
    keep_duration(task);
    forget_failure(task);
    task->state = BOARD_RUNNING;
    task->worker = text_or_null(event->fields[EVENT_WORKER]);
    task->started_ms = event->at_ms;
}

static void apply_ended(struct board_task *task, const struct event *event, bool is_final)
{
    forget_failure(task);
    task->state = is_final ? ended_state(event->result, event->is_flaky) : BOARD_QUEUED;
    if (event->fields[EVENT_DURATION])
        task->duration_ms = event->duration_ms;
    task->message = text_or_null(event->fields[EVENT_REASON]);
}

static void apply_put_back(struct board_task *task)
{
    keep_duration(task);
    forget_failure(task);
    task->state = BOARD_QUEUED;
    task->worker = NULL;
}

static void apply_released(struct board_task *task, const struct event *event)
{
    if (event->result == TASK_ERROR) /* too often */
        apply_ended(task, event, true);
    else
        apply_put_back(task);
}

static void apply_cancelled(struct board_task *task, const struct event *event)
{
    task->state = BOARD_CANCELLED;
    task->message = text_or_null(event->fields[EVENT_REASON]);
}

const char *task_record_apply_event(struct board_task *task, const struct event *event)
{
    if (event->fields[EVENT_ATTEMPT])
        task->attempt = event->attempt;
    switch (event->kind) {
    case EVENT_CLAIMED:
        apply_claimed(task, event);
        break;
    case EVENT_SETTLED:
    case EVENT_RETRIED:
        apply_ended(task, event, event->kind == EVENT_SETTLED);
        break;
    case EVENT_LOST:
        apply_ended(task, event, event->result == TASK_ERROR);
        break;
    case EVENT_RELEASED:
        apply_released(task, event);
        break;
    case EVENT_CANCELLED:
        apply_cancelled(task, event);
        break;
    case EVENT_RERUN:
        apply_put_back(task);
        break;
    default:
        break;
    }
    return text_or_null(event->fields[EVENT_DETAILS]);
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
        .passed = count_at(tests, 0, BOUNDS_COUNT_MAX),
        .failed = count_at(tests, 1, BOUNDS_COUNT_MAX),
        .skipped = count_at(tests, 2, BOUNDS_COUNT_MAX),
        .flaky = count_at(tests, 3, BOUNDS_COUNT_MAX),
    };
    if (message)
        task->message = message;
    task->title = text_at(root, "title");
    task->file = text_at(root, "file");
    task->line = cJSON_IsNumber(line) && line->valueint > 0 ? line->valueint : 0;
    return root;
}
