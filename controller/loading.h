/*
 * Writes the plan's tasks to Redis, in order, in chunks of which several are under way. Each answer of Redis says how
 * many are there, so a load that somebody else began, or that a lost link cut off, is continued.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "controller/plan.h"
#include "shared/ledger.h"

struct loading_events {
    /* Whether this answer ends it; the owner then does what follows. */
    bool (*is_over)(void *data, const struct ledger_reply *reply);
    void (*on_loaded)(void *data); /* all are there */
};

struct loading {
    struct ledger *ledger; /* borrowed, as are the next three */
    const char *me, *digest;
    const struct plan *plan;
    struct loading_events events;
    void *data;
    unsigned round; /* answers of an earlier start are ignored */
    size_t loaded, sent, in_flight;
    bool must_rewind;
};

void loading_init(struct loading *loading, struct ledger *ledger, const char *me, const char *digest,
                  const struct plan *plan, const struct loading_events *events, void *data);
void loading_start(struct loading *loading);

/* What was under way is forgotten. */
void loading_stop(struct loading *loading);
