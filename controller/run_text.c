#include "controller/run_text.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "controller/cause_list.h"
#include "shared/clock.h"
#include "shared/utf8.h"

enum {
    CAUSES_TOLD = 10,
    FLAKY_TOLD = 10,
    SLOWEST = 5,
    UNFINISHED_NAMED = 3,
    SKIP_REASONS = 5,
    NAME_BYTES = 400,
    MESSAGE_BYTES = 1000,
    WORTH_COLUMNS = 12, /* less of a message says nothing */
};

#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define GREY   "\033[90m"
#define PLAIN  "\033[0m"

/* ---- texts ---- */

void run_text_add_harmless(struct buffer *out, const char *text, size_t limit)
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

/* How many bytes fit; `*used`: how many columns they take. */
static size_t fit(const char *text, size_t columns, size_t *used)
{
    size_t i = 0;
    for (*used = 0; text[i];) {
        if (text[i] == '\033') {
            i += strcspn(text + i, "m") + 1;
            continue;
        }
        if (*used == columns)
            break;
        size_t length = utf8_sequence((const unsigned char *)text + i, strlen(text + i));
        i += length ? length : 1;
        (*used)++;
    }
    return i;
}

size_t run_text_fit(const char *text, size_t columns)
{
    size_t used;
    return fit(text, columns, &used);
}

static size_t columns_of(const char *text)
{
    size_t used;
    fit(text, SIZE_MAX, &used);
    return used;
}

const char *run_text_colour(const struct run_text *t, const char *code)
{
    return t->has_colour ? code : "";
}

static const char *mark(enum board_state state)
{
    static const char *const marks[BOARD_STATES] = {"·", "▸", "✓", "✗", "≈", "!", "-", "»"};
    return marks[state];
}

static void add_mark(struct buffer *out, const struct run_text *t, enum board_state state)
{
    buffer_format(out, "%s%s%s ", run_text_colour(t, state == BOARD_FLAKY ? YELLOW : RED), mark(state),
                  run_text_colour(t, PLAIN));
}

void run_text_add_name(struct buffer *out, const struct run_text *t, size_t index)
{
    const struct plan_task *task = &t->plan->tasks[index];
    run_text_add_harmless(out, t->plan->groups[task->group].name, 200);
    buffer_text(out, " › ");
    run_text_add_harmless(out, task->spec, NAME_BYTES);
    buffer_text(out, " [");
    run_text_add_harmless(out, task->viewport, 100);
    buffer_text(out, " ");
    run_text_add_harmless(out, task->browser, 100);
    buffer_text(out, "]");
}

/* ---- while it runs ---- */

static void add_duration(struct buffer *out, const struct board_task *task)
{
    char duration[32];
    clock_format_duration(task->duration_ms, duration, sizeof(duration));
    buffer_format(out, " %s", duration);
    if (task->attempt > 1)
        buffer_format(out, ", attempt %u", task->attempt);
}

/* The name is never cut: it tells the tasks of one spec apart. */
static void add_short(struct buffer *out, const struct run_text *t, const char *message)
{
    auto_buffer line = {0}, first = {0};
    buffer_add(&first, message, strcspn(message, "\n"));
    buffer_text(&first, "");
    run_text_add_harmless(&line, first.data, MESSAGE_BYTES);
    size_t used = columns_of(out->data) + strlen(": "), room = t->columns > used ? t->columns - used : 0;
    if (line.length == 0 || (t->columns > 0 && room < WORTH_COLUMNS))
        return;
    size_t length = t->columns > 0 ? run_text_fit(line.data, room) : line.length;
    if (length < line.length)
        buffer_format(out, ": %.*s…", (int)run_text_fit(line.data, room - 1), line.data);
    else
        buffer_format(out, ": %s", line.data);
}

/* The board's message of a task is all of it in one line; what its first failure said still has its lines. */
static const char *message_of(const struct board *board, size_t index)
{
    const struct board_error *error =
        board_failure_count(board, index) > 0 ? board_failure(board, index, 0).error : NULL;
    return error && error->message ? error->message : board_task(board, index)->message;
}

void run_text_add_end(struct buffer *out, const struct run_text *t, size_t index)
{
    const struct board_task *task = board_task(t->board, index);
    const char *message = message_of(t->board, index);
    auto_buffer line = {0};
    add_mark(&line, t, task->state);
    run_text_add_name(&line, t, index);
    add_duration(&line, task);
    if (message)
        add_short(&line, t, message);
    buffer_add(out, line.data, line.length);
    buffer_text(out, "\n");
}

