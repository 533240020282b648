#include "controller/plan_table.h"

#include <stdbool.h>
#include <string.h>

enum { COLUMNS = 5, GAP = 2 };

/* Columns of a terminal: characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void widen(size_t widths[COLUMNS], const char *const cells[COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++) {
        auto_buffer visible = {0};
        buffer_add_visible(&visible, cells[i]);
        size_t width = visible.data ? width_of(visible.data) : 0;
        widths[i] = width > widths[i] ? width : widths[i];
    }
}

static void add_row(struct buffer *out, const size_t widths[COLUMNS], const char *const cells[COLUMNS])
{
    size_t missing = 0;
    for (size_t i = 0; i < COLUMNS; i++) {
        auto_buffer visible = {0};
        buffer_add_visible(&visible, cells[i]);
        buffer_format(out, "%*s%s", (int)missing, "", visible.data ? visible.data : "");
        missing = widths[i] - (visible.data ? width_of(visible.data) : 0) + GAP;
    }
    buffer_text(out, "\n");
}

static const char *const head[COLUMNS] = {"GROUP", "SPEC", "VIEWPORT", "BROWSER", "RUNNER"};
static const char *const excluded_head[COLUMNS] = {"EXCLUDED", "SPEC", "VIEWPORT", "BROWSER", "REASON"};

static void task_cells(const struct plan *plan, size_t index, const char *cells[COLUMNS])
{
    const struct plan_task *t = &plan->tasks[index];
    const char *const texts[COLUMNS] = {plan->groups[t->group].name, t->spec, t->viewport, t->browser, t->runner};
    memcpy(cells, texts, sizeof(texts));
}

static void exclusion_cells(const struct plan *plan, size_t index, const char *cells[COLUMNS])
{
    const struct plan_exclusion *e = &plan->exclusions[index];
    const char *const texts[COLUMNS] = {e->group, e->spec, e->viewport, e->browser, e->reason};
    memcpy(cells, texts, sizeof(texts));
}

static void add_rows(struct buffer *out, const struct plan *plan, size_t count, const char *const titles[COLUMNS],
                     void (*cells_of)(const struct plan *, size_t, const char *[COLUMNS]))
{
    size_t widths[COLUMNS] = {0};
    const char *cells[COLUMNS];
    if (count == 0)
        return;
    widen(widths, titles);
    for (size_t i = 0; i < count; i++) {
        cells_of(plan, i, cells);
        widen(widths, cells);
    }
    add_row(out, widths, titles);
    for (size_t i = 0; i < count; i++) {
        cells_of(plan, i, cells);
        add_row(out, widths, cells);
    }
    buffer_text(out, "\n");
}

void plan_table_format(const struct plan *plan, struct buffer *out)
{
    add_rows(out, plan, plan->task_count, head, task_cells);
    add_rows(out, plan, plan->exclusion_count, excluded_head, exclusion_cells);
    buffer_format(out, "%zu task%s, %zu excluded\n", plan->task_count, plan->task_count == 1 ? "" : "s",
                  plan->exclusion_count);
}
