/*
 * One line per event on standard error: logfmt, JSON, or a friendlier form on a terminal.
 *
 *     log_info("task.claimed", LOG_TEXT("task", key), LOG_INT("attempt", 2));
 *
 * `event` is a stable noun.verb. error: someone must act; warn: it healed; info: task and process life; debug: the
 * rest. Values are untrusted (names, output, replies): they are escaped here, and only here.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON, LOG_FORMAT_PRETTY };

struct log_field {
    const char *name;
    const char *text; /* NULL: number */
    int64_t number;
};

#define LOG_TEXT(name, value)                                                                                        \
    {                                                                                                                \
        (name), (value), 0                                                                                           \
    }
#define LOG_INT(name, value)                                                                                         \
    {                                                                                                                \
        (name), NULL, (int64_t)(value)                                                                               \
    }

/* AUTO means PRETTY when standard error is a terminal, LOGFMT elsewhere. `program` is borrowed for ever. */
void log_open(const char *program, enum log_level level, enum log_format format);

/* Called before and after each line, so that a progress line can get out of the way. NULL: none. */
void log_around(void (*before)(void *data), void (*after)(void *data), void *data);

/* One line for people, which isn't an event. What stands in it is as untrusted, and a terminal shows it as text. */
void log_say(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool log_wants(enum log_level level);
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count);

#define LOG_AT(level, event, ...)                                                                                    \
    do {                                                                                                             \
        if (log_wants(level)) {                                                                                      \
            const struct log_field fields_[] = {{"", "", 0}, __VA_ARGS__};                                           \
            log_write(level, event, fields_ + 1, sizeof(fields_) / sizeof(fields_[0]) - 1);                          \
        }                                                                                                            \
    } while (0)
#define log_debug(...) LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__, )
#define log_info(...)  LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__, )
#define log_warn(...)  LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__, )
#define log_error(...) LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__, )