size_t run_text_done(const struct board *board)
{
    return board_total(board) - board_count(board, BOARD_QUEUED) - board_count(board, BOARD_RUNNING);
}

void run_text_add_counts(struct buffer *out, const struct run_text *t)
{
    static const struct {
        enum board_state state;
        const char *colour;
    } shown[] = {{BOARD_PASSED, "\033[32m"}, {BOARD_FAILED, RED},   {BOARD_FLAKY, YELLOW},      {BOARD_ERROR, RED},
                 {BOARD_CANCELLED, GREY},    {BOARD_SKIPPED, GREY}, {BOARD_RUNNING, "\033[36m"}};
    buffer_format(out, "%zu/%zu", run_text_done(t->board), board_total(t->board));
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        size_t count = board_count(t->board, shown[i].state);
        if (count > 0)
            buffer_format(out, "  %s%s %zu %s%s", run_text_colour(t, shown[i].colour), mark(shown[i].state), count,
                          board_state_name(shown[i].state), run_text_colour(t, PLAIN));
    }
}

void run_text_add_times(struct buffer *out, const struct run_text *t, int64_t now_ms)
{
    struct board_totals totals;
    char wall[32], low[32], high[32];
    board_totals(t->board, now_ms, &totals);
    clock_format_duration(totals.wall_ms, wall, sizeof(wall));
    buffer_format(out, "  %s", wall);
    if (totals.has_eta) {
        clock_format_duration(totals.eta_low_ms, low, sizeof(low));
        clock_format_duration(totals.eta_high_ms, high, sizeof(high));
        buffer_format(out, ", %s to %s left", low, high);
    }
    if (totals.workers_live == 0)
        buffer_text(out, ", no worker yet");
}

void run_text_add_unfinished(struct buffer *out, const struct run_text *t)
{
    size_t count = board_count(t->board, BOARD_QUEUED) + board_count(t->board, BOARD_RUNNING), named = 0;
    buffer_format(out, "%zu of %zu tasks unfinished", count, board_total(t->board));
    for (size_t i = 0; i < board_total(t->board) && named < UNFINISHED_NAMED; i++) {
        enum board_state state = board_task(t->board, i)->state;
        if (state != BOARD_QUEUED && state != BOARD_RUNNING)
            continue;
        buffer_text(out, named++ ? ", " : ": ");
        run_text_add_name(out, t, i);
    }
    if (count > named)
        buffer_text(out, ", …");
}

/* ---- causes ---- */

static void add_indented(struct buffer *out, const char *before, const char *text, size_t limit)
{
    buffer_format(out, "    %s", before);
    run_text_add_harmless(out, text, limit);
    buffer_text(out, "\n");
}

/* Its first line stands behind the mark. */
static void add_message(struct buffer *out, const char *message)
{
    size_t length = strcspn(message, "\n");
    auto_buffer first = {0};
    buffer_add(&first, message, length);
    buffer_text(&first, "");
    run_text_add_harmless(out, first.data, MESSAGE_BYTES);
    buffer_text(out, "\n");
    while (message[length]) {
        message += length + 1;
        length = strcspn(message, "\n");
        auto_buffer line = {0};
        buffer_add(&line, message, length);
        buffer_text(&line, "");
        add_indented(out, "", line.data, MESSAGE_BYTES);
    }
}

static void add_where(struct buffer *out, const struct board_failure *failure)
{
    auto_buffer place = {0};
    if (failure->file == NULL)
        return;
    run_text_add_harmless(&place, failure->file, NAME_BYTES);
    buffer_format(out, failure->line > 0 ? "    at %s:%d\n" : "    at %s\n", place.data, failure->line);
}

static void add_tasks(struct buffer *out, const struct run_text *t, const struct cause *cause)
{
    size_t named = cause->tasks < CAUSE_TASKS_NAMED ? cause->tasks : CAUSE_TASKS_NAMED;
    buffer_text(out, "    ");
    cause_list_add_counts(out, cause->tests, cause->tasks);
    if (cause->first.title) {
        buffer_text(out, cause->tests > 1 ? ", the first is " : ": ");
        run_text_add_harmless(out, cause->first.title, NAME_BYTES);
    }
    buffer_text(out, "\n");
    for (size_t i = 0; i < named; i++) {
        buffer_text(out, "      ");
        run_text_add_name(out, t, cause->named[i]);
        buffer_text(out, "\n");
    }
    if (cause->tasks > named)
        buffer_format(out, "      and %zu more\n", cause->tasks - named);
}

