#include "controller/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/utf8.h"

enum {
    REDRAW_MS = 200,
    PLAIN_EVERY_MS = 10000, /* plain lines: at most so often … */
    NO_WORKER_MS = 10000,
    SLOWEST = 5,
    FAILURES_LISTED = 50,
    UNFINISHED_NAMED = 3,
    SKIP_REASONS = 5,
};

/* ---- texts ---- */

/* Untrusted text on a terminal: printable characters, cut to `limit` bytes. */
static void add_harmless(struct buffer *out, const char *text, size_t limit)
{
    auto_buffer clean = {0};
    buffer_add_utf8(&clean, text, strlen(text));
    size_t length = utf8_cut(clean.data ? clean.data : "", clean.length, limit);
    for (size_t i = 0, sequence; i < length; i += sequence) {
        uint32_t code;
        const unsigned char *at = (const unsigned char *)clean.data + i;
        sequence = utf8_sequence(at, length - i);
        if (utf8_printable(at, length - i, &code) > 0)
            buffer_add(out, at, sequence);
        else
            buffer_text(out, " ");
    }
    if (length < clean.length)
        buffer_text(out, "…");
}

static const char *colour(const struct progress *p, const char *code)
{
    return p->is_terminal ? code : "";
}

static const char *mark(enum board_state state)
{
    static const char *const marks[BOARD_STATES] = {"·", "▸", "✓", "✗", "≈", "!", "-", "»"};
    return marks[state];
}

static void add_task_name(struct buffer *out, const struct progress *p, size_t index)
{
    const struct plan_task *task = &p->plan->tasks[index];
    add_harmless(out, p->plan->groups[task->group].name, 200);
    buffer_text(out, " › ");
    add_harmless(out, task->spec, 400);
    buffer_text(out, " [");
    add_harmless(out, task->viewport, 100);
    buffer_text(out, " ");
    add_harmless(out, task->browser, 100);
    buffer_text(out, "]");
}

static void add_failure(struct buffer *out, const struct progress *p, size_t index)
{
    const struct board_task *task = board_task(p->board, index);
    char duration[32];
    clock_format_duration(task->duration_ms, duration, sizeof(duration));
    buffer_format(out, "%s%s %-6s%s ", colour(p, task->state == BOARD_FLAKY ? "\033[33m" : "\033[31m"),
                  mark(task->state), board_state_name(task->state), colour(p, "\033[0m"));
    add_task_name(out, p, index);
    buffer_format(out, " %s", duration);
    if (task->attempt > 1)
        buffer_format(out, ", attempt %u", task->attempt);
    buffer_text(out, "\n");
    if (task->title) {
        buffer_text(out, "    ");
        add_harmless(out, task->title, 400);
        buffer_text(out, "\n");
    }
    if (task->message) {
        buffer_text(out, "    ");
        add_harmless(out, task->message, 1000);
        buffer_text(out, "\n");
    }
    if (task->file) {
        buffer_text(out, "    at ");
        add_harmless(out, task->file, 400);
        buffer_format(out, ":%d\n", task->line);
    }
}

/* ---- the line ---- */

static void erase(struct progress *p)
{
    if (p->is_drawn)
        fputs("\r\033[2K", stdout);
    p->is_drawn = false;
    fflush(stdout);
}

static size_t count_done(const struct board *board)
{
    return board_total(board) - board_count(board, BOARD_QUEUED) - board_count(board, BOARD_RUNNING);
}

static void add_counts(struct buffer *line, const struct progress *p)
{
    static const struct {
        enum board_state state;
        const char *colour;
    } shown[] = {{BOARD_PASSED, "\033[32m"}, {BOARD_FAILED, "\033[31m"},    {BOARD_FLAKY, "\033[33m"},
                 {BOARD_ERROR, "\033[31m"},  {BOARD_CANCELLED, "\033[90m"}, {BOARD_SKIPPED, "\033[90m"},
                 {BOARD_RUNNING, "\033[36m"}};
    buffer_format(line, "%zu/%zu", count_done(p->board), board_total(p->board));
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        size_t count = board_count(p->board, shown[i].state);
        if (count > 0)
            buffer_format(line, "  %s%s %zu %s%s", colour(p, shown[i].colour), mark(shown[i].state), count,
                          board_state_name(shown[i].state), colour(p, "\033[0m"));
    }
}

