/*
 * Untrusted text goes through one of two doors: `add_data` and `add_property` for commands
 * (https://docs.github.com/actions/reference/workflow-commands-for-github-actions), `add_markdown` for the summary. There
 * every character but letters, digits and spaces is a numeric entity, so there is no rule of Markdown, of its
 * tables or of HTML that it could meet.
 */
#include "controller/export/export_github.h"

#include <ctype.h>
#include <string.h>

#include "controller/cause_list.h"
#include "shared/clock.h"
#include "shared/utf8.h"

enum {
    TITLE_BYTES = 200,
    TEXT_BYTES = 1000,
    CAUSES_TOLD = 50,
    TAIL_BYTES = 300, /* of the room: for the last lines */
};

/* ---- texts ---- */

/* Valid UTF-8 that people can be shown, in lines, cut to `limit` bytes. */
static void add_clean(struct buffer *out, const char *text, size_t limit)
{
    auto_buffer whole = {0};
    buffer_add_utf8(&whole, text, strlen(text));
    size_t length = utf8_cut(whole.data ? whole.data : "", whole.length, limit);
    for (size_t i = 0, sequence; i < length; i += sequence) {
        const unsigned char *at = (const unsigned char *)whole.data + i;
        uint32_t code;
        sequence = utf8_sequence(at, length - i);
        bool is_shown = *at == '\n' || utf8_printable(at, length - i, &code) > 0;
        buffer_add(out, is_shown ? (const char *)at : " ", is_shown ? sequence : 1);
    }
    buffer_text(out, length < whole.length ? "…" : "");
}

static void add_escaped(struct buffer *out, const char *text, size_t limit, const char *escaped)
{
    auto_buffer clean = {0};
    add_clean(&clean, text, limit);
    for (const char *at = clean.data; *at; at++)
        if (strchr(escaped, *at))
            buffer_format(out, "%%%02X", (unsigned char)*at);
        else
            buffer_add(out, at, 1);
}

static void add_data(struct buffer *out, const char *text)
{
    add_escaped(out, text, TEXT_BYTES, "%\r\n");
}

static void add_property(struct buffer *out, const char *text, size_t limit)
{
    add_escaped(out, text, limit, "%\r\n:,");
}

static void add_markdown(struct buffer *out, const char *text, size_t limit)
{
    auto_buffer clean = {0};
    add_clean(&clean, text, limit);
    for (const unsigned char *at = (const unsigned char *)clean.data; *at; at++)
        if (*at == '\n')
            buffer_text(out, "<br>");
        else if (isalnum(*at) || *at == ' ' || *at >= 0x80)
            buffer_add(out, at, 1);
        else
            buffer_format(out, "&#%u;", *at);
}

static void add_code(struct buffer *out, const char *text, size_t limit)
{
    buffer_text(out, "<code>");
    add_markdown(out, text, limit);
    buffer_text(out, "</code>");
}

/* ---- what is told of a failure ---- */

static void add_name(struct buffer *out, const struct plan *plan, size_t index)
{
    const struct plan_task *task = &plan->tasks[index];
    buffer_format(out, "%s › %s [%s %s]", plan->groups[task->group].name, task->spec, task->viewport, task->browser);
}

/* All that the error says, in lines. */
static void add_error(struct buffer *out, const struct board_error *error)
{
    buffer_text(out, error->message ? error->message : "no reason was told");
    if (error->expected)
        buffer_format(out, "\nexpected %s", error->expected);
    if (error->received)
        buffer_format(out, "\nreceived %s", error->received);
}

static const char *file_of(const struct board_failure *failure, const struct plan *plan, size_t task)
{
    return failure->file ? failure->file : plan->tasks[task].spec;
}

/* ---- annotations ---- */

/* Appends a path without ".", ".." and empty parts to an absolute one. */
static void add_parts(struct buffer *path, const char *text)
{
    for (size_t length; *text; text += length + (text[length] == '/')) {
        length = strcspn(text, "/");
        if (length == 0 || (length == 1 && text[0] == '.'))
            continue;
        if (length == 2 && text[0] == '.' && text[1] == '.') {
            while (path->length > 0 && path->data[--path->length] != '/')
                ;
        } else {
            buffer_text(path, "/");
            buffer_add(path, text, length);
        }
    }
}

