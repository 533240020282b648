/*
 * What grep, an editor's list of errors and a script want: a line a test, which begins with the place. The message is
 * the last thing of it, so that whatever it holds, the rest can be taken apart.
 */
#include "controller/export/export_failed.h"

#include <string.h>

void export_failed_begin(struct export_writer *writer)
{
    (void)writer;
}

/* The first line of it, harmless to a terminal. */
static void add_line(struct buffer *out, const char *text)
{
    auto_buffer line = {0};
    buffer_add(&line, text, strcspn(text, "\r\n"));
    buffer_text(&line, "");
    buffer_add_visible(out, line.data ? line.data : "");
}

void export_failed_task(struct export_writer *writer, const struct export_task *task,
                        const struct export_cases *cases)
{
    struct buffer *out = &writer->out;
    char key[TASK_KEY_SIZE];
    plan_key(task->plan, task->index, key);
    for (size_t i = 0; i < cases->count; i++) {
        const struct export_case *item = &cases->items[i];
        if (item->status != EXPORT_FAILED && item->status != EXPORT_ERROR)
            continue;
        const char *message = cases->failures[item->first_failure].message;
        add_line(out, item->file ? item->file : task->plan->tasks[task->index].spec);
        buffer_format(out, ":%u: ", item->line > 0 ? item->line : 1);
        add_line(out, item->title);
        buffer_text(out, " ");
        export_add_where(out, task);
        buffer_format(out, " (%s): ", key);
        add_line(out, message ? message : export_status_name(item->status));
        buffer_text(out, "\n");
    }
}

void export_failed_end(struct export_writer *writer)
{
    (void)writer;
}
