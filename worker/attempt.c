#include "worker/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/json_writer.h"
#include "shared/log.h"
#include "shared/memory.h"

/* Kept of an attempt's output: enough to see how it began and why it ended, and 20,000 of them still fit a small
 * Redis. */
enum { LOG_HEAD_BYTES = 32 * 1024, LOG_TAIL_BYTES = 96 * 1024 };

/* ---- the end of an attempt ---- */

/* The members that every attempt's record has; the caller adds its own and the closing brace. */
static void add_record_head(struct buffer *out, const struct attempt *a, const char *outcome, const char *reason)
{
    buffer_text(out, "{");
    json_add_key(out, "attempt"), json_add_uint(out, a->task.attempt);
    json_add_key(out, "outcome"), json_add_text(out, outcome);
    json_add_key(out, "reason"), json_add_text(out, reason);
    json_add_key(out, "worker"), json_add_text(out, a->setup->worker_id);
    json_add_key(out, "started_ms"), json_add_int(out, a->started_wall_ms);
    json_add_key(out, "duration_ms"), json_add_uint(out, a->duration_ns / 1000000);
}

static char *make_record(struct attempt *a, const struct runner_end *end)
{
    struct buffer record = {0};
    auto_free char *tests = judge_take_tests(&a->judge);
    add_record_head(&record, a, task_result_name(a->verdict.result), a->verdict.reason);
    json_add_key(&record, "max_rss_bytes"), json_add_uint(&record, end->max_rss_bytes);
    json_add_key(&record, "cpu_ms"), json_add_uint(&record, end->cpu_ms);
    json_add_key(&record, "strays"), json_add_uint(&record, end->strays);
    json_add_key(&record, "log_bytes"), json_add_uint(&record, a->log.length);
    json_add_key(&record, "log_dropped_bytes"), json_add_uint(&record, capture_dropped(&a->capture));
    json_add_key(&record, "unreadable_lines"), json_add_uint(&record, a->judge.unreadable_lines);
    if (a->judge.unreadable_lines > 0)
        json_add_key(&record, "unreadable_sample"), json_add_text(&record, a->judge.unreadable_sample);
    json_add_key(&record, "attachments_dropped"), json_add_uint(&record, a->judge.attachments_dropped);
    json_add_key(&record, "tests_dropped"), json_add_uint(&record, a->judge.tests_dropped);
    json_add_key(&record, "tests"), buffer_text(&record, tests);
    buffer_text(&record, "}");
    return buffer_take(&record);
}

static void make_result(struct attempt *a, const struct runner_end *end)
{
    a->duration_ns = clock_mono_ns() - a->started_ns;
    capture_text(&a->capture, &a->log);
    a->details = judge_details(&a->judge);
    a->record = make_record(a, end);
}

void attempt_fail(struct attempt *a, const char *reason)
{
    a->verdict.result = TASK_ERROR;
    memory_copy_text(a->verdict.reason, sizeof(a->verdict.reason), reason);
    make_result(a, &(struct runner_end){0});
}

char *attempt_released_record(const struct attempt *a, const char *reason)
{
    struct buffer record = {0};
    add_record_head(&record, a, "released", reason);
    buffer_text(&record, "}");
    return buffer_take(&record);
}

/* ---- callbacks ---- */

static void on_output(void *data, const char *bytes, size_t length)
{
    struct attempt *a = data;
    capture_add(&a->capture, bytes, length);
}

static void on_event_bytes(void *data, const char *bytes, size_t length)
{
    struct attempt *a = data;
    event_reader_feed(&a->events, bytes, length);
}

static void on_event(void *data, const struct cJSON *event, const char *text)
{
    struct attempt *a = data;
    judge_take(&a->judge, event, text);
}

/* A spec may put a file in the place of the FIFO: what is said into it reaches nobody. */
static void look_for_lost_events(struct attempt *a)
{
    struct stat found;
    if (lstat(supervisor_fifo(a->supervisor), &found) == 0 && !S_ISFIFO(found.st_mode))
        judge_add_unreadable(&a->judge, "written to a file in the place of the FIFO");
}

static void on_runner_end(void *data, const struct runner_end *end)
{
    struct attempt *a = data;
    uv_timer_stop(&a->timer);
    event_reader_end(&a->events);
    look_for_lost_events(a);
    judge_verdict(&a->judge, a->runner, end, a->program, a->is_timed_out ? a->task.limits.timeout_s : 0, &a->verdict);
    make_result(a, end);
    a->on_end(a->data);
}

