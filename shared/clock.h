/* The two clocks, in milliseconds. Durations and deadlines use the monotonic one; the wall clock is only for people.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

uint64_t clock_mono_ms(void);
uint64_t clock_mono_ns(void);
int64_t clock_wall_ms(void); /* Unix time */

/* A duration as Go prints it, cut to whole seconds: "0s", "1m12s", "1h0m5s"
 * (https://pkg.go.dev/time#Duration.String). */
void clock_format_duration(uint64_t duration_ms, char *text, size_t size);

/* UTC as "2026-11-24T03:02:52.123Z" (RFC 3339). */
void clock_format_utc(int64_t wall_ms, char *text, size_t size);
