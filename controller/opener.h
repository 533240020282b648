/*
 * From a plan to an open run: becomes the run's controller, clears an old run away, writes the tasks, opens.
 *
 *     acquire ─┬─ fresh ─────────────────────────────► begin ──► enqueue … ──► open ──► on_open
 *              ├─ replace ──► archive ──► purge … ──────┘           ▲                     ▲
 *              ├─ resume, still loading ────────────────────────────┘                     │
 *              ├─ resume, serve ──────────────────────────────────────────────────────────┘
 *              ├─ standby ──► on_standby; tries again by itself
 *              └─ occupied ──► on_refused
 *
 * Every step may be done again, so when the link is lost the owner just starts it once more.
 */
#pragma once
#include <stdbool.h>
#include <uv.h>

#include "controller/identity.h"
#include "controller/plan.h"
#include "shared/error.h"
#include "shared/ledger.h"
#include "shared/options.h"

struct opener_events {
    void (*on_open)(void *data);
    void (*on_standby)(void *data, const char *holder); /* another controller has this run */
    void (*on_refused)(void *data,
                       const struct error *reason);     /* another run is alive: ERROR_CONFIG; nothing was touched */
    void (*on_trouble)(void *data, const char *reason); /* the server says: not now; it is tried again by itself */
};

struct opener {
    struct ledger *ledger;
    const struct plan *plan;
    const struct options *options;
    struct opener_events events;
    void *data;
    char me[IDENTITY_SIZE];
    char dead[IDENTITY_SIZE]; /* a holder that is known to be dead */
    char run_id[128];         /* "": not known yet; then it is the run's for good */
    char digest[17];
    unsigned lease_ms;
    uv_timer_t retry;
    unsigned round; /* answers of an earlier start are ignored */
    size_t loaded, sent, in_flight;
    bool must_rewind;
    bool is_open;
};

/* Everything is borrowed. */
void opener_init(struct opener *opener, uv_loop_t *loop, struct ledger *ledger, const struct plan *plan,
                 const struct options *options, const struct opener_events *events, void *data);

/* The link is up and the scripts are loaded: go. */
void opener_start(struct opener *opener);

/* The link is lost: what was under way is forgotten. */
void opener_stop(struct opener *opener);

void opener_close(struct opener *opener, uv_close_cb closed); /* closed gets the timer, whose data is `opener` */