static void on_grace_over(uv_timer_t *timer)
{
    struct attempt *a = timer->data;
    supervisor_kill(a->supervisor);
}

static void on_time_limit(uv_timer_t *timer)
{
    struct attempt *a = timer->data;
    a->is_timed_out = true;
    attempt_stop(a, ATTEMPT_GRACE_MS);
}

/* ---- starting ---- */

int attempt_open(struct attempt *a, const struct attempt_setup *setup, int slot, void (*on_end)(void *data),
                 void *data, struct error *err)
{
    static const struct supervisor_events events = {on_output, on_event_bytes, on_runner_end};
    *a = (struct attempt){.setup = setup, .on_end = on_end, .data = data};
    uv_timer_init(setup->loop, &a->timer);
    a->timer.data = a;
    capture_init(&a->capture, LOG_HEAD_BYTES, LOG_TAIL_BYTES);
    event_reader_init(&a->events, on_event, a);
    judge_init(&a->judge);
    if (scratch_slot_open(&a->scratch, setup->scratch, slot, err) < 0)
        return -1;
    a->supervisor = supervisor_start(setup->loop, a->scratch.path, &events, a, err);
    return a->supervisor ? 0 : -1;
}

void attempt_load(struct attempt *a, const struct ledger_reply *claim, const struct run_policy *policy)
{
    struct attempt_task *t = &a->task;
    t->attempt = (unsigned)ledger_number(claim, 1);
    t->spec = memory_text(ledger_text(claim, 2));
    t->viewport = memory_text(ledger_text(claim, 3));
    t->browser = memory_text(ledger_text(claim, 4));
    t->runner = memory_text(ledger_text(claim, 5));
    t->overrides = memory_text(ledger_text(claim, 6));
    t->limits = policy->limits;
    a->started_wall_ms = clock_wall_ms();
    a->started_ns = clock_mono_ns();
}

/* The contract's variables; `lines` gives them room. */
enum { OWN_VARIABLES = 12, VARIABLE_SIZE = PATH_MAX + 64 };

static void list_variables(const struct attempt *a, const struct run_policy *policy,
                           const struct run_viewport *viewport, const char *spec, char *const *of_runner,
                           char (*lines)[VARIABLE_SIZE], const char **list)
{
    const struct attempt_task *t = &a->task;
    size_t n = 0;
#define VARIABLE(format, ...) snprintf(lines[n], VARIABLE_SIZE, format, __VA_ARGS__), list[n] = lines[n], n++
    VARIABLE("FUNKYTOWN_RUN_ID=%s", policy->run_id);
    VARIABLE("FUNKYTOWN_TASK=%s", t->key);
    VARIABLE("FUNKYTOWN_ATTEMPT=%u", t->attempt);
    VARIABLE("FUNKYTOWN_SPEC=%s", spec);
    VARIABLE("FUNKYTOWN_VIEWPORT=%s", t->viewport);
    VARIABLE("FUNKYTOWN_BROWSER=%s", t->browser);
    VARIABLE("FUNKYTOWN_EVENTS=%s", supervisor_fifo(a->supervisor));
    VARIABLE("FUNKYTOWN_ARTIFACTS=%s", a->scratch.artifacts.path);
    VARIABLE("TMPDIR=%s", a->scratch.tmp.path);
    if (viewport) {
        VARIABLE("FUNKYTOWN_WIDTH=%d", viewport->width);
        VARIABLE("FUNKYTOWN_HEIGHT=%d", viewport->height);
        VARIABLE("FUNKYTOWN_MOBILE=%d", viewport->is_mobile);
    }
#undef VARIABLE
    for (size_t i = 0; of_runner[i]; i++)
        list[n++] = of_runner[i];
    list[n] = NULL;
}

static size_t count_texts(char *const *list)
{
    size_t count = 0;
    while (list[count])
        count++;
    return count;
}

static int run(struct attempt *a, const struct run_policy *policy, const struct run_viewport *viewport,
               const char *spec, const struct runner_command *command, struct error *err)
{
    char cwd[PATH_MAX];
    auto_free char(*lines)[VARIABLE_SIZE] = memory_zeroed(OWN_VARIABLES, VARIABLE_SIZE);
    auto_free const char **list = memory_zeroed(OWN_VARIABLES + count_texts(command->env) + 1, sizeof(*list));
    list_variables(a, policy, viewport, spec, command->env, lines, list);
    int length = snprintf(cwd, sizeof(cwd), "%s%s%s", a->setup->root, a->runner->cwd ? "/" : "",
                          a->runner->cwd ? a->runner->cwd : "");
    if (length >= (int)sizeof(cwd))
        return error_set(err, ERROR_CONFIG, "runner \"%s\": cwd: the path is too long", a->runner->name);
    return supervisor_run(a->supervisor, (const char *const *)command->argv, list, cwd, err);
}

