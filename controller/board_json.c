/* The board as JSON: the texts that ARCHITECTURE.md describes. */
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/board_columns.h"
#include "controller/board_private.h"
#include "controller/source.h"
#include "shared/clock.h"
#include "shared/json_writer.h"

static void add_time(struct buffer *out, const char *name, int64_t wall_ms)
{
    char text[40];
    json_add_key(out, name);
    clock_format_utc(wall_ms, text, sizeof(text));
    json_add_text(out, wall_ms > 0 ? text : NULL);
}

static void add_named_text(struct buffer *out, const char *name, const char *text)
{
    json_add_key(out, name);
    json_add_text(out, text);
}

static void add_named_uint(struct buffer *out, const char *name, uint64_t number)
{
    json_add_key(out, name);
    json_add_uint(out, number);
}

static void add_named_seconds(struct buffer *out, const char *name, uint64_t ms)
{
    json_add_key(out, name);
    json_add_seconds(out, ms);
}

static void add_counts(struct buffer *out, const struct board_totals *totals)
{
    json_add_key(out, "counts");
    buffer_text(out, "{");
    add_named_uint(out, "total", totals->total);
    for (int state = 0; state < BOARD_STATES; state++)
        add_named_uint(out, board_state_name((enum board_state)state), totals->counts[state]);
    buffer_text(out, "}");
    add_named_uint(out, "excluded", totals->excluded);
    json_add_key(out, "tests");
    buffer_text(out, "{");
    add_named_uint(out, "passed", totals->tests_passed);
    add_named_uint(out, "failed", totals->tests_failed);
    add_named_uint(out, "skipped", totals->tests_skipped);
    add_named_uint(out, "flaky", totals->tests_flaky);
    buffer_text(out, "}");
}

static void add_eta(struct buffer *out, const struct board_totals *totals)
{
    json_add_key(out, "eta_s");
    if (!totals->has_eta) {
        json_add_text(out, NULL);
        return;
    }
    buffer_text(out, "[");
    json_add_seconds(out, totals->eta_low_ms);
    buffer_text(out, ",");
    json_add_seconds(out, totals->eta_high_ms);
    buffer_text(out, "]");
}

/* No page is given a link that isn't one, whoever wrote the run's hash. */
static void add_source(struct buffer *out, const struct board_run *run)
{
    json_add_key(out, "source");
    if (run->source == NULL) {
        json_add_text(out, NULL);
        return;
    }
    buffer_text(out, "{");
    add_named_text(out, "id", run->source);
    add_named_text(out, "branch", run->branch);
    add_named_text(out, "url", run->url && source_is_link(run->url) ? run->url : NULL);
    buffer_text(out, "}");
}

void board_add_summary(const struct board *board, int64_t now_ms, struct buffer *out)
{
    struct board_totals totals;
    board_totals(board, now_ms, &totals);
    buffer_text(out, "{");
    add_named_text(out, "run_id", board->run_id);
    add_named_text(out, "state", board_run_state_name(totals.state));
    add_named_text(out, "verdict", board_verdict_name(totals.verdict));
    add_source(out, &board->run);
    add_counts(out, &totals);
    add_time(out, "started_at", totals.started_ms);
    add_time(out, "finished_at", totals.finished_ms);
    add_named_seconds(out, "wall_s", totals.wall_ms);
    add_named_seconds(out, "idle_s", totals.idle_ms);
    add_named_seconds(out, "compute_s", totals.compute_ms);
    add_eta(out, &totals);
    json_add_key(out, "workers");
    buffer_text(out, "{");
    add_named_uint(out, "live", totals.workers_live);
    add_named_uint(out, "lost", totals.workers_lost);
    buffer_text(out, "}");
    add_named_seconds(out, "bound_s", totals.bound_ms);
    json_add_key(out, "efficiency");
    if (totals.efficiency < 0)
        json_add_text(out, NULL);
    else
        buffer_format(out, "%.3f", totals.efficiency);
    buffer_text(out, "}");
}

static const char *history_start(const cJSON *item)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "started_at"));
}

static const char *history_id(const cJSON *item)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "run_id"));
}

static void add_history_item(const cJSON *item, struct buffer *out)
{
    char *text = cJSON_PrintUnformatted(item);
    buffer_text(out, text ? text : "{}");
    cJSON_free(text);
}

