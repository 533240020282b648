#include "worker/event_reader.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

void event_reader_init(struct event_reader *r,
                       void (*on_event)(void *data, const struct cJSON *event, const char *text), void *data)
{
    *r = (struct event_reader){.on_event = on_event, .data = data};
}

void event_reader_clear(struct event_reader *r)
{
    buffer_clear(&r->line);
    r->skipping = false;
}

void event_reader_close(struct event_reader *r)
{
    buffer_close(&r->line);
}

static bool is_twice(const cJSON *event, const char *name)
{
    const cJSON *first = cJSON_GetObjectItemCaseSensitive(event, name);
    for (const cJSON *item = first ? first->next : NULL; item; item = item->next)
        if (strcmp(item->string, name) == 0)
            return true;
    return false;
}

/* Whether there is no doubt about the members that decide: each is there at most once, and "spec" is a text. */
static bool is_clear(const cJSON *event)
{
    const cJSON *spec = cJSON_GetObjectItemCaseSensitive(event, "spec");
    return cJSON_IsObject(event) && !is_twice(event, "event") && !is_twice(event, "status") &&
           !is_twice(event, "spec") && (spec == NULL || cJSON_IsNull(spec) || cJSON_IsString(spec));
}

/* The code unit of a "\uXXXX" at `at`, or -1. */
static long unicode_escape(const char *at)
{
    if (at[0] != '\\' || at[1] != 'u' || strspn(at + 2, "0123456789abcdefABCDEF") < 4)
        return -1;
    char digits[5] = {at[2], at[3], at[4], at[5], '\0'};
    return strtol(digits, NULL, 16);
}

/*
 * JavaScript cuts strings within a character, and says so as half a pair of surrogates. That makes the line no JSON,
 * and a NUL would end the text: both become U+FFFD instead of losing the event.
 */
static void repair_escapes(char *json)
{
    for (char *at = json; (at = strchr(at, '\\')) != NULL;) {
        long unit = unicode_escape(at);
        if (unit < 0) {
            at += at[1] ? 2 : 1;
            continue;
        }
        long next = unicode_escape(at + 6);
        bool high = unit >= 0xd800 && unit <= 0xdbff, low = unit >= 0xdc00 && unit <= 0xdfff;
        bool pair = high && next >= 0xdc00 && next <= 0xdfff;
        if (unit == 0 || low || (high && !pair))
            memcpy(at + 2, "fffd", 4);
        at += pair ? 12 : 6;
    }
}

static void read_line(struct event_reader *r)
{
    auto_buffer text = {0};
    buffer_add_utf8(&text, r->line.data, r->line.length);
    if (text.data[strspn(text.data, " \t\r")] == '\0')
        return;
    repair_escapes(text.data);
    cJSON *event = cJSON_ParseWithOpts(text.data, NULL, true);
    r->on_event(r->data, is_clear(event) ? event : NULL, text.data);
    cJSON_Delete(event);
}

void event_reader_end(struct event_reader *r)
{
    if (!r->skipping && r->line.length > 0)
        read_line(r);
    event_reader_clear(r);
}

static void skip_line(struct event_reader *r)
{
    auto_buffer text = {0};
    buffer_add_utf8(&text, r->line.data, r->line.length);
    r->on_event(r->data, NULL, text.data);
    r->skipping = true;
    buffer_clear(&r->line);
}

static void add_piece(struct event_reader *r, const char *bytes, size_t length)
{
    if (r->skipping)
        return;
    size_t room = EVENT_LINE_MAX - r->line.length;
    buffer_add(&r->line, bytes, length < room ? length : room);
    if (length > room)
        skip_line(r);
}

void event_reader_feed(struct event_reader *r, const char *bytes, size_t length)
{
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t piece = end ? (size_t)(end - bytes) : length;
        add_piece(r, bytes, piece);
        if (end) {
            event_reader_end(r);
            piece++;
        }
        bytes += piece;
        length -= piece;
    }
}