bool export_github_add_path(struct buffer *out, const struct export_github_place *place, const char *file)
{
    auto_buffer path = {0};
    size_t length = place->repository ? strlen(place->repository) : 0;
    if (place->spec_root == NULL || place->repository == NULL) {
        if (*file == '/')
            return false;
        buffer_text(out, file);
        return true;
    }
    if (*file != '/')
        add_parts(&path, place->spec_root);
    add_parts(&path, file);
    if (path.length <= length + 1 || memcmp(path.data, place->repository, length) != 0 || path.data[length] != '/')
        return false;
    buffer_add(out, path.data + length + 1, path.length - length - 1);
    return true;
}

static void add_annotation(struct buffer *out, const struct export_run *run, const struct cause *cause,
                           const struct export_github_place *place)
{
    auto_buffer path = {0}, title = {0}, text = {0};
    const struct board_failure *first = &cause->first;
    buffer_text(out, "::error ");
    if (export_github_add_path(&path, place, file_of(first, run->plan, cause->named[0]))) {
        buffer_text(out, "file=");
        add_property(out, path.data, TEXT_BYTES);
        buffer_format(out, ",line=%d,", first->file && first->line > 0 ? first->line : 1);
    }
    cause_list_add_counts(&title, cause->tests, cause->tasks);
    if (first->title)
        buffer_format(&title, ": %s", first->title);
    buffer_text(out, "title=");
    add_property(out, title.data, TITLE_BYTES);
    buffer_text(out, "::");
    add_error(&text, first->error);
    buffer_text(&text, "\n");
    add_name(&text, run->plan, cause->named[0]);
    add_data(out, text.data);
    buffer_text(out, "\n");
}

void export_github_add_annotations(struct buffer *out, const struct export_run *run,
                                   const struct export_github_place *place)
{
    struct cause_list list;
    cause_list_make(&list, run->board);
    for (size_t i = 0; i < list.count && i < EXPORT_GITHUB_ANNOTATIONS; i++)
        add_annotation(out, run, &list.items[i], place);
    cause_list_close(&list);
}

/* ---- the summary ---- */

/* What is being written: once a piece didn't fit nothing more does, but for the end. */
struct page {
    struct buffer *out;
    size_t limit;
    bool is_full;
};

static bool add_piece(struct page *page, const struct buffer *piece)
{
    page->is_full = page->is_full || page->out->length + piece->length + TAIL_BYTES > page->limit;
    if (!page->is_full)
        buffer_add(page->out, piece->data, piece->length);
    return !page->is_full;
}

static void add_head(struct buffer *out, const struct export_run *run, const struct cause_list *list)
{
    struct board_totals totals;
    char wall[32];
    board_totals(run->board, run->now_ms, &totals);
    clock_format_duration(totals.wall_ms, wall, sizeof(wall));
    const char *verdict = board_verdict_name(totals.verdict);
    buffer_format(out, "## %s%s", totals.verdict == BOARD_VERDICT_PASSED ? "✓ " : "✗ ",
                  verdict ? verdict : "running");
    if (list->count > 0) {
        buffer_format(out, ": %zu cause%s, ", list->count, list->count == 1 ? "" : "s");
        cause_list_add_counts(out, list->tests, list->tasks);
    }
    buffer_text(out, "\n\n");
    add_code(out, board_run_id(run->board), TITLE_BYTES);
    buffer_format(out, ": %zu tasks", totals.total);
    for (int state = 0; state < BOARD_STATES; state++)
        if (totals.counts[state] > 0)
            buffer_format(out, ", %zu %s", totals.counts[state], board_state_name((enum board_state)state));
    buffer_format(out, " in %s; tests: %llu passed, %llu failed, %llu skipped, %llu flaky\n\n", wall,
                  (unsigned long long)totals.tests_passed, (unsigned long long)totals.tests_failed,
                  (unsigned long long)totals.tests_skipped, (unsigned long long)totals.tests_flaky);
}

static void add_where(struct buffer *out, const struct board_failure *failure, const struct plan *plan, size_t task)
{
    auto_buffer where = {0};
    buffer_text(&where, file_of(failure, plan, task));
    if (failure->file && failure->line > 0)
        buffer_format(&where, ":%d", failure->line);
    add_code(out, where.data, TEXT_BYTES);
}

