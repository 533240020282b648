/*
 * The deadline of the run, and of the program.
 *
 *     counting ──over──► on_over, grace ──over──► on_grace_over
 *        ▲                     │
 *        └── begun anew ───────┘
 *
 * It counts from when the run began by Redis' clock, as an earlier controller may have begun it; until that is known,
 * from our own start. What is left is counted by our monotonic clock, which nobody sets.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "shared/ledger.h"

struct deadline_events {
    int64_t (*begun_ms)(void *data);                 /* Redis' time from which it counts; 0: there is none now */
    void (*on_over)(void *data, const char *reason); /* what is left is to be cancelled; may be told again */
    void (*on_grace_over)(void *data, const char *reason); /* what ought to have ended the run didn't */
};

struct deadline {
    struct ledger *ledger; /* borrowed */
    int seconds;           /* 0: there is none */
    bool has_grace;        /* it ends the program too (--once) */
    struct deadline_events events;
    void *data;
    uv_timer_t over, grace;
    int64_t from_ms; /* Redis' time from which it counts; 0: not known yet */
};

/* Begins to count. `seconds` 0: nothing ever comes. */
void deadline_init(struct deadline *deadline, uv_loop_t *loop, struct ledger *ledger, int seconds, bool has_grace,
                   const struct deadline_events *events, void *data);

/* The run is open, or goes on: asks Redis' time, and counts from there. */
void deadline_look(struct deadline *deadline);

/* `closed` is called with each of its two timers. */
void deadline_close(struct deadline *deadline, uv_close_cb closed);
