#include "shared/buffer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/memory.h"
#include "shared/utf8.h"

char *buffer_reserve(struct buffer *b, size_t length)
{
    size_t needed = b->length + length + 1;
    if (needed > b->capacity) {
        size_t capacity = b->capacity ? b->capacity * 2 : 64;
        if (capacity < needed)
            capacity = needed;
        b->data = memory_resize(b->data, capacity, 1);
        b->capacity = capacity;
    }
    return b->data + b->length;
}

void buffer_added(struct buffer *b, size_t length)
{
    b->length += length;
    b->data[b->length] = '\0';
}

void buffer_add(struct buffer *b, const void *bytes, size_t length)
{
    char *room = buffer_reserve(b, length);
    if (length > 0)
        memcpy(room, bytes, length);
    buffer_added(b, length);
}

void buffer_text(struct buffer *b, const char *text)
{
    buffer_add(b, text, strlen(text));
}

void buffer_format(struct buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    char *room = buffer_reserve(b, 128);
    int length = vsnprintf(room, 129, format, args);
    if (length > 128)
        vsnprintf(buffer_reserve(b, (size_t)length), (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    if (length > 0)
        buffer_added(b, (size_t)length);
}

void buffer_clear(struct buffer *b)
{
    b->length = 0;
    if (b->data)
        b->data[0] = '\0';
}

char *buffer_take(struct buffer *b)
{
    char *text = b->data ? b->data : memory_text("");
    *b = (struct buffer){0};
    return text;
}

void buffer_close(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){0};
}

/* ---- for people ---- */

void buffer_add_utf8(struct buffer *b, const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    size_t start = 0;
    for (size_t i = 0; i < length;) {
        size_t n = at[i] == 0 ? 0 : utf8_sequence(at + i, length - i);
        if (n > 0) {
            i += n;
            continue;
        }
        buffer_add(b, bytes + start, i - start);
        buffer_text(b, "\xef\xbf\xbd");
        start = ++i;
    }
    buffer_add(b, bytes + start, length - start);
}

void buffer_add_visible(struct buffer *b, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t left = strlen(text), length; left > 0; at += length, left -= length) {
        uint32_t code;
        length = utf8_printable(at, left, &code);
        if (length > 0) {
            buffer_add(b, at, length);
            continue;
        }
        length = code == 0 ? 1 : utf8_sequence(at, left);
        if (code == 0)
            buffer_text(b, "\xef\xbf\xbd");
        else if (code == '\n')
            buffer_text(b, "\\n");
        else
            buffer_format(b, "\\u%04" PRIx32, code);
    }
}