static void add_times(struct buffer *line, const struct progress *p)
{
    struct board_totals totals;
    char wall[32], low[32], high[32];
    board_totals(p->board, clock_wall_ms(), &totals);
    clock_format_duration(totals.wall_ms, wall, sizeof(wall));
    buffer_format(line, "  %s", wall);
    if (totals.has_eta) {
        clock_format_duration(totals.eta_low_ms, low, sizeof(low));
        clock_format_duration(totals.eta_high_ms, high, sizeof(high));
        buffer_format(line, ", %s to %s left", low, high);
    }
    if (totals.workers_live == 0)
        buffer_text(line, ", no worker yet");
}

/* How many columns of a line with escape sequences fit: those take none, a UTF-8 sequence takes one. */
static size_t fit(const char *text, size_t columns)
{
    size_t i = 0, used = 0;
    while (text[i]) {
        if (text[i] == '\033') {
            i += strcspn(text + i, "m") + 1;
            continue;
        }
        if (used == columns)
            break;
        size_t length = utf8_sequence((const unsigned char *)text + i, strlen(text + i));
        i += length ? length : 1;
        used++;
    }
    return i;
}

static void draw(struct progress *p)
{
    struct winsize size = {0};
    auto_buffer line = {0};
    add_counts(&line, p);
    add_times(&line, p);
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        size.ws_col = 80;
    printf("\r\033[2K%.*s\033[0m", (int)fit(line.data, (size_t)size.ws_col - 1), line.data);
    p->is_drawn = true;
    fflush(stdout);
}

