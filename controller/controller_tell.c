/* Telling people the verdict: once for each end of a run, with its files or with why there are none. */
#include "controller/controller_private.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/memory.h"

/* A verdict that comes at once, because nothing was run, must not look like that of a run. */
static void tell_served(struct controller *c)
{
    if (c->opener.way == OPENER_SERVED && !c->has_told_way)
        progress_served(&c->progress, c->has_stood_by);
    c->has_told_way = true;
}

/* With --once the address ends with us: what is named last must still be there. */
void controller_tell_verdict(struct controller *c, const struct error *why)
{
    c->is_told = true;
    tell_served(c);
    if (why)
        progress_say(&c->progress, "the report's files could not be written: %s", why->text);
    const struct export_run run = {c->board, c->plan, clock_wall_ms()};
    const char *folder = why ? NULL : c->report.folder;
    auto_free char *file = folder && c->options->once ? report_page_path(&c->report) : NULL;
    progress_summary(&c->progress, file ? file : c->url, folder);
    github_tell(c->github, c->options, &run);
    log_info("run.finished", LOG_TEXT("run", board_run_id(c->board)),
             LOG_TEXT("verdict", board_verdict_name(board_verdict(c->board))));
}

void controller_tell_now(struct controller *c, const char *why)
{
    struct error err;
    report_stop(&c->report);
    error_set(&err, ERROR_SYSTEM, "%s", why);
    if (c->has_verdict && !c->is_told)
        controller_tell_verdict(c, &err);
}
