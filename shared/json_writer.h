/*
 * JSON, written by appending to a buffer (RFC 8259).
 *
 *     buffer_text(out, "{");
 *     json_add_key(out, "name"), json_add_text(out, name);
 *     json_add_key(out, "list"), buffer_text(out, "[");
 *     json_add_item(out), json_add_uint(out, 1);
 *     buffer_text(out, "]}");
 *
 * There is no state: the comma before a key or an item is left out where the buffer ends with the opening bracket.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "shared/buffer.h"

/* In quotes and escaped; NULL becomes null. The text is valid UTF-8 (buffer_add_utf8). */
void json_add_text(struct buffer *out, const char *text);

void json_add_uint(struct buffer *out, uint64_t number);
void json_add_int(struct buffer *out, int64_t number);

/* Milliseconds as seconds: 72345 becomes 72.345. */
void json_add_seconds(struct buffer *out, uint64_t ms);

/* `,"name":`, the name being plain ASCII of ours. */
void json_add_key(struct buffer *out, const char *name);

/* The comma between the elements of a list. */
void json_add_item(struct buffer *out);
