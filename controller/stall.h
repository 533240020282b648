/*
 * Notices a run that stands still, and has it mended: somebody has deleted a task's hash, a list, a counter, and no
 * event will ever come.
 *
 * While events come nothing is looked at. After a lease without any, it is asked what the queue, the workers'
 * lists and the counters say, which is cheap. The run is audited and repaired only if nobody has anything to do or
 * the counters aren't those of the board, as controller --audit --repair does it; a task whose hash is gone
 * becomes an error.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/board.h"
#include "controller/plan.h"
#include "shared/ledger.h"

/* The first finding and how many there were, all mended. 0: the run is whole, so the board has missed something. */
typedef void stall_fn(void *data, const char *finding, size_t count);

struct stall {
    struct ledger *ledger; /* borrowed, as are the next three */
    const char *me;
    const struct plan *plan;
    const struct board *board;
    unsigned lease_ms;
    stall_fn *on_mended;
    void *data;

    uint64_t events_seen, quiet_since_ms; /* monotonic: since when no event has come */
    unsigned round;                       /* answers of an earlier round are ignored */
    bool is_asking;
    int64_t remaining; /* what the counters say */
    size_t awaited;    /* lists whose length was asked for */
    bool is_busy;      /* something waits, or lies in somebody's list */

    char finding[300]; /* the first of the audit that is under way */
    size_t count;
};

/* Everything is borrowed. */
void stall_init(struct stall *stall, struct ledger *ledger, const char *me, const struct plan *plan,
                const struct board *board, unsigned lease_ms, stall_fn *on_mended, void *data);

/* To be called every now and then while the run goes on; `events_seen`: how many events have come so far. */
void stall_look(struct stall *stall, uint64_t events_seen);

void stall_stop(struct stall *stall); /* the link is lost, or the end */
