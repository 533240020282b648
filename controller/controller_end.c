/*
 * What is done when the run has ended: put back what didn't pass if that was asked for; write the report's files, tell
 * the verdict, have the run keep its summary, and stop. What Redis refuses is done again by the next turn of our lease.
 */
#include <unistd.h>

#include "controller/controller_private.h"
#include "controller/rerun.h"
#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/terminal.h"

enum { SUMMARY_LIMIT_MS = 5000 };

int controller_verdict_status(const struct controller *c)
{
    switch (board_verdict(c->board)) {
    case BOARD_VERDICT_PASSED:
        return EXIT_PASSED;
    case BOARD_VERDICT_FAILED:
        return EXIT_FAILED;
    case BOARD_VERDICT_CANCELLED:
        return EXIT_CANCELLED;
    case BOARD_VERDICT_SKIPPED:
        return EXIT_NO_TASKS;
    default:
        return EXIT_ERROR;
    }
}

/* Whether what failed goes on being shown: to people, who say when they have seen it. */
static bool is_to_serve(const struct controller *c)
{
    int status = controller_verdict_status(c);
    return c->options->serve_failures && (status == EXIT_FAILED || status == EXIT_ERROR) &&
           terminal_is_watched(STDOUT_FILENO);
}

static void stop_or_serve(struct controller *c)
{
    if (!is_to_serve(c)) {
        controller_stop(c, controller_verdict_status(c));
    } else if (!c->is_serving) {
        c->is_serving = true;
        c->exit_status = controller_verdict_status(c);
        progress_say(&c->progress, "serving the report at %s until Ctrl-C", c->url);
    }
}

/* Refused for now, it is asked again; but only the history needs it, so nobody waits for it for long. */
static void on_summary_kept(void *data, const struct ledger_reply *reply)
{
    struct controller *c = data;
    if (c->state != CONTROLLER_FINISHED)
        return;
    if (reply->outcome == LEDGER_TROUBLE || reply->outcome == LEDGER_LOST)
        c->has_summary = false;
    if (reply->outcome == LEDGER_TROUBLE && clock_mono_ms() - c->finished_ms < SUMMARY_LIMIT_MS)
        own_lease_look_soon(&c->lease);
    else if (reply->outcome != LEDGER_CLOSED && c->options->once) /* CLOSED: the run goes on */
        stop_or_serve(c);
}

/* The run keeps its own summary, for the history that a later run moves it to. */
static void keep_summary(struct controller *c)
{
    static const struct ledger_reply lost = {.outcome = LEDGER_LOST};
    auto_buffer summary = {0};
    board_add_summary(c->board, clock_wall_ms(), &summary);
    c->has_summary = true;
    if (ledger_summarize(&c->ledger, c->opener.me, summary.data, board_run(c->board)->reruns, on_summary_kept, c) < 0)
        on_summary_kept(c, &lost);
}

static void on_rerun(void *data, const struct ledger_reply *reply)
{
    struct controller *c = data;
    if (reply->outcome == LEDGER_OK)
        opener_ran_again(&c->opener);
    else if (!c->has_verdict)
        c->has_rerun = false; /* it is asked again */
}

/* What --rerun asks for, with nothing to run again too: that makes the run ours. Returns whether there is anything. */
static bool rerun(struct controller *c)
{
    enum { UNHAPPY = 1u << BOARD_FAILED | 1u << BOARD_ERROR | 1u << BOARD_CANCELLED };
    size_t count = board_count(c->board, BOARD_FAILED) + board_count(c->board, BOARD_ERROR) +
                   board_count(c->board, BOARD_CANCELLED);
    bool is_sent = rerun_send(&c->ledger, c->opener.me, c->plan, c->board, UNHAPPY, on_rerun, c) == 0;
    c->has_rerun = is_sent || count == 0;
    return count > 0;
}

static void on_report(void *data, const struct error *why)
{
    struct controller *c = data;
    c->has_report = why == NULL;
    if (c->is_told) {
        log_info("report.written", LOG_TEXT("folder", why ? "" : c->report.folder),
                 LOG_TEXT("reason", why ? why->text : ""));
        return;
    }
    controller_tell_verdict(c, why);
    keep_summary(c);
}

static void write_report(struct controller *c)
{
    report_write(&c->report, c->options, &c->ledger, c->plan, c->board, on_report, c);
}

void controller_end_run(struct controller *c)
{
    if (c->options->rerun && !c->has_rerun && rerun(c))
        return;
    c->has_verdict = true;
    local_workers_let_go(&c->workers);
    write_report(c);
}

/* What Redis refused when the run had ended, or what a lost link has left undone. */
void controller_end_run_again(struct controller *c)
{
    if (c->monitor.is_reading)
        return;
    if (c->options->rerun && !c->has_rerun)
        controller_end_run(c);
    else if (!c->is_told)
        return;
    else if (!c->has_summary)
        keep_summary(c);
    else if (!c->has_report && !c->report.is_writing)
        write_report(c);
}
