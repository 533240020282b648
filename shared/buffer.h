/* A byte string that grows. Zeroed storage is an empty buffer; `data` is zero-terminated once something was added. */
#pragma once
#include <stddef.h>

struct buffer {
    char *data; /* owned; NULL while empty */
    size_t length;
    size_t capacity;
};

void buffer_add(struct buffer *b, const void *bytes, size_t length);
void buffer_text(struct buffer *b, const char *text);
void buffer_format(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The bytes as UTF-8: each one that belongs to no valid sequence becomes U+FFFD, NUL included. */
void buffer_add_utf8(struct buffer *b, const char *bytes, size_t length);

/* The text as one line that no terminal obeys: control characters become \n or \u001b, bad bytes U+FFFD. */
void buffer_add_visible(struct buffer *b, const char *text);

/* Room for `length` more bytes at the returned place; buffer_added() says how many were used. */
char *buffer_reserve(struct buffer *b, size_t length);
void buffer_added(struct buffer *b, size_t length);

void buffer_clear(struct buffer *b); /* empty, keeps its memory */
char *buffer_take(struct buffer *b); /* the text, now the caller's, never NULL; the buffer is empty */
void buffer_close(struct buffer *b); /* frees; the buffer is empty */

#define auto_buffer __attribute__((cleanup(buffer_close))) struct buffer