/* A finished run may be in the history and still be the one that is shown; another one may have had its id. */
static bool is_shown(const struct board *board, const cJSON *item)
{
    char started[40];
    const char *id = history_id(item), *start = history_start(item);
    clock_format_utc(board->run.started_ms, started, sizeof(started));
    return id && strcmp(id, board->run_id) == 0 && (start == NULL || strcmp(start, started) == 0);
}

void board_add_runs(const struct board *board, int64_t now_ms, struct buffer *out)
{
    const cJSON *item;
    buffer_text(out, "[");
    board_add_summary(board, now_ms, out);
    cJSON_ArrayForEach(item, board->history)
    {
        if (is_shown(board, item))
            continue;
        json_add_item(out);
        add_history_item(item, out);
    }
    buffer_text(out, "]");
}

bool board_add_run(const struct board *board, const char *run_id, int64_t now_ms, struct buffer *out)
{
    const cJSON *item;
    if (strcmp(run_id, board->run_id) == 0) {
        board_add_summary(board, now_ms, out);
        return true;
    }
    cJSON_ArrayForEach(item, board->history)
    {
        const char *id = history_id(item);
        if (id && strcmp(id, run_id) == 0) {
            add_history_item(item, out);
            return true;
        }
    }
    return false;
}

/* ---- the snapshot ---- */

static void add_number_columns(const struct board *board, struct buffer *out)
{
    for (size_t c = 0; c < BOARD_COLUMN_COUNT; c++) {
        const struct board_cells *column = &board_columns[c];
        if (column->number == NULL)
            continue;
        json_add_key(out, column->name);
        buffer_text(out, "[");
        for (size_t i = 0; i < board_total(board); i++) {
            json_add_item(out);
            json_add_int(out, column->number(board, i));
        }
        buffer_text(out, "]");
    }
}

/* The index of a text, or -1; a text that is met for the first time goes to its table as well. */
static void add_index(struct text_pool *pool, const char *text, struct buffer *out, struct buffer *table)
{
    uint32_t number = 0;
    if (text && text_pool_number(pool, text, &number)) {
        json_add_item(table);
        json_add_text(table, text);
    }
    json_add_item(out);
    json_add_int(out, text ? (int64_t)number : -1);
}

/* A column of indices goes to `out`, and the texts that they stand for to `table`, in one pass. */
static void add_text_column(const struct board *board, struct text_pool *pool, enum board_column_name name,
                            struct buffer *out, struct buffer *table)
{
    const struct board_cells *column = &board_columns[name];
    text_pool_renumber(pool);
    json_add_key(out, column->name);
    buffer_text(out, "[");
    for (size_t i = 0; i < board_total(board); i++) {
        add_index(pool, column->text(board, i), out, table);
    }
    buffer_text(out, "]");
}

/* The columns of failures and of the errors that they have, and the tables that come with them. */
struct failure_columns {
    struct buffer task, title, error, file, line;
    struct buffer message, expected, received, cause;
    struct buffer titles, files;
};

#define auto_failure_columns __attribute__((cleanup(close_failure_columns))) struct failure_columns

static void close_failure_columns(struct failure_columns *c)
{
    struct buffer *const all[] = {&c->task,     &c->title,    &c->error, &c->file,   &c->line, &c->message,
                                  &c->expected, &c->received, &c->cause, &c->titles, &c->files};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        buffer_close(all[i]);
}

static void add_error(struct failure_columns *c, const struct board_error *error)
{
    json_add_item(&c->message), json_add_text(&c->message, error->message);
    json_add_item(&c->expected), json_add_text(&c->expected, error->expected);
    json_add_item(&c->received), json_add_text(&c->received, error->received);
    json_add_item(&c->cause), json_add_text(&c->cause, error_pool_cause(error));
}

static void add_failure_cells(struct board *board, size_t index, size_t number, struct failure_columns *c)
{
    uint32_t error;
    struct board_failure failure = board_failure(board, index, number);
    if (error_pool_number(&board->errors, failure.error, &error))
        add_error(c, failure.error);
    json_add_item(&c->task), json_add_uint(&c->task, index);
    add_index(&board->titles, failure.title, &c->title, &c->titles);
    json_add_item(&c->error), json_add_uint(&c->error, error);
    add_index(&board->files, failure.file, &c->file, &c->files);
    json_add_item(&c->line), json_add_int(&c->line, failure.line);
}

