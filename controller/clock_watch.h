/*
 * Whether Redis' clock goes as ours does. Pure.
 *
 * Redis tells its time in replies, of which we know when they were asked for and when they came: by our monotonic
 * clock, which nobody sets. So how far Redis' clock is ahead of ours lies between two bounds, and these are kept. A
 * reading outside of them is a step: somebody has set the clock, or another server with another clock answers now.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Less than this between two readings is no step: no lease is so short that it would matter. */
enum { CLOCK_WATCH_TOLERANCE_MS = 100 };

/* Zeroed: nothing is known. */
struct clock_watch {
    bool is_known;
    int64_t least_ms, most_ms; /* Redis' clock minus ours */
    uint64_t read_ms;          /* ours, of the last reading */
};

/* A reply with Redis' time. Returns by how much its clock was set (at least; negative: back), 0: it was not. */
int64_t clock_watch_read(struct clock_watch *watch, int64_t redis_ms, uint64_t sent_ms, uint64_t received_ms);

/* What Redis' clock must have come to at this moment of ours, if nobody has set it. 0: nothing is known. */
int64_t clock_watch_least(const struct clock_watch *watch, uint64_t mono_ms);
