#include "controller/task_record.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/bounds.h"
#include "shared/json.h"
#include "shared/memory.h"
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
    task->failures = NULL;
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

static int line_at(const cJSON *object)
{
    const cJSON *line = cJSON_GetObjectItemCaseSensitive(object, "line");
    return cJSON_IsNumber(line) && line->valueint > 0 ? line->valueint : 0;
}

static size_t length_of(const char *text)
{
    return text ? strlen(text) : 0;
}

/* Fills a failure and its error; returns the bytes of their texts. */
static size_t read_failure(const cJSON *item, struct board_failure *failure, struct board_error *error)
{
    *error = (struct board_error){
        .message = text_at(item, "message"),
        .expected = text_at(item, "expected"),
        .received = text_at(item, "received"),
    };
    const char *title = text_at(item, "title"), *file = text_at(item, "file");
    *failure = (struct board_failure){
        .title = title ? title : "?", .error = error, .file = file, .line = file ? line_at(item) : 0};
    return length_of(failure->title) + length_of(file) + length_of(error->message) + length_of(error->expected) +
           length_of(error->received);
}

static void read_failures(const cJSON *root, struct task_record_details *borrowed)
{
    const cJSON *told = cJSON_GetObjectItemCaseSensitive(root, "failures"), *item;
    const cJSON *list = cJSON_IsArray(told) ? told : NULL;
    const cJSON *dropped = cJSON_GetObjectItemCaseSensitive(root, "failures_dropped");
    struct board_failures *failures = &borrowed->failures;
    size_t size = list ? (size_t)cJSON_GetArraySize(list) : 0, bytes = 0;
    size_t room = size < TASK_RECORD_FAILURES_MAX ? size : TASK_RECORD_FAILURES_MAX;
    if (cJSON_IsNumber(dropped) && dropped->valueint > 0)
        failures->dropped = (size_t)(dropped->valueint < BOUNDS_COUNT_MAX ? dropped->valueint : BOUNDS_COUNT_MAX);
    borrowed->rows = memory_zeroed(room + 1, sizeof(*borrowed->rows));
    borrowed->errors = memory_zeroed(room + 1, sizeof(*borrowed->errors));
    failures->rows = borrowed->rows;
    cJSON_ArrayForEach(item, list)
    {
        size_t next = failures->count;
        if (!cJSON_IsObject(item))
            continue;
        if (next == room)
            failures->dropped++;
        else if ((bytes += read_failure(item, &borrowed->rows[next], &borrowed->errors[next])) <=
                 TASK_RECORD_FAILURES_BYTES)
            failures->count++;
        else
            failures->dropped++;
    }
}

/*
 * An error has its reason (a time limit, say): then message and place are those of a test that failed before, which is
 * among the failures. A failure's reason is its first test's message.
 */
static void apply_first(struct board_task *task, const cJSON *root)
{
    const char *message = text_at(root, "message"), *title = text_at(root, "title");
    if (task->state == BOARD_ERROR && task->message && title)
        return;
    if (message)
        task->message = message;
    task->title = title;
    task->file = text_at(root, "file");
    task->line = line_at(root);
}

bool task_record_apply_details(struct board_task *task, const char *details, struct task_record_details *borrowed)
{
    struct error ignored;
    *borrowed = (struct task_record_details){0};
    if (details == NULL || json_parse(&borrowed->tree, details, strlen(details), &ignored) < 0)
        return false;
    const cJSON *root = borrowed->tree, *tests = cJSON_GetObjectItemCaseSensitive(root, "tests");
    if (!cJSON_IsObject(root))
        return false;
    task->tests = (struct test_counts){
        .passed = count_at(tests, 0, BOUNDS_COUNT_MAX),
        .failed = count_at(tests, 1, BOUNDS_COUNT_MAX),
        .skipped = count_at(tests, 2, BOUNDS_COUNT_MAX),
        .flaky = count_at(tests, 3, BOUNDS_COUNT_MAX),
    };
    task->title = task->file = NULL;
    task->line = 0;
    apply_first(task, root);
    read_failures(root, borrowed);
    bool has_failed = borrowed->failures.count > 0 || borrowed->failures.dropped > 0;
    task->failures = has_failed ? &borrowed->failures : NULL;
    return true;
}

void task_record_close_details(struct task_record_details *borrowed)
{
    cJSON_Delete(borrowed->tree);
    free(borrowed->rows);
    free(borrowed->errors);
    *borrowed = (struct task_record_details){0};
}