static void add_list(struct buffer *out, const char *name, const struct buffer *items)
{
    json_add_key(out, name);
    buffer_format(out, "[%s]", items->length > 0 ? items->data : "");
}

static void add_failures(struct board *board, struct buffer *out)
{
    auto_failure_columns c = {0};
    text_pool_renumber(&board->titles);
    text_pool_renumber(&board->files);
    error_pool_renumber(&board->errors);
    for (size_t i = 0; i < board_total(board); i++)
        for (size_t n = 0; n < board_failure_count(board, i); n++)
            add_failure_cells(board, i, n, &c);
    json_add_key(out, "failures");
    buffer_text(out, "{");
    add_list(out, "task", &c.task);
    add_list(out, "title", &c.title);
    add_list(out, "error", &c.error);
    add_list(out, "file", &c.file);
    add_list(out, "line", &c.line);
    buffer_text(out, "}");
    json_add_key(out, "errors");
    buffer_text(out, "{");
    add_list(out, "message", &c.message);
    add_list(out, "expected", &c.expected);
    add_list(out, "received", &c.received);
    add_list(out, "cause", &c.cause);
    buffer_text(out, "}");
    add_list(out, "titles", &c.titles);
    add_list(out, "files", &c.files);
    add_named_uint(out, "failures_dropped", board_failures_dropped(board));
}

static void add_names(struct buffer *out, const char *name, const struct board_column *column)
{
    json_add_key(out, name);
    buffer_text(out, "[");
    for (size_t i = 0; i < column->count; i++) {
        json_add_item(out);
        json_add_text(out, column->names[i]);
    }
    buffer_text(out, "]");
}

static void add_plan_tables(const struct board *board, struct buffer *out)
{
    json_add_key(out, "excluded");
    buffer_text(out, "[");
    for (size_t i = 0; i < board->plan->exclusion_count; i++) {
        const struct plan_exclusion *exclusion = &board->plan->exclusions[i];
        json_add_item(out);
        buffer_text(out, "{");
        add_named_text(out, "group", exclusion->group);
        add_named_text(out, "spec", exclusion->spec);
        add_named_text(out, "viewport", exclusion->viewport);
        add_named_text(out, "browser", exclusion->browser);
        add_named_text(out, "reason", exclusion->reason);
        buffer_text(out, "}");
    }
    buffer_text(out, "]");
    json_add_key(out, "groups");
    buffer_text(out, "[");
    for (size_t i = 0; i < board->plan->group_count; i++) {
        json_add_item(out);
        json_add_text(out, board->plan->groups[i].name);
    }
    buffer_text(out, "]");
    add_names(out, "specs", &board->columns[BOARD_SPEC]);
    add_names(out, "viewports", &board->columns[BOARD_VIEWPORT]);
    add_names(out, "browsers", &board->columns[BOARD_BROWSER]);
    add_names(out, "runners", &board->columns[BOARD_RUNNER]);
}

void board_add_snapshot(struct board *board, int64_t now_ms, struct buffer *out)
{
    auto_buffer workers = {0}, messages = {0};
    buffer_text(&workers, "[");
    buffer_text(&messages, "[");

    buffer_text(out, "{");
    add_named_text(out, "epoch", board->epoch);
    add_named_uint(out, "seq", board->seq);
    json_add_key(out, "summary");
    board_add_summary(board, now_ms, out);
    add_plan_tables(board, out);
    json_add_key(out, "tasks");
    buffer_text(out, "{");
    add_number_columns(board, out);
    add_text_column(board, &board->workers, BOARD_COLUMN_WORKER, out, &workers);
    add_text_column(board, &board->messages, BOARD_COLUMN_MESSAGE, out, &messages);
    buffer_text(out, "}");
    json_add_key(out, "workers");
    buffer_add(out, workers.data, workers.length);
    buffer_text(out, "]");
    json_add_key(out, "messages");
    buffer_add(out, messages.data, messages.length);
    buffer_text(out, "]");
    add_failures(board, out);
    buffer_text(out, "}");
}

/* ---- the rest */

static void add_delta_row(const struct board *board, uint32_t index, struct buffer *out)
{
    json_add_item(out);
    buffer_text(out, "[");
    json_add_uint(out, index);
    for (size_t c = 0; c < BOARD_COLUMN_COUNT; c++) {
        const struct board_cells *column = &board_columns[c];
        if (!column->is_changing)
            continue;
        buffer_text(out, ",");
        if (column->number)
            json_add_int(out, column->number(board, index));
        else
            json_add_text(out, column->text(board, index));
    }
    buffer_text(out, "]");
}