static void add_names(struct buffer *out, const struct plan *plan, const struct cause *cause)
{
    size_t named = cause->tasks < CAUSE_TASKS_NAMED ? cause->tasks : CAUSE_TASKS_NAMED;
    for (size_t i = 0; i < named; i++) {
        auto_buffer name = {0};
        add_name(&name, plan, cause->named[i]);
        buffer_text(out, i ? "<br>" : "");
        add_code(out, name.data, TEXT_BYTES);
    }
    if (cause->tasks > named)
        buffer_format(out, "<br>and %zu more", cause->tasks - named);
}

static void add_cause(struct page *page, const struct export_run *run, const struct cause *cause)
{
    auto_buffer row = {0}, error = {0};
    add_error(&error, cause->first.error);
    buffer_text(&row, "| ");
    add_code(&row, error.data, TEXT_BYTES);
    buffer_text(&row, " | ");
    cause_list_add_counts(&row, cause->tests, cause->tasks);
    buffer_text(&row, " | ");
    add_where(&row, &cause->first, run->plan, cause->named[0]);
    buffer_text(&row, " | ");
    add_names(&row, run->plan, cause);
    buffer_text(&row, " |\n");
    add_piece(page, &row);
}

static void add_causes(struct page *page, const struct export_run *run, const struct cause_list *list)
{
    static const char head[] = "| cause | how many | where | the first of them |\n| --- | --- | --- | --- |\n";
    add_piece(page, &(struct buffer){.data = (char *)(uintptr_t)head, .length = strlen(head)});
    for (size_t i = 0; i < list->count && i < CAUSES_TOLD; i++)
        add_cause(page, run, &list->items[i]);
    if (list->count > CAUSES_TOLD && !page->is_full)
        buffer_format(page->out, "\nand %zu more causes\n", list->count - CAUSES_TOLD);
}

static bool add_failure(struct page *page, const struct export_run *run, size_t task, size_t number)
{
    auto_buffer row = {0}, name = {0};
    struct board_failure failure = board_failure(run->board, task, number);
    const char *message = failure.error->message ? failure.error->message : "";
    add_name(&name, run->plan, task);
    buffer_text(&row, "| ");
    add_code(&row, failure.title ? failure.title : "(the task itself)", TITLE_BYTES);
    buffer_text(&row, " | ");
    add_code(&row, name.data, TEXT_BYTES);
    buffer_text(&row, " | ");
    add_where(&row, &failure, run->plan, task);
    buffer_text(&row, " | ");
    auto_buffer line = {0};
    buffer_add(&line, message, strcspn(message, "\n"));
    buffer_text(&line, "");
    add_code(&row, line.data, TITLE_BYTES);
    buffer_text(&row, " |\n");
    return add_piece(page, &row);
}

static void add_failures(struct page *page, const struct export_run *run, const struct cause_list *list)
{
    static const char head[] = "\n<details><summary>What failed</summary>\n\n| test | task | where | message |\n"
                               "| --- | --- | --- | --- |\n";
    size_t left = list->dropped;
    bool has_table = add_piece(page, &(struct buffer){.data = (char *)(uintptr_t)head, .length = strlen(head)});
    for (size_t i = 0; i < board_total(run->board); i++) {
        enum board_state state = board_task(run->board, i)->state;
        size_t count = state == BOARD_FAILED || state == BOARD_ERROR ? board_failure_count(run->board, i) : 0;
        for (size_t n = 0; n < count; n++)
            left += page->is_full || !add_failure(page, run, i, n);
    }
    if (left > 0)
        buffer_format(page->out, "\nand %zu more; the report's files have them\n", left);
    buffer_text(page->out, has_table ? "\n</details>\n\n" : "\n");
}

void export_github_add_summary(struct buffer *out, const struct export_run *run, size_t room)
{
    struct cause_list list;
    auto_buffer head = {0};
    struct page page = {.out = out, .limit = out->length + room};
    cause_list_make(&list, run->board);
    add_head(&head, run, &list);
    if (add_piece(&page, &head) && list.count > 0) {
        add_causes(&page, run, &list);
        add_failures(&page, run, &list);
    }
    cause_list_close(&list);
}
