/*
 * CTRF's words for a status are fewer than ours: a flaky test is passed and says flaky, an error of a task is failed,
 * what was cancelled is other. Ours stands in rawStatus. The summary comes last, when it is known.
 */
#include "controller/export/export_ctrf.h"

#include "shared/json_writer.h"

enum ctrf_status { CTRF_PASSED, CTRF_FAILED, CTRF_SKIPPED, CTRF_PENDING, CTRF_OTHER, CTRF_STATUSES };

static const char *const names[CTRF_STATUSES] = {"passed", "failed", "skipped", "pending", "other"};

static const enum ctrf_status statuses[EXPORT_STATUSES] = {
    [EXPORT_PASSED] = CTRF_PASSED,   [EXPORT_FAILED] = CTRF_FAILED,   [EXPORT_ERROR] = CTRF_FAILED,
    [EXPORT_FLAKY] = CTRF_PASSED,    [EXPORT_SKIPPED] = CTRF_SKIPPED, [EXPORT_CANCELLED] = CTRF_OTHER,
    [EXPORT_PENDING] = CTRF_PENDING,
};

static void add_text(struct buffer *out, const char *name, const char *text)
{
    if (text == NULL)
        return;
    json_add_key(out, name);
    json_add_text(out, text);
}

static void add_number(struct buffer *out, const char *name, int64_t number)
{
    json_add_key(out, name);
    json_add_int(out, number);
}

static void add_failure(struct buffer *out, const struct export_failure *failure)
{
    add_text(out, "message", failure->message);
    add_text(out, "trace", failure->stack);
}

/* What came before it passed; ours are starts of the task, or tries of the runner of which only the last is told. */
static void add_earlier(struct buffer *out, const struct export_cases *cases, const struct export_case *item)
{
    json_add_key(out, "retryAttempts");
    buffer_text(out, "[");
    for (size_t i = 0; i < item->failure_count; i++) {
        json_add_item(out);
        buffer_text(out, "{");
        add_number(out, "attempt", (int64_t)i + 1);
        add_text(out, "status", names[CTRF_FAILED]);
        add_failure(out, &cases->failures[item->first_failure + i]);
        buffer_text(out, "}");
    }
    buffer_text(out, "]");
}

static void add_suite(struct buffer *out, const struct export_task *task)
{
    const struct plan_task *planned = &task->plan->tasks[task->index];
    json_add_key(out, "suite");
    buffer_text(out, "[");
    json_add_item(out), json_add_text(out, task->plan->groups[planned->group].name);
    json_add_item(out), json_add_text(out, planned->spec);
    buffer_text(out, "]");
}

static void add_extra(struct buffer *out, const struct export_task *task, const struct export_case *item)
{
    const struct plan_task *planned = &task->plan->tasks[task->index];
    char key[TASK_KEY_SIZE];
    plan_key(task->plan, task->index, key);
    json_add_key(out, "extra");
    buffer_text(out, "{");
    add_text(out, "task", key);
    add_text(out, "viewport", planned->viewport);
    add_text(out, "runner", planned->runner);
    json_add_key(out, "is_task");
    buffer_text(out, item->is_task ? "true}" : "false}");
}

static void add_case(struct buffer *out, const struct export_task *task, const struct export_cases *cases,
                     const struct export_case *item)
{
    const struct export_failure *first = &cases->failures[item->first_failure];
    json_add_item(out);
    buffer_text(out, "{");
    add_text(out, "name", item->title);
    add_text(out, "status", names[statuses[item->status]]);
    add_text(out, "rawStatus", export_status_name(item->status));
    add_number(out, "duration", (int64_t)item->duration_ms);
    add_suite(out, task);
    add_text(out, "filePath", item->file);
    if (item->line > 0)
        add_number(out, "line", item->line);
    add_text(out, "browser", task->plan->tasks[task->index].browser);
    add_text(out, "message", item->reason);
    if (item->status == EXPORT_FAILED || item->status == EXPORT_ERROR) {
        add_failure(out, first);
        add_text(out, "snippet", first->snippet);
    }
    if (item->status == EXPORT_FLAKY) {
        json_add_key(out, "flaky");
        buffer_text(out, "true");
        add_number(out, "retries", (int64_t)item->failure_count);
        add_earlier(out, cases, item);
    }
    add_extra(out, task, item);
    buffer_text(out, "}");
}

void export_ctrf_begin(struct export_writer *writer)
{
    buffer_text(&writer->out, "{");
    add_text(&writer->out, "reportFormat", "CTRF");
    add_text(&writer->out, "specVersion", "0.0.0");
    add_text(&writer->out, "runId", board_run_id(writer->run->board));
    add_text(&writer->out, "generatedBy", "funkytown");
    json_add_key(&writer->out, "results");
    buffer_text(&writer->out, "{\"tool\":{\"name\":\"funkytown\",\"version\":\"" FUNKYTOWN_VERSION "\"}");
    json_add_key(&writer->out, "tests");
    buffer_text(&writer->out, "[");
}

void export_ctrf_task(struct export_writer *writer, const struct export_task *task, const struct export_cases *cases)
{
    for (size_t i = 0; i < cases->count; i++)
        add_case(&writer->out, task, cases, &cases->items[i]);
}

static void add_summary(struct export_writer *writer)
{
    struct buffer *out = &writer->out;
    struct board_totals totals;
    size_t counts[CTRF_STATUSES] = {0}, all = 0;
    board_totals(writer->run->board, writer->run->now_ms, &totals);
    for (size_t i = 0; i < EXPORT_STATUSES; i++) {
        counts[statuses[i]] += writer->counts[i];
        all += writer->counts[i];
    }
    json_add_key(out, "summary");
    buffer_text(out, "{");
    add_number(out, "tests", (int64_t)all);
    for (size_t i = 0; i < CTRF_STATUSES; i++)
        add_number(out, names[i], (int64_t)counts[i]);
    add_number(out, "flaky", (int64_t)writer->counts[EXPORT_FLAKY]);
    add_number(out, "suites", (int64_t)writer->tasks);
    add_number(out, "start", totals.started_ms);
    add_number(out, "stop", totals.finished_ms > 0 ? totals.finished_ms : writer->run->now_ms);
    json_add_key(out, "extra");
    board_add_summary(writer->run->board, writer->run->now_ms, out);
    buffer_text(out, "}");
}

void export_ctrf_end(struct export_writer *writer)
{
    buffer_text(&writer->out, "]");
    add_summary(writer);
    buffer_text(&writer->out, "}}\n");
}
