/*
 * JSON text that somebody else wrote, read as strictly as RFC 8259 has it.
 *
 * cJSON alone takes more than that (bare control characters, "\u0000" as the end of a text, 01, garbage as white
 * space) and doesn't say where it stopped. json_parse() checks first, so the tree holds just what the text says.
 */
#pragma once
#include <stddef.h>

#include "shared/error.h"

struct cJSON;

enum { JSON_DEPTH_MAX = 64 }; /* objects and lists within each other */

/*
 * The whole of `bytes`, as one value; a byte order mark at the start is skipped. 0, and `*root` is the caller's
 * (cJSON_Delete); or -1 with ERROR_CONFIG, "line L column C: found X, wanted Y" (columns count characters), and
 * `*root` is NULL. Refused as well: invalid UTF-8, NUL in any form, numbers of more than 60 characters. Keys that
 * stand twice are kept.
 */
int json_parse(struct cJSON **root, const char *bytes, size_t length, struct error *err);
