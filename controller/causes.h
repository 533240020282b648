/*
 * Which failures are the same error: those whose texts are equal when what differs from one run of the same failing
 * thing to the next is left out. Pure; the rules are a table, and tests/unit/causes_test.c is a table of their cases.
 *
 *     ids            0f8fad5b-d9cb-469f-a165-70867728950e, 1a2b3c4d (8 or more hexadecimal digits, or 10 decimal ones)
 *     addresses      0x7ffd1a2b, 127.0.0.1:43211, [::1]:43211
 *     ports          localhost:43211, http://shop:8080, db.internal:5432; and no line of a file: cart.ts:12
 *     times, dates   2026-11-24T05:21:14Z, 05:21:14, 24/11/2026, Tue, 24 Nov 2026
 *     durations      5000ms, 30 s, 1m12s
 *     temp paths     /tmp/profile-Xa81/Default
 *
 * And nothing else: exit 7 and exit 1, 401 and 503, two locators or two texts in quotes are different errors.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "shared/buffer.h"

/* Appends the text with "<id>", "<port>" and so on in place of what is left out. NULL: nothing. */
void causes_normalise(struct buffer *out, const char *text);

/* The same for failures that are the same error, by their texts (NULL: not told); in every run the same. */
uint64_t causes_number(const char *message, const char *expected, const char *received);

/* The number as it stands in the API: hexadecimal digits. */
enum { CAUSES_ID_SIZE = 17 };
void causes_format_id(uint64_t number, char id[CAUSES_ID_SIZE]);
