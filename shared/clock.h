/* The two clocks, in ms. Durations and deadlines use the monotonic one; the wall clock is only for people. */
#pragma once
#include <stddef.h>
#include <stdint.h>

uint64_t clock_mono_ms(void);
uint64_t clock_mono_ns(void);
int64_t clock_wall_ms(void); /* Unix time */

/* A duration in whole seconds, as Go prints it (https://pkg.go.dev/time#Duration.String): "0s", "1m12s", "1h0m5s". */
void clock_format_duration(uint64_t duration_ms, char *text, size_t size);

/* UTC as "2026-11-24T03:02:52.123Z" (RFC 3339). */
void clock_format_utc(int64_t wall_ms, char *text, size_t size);
