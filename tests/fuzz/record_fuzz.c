/*
 * What Redis tells of a task, of the run and of earlier ones, any bytes in every field, on its way to the page:
 * numbers stay in bounds, the board takes it, and its JSON says the same when it is read again. So does an attempt's
 * record that is accepted.
 */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/board.h"
#include "controller/run_record.h"
#include "controller/task_record.h"
#include "shared/bounds.h"
#include "shared/buffer.h"
#include "shared/json.h"
#include "shared/record.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/made_reply.h"

/*
 * The input: the history, what the hash had before and has now, then names and values of events, each from an "event"
 * on. The history is read as a record too.
 */
enum { HISTORY, BEFORE, NOW = BEFORE + TASK_RECORD_FIELDS, EVENT = NOW + TASK_RECORD_FIELDS };

enum { NOW_MS = 1764000000 };
static const uint64_t DURATION_MAX_MS = BOUNDS_DURATION_MAX_MS;

static const char map[] = "{\"groups\":[{\"name\":\"g\",\"tasks\":[{\"spec\":\"a.ts\",\"viewports\":[\"v\",\"w\"],"
                          "\"browsers\":[\"b\"]}]}]}";

static void require_bounds(const struct board_task *task)
{
    require(task->state < BOARD_STATES && task->attempt <= BOUNDS_COUNT_MAX);
    require(task->started_ms >= 0 && task->started_ms <= BOUNDS_TIME_MAX_MS);
    require(task->duration_ms <= DURATION_MAX_MS && task->earlier_ms <= DURATION_MAX_MS);
    require(task->line >= 0);
    require(task->tests.passed <= BOUNDS_COUNT_MAX && task->tests.failed <= BOUNDS_COUNT_MAX);
    require(task->tests.skipped <= BOUNDS_COUNT_MAX && task->tests.flaky <= BOUNDS_COUNT_MAX);
    require(task->worker == NULL || task->worker[0] != '\0');
    require(task->message == NULL || task->message[0] != '\0');
    require(task->state != BOARD_QUEUED || task->attempt == 0 || task->duration_ms <= DURATION_MAX_MS);
}

static cJSON *parsed(const struct buffer *json)
{
    cJSON *root;
    struct error err;
    if (json_parse(&root, json->data, json->length, &err) < 0)
        fuzz_broken(err.text, json->data, 0);
    return root;
}

static bool is_number(const cJSON *object, const char *name, uint64_t wanted)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) && item->valuedouble == (double)wanted;
}

static bool is_text(const cJSON *object, const char *name, const char *wanted)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return wanted ? cJSON_IsString(item) && strcmp(item->valuestring, wanted) == 0 : cJSON_IsNull(item);
}

/* The API's row of the task says what the board has. */
static void require_row(const struct board *board, const struct board_task *task)
{
    auto_buffer json = {0};
    board_add_task(board, 0, "[]", &json);
    cJSON *row = parsed(&json);
    require(is_text(row, "key", "task:g:0") && is_text(row, "status", board_state_name(task->state)));
    require(is_number(row, "attempt", task->attempt) && is_number(row, "duration_ms", task->duration_ms));
    require(is_number(row, "started_ms", (uint64_t)task->started_ms));
    require(is_text(row, "worker", task->worker) && is_text(row, "message", task->message));
    require(is_number(row, "tests_failed", task->tests.failed));
    cJSON_Delete(row);
}

static void require_documents(struct board *board, const char *text)
{
    auto_buffer snapshot = {0}, delta = {0}, summary = {0}, runs = {0}, rows = {0};
    const struct board_query query = {.text = text, .sort = "-duration_ms", .limit = 10};
    board_add_snapshot(board, NOW_MS, &snapshot);
    board_add_delta(board, 0, NOW_MS, &delta);
    board_add_summary(board, NOW_MS, &summary);
    board_add_runs(board, NOW_MS, &runs);
    require(board_add_tasks(board, &query, &rows));
    const struct buffer *const all[] = {&snapshot, &delta, &summary, &runs, &rows};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        cJSON_Delete(parsed(all[i]));
}

static void require_totals(const struct board *board)
{
    struct board_totals totals;
    board_totals(board, NOW_MS, &totals);
    size_t sum = 0;
    for (int i = 0; i < BOARD_STATES; i++)
        sum += totals.counts[i];
    require(sum == totals.total && totals.total == 2);
    require(!(totals.efficiency > 1) && totals.eta_low_ms <= totals.eta_high_ms);
}

static void require_failures(const struct board *board, const struct board_task *task)
{
    bool is_red = task->state == BOARD_FAILED || task->state == BOARD_ERROR;
    size_t count = board_failure_count(board, 0);
    require(count <= TASK_RECORD_FAILURES_MAX + 1 && (count > 0 || !is_red));
    for (size_t i = 0; i < count; i++) {
        struct board_failure failure = board_failure(board, 0, i);
        const char *const texts[] = {failure.title, failure.file, failure.error->message, failure.error->expected,
                                     failure.error->received};
        for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++)
            require(!texts[t] || fuzz_is_utf8(texts[t]));
        require(failure.line >= 0);
    }
}

