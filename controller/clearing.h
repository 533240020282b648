/*
 * Clears away a run that another one replaces: its summary goes to the history, then its tasks are deleted in chunks.
 * Done twice it does no harm, so after a lost link it is just started again.
 */
#pragma once
#include <stdbool.h>

#include "shared/ledger.h"

struct clearing_events {
    /* Whether this answer ends it; the owner then does what follows. */
    bool (*is_over)(void *data, const struct ledger_reply *reply);
    void (*on_occupied)(void *data); /* somebody has come to work on that run: nothing was touched */
    void (*on_archived)(void *data); /* it is in the history */
    void (*on_cleared)(void *data);
};

struct clearing {
    struct ledger *ledger; /* borrowed, as is `me` */
    const char *me;
    struct clearing_events events;
    void *data;
    unsigned round; /* answers of an earlier start are ignored */
};

void clearing_init(struct clearing *clearing, struct ledger *ledger, const char *me,
                   const struct clearing_events *events, void *data);
void clearing_start(struct clearing *clearing);

/* What was under way is forgotten. */
void clearing_stop(struct clearing *clearing);