static void print_plain(struct progress *p)
{
    size_t done = count_done(p->board);
    uint64_t now = clock_mono_ms();
    if (done == p->last_plain_done || now - p->last_plain_ms < PLAIN_EVERY_MS)
        return;
    auto_buffer line = {0};
    add_counts(&line, p);
    add_times(&line, p);
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
    if (p->is_terminal)
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
    const char *term = getenv("TERM");
    *p = (struct progress){.loop = loop, .plan = plan};
    p->is_terminal = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
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
                 start, count_done(p->board), board_total(p->board),
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
        progress_say(p, "interrupted: %zu of %zu done; the same command%s resumes", count_done(p->board),
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
    auto_buffer text = {0};
    add_failure(&text, p, task);
    erase(p);
    fputs(text.data, stdout);
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

static void add_unhappy(struct buffer *out, const struct progress *p)
{
    size_t listed = 0, count = 0;
    for (size_t i = 0; i < board_total(p->board); i++) {
        enum board_state state = board_task(p->board, i)->state;
        if (state != BOARD_FAILED && state != BOARD_ERROR && state != BOARD_FLAKY)
            continue;
        if (count++ < FAILURES_LISTED) {
            add_failure(out, p, i);
            listed++;
        }
    }
    if (count > listed)
        buffer_format(out, "  and %zu more; the report has them all\n", count - listed);
}

static bool is_skipped_for(const struct board_task *task, const char *reason)
{
    return task->state == BOARD_SKIPPED && task->message && strcmp(task->message, reason) == 0;
}

/* How many tasks were skipped and why, in the order of the plan: each reason once, and no more than a few. */
static void add_skipped(struct buffer *out, const struct progress *p)
{
    const char *told[SKIP_REASONS];
    size_t told_count = 0;
    for (size_t i = 0; i < board_total(p->board) && told_count < SKIP_REASONS; i++) {
        const struct board_task *task = board_task(p->board, i);
        size_t known = 0, count = 0;
        if (task->state != BOARD_SKIPPED || task->message == NULL)
            continue;
        while (known < told_count && !is_skipped_for(task, told[known]))
            known++;
        if (known < told_count)
            continue;
        told[told_count++] = task->message;
        for (size_t j = i; j < board_total(p->board); j++)
            count += is_skipped_for(board_task(p->board, j), task->message);
        buffer_format(out, "%s%s skipped%s %zu: ", colour(p, "\033[90m"), mark(BOARD_SKIPPED), colour(p, "\033[0m"),
                      count);
        add_harmless(out, task->message, 400);
        buffer_text(out, "\n");
    }
}

static void add_slowest(struct buffer *out, const struct progress *p)
{
    size_t slowest[SLOWEST];
    size_t count = board_slowest(p->board, slowest, SLOWEST);
    if (count > 0)
        buffer_text(out, "slowest:\n");
    for (size_t i = 0; i < count; i++) {
        uint64_t ms = board_task(p->board, slowest[i])->duration_ms;
        buffer_format(out, "  %6" PRIu64 ".%01" PRIu64 "s  ", ms / 1000, ms % 1000 / 100);
        add_task_name(out, p, slowest[i]);
        buffer_text(out, "\n");
    }
}

static void add_unfinished(struct buffer *out, const struct progress *p)
{
    size_t count = board_count(p->board, BOARD_QUEUED) + board_count(p->board, BOARD_RUNNING), named = 0;
    buffer_format(out, "%zu of %zu tasks unfinished", count, board_total(p->board));
    for (size_t i = 0; i < board_total(p->board) && named < UNFINISHED_NAMED; i++) {
        enum board_state state = board_task(p->board, i)->state;
        if (state != BOARD_QUEUED && state != BOARD_RUNNING)
            continue;
        buffer_text(out, named++ ? ", " : ": ");
        add_task_name(out, p, i);
    }
    if (count > named)
        buffer_text(out, ", …");
}

void progress_unfinished(struct progress *p, const char *why, const char *missing)
{
    auto_buffer out = {0};
    if (p->board)
        add_unfinished(&out, p);
    else
        buffer_format(&out, "%zu of %zu tasks unfinished, no run was opened here", p->plan->task_count,
                      p->plan->task_count);
    if (*missing)
        buffer_format(&out, "; missing: %s", missing);
    progress_say(p, "%s: %s", why, out.data);
    if (p->board)
        progress_say(p, "what couldn't be cancelled stays in Redis; the next controller finds it there");
}

void progress_summary(struct progress *p, const char *url, const char *folder)
{
    struct board_totals totals;
    auto_buffer out = {0};
    char wall[32];
    uv_timer_stop(&p->timer);
    erase(p);
    board_totals(p->board, clock_wall_ms(), &totals);
    clock_format_duration(totals.wall_ms, wall, sizeof(wall));
    add_unhappy(&out, p);
    add_skipped(&out, p);
    add_slowest(&out, p);
    bool is_passed = totals.verdict == BOARD_VERDICT_PASSED;
    buffer_format(&out, "%s%s%s: ", colour(p, is_passed ? "\033[1;32m" : "\033[1;31m"),
                  board_verdict_name(totals.verdict), colour(p, "\033[0m"));
    add_counts(&out, p);
    buffer_format(&out, " in %s", wall);
    uint64_t tests = totals.tests_passed + totals.tests_failed + totals.tests_skipped + totals.tests_flaky;
    if (tests > 0)
        buffer_format(&out, " (%" PRIu64 " tests, %" PRIu64 " failed)", tests, totals.tests_failed);
    if (totals.verdict == BOARD_VERDICT_SKIPPED)
        buffer_text(&out, "\nevery task was skipped: nothing was tested, so this is no pass");
    buffer_format(&out, "\nreport: %s\n", url);
    if (folder) {
        buffer_text(&out, "files:  ");
        add_harmless(&out, folder, 1000);
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
