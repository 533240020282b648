/*
 * From a plan to an open run: becomes the run's controller, clears an old run away, writes the tasks, opens.
 *
 *     acquire ─┬─ fresh ─────────────────────────────► begin ──► enqueue … ──► open ──► on_open
 *              ├─ replace ──► archive ──► purge … ──────┘           ▲                     ▲
 *              ├─ resume, still loading ────────────────────────────┘                     │
 *              ├─ resume, serve ──────────────────────────────────────────────────────────┘
 *              ├─ standby ──► on_standby; tries again by itself
 *              └─ occupied ─┬─ by somebody who is known to be dead ──► acquire
 *                           ├─ by somebody of whom nothing is known: waits for the end of that lease
 *                           └─ by somebody who lives, or renews that lease ──► on_refused
 *
 * Every step may be done again, so when the link is lost the owner just starts it once more.
 */
#pragma once
#include <stdbool.h>
#include <uv.h>

#include "controller/clearing.h"
#include "controller/loading.h"
#include "controller/plan.h"
#include "controller/source.h"
#include "shared/error.h"
#include "shared/lease_holder.h"
#include "shared/ledger.h"
#include "shared/options.h"

struct opener_events {
    void (*on_open)(void *data);
    /* Another controller has this run, or begins one. */
    void (*on_standby)(void *data, const char *holder, bool is_ours);
    /* Another run is alive: ERROR_CONFIG; nothing was touched. */
    void (*on_refused)(void *data, const struct error *reason);
    void (*on_say)(void *data, const char *line);       /* for people: why a run is begun anew, who is waited for */
    void (*on_trouble)(void *data, const char *reason); /* the server says: not now; it is tried again by itself */
};

/* How we came to the run that is open. */
enum opener_way { OPENER_UNKNOWN, OPENER_BEGUN, OPENER_RESUMED, OPENER_SERVED };

struct opener {
    struct ledger *ledger;
    const struct plan *plan;
    const struct options *options;
    const struct source *source;
    struct opener_events events;
    void *data;
    char me[LEASE_HOLDER_SIZE];
    char dead[LEASE_HOLDER_SIZE];     /* a holder that is known to be dead */
    struct ledger_dead *dead_workers; /* that are known to be; owned, with their texts */
    size_t dead_count;
    char run_id[128];               /* "": not known yet; once known it stays */
    char source_id[SOURCE_ID_SIZE]; /* ours; with --rerun the found run's */
    char digest[17];
    enum opener_way way;
    char line[1200]; /* why the found run is replaced; "": that needs no words */
    char replaced_id[128], replaced_source[SOURCE_ID_SIZE]; /* of the run that ours took the place of */
    char waits_for[LEASE_HOLDER_SIZE];                      /* whose lease may run out; "": nobody's */
    unsigned looks;                                         /* at it */
    int64_t lease_end_ms;                                   /* of that lease when it was seen last, by Redis' clock */
    unsigned lease_ms;
    uv_timer_t retry;
    unsigned round; /* answers of an earlier start are ignored */
    struct clearing clearing;
    struct loading loading;
    bool is_fresh; /* what is found must be replaced */
    bool is_again; /* what is found finished is about to be run again */
    bool has_lease;
    bool is_open;
    bool was_open; /* once: the run is ours, and no other one is touched */
};

/* Everything is borrowed. */
void opener_init(struct opener *opener, uv_loop_t *loop, struct ledger *ledger, const struct plan *plan,
                 const struct options *options, const struct source *source, const struct opener_events *events,
                 void *data);

/* The link is up and the scripts are loaded: go. */
void opener_start(struct opener *opener);

/* The run that was open is there after a lost link, and still ours to show: nothing else has to be done. */
void opener_found_again(struct opener *opener);

/* What --rerun asks for is done. */
void opener_ran_again(struct opener *opener);

/* The link is lost, or another controller has the run: what was under way is forgotten. */
void opener_stop(struct opener *opener);

/* Frees what it owns. */
void opener_close(struct opener *opener, uv_close_cb closed); /* closed gets the timer, whose data is `opener` */
