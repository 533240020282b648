#include "shared/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/terminal.h"

static struct {
    const char *program;
    enum log_level level;
    enum log_format format;
    bool has_colour;
    void (*before)(void *data);
    void (*after)(void *data);
    void *data;
} sink = {.program = "funkytown", .level = LOG_LEVEL_INFO, .format = LOG_FORMAT_LOGFMT};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_open(const char *program, enum log_level level, enum log_format format)
{
    if (format == LOG_FORMAT_AUTO)
        format = isatty(STDERR_FILENO) ? LOG_FORMAT_PRETTY : LOG_FORMAT_LOGFMT;
    sink.program = program;
    sink.level = level;
    sink.format = format;
    sink.has_colour = terminal_takes_colours(STDERR_FILENO);
}

void log_around(void (*before)(void *data), void (*after)(void *data), void *data)
{
    sink.before = before;
    sink.after = after;
    sink.data = data;
}

bool log_wants(enum log_level level)
{
    return level >= sink.level;
}

/* Both forms quote alike: JSON's escapes are a superset of what logfmt readers undo. */
static void add_quoted(struct buffer *line, const char *text)
{
    auto_buffer escaped = {0};
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            buffer_text(&escaped, "\\");
        buffer_add(&escaped, p, 1);
    }
    buffer_text(line, "\"");
    buffer_add_visible(line, escaped.data ? escaped.data : "");
    buffer_text(line, "\"");
}

static bool is_plain(const char *text)
{
    if (*text == '\0')
        return false;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || *p >= 0x7f)
            return false;
    return true;
}

static void add_json(struct buffer *line, const char *now, enum log_level level, const char *event,
                     const struct log_field *fields, size_t count)
{
    buffer_format(line, "{\"ts\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"event\":\"%s\"", now,
                  level_names[level], sink.program, event);
    for (size_t i = 0; i < count; i++) {
        buffer_format(line, ",\"%s\":", fields[i].name);
        if (fields[i].text)
            add_quoted(line, fields[i].text);
        else
            buffer_format(line, "%" PRId64, fields[i].number);
    }
    buffer_text(line, "}");
}

static void add_logfmt(struct buffer *line, const struct log_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buffer_format(line, " %s=", fields[i].name);
        if (fields[i].text == NULL)
            buffer_format(line, "%" PRId64, fields[i].number);
        else if (is_plain(fields[i].text))
            buffer_text(line, fields[i].text);
        else
            add_quoted(line, fields[i].text);
    }
}

void log_say(FILE *out, const char *format, ...)
{
    char *text = NULL;
    auto_buffer line = {0};
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length >= 0)
        buffer_add_visible(&line, text);
    free(text);
    buffer_text(&line, "\n");
    fwrite(line.data, 1, line.length, out);
    fflush(out);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    static const char *const colours[] = {"\033[2m", "", "\033[33m", "\033[31m"};
    auto_buffer line = {0};
    char now[40];
    clock_format_utc(clock_wall_ms(), now, sizeof(now));
    switch (sink.format) {
    case LOG_FORMAT_JSON:
        add_json(&line, now, level, event, fields, count);
        break;
    case LOG_FORMAT_PRETTY:
        buffer_format(&line, "%s%.8s %s %s", sink.has_colour ? colours[level] : "", now + 11, sink.program, event);
        add_logfmt(&line, fields, count);
        buffer_text(&line, sink.has_colour ? "\033[0m" : "");
        break;
    default:
        buffer_format(&line, "ts=%s level=%s program=%s event=%s", now, level_names[level], sink.program, event);
        add_logfmt(&line, fields, count);
    }
    buffer_text(&line, "\n");
    if (sink.before)
        sink.before(sink.data);
    fwrite(line.data, 1, line.length, stderr);
    if (sink.after)
        sink.after(sink.data);
}
