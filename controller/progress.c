#include "controller/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "controller/run_text.h"
#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/terminal.h"

enum {
    REDRAW_MS = 200,
    PLAIN_EVERY_MS = 10000, /* plain lines: at most so often … */
    NO_WORKER_MS = 10000,
};

static struct run_text text_of(const struct progress *p)
{
    struct run_text text = {.plan = p->plan, .board = p->board, .has_colour = p->has_colour};
    struct winsize size = {0};
    if (p->is_terminal)
        text.columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 ? 80 : size.ws_col;
    return text;
}

/* ---- the line ---- */

static void erase(struct progress *p)
{
    if (p->is_drawn)
        fputs("\r\033[2K", stdout);
    p->is_drawn = false;
    fflush(stdout);
}

static void draw(struct progress *p)
{
    auto_buffer line = {0};
    const struct run_text text = text_of(p);
    run_text_add_counts(&line, &text);
    run_text_add_times(&line, &text, clock_wall_ms());
    printf("\r\033[2K%.*s%s", (int)run_text_fit(line.data, text.columns - 1), line.data,
           run_text_colour(&text, "\033[0m"));
    p->is_drawn = true;
    fflush(stdout);
}

static void print_plain(struct progress *p)
{
    size_t done = run_text_done(p->board);
    uint64_t now = clock_mono_ms();
    if (done == p->last_plain_done || now - p->last_plain_ms < PLAIN_EVERY_MS)
        return;
    auto_buffer line = {0};
    const struct run_text text = text_of(p);
    run_text_add_counts(&line, &text);
    run_text_add_times(&line, &text, clock_wall_ms());
    printf("%s\n", line.data);
    fflush(stdout);
    p->last_plain_done = done;
    p->last_plain_ms = now;
}

/* Once, when nobody has come for a while: an open run that stands still looks like one that works. */
static void look_for_workers(struct progress *p)
{
    struct board_totals totals;
    if (p->has_worker)
        return;
    board_totals(p->board, clock_wall_ms(), &totals);
    p->has_worker = totals.workers_live > 0;
    if (p->has_worker || clock_mono_ms() - p->watched_ms < NO_WORKER_MS)
        return;
    p->has_worker = true;
    progress_say(p, "no worker has come yet: %s", p->no_worker);
}

static void on_redraw(uv_timer_t *timer)
{
    struct progress *p = timer->data;
    look_for_workers(p);
    if (p->is_redrawn)
        draw(p);
    else
        print_plain(p);
}

static void before_log(void *data)
{
    erase(data);
}

/* ---- outside ---- */

void progress_open(struct progress *p, uv_loop_t *loop, const struct plan *plan)
{
    *p = (struct progress){.loop = loop, .plan = plan};
    p->is_terminal = terminal_is_watched(STDOUT_FILENO);
    p->has_colour = terminal_takes_colours(STDOUT_FILENO);
    p->is_redrawn = p->is_terminal && terminal_takes_escapes(STDOUT_FILENO);
    p->last_plain_ms = clock_mono_ms();
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    log_around(before_log, NULL, p);
}

void progress_start(struct progress *p, const struct board *board, const char *url, const char *no_worker)
{
    p->board = board;
    p->no_worker = no_worker;
    p->watched_ms = clock_mono_ms();
    progress_say(p, "funkytown %s: %zu tasks, %zu excluded, report at %s", board_run_id(board), board_total(board),
                 p->plan->exclusion_count, url);
    uv_timer_start(&p->timer, on_redraw, REDRAW_MS, REDRAW_MS);
}

/* A time as a watch on the wall shows it: with its day unless that is today. */
static void format_local(int64_t wall_ms, char *text, size_t size)
{
    struct tm then, today;
    time_t seconds = (time_t)(wall_ms / 1000), now = (time_t)(clock_wall_ms() / 1000);
    localtime_r(&seconds, &then);
    localtime_r(&now, &today);
    bool is_today = then.tm_year == today.tm_year && then.tm_yday == today.tm_yday;
    strftime(text, size, is_today ? "%H:%M" : "%Y-%m-%d %H:%M", &then);
}

void progress_resumed(struct progress *p)
{
    char start[32] = "";
    const struct board_run *run = board_run(p->board);
    if (run->started_ms > 0)
        format_local(run->started_ms, start, sizeof(start));
    progress_say(p, "resuming run %s%s%s: %zu of %zu done, %zu passed", board_run_id(p->board), *start ? " of " : "",
                 start, run_text_done(p->board), board_total(p->board),
                 board_count(p->board, BOARD_PASSED) + board_count(p->board, BOARD_FLAKY));
}

