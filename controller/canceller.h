/*
 * Ends a cancelled run: takes what waits out of the queue, again and again, until the run is finished. What is being
 * processed is handed back by its workers, or taken from the dead by the monitor, and then waits as well.
 */
#pragma once
#include <stdbool.h>

#include "shared/ledger.h"

struct canceller {
    struct ledger *ledger; /* borrowed, as is `me` */
    const char *me;
    enum cancel_kind kind;
    char reason[200]; /* "": nothing is to be cancelled */
    bool is_asking;
};

void canceller_init(struct canceller *canceller, struct ledger *ledger, const char *me);

/* Begins; a poke makes it look again, as something may wait by now. Cheap: may come with each change of the board. */
void canceller_start(struct canceller *canceller, enum cancel_kind kind, const char *reason);
void canceller_poke(struct canceller *canceller);

/* The run is finished, or another one. */
void canceller_stop(struct canceller *canceller);
