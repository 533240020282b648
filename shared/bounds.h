/*
 * Bounds for the numbers that Redis holds. What stands there was written by workers, and a worker may be
 * anybody's: whatever it says, sums over all tasks of a run don't overflow.
 */
#pragma once
#include <stdint.h>

#define BOUNDS_TIME_MAX_MS     (INT64_C(1) << 42) /* the year 2109 */
#define BOUNDS_DURATION_MAX_MS (INT64_C(1) << 40) /* 35 years */
#define BOUNDS_COUNT_MAX       1000000000

/* A whole number without sign, at most `max`; 0 for what isn't one, or isn't there (NULL). */
int64_t bounds_number(const char *text, int64_t max);

/* Of a text in ns. */
uint64_t bounds_ns_to_ms(const char *text);