/* Only who names the spec needs it to be a file: `true` runs for any. */
static char *find_spec(struct attempt *a, struct error *err)
{
    if (!runner_needs_spec(a->runner))
        return memory_text(a->task.spec);
    return spec_finder_find(a->setup->specs, a->task.spec, err);
}

int attempt_start(struct attempt *a, const struct run_policy *policy, struct error *err)
{
    if (access(a->setup->root, X_OK) < 0)
        return error_errno(err, errno, "SPEC_ROOT: %s", a->setup->root);
    if (a->scratch.unusable)
        return error_errno(err, a->scratch.unusable, "temporary folder %s", a->scratch.path);
    if (run_policy_limits(policy, a->task.overrides, &a->task.limits, err) < 0)
        return -1;
    a->runner = run_policy_runner(policy, a->task.runner);
    if (a->runner == NULL)
        return error_set(err, ERROR_CONFIG, "runner \"%s\" isn't known to this worker", a->task.runner);
    const char *spec = a->spec = find_spec(a, err);
    if (spec == NULL)
        return -1;
    const struct run_viewport *viewport = run_policy_viewport(policy, a->task.viewport);
    const char *specs[] = {spec, NULL};
    struct runner_command command;
    const struct runner_values values = {
        .specs = specs,
        .root = a->setup->root,
        .viewport = a->task.viewport,
        .browser = a->task.browser,
        .width = viewport ? viewport->width : 0,
        .height = viewport ? viewport->height : 0,
        .events = supervisor_fifo(a->supervisor),
        .artifacts = a->scratch.artifacts.path,
        .output = a->scratch.output.path,
        .playwright = a->setup->playwright,
        .reporter = a->setup->reporter,
    };
    if (runner_expand(a->runner, &values, &command, err) < 0)
        return error_wrap(err, "runner \"%s\"", a->runner->name);
    memory_copy_text(a->program, sizeof(a->program), command.argv[0]);
    a->judge.expects_events = runner_reports_tests(a->runner);
    a->judge.spec = spec;
    a->judge.root = a->setup->root;
    a->judge.cwd = a->runner->cwd;
    int failed = run(a, policy, viewport, spec, &command, err);
    runner_command_close(&command);
    if (failed == 0)
        uv_timer_start(&a->timer, on_time_limit, (uint64_t)a->task.limits.timeout_s * 1000, 0);
    return failed;
}

void attempt_stop(struct attempt *a, unsigned grace_ms)
{
    supervisor_terminate(a->supervisor);
    uv_timer_start(&a->timer, on_grace_over, grace_ms, 0);
}

void attempt_kill(struct attempt *a)
{
    supervisor_kill(a->supervisor);
}

static void empty_folders(struct attempt *a)
{
    struct error err;
    if (scratch_slot_empty(&a->scratch, &err) > 0)
        log_warn("folder.left", LOG_TEXT("task", a->task.key), LOG_TEXT("reason", err.text));
}

void attempt_clear(struct attempt *a)
{
    empty_folders(a);
    free(a->task.spec);
    free(a->task.viewport);
    free(a->task.browser);
    free(a->task.runner);
    free(a->task.overrides);
    a->task = (struct attempt_task){0};
    free(a->spec);
    free(a->record);
    free(a->details);
    a->spec = a->record = a->details = NULL;
    a->runner = NULL;
    a->is_timed_out = false;
    a->verdict = (struct verdict){0};
    a->duration_ns = 0;
    buffer_clear(&a->log);
    capture_clear(&a->capture);
    event_reader_clear(&a->events);
    judge_clear(&a->judge);
}

static void on_supervisor_closed(void *data)
{
    struct attempt *a = data;
    attempt_clear(a);
    buffer_close(&a->log);
    capture_close(&a->capture);
    event_reader_close(&a->events);
    judge_close(&a->judge);
    a->on_closed(a->data);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct attempt *a = handle->data;
    if (a->supervisor)
        supervisor_close(a->supervisor, on_supervisor_closed);
    else
        on_supervisor_closed(a);
}

void attempt_close(struct attempt *a, void (*closed)(void *data))
{
    a->on_closed = closed;
    uv_close((uv_handle_t *)&a->timer, on_timer_closed);
}