static void add_cause(struct buffer *out, const struct run_text *t, const struct cause *cause)
{
    const struct board_error *error = cause->first.error;
    enum board_state state = board_task(t->board, cause->named[0])->state;
    add_mark(out, t, state);
    add_message(out, error->message ? error->message : board_state_name(state));
    if (error->expected)
        add_indented(out, "expected ", error->expected, MESSAGE_BYTES);
    if (error->received)
        add_indented(out, "received ", error->received, MESSAGE_BYTES);
    add_where(out, &cause->first);
    add_tasks(out, t, cause);
}

void run_text_add_causes(struct buffer *out, const struct run_text *t)
{
    struct cause_list list;
    cause_list_make(&list, t->board);
    if (list.count > 0) {
        buffer_format(out, "%zu cause%s, ", list.count, list.count == 1 ? "" : "s");
        cause_list_add_counts(out, list.tests, list.tasks);
        buffer_text(out, ":\n");
    }
    for (size_t i = 0; i < list.count && i < CAUSES_TOLD; i++)
        add_cause(out, t, &list.items[i]);
    if (list.count > CAUSES_TOLD)
        buffer_format(out, "and %zu more; the report has them all\n", list.count - CAUSES_TOLD);
    if (list.dropped > 0)
        buffer_format(out, "%zu more tests failed, which aren't told of one by one\n", list.dropped);
    cause_list_close(&list);
}

/* ---- the rest of the end ---- */

void run_text_add_flaky(struct buffer *out, const struct run_text *t)
{
    size_t count = board_count(t->board, BOARD_FLAKY), told = 0;
    if (count > 0)
        buffer_text(out, "flaky:\n");
    for (size_t i = 0; i < board_total(t->board) && told < FLAKY_TOLD; i++) {
        const struct board_task *task = board_task(t->board, i);
        if (task->state != BOARD_FLAKY)
            continue;
        told++;
        buffer_text(out, "  ");
        add_mark(out, t, BOARD_FLAKY);
        run_text_add_name(out, t, i);
        add_duration(out, task);
        buffer_text(out, "\n");
    }
    if (count > told)
        buffer_format(out, "  and %zu more; the report has them all\n", count - told);
}

static bool is_skipped_for(const struct board_task *task, const char *reason)
{
    return task->state == BOARD_SKIPPED && task->message && strcmp(task->message, reason) == 0;
}

/* How many tasks were skipped and why, in the order of the plan: each reason once, and no more than a few. */
void run_text_add_skipped(struct buffer *out, const struct run_text *t)
{
    const char *told[SKIP_REASONS];
    size_t told_count = 0;
    for (size_t i = 0; i < board_total(t->board) && told_count < SKIP_REASONS; i++) {
        const struct board_task *task = board_task(t->board, i);
        size_t known = 0, count = 0;
        if (task->state != BOARD_SKIPPED || task->message == NULL)
            continue;
        while (known < told_count && !is_skipped_for(task, told[known]))
            known++;
        if (known < told_count)
            continue;
        told[told_count++] = task->message;
        for (size_t j = i; j < board_total(t->board); j++)
            count += is_skipped_for(board_task(t->board, j), task->message);
        buffer_format(out, "%s%s skipped%s %zu: ", run_text_colour(t, GREY), mark(BOARD_SKIPPED),
                      run_text_colour(t, PLAIN), count);
        run_text_add_harmless(out, task->message, NAME_BYTES);
        buffer_text(out, "\n");
    }
}

void run_text_add_slowest(struct buffer *out, const struct run_text *t)
{
    size_t slowest[SLOWEST];
    size_t count = board_slowest(t->board, slowest, SLOWEST);
    if (count > 0)
        buffer_text(out, "slowest:\n");
    for (size_t i = 0; i < count; i++) {
        uint64_t ms = board_task(t->board, slowest[i])->duration_ms;
        buffer_format(out, "  %6" PRIu64 ".%01" PRIu64 "s  ", ms / 1000, ms % 1000 / 100);
        run_text_add_name(out, t, slowest[i]);
        buffer_text(out, "\n");
    }
}