static void add_delta_failures(const struct board *board, uint32_t index, struct buffer *out)
{
    for (size_t n = 0; n < board_failure_count(board, index); n++) {
        struct board_failure failure = board_failure(board, index, n);
        json_add_item(out);
        buffer_format(out, "[%u", index);
        const char *const texts[] = {
            failure.title,           failure.error->message,          failure.error->expected,
            failure.error->received, error_pool_cause(failure.error), failure.file};
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            buffer_text(out, ",");
            json_add_text(out, texts[i]);
        }
        buffer_format(out, ",%d]", failure.line);
    }
}

void board_add_delta(const struct board *board, uint64_t since, int64_t now_ms, struct buffer *out)
{
    buffer_text(out, "{");
    add_named_uint(out, "seq", board->seq);
    json_add_key(out, "summary");
    board_add_summary(board, now_ms, out);
    json_add_key(out, "tasks");
    buffer_text(out, "[");
    for (uint32_t i = board->newest; i != BOARD_NOBODY && board->entries[i].seq > since; i = board->entries[i].older)
        add_delta_row(board, i, out);
    buffer_text(out, "]");
    json_add_key(out, "failures");
    buffer_text(out, "[");
    for (uint32_t i = board->newest; i != BOARD_NOBODY && board->entries[i].seq > since; i = board->entries[i].older)
        add_delta_failures(board, i, out);
    buffer_text(out, "]");
    add_named_uint(out, "failures_dropped", board_failures_dropped(board));
    buffer_text(out, "}");
}

static void add_task_failures(const struct board *board, size_t index, struct buffer *out)
{
    const struct board_task *task = &board->entries[index].task;
    json_add_key(out, "failures");
    buffer_text(out, "[");
    for (size_t n = 0; n < board_failure_count(board, index); n++) {
        struct board_failure failure = board_failure(board, index, n);
        json_add_item(out);
        buffer_text(out, "{");
        add_named_text(out, "title", failure.title);
        add_named_text(out, "message", failure.error->message);
        add_named_text(out, "expected", failure.error->expected);
        add_named_text(out, "received", failure.error->received);
        add_named_text(out, "cause", error_pool_cause(failure.error));
        add_named_text(out, "file", failure.file);
        add_named_uint(out, "line", (uint64_t)failure.line);
        buffer_text(out, "}");
    }
    buffer_text(out, "]");
    add_named_uint(out, "failures_dropped", task->failures ? task->failures->dropped : 0);
}

/* One task as an object, left open. */
static void add_task_members(const struct board *board, size_t index, struct buffer *out)
{
    char key[TASK_KEY_SIZE];
    const struct plan_task *planned = &board->plan->tasks[index];
    const struct board_task *task = &board->entries[index].task;
    plan_key(board->plan, index, key);
    buffer_text(out, "{");
    add_named_text(out, "key", key);
    add_named_text(out, "group", board->plan->groups[planned->group].name);
    add_named_text(out, "spec", planned->spec);
    add_named_text(out, "viewport", planned->viewport);
    add_named_text(out, "browser", planned->browser);
    add_named_text(out, "runner", planned->runner);
    add_named_text(out, "status", board_state_name(task->state));
    add_named_uint(out, "attempt", task->attempt);
    json_add_key(out, "started_ms");
    json_add_int(out, task->started_ms);
    add_named_uint(out, "duration_ms", task->duration_ms);
    add_named_text(out, "worker", task->worker);
    add_named_text(out, "message", task->message);
    add_named_uint(out, "tests", (uint64_t)board_columns[BOARD_COLUMN_TESTS].number(board, index));
    add_named_uint(out, "tests_failed", task->tests.failed);
    add_task_failures(board, index, out);
}

void board_add_task(const struct board *board, size_t index, const char *attempts_json, struct buffer *out)
{
    add_task_members(board, index, out);
    json_add_key(out, "attempts");
    buffer_text(out, attempts_json);
    buffer_text(out, "}");
}

void board_add_row(const struct board *board, size_t index, struct buffer *out)
{
    add_task_members(board, index, out);
    buffer_text(out, "}");
}
