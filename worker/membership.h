/*
 * What ties a worker to a run: registration, the lease, the run's signals, and the tasks that it pops.
 *
 * It has the two links that wait (one in BRPOPLPUSH, one for signals) and the policy of the run that it joined. Tasks
 * go to the slots; the owner is told when the run ends, and decides what that means for the worker. Whatever Redis
 * doesn't answer is asked again when the owner says so: after a link came up, or after trouble.
 */
#pragma once
#include <stdbool.h>
#include <uv.h>

#include "shared/ledger.h"
#include "shared/redis_link.h"
#include "worker/parent.h"
#include "shared/run_policy.h"
#include "worker/slots.h"
#include "worker/trouble.h"
#include "worker/worker_state.h"

/* What it looks at and uses, all of it borrowed, and whom it tells. */
struct membership_setup {
    uv_loop_t *loop;
    const struct parent *parent;
    const struct redis_address *address;
    struct ledger *ledger;
    struct ledger_worker me;
    const enum worker_state *state;
    struct slots *slots;
    struct trouble *trouble;
    const char *const *versions; /* of the built-in runners' packages, as they are installed here */

    void (*on_joined)(void *data, bool is_cancelled);  /* and each time that it was registered again */
    void (*on_waiting)(void *data, bool is_abandoned); /* no run is open; or one whose controller has gone */
    void (*on_closed)(void *data, const char *run_id); /* nothing that is held here counts any more */
    void (*on_cancelled)(void *data);
    void (*on_refused)(void *data, const struct error *reason); /* a link that waiting won't help */
    void *data;
};

struct membership {
    const struct membership_setup *setup;
    const struct redis_link *commands; /* the owner's, which speaks for all three */
    struct redis_link *pops, *signals;
    struct run_policy policy;
    bool is_registered;
    bool is_registering, is_popping, is_listening;
    bool has_worked; /* in the run that is now finished */
    char last_signal[64];
    uv_timer_t renew;
    int open_handles;
    void (*on_gone)(void *data);
};

void membership_open(struct membership *m, const struct membership_setup *setup);

/* Opens the links. The ledger is initialized. */
void membership_connect(struct membership *m, const struct redis_link *commands);

/* The link for commands is up: registers. It went down: we don't count as registered until it is up again. */
void membership_up(struct membership *m);
void membership_down(struct membership *m);

void membership_register(struct membership *m);

/* Asks for the next task if a slot has room for it. */
void membership_pop(struct membership *m);

/* Asks again for all that is unanswered. */
void membership_ask(struct membership *m);

/* Takes no task any more. */
void membership_stop_popping(struct membership *m);

void membership_close(struct membership *m, void (*closed)(void *data));

/* When nothing borrows from the policy any more. */
void membership_free(struct membership *m);
