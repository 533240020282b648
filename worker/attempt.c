#include "worker/attempt.h"

#include <stdlib.h>

#include "shared/clock.h"
#include "shared/in_path.h"
#include "shared/memory.h"
#include "shared/record.h"
#include "shared/runner_template.h"

void attempt_init(struct attempt *a, const struct attempt_setup *setup)
{
    *a = (struct attempt){.setup = setup};
    judge_init(&a->judge);
}

void attempt_load(struct attempt *a, const struct ledger_reply *claim, const struct run_policy *policy)
{
    const struct ledger_claimed claimed = ledger_claimed(claim);
    struct attempt_task *t = &a->task;
    t->attempt = claimed.attempt;
    t->spec = memory_text(claimed.spec);
    t->viewport = memory_text(claimed.viewport);
    t->browser = memory_text(claimed.browser);
    t->runner = memory_text(claimed.runner);
    t->overrides = memory_text(claimed.overrides);
    t->limits = policy->limits;
    a->started_wall_ms = clock_wall_ms();
    a->started_ns = clock_mono_ns();
}

/* Only who names the spec needs it to be a file: `true` runs for any. */
static char *find_spec(struct attempt *a, struct error *err)
{
    if (!runner_needs_spec(a->runner))
        return memory_text(a->task.spec);
    return spec_finder_find(a->setup->specs, a->task.spec, err);
}

static void set_judge(struct attempt *a)
{
    a->judge.expects_events = runner_reports_tests(a->runner) || a->runner->junit != NULL;
    a->judge.spec = a->spec;
    a->judge.root = a->setup->root;
    a->judge.cwd = a->runner->cwd;
}

int attempt_prepare(struct attempt *a, const struct run_policy *policy, struct error *err)
{
    if (run_policy_limits(policy, a->task.overrides, &a->task.limits, err) < 0)
        return -1;
    a->runner = run_policy_runner(policy, a->task.runner);
    if (a->runner == NULL)
        return error_set(err, ERROR_CONFIG, "runner \"%s\" isn't known to this worker", a->task.runner);
    a->spec = find_spec(a, err);
    if (a->spec == NULL)
        return -1;
    set_judge(a);
    return 0;
}

void attempt_begin_again(struct attempt *a)
{
    bool has_others = a->judge.has_others;
    judge_clear(&a->judge);
    set_judge(a);
    a->judge.has_others = has_others;
}

/* ---- the end of an attempt ---- */

static struct record start_record(const struct attempt *a, enum record_outcome outcome, const char *reason)
{
    return (struct record){
        .attempt = a->task.attempt,
        .outcome = outcome,
        .reason = reason,
        .worker = a->setup->worker_id,
        .started_ms = a->started_wall_ms,
        .duration_ms = a->duration_ns / 1000000,
    };
}

static enum record_outcome outcome_of(enum task_result result)
{
    switch (result) {
    case TASK_PASSED:
        return RECORD_PASSED;
    case TASK_FAILED:
        return RECORD_FAILED;
    case TASK_SKIPPED:
        return RECORD_SKIPPED;
    default:
        return RECORD_ERROR;
    }
}

static char *make_record(struct attempt *a, const struct attempt_end *end)
{
    struct buffer out = {0};
    const struct judge *judge = &a->judge;
    auto_free char *tests = judge_take_tests(&a->judge);
    const struct record_run run = {
        .max_rss_bytes = end->runner->max_rss_bytes,
        .cpu_ms = end->runner->cpu_ms,
        .strays = end->runner->strays,
        .log_bytes = a->log.length,
        .log_dropped_bytes = capture_dropped(end->output),
        .unreadable_lines = judge->unreadable_lines,
        .unreadable_sample = judge->unreadable_lines > 0 ? judge->unreadable_sample : NULL,
        .attachments_dropped = judge->attachments_dropped,
        .tests_dropped = judge->tests_dropped,
        .tests = tests,
    };
    struct record record = start_record(a, outcome_of(a->verdict.result), a->verdict.reason);
    record.run = &run;
    record_format(&record, &out);
    return buffer_take(&out);
}

static void make_result(struct attempt *a, const struct attempt_end *end)
{
    a->duration_ns = clock_mono_ns() - a->started_ns;
    a->details = judge_details(&a->judge);
    a->record = make_record(a, end);
}

static void set_verdict(struct attempt *a, enum task_result result, const char *reason)
{
    a->verdict.result = result;
    memory_copy_text(a->verdict.reason, sizeof(a->verdict.reason), reason);
}

void attempt_end(struct attempt *a, const struct attempt_end *end)
{
    capture_text(end->output, &a->log);
    if (end->reason) {
        set_verdict(a, TASK_ERROR, end->reason);
    } else {
        judge_take_output(&a->judge, a->log.data);
        judge_verdict(&a->judge, a->runner, end->runner, end->program, end->timeout_s, &a->verdict);
    }
    make_result(a, end);
}

static void end_unstarted(struct attempt *a, enum task_result result, const char *reason)
{
    set_verdict(a, result, reason);
    make_result(a, &(struct attempt_end){.runner = &(struct runner_end){0}, .output = &(struct capture){0}});
}

void attempt_fail(struct attempt *a, const char *reason)
{
    end_unstarted(a, TASK_ERROR, reason);
}

bool attempt_is_left_out(struct attempt *a)
{
    auto_buffer reason = {0};
    if (!run_overrides_leave_out(a->task.overrides, in_path, &reason))
        return false;
    end_unstarted(a, TASK_SKIPPED, reason.data);
    return true;
}

char *attempt_released_record(const struct attempt *a, const char *reason)
{
    struct buffer out = {0};
    const struct record record = start_record(a, RECORD_RELEASED, reason);
    record_format(&record, &out);
    return buffer_take(&out);
}

void attempt_clear(struct attempt *a)
{
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
    a->verdict = (struct verdict){0};
    a->duration_ns = 0;
    buffer_clear(&a->log);
    judge_clear(&a->judge);
}

void attempt_close(struct attempt *a)
{
    attempt_clear(a);
    buffer_close(&a->log);
    judge_close(&a->judge);
}
