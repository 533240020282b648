/* What a client's header fields ask for (RFC 9110). Pure; a field that isn't there is NULL. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether it can be the name of a field: nothing but the characters of a token, at least one. */
bool http_fields_is_name(const char *name);

/*
 * Whether the value stands right behind the name's end, as in the bytes of one line. A folded line (RFC 9112, 5.2) is
 * put together elsewhere by the library, and not as others do it: 0.9.75 adds what was continued to the name.
 */
bool http_fields_is_on_one_line(const char *name, const char *value);

/* Accept: application/json is wanted more than text/html. */
bool http_fields_prefer_json(const char *accept);

/* Accept-Encoding: gzip is taken. */
bool http_fields_take_gzip(const char *accept_encoding);

/* Content-Type: is application/json, whatever its parameters. */
bool http_fields_is_json(const char *content_type);

/* If-None-Match: names this entity tag (with its quotes), or any. */
bool http_fields_have_tag(const char *if_none_match, const char *tag);

enum http_range { HTTP_RANGE_WHOLE, HTTP_RANGE_PART, HTTP_RANGE_BEYOND };

/*
 * Range, of something that is `size` bytes long. PART: bytes *first to *last, both included. BEYOND: nothing of it is
 * there. WHOLE: no range, several, or one that isn't understood, which are all to be ignored.
 */
enum http_range http_fields_range(const char *range, uint64_t size, uint64_t *first, uint64_t *last);
