/* Who took over while a finished run was shown: found out by asking until it is known, and told once. */
#pragma once
#include <stdbool.h>

#include "shared/ledger.h"

struct successor {
    struct ledger *ledger; /* borrowed */
    const char *ours;      /* the id of the run that is shown, as it was told last */
    bool is_told;
    void (*on_known)(void *data, const char *run_id);
    void *data;
};

/* `on_known` gets the id of the run that is there; it may be ours. */
void successor_init(struct successor *successor, struct ledger *ledger,
                    void (*on_known)(void *data, const char *run_id), void *data);

/* `ours` is borrowed until the answer has come. */
void successor_ask(struct successor *successor, const char *ours);
