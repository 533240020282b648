/*
 * Responses. Every one gets the headers that all have: nosniff, no-referrer, a content security policy. (What isn't
 * HTTP, or is larger than a connection's memory, the library refuses without asking us: with a text of its own that
 * repeats nothing of the request, or without a word; and it closes the connection.)
 *
 * A body is bytes (copied, kept by others, or taken over) or a stream. Only the response knows which: another kind of
 * body needs another way to make a response, and is replied with like any other.
 *
 * A response is made, given more headers, and handed to whoever sends it (http_reply).
 */
#pragma once
#include <microhttpd.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/buffer.h"

#define HTTP_TEXT "text/plain; charset=utf-8"
#define HTTP_JSON "application/json"

/* Enough for what is no document; a page brings its own. */
#define HTTP_POLICY_DATA "default-src 'none'; frame-ancestors 'none'; sandbox"

/* `cache` is the Cache-Control. `bytes` are copied. */
struct MHD_Response *http_response_copy(const void *bytes, size_t length, const char *type, const char *cache,
                                        const char *policy);

/* The same, of bytes that stay as long as the response does. */
struct MHD_Response *http_response_static(const void *bytes, size_t length, const char *type, const char *cache,
                                          const char *policy);

/* The same, of the buffer's memory, which is taken over; the buffer is empty then. */
struct MHD_Response *http_response_take(struct buffer *bytes, const char *type, const char *cache,
                                        const char *policy);

/*
 * The same, of bytes that come as they are taken. `read` is called when the client has taken what it got: it puts up
 * to `size` bytes into `room` and returns how many, or MHD_CONTENT_READER_END_OF_STREAM. One that has none suspends
 * the connection and returns 0. `gone` is called when nothing is read any more.
 */
struct MHD_Response *http_response_stream(ssize_t (*read)(void *data, uint64_t position, char *room, size_t size),
                                          void *data, void (*gone)(void *data), const char *type, const char *cache,
                                          const char *policy);

void http_response_field(struct MHD_Response *response, const char *name, const char *value);

/* application/problem+json (RFC 9457): the status, its name, and what is wrong in this case. */
struct MHD_Response *http_response_problem(unsigned status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct MHD_Response *http_response_problem_of(unsigned status, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
