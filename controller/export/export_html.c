/* What is written as JSON waits in the writer's block, until it is worth a compression of its own. */
#include "controller/export/export_html.h"

#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "controller/gzip.h"
#include "report_page.h"
#include "shared/json_writer.h"
#include "shared/memory.h"

enum {
    BLOCK_BYTES = 256 * 1024,
    LOG_BYTES = 64 * 1024,         /* of a task */
    LOGS_BYTES = 64 * 1024 * 1024, /* of all of them, before compression */
    LEVEL = 6,
};

static const char run_mark[] = "<!--run-->";

static const char *page(void)
{
    return (const char *)report_page[0].body;
}

static void add_packed(struct buffer *out, const struct buffer *json)
{
    auto_buffer zipped = {0};
    gzip_add(&zipped, json->data, json->length, LEVEL);
    size_t room = (zipped.length + 2) / 3 * 4 + 1;
    char *at = buffer_reserve(out, room);
    int length = b64_ntop((const unsigned char *)zipped.data, zipped.length, at, room);
    if (length > 0)
        buffer_added(out, (size_t)length);
}

void export_html_begin(struct export_writer *writer)
{
    buffer_add(&writer->out, page(), (size_t)(strstr(page(), run_mark) - page()));
}

static void end_block(struct export_writer *writer)
{
    if (writer->block.length == 0)
        return;
    buffer_text(&writer->block, "]");
    buffer_format(&writer->out, "<script type=\"application/octet-stream\" class=\"tasks\" data-first=\"%zu\">",
                  writer->block_first);
    add_packed(&writer->out, &writer->block);
    buffer_text(&writer->out, "</script>\n");
    buffer_clear(&writer->block);
}

static void add_attempts(struct buffer *out, const struct export_task *task)
{
    buffer_text(out, "[");
    for (size_t i = 0; i < task->attempt_count; i++) {
        json_add_item(out);
        record_format(&task->attempts[i].record, out);
    }
    buffer_text(out, "]");
}

/* The end of it: a cut line at the front is left out. */
static void add_log(struct export_writer *writer, const struct export_task *task)
{
    struct buffer *out = &writer->block;
    size_t room = LOGS_BYTES - writer->log_bytes < LOG_BYTES ? LOGS_BYTES - writer->log_bytes : LOG_BYTES;
    size_t before = task->log_length > room ? task->log_length - room : 0;
    if (before > 0) {
        const char *newline = memchr(task->log + before, '\n', task->log_length - before);
        before = newline ? (size_t)(newline - task->log) + 1 : before;
    }
    auto_buffer text = {0};
    buffer_text(&text, "");
    buffer_add_utf8(&text, task->log + before, task->log_length - before);
    writer->log_bytes += task->log_length - before;
    buffer_text(out, "{");
    json_add_key(out, "attempt"), json_add_uint(out, task->state->attempt);
    json_add_key(out, "text"), json_add_text(out, text.data);
    json_add_key(out, "before"), json_add_uint(out, before);
    buffer_text(out, "}");
}

void export_html_task(struct export_writer *writer, const struct export_task *task, const struct export_cases *cases)
{
    (void)cases;
    struct buffer *out = &writer->block;
    auto_buffer attempts = {0};
    if (task->attempt_count == 0)
        return;
    if (out->length == 0) {
        writer->block_first = task->index;
        buffer_text(out, "[");
    }
    add_attempts(&attempts, task);
    json_add_item(out);
    buffer_text(out, "[");
    json_add_uint(out, task->index);
    buffer_text(out, ",");
    board_add_task(writer->run->board, task->index, attempts.data, out);
    buffer_text(out, ",");
    if (task->log && task->log_length > 0)
        add_log(writer, task);
    else
        buffer_text(out, "null");
    buffer_text(out, "]");
    if (out->length > BLOCK_BYTES)
        end_block(writer);
}

void export_html_end(struct export_writer *writer)
{
    auto_buffer snapshot = {0};
    end_block(writer);
    board_add_snapshot(writer->run->board, writer->run->now_ms, &snapshot);
    buffer_text(&writer->out, "<script type=\"application/octet-stream\" id=\"run\">");
    add_packed(&writer->out, &snapshot);
    buffer_text(&writer->out, "</script>");
    buffer_text(&writer->out, strstr(page(), run_mark) + strlen(run_mark));
}
