/*
 * Takes tasks from the dead: looks for workers whose lease ran out, and sweeps their lists and those of who has gone.
 *
 * Nobody is taken for dead because Redis, the network or a sleep of ours kept it from renewing its lease. Our own
 * lease is the measure: while we can't renew it nobody dies; once we can, workers have the time in which the last of
 * them tries to connect, and then one whole lease. Nor does anybody die because Redis' clock was set: the reply that
 * lists the dead tells the time too, and when that isn't what it must have come to, everybody has one more lease.
 * Tasks are taken from a listed worker only while its lease is still the one that was looked at.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "controller/clock_watch.h"
#include "shared/ledger.h"

struct reaper {
    struct ledger *ledger; /* borrowed */
    unsigned lease_ms;
    bool is_watching;
    unsigned round; /* answers of an earlier round are ignored */
    struct clock_watch clock;
    uv_timer_t pass;
    uint64_t renewed_ms; /* monotonic: when our own lease was */
    uint64_t nobody_dies_before_ms;
    uint64_t tasks_reclaimed; /* since the start, for /metrics */
};

void reaper_init(struct reaper *reaper, uv_loop_t *loop, struct ledger *ledger, unsigned lease_ms);

void reaper_watch(struct reaper *reaper); /* the run is open and the link is up: from now on */
void reaper_rest(struct reaper *reaper);  /* the run is finished, or the link is lost */

/* Our own lease was renewed, so the workers' could be: the reply of ledger_hold(), which is OK. */
void reaper_renewed(struct reaper *reaper, const struct ledger_reply *held);

void reaper_close(struct reaper *reaper, uv_close_cb closed); /* closed gets the timer, whose data is `reaper` */