void progress_served(struct progress *p, bool was_watched_elsewhere)
{
    char end[32] = "an unknown time";
    const struct board_run *run = board_run(p->board);
    if (run->finished_ms > 0)
        format_local(run->finished_ms, end, sizeof(end));
    progress_say(p, "run %s finished at %s; %s", board_run_id(p->board), end,
                 was_watched_elsewhere ? "another controller watched it" : "nothing was run now");
}

void progress_interrupted(struct progress *p, bool is_fresh)
{
    if (p->board)
        progress_say(p, "interrupted: %zu of %zu done; the same command%s resumes", run_text_done(p->board),
                     board_total(p->board), is_fresh ? " without --fresh" : "");
    else
        progress_say(p, "interrupted: no run was open yet");
}

void progress_go_on(struct progress *p)
{
    uv_timer_start(&p->timer, on_redraw, REDRAW_MS, REDRAW_MS);
}

void progress_task_end(struct progress *p, size_t task)
{
    enum board_state state = board_task(p->board, task)->state;
    if (state == BOARD_PASSED || state == BOARD_CANCELLED || state == BOARD_SKIPPED)
        return;
    auto_buffer line = {0};
    const struct run_text text = text_of(p);
    run_text_add_end(&line, &text, task);
    erase(p);
    fputs(line.data, stdout);
    fflush(stdout);
}

void progress_say(struct progress *p, const char *format, ...)
{
    va_list args;
    auto_free char *text = NULL;
    erase(p);
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    log_say(stdout, "%s", length >= 0 ? text : "");
}

void progress_unfinished(struct progress *p, const char *why, const char *missing)
{
    auto_buffer out = {0};
    const struct run_text text = text_of(p);
    if (p->board)
        run_text_add_unfinished(&out, &text);
    else
        buffer_format(&out, "%zu of %zu tasks unfinished, no run was opened here", p->plan->task_count,
                      p->plan->task_count);
    if (*missing)
        buffer_format(&out, "; missing: %s", missing);
    progress_say(p, "%s: %s", why, out.data);
    if (p->board)
        progress_say(p, "what couldn't be cancelled stays in Redis; the next controller finds it there");
}

void progress_summary(struct progress *p, const char *report, const char *folder)
{
    struct board_totals totals;
    auto_buffer out = {0};
    const struct run_text text = text_of(p);
    char wall[32];
    uv_timer_stop(&p->timer);
    erase(p);
    board_totals(p->board, clock_wall_ms(), &totals);
    clock_format_duration(totals.wall_ms, wall, sizeof(wall));
    run_text_add_causes(&out, &text);
    run_text_add_flaky(&out, &text);
    run_text_add_skipped(&out, &text);
    run_text_add_slowest(&out, &text);
    bool is_passed = totals.verdict == BOARD_VERDICT_PASSED;
    buffer_format(&out, "%s%s%s: ", run_text_colour(&text, is_passed ? "\033[1;32m" : "\033[1;31m"),
                  board_verdict_name(totals.verdict), run_text_colour(&text, "\033[0m"));
    run_text_add_counts(&out, &text);
    buffer_format(&out, " in %s", wall);
    uint64_t tests = totals.tests_passed + totals.tests_failed + totals.tests_skipped + totals.tests_flaky;
    if (tests > 0)
        buffer_format(&out, " (%" PRIu64 " tests, %" PRIu64 " failed)", tests, totals.tests_failed);
    if (totals.verdict == BOARD_VERDICT_SKIPPED)
        buffer_text(&out, "\nevery task was skipped: nothing was tested, so this is no pass");
    buffer_text(&out, "\nreport: ");
    run_text_add_harmless(&out, report, 1000);
    buffer_text(&out, "\n");
    if (folder) {
        buffer_text(&out, "files:  ");
        run_text_add_harmless(&out, folder, 1000);
        buffer_text(&out, "\n");
    }
    fputs(out.data, stdout);
    fflush(stdout);
}

void progress_close(struct progress *p, uv_close_cb closed)
{
    erase(p);
    log_around(NULL, NULL, NULL);
    uv_close((uv_handle_t *)&p->timer, closed);
}