static void require_board(struct board *board, const struct board_task *task)
{
    board_set_task(board, 0, task);
    const struct board_task *kept = board_task(board, 0);
    require_bounds(kept);
    require(kept->state == task->state && kept->attempt == task->attempt && kept->line == task->line);
    require(!kept->worker || fuzz_is_utf8(kept->worker));
    require(!kept->message || fuzz_is_utf8(kept->message));
    require(!kept->title || fuzz_is_utf8(kept->title));
    require(!kept->file || fuzz_is_utf8(kept->file));
    require(!board_set_task(board, 0, task)); /* the same as before */
    require_failures(board, task);
    require_row(board, kept);
}

static size_t end_of_event(const struct fuzz_fields *f, size_t first)
{
    size_t next = first + 2;
    while (next < f->count && strcmp(fuzz_field(f, next), "event") != 0)
        next += 2;
    return next < f->count ? next : f->count;
}

static void tell_event(struct board *board, const char *const *texts, size_t count)
{
    struct board_task task = *board_task(board, 0);
    struct redisReply *pairs = made_reply(texts, count);
    struct event event;
    event_parse(&event, pairs);
    const char *details = task_record_apply_event(&task, &event);
    require_bounds(&task);
    struct task_record_details borrowed;
    task_record_apply_details(&task, details, &borrowed);
    require_bounds(&task);
    require_board(board, &task);
    task_record_close_details(&borrowed);
    made_reply_free(pairs);
}

static void tell(struct board *board, const struct fuzz_fields *f)
{
    struct board_task before = {0}, task;
    struct redisReply *old = made_reply((const char *const *)f->texts + BEFORE, TASK_RECORD_FIELDS);
    struct redisReply *hash = made_reply((const char *const *)f->texts + NOW, TASK_RECORD_FIELDS);

    task_record_from_hash(&task, old, &before);
    require_bounds(&task);
    require_board(board, &task);
    before = *board_task(board, 0);
    task_record_from_hash(&task, hash, &before);
    require_bounds(&task);
    require_board(board, &task);
    for (size_t first = EVENT, next; first < f->count; first = next) {
        next = end_of_event(f, first);
        tell_event(board, (const char *const *)f->texts + first, next - first);
    }
    made_reply_free(old);
    made_reply_free(hash);
}

/* The run's own hash, of the same bytes. */
static void tell_run(struct board *board, const struct fuzz_fields *f)
{
    struct board_run run;
    struct redisReply *hash = made_reply((const char *const *)f->texts + NOW, RUN_RECORD_FIELDS);
    require(run_record_from_hash(&run, hash) != NULL);
    require(run.state == BOARD_RUN_RUNNING || run.state == BOARD_RUN_FINISHED);
    require(run.cancel_kind <= CANCEL_FAILURES);
    const int64_t times[] = {run.started_ms, run.finished_ms, run.reopened_ms, run.idle_ms};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        require(times[i] >= 0 && times[i] <= BOUNDS_TIME_MAX_MS);
    board_set_run(board, &run);
    made_reply_free(hash);
}

static void require_record(const struct record *record, struct buffer *out)
{
    require(record->attempt <= BOUNDS_COUNT_MAX && record->duration_ms <= DURATION_MAX_MS);
    require(record->started_ms >= 0 && record->started_ms <= BOUNDS_TIME_MAX_MS);
    require((record->run != NULL) == (record->outcome <= RECORD_ERROR));
    require(fuzz_is_utf8(record->reason) && fuzz_is_utf8(record->worker));
    record_format(record, out);
}

/* An attempt's record of the same bytes. */
static void tell_record(const char *text)
{
    struct record_source first, second;
    struct error err;
    auto_buffer once = {0}, twice = {0};
    if (record_parse(&first, text, strlen(text), &err) < 0) {
        fuzz_require_refusal(&err, ERROR_CONFIG);
        return;
    }
    require_record(&first.record, &once);
    require(record_parse(&second, once.data, once.length, &err) == 0);
    require_record(&second.record, &twice);
    require(strcmp(once.data, twice.data) == 0);
    record_close(&first);
    record_close(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_fields f;
    struct plan plan;
    struct error err;
    fuzz_fields_init(&f, data, size);
    require(plan_parse(&plan, map, strlen(map), &err) == 0);
    struct board *board = board_new(&plan, "run-1", "epoch-1");
    tell_run(board, &f);
    tell_record(fuzz_field(&f, HISTORY));
    board_set_history(board, fuzz_field(&f, HISTORY));
    tell(board, &f);
    require_totals(board);
    require_documents(board, fuzz_field(&f, NOW));
    board_free(board);
    plan_close(&plan);
    fuzz_fields_close(&f);
    return 0;
}
