/*
 * The lease of our run: renews it turn by turn, tells the owner when somebody else has it, gives it up at the end.
 * Becoming its holder is the opener's task.
 */
#pragma once
#include <stdbool.h>
#include <uv.h>

#include "shared/ledger.h"

struct own_lease_events {
    void (*on_turn)(void *data); /* time to hold it, if there is a run to hold */
    void (*on_renewed)(void *data, const struct ledger_reply *reply);
    void (*on_trouble)(void *data, const char *reason); /* the server says: not now; there is a turn soon */
    void (*on_fenced)(void *data);                      /* another controller has it */
};

struct own_lease {
    struct ledger *ledger; /* borrowed, as is `me` */
    const char *me;
    unsigned lease_ms;
    uv_timer_t turn;
    bool is_ended;
    struct own_lease_events events;
    void *data;
};

void own_lease_init(struct own_lease *lease, uv_loop_t *loop, struct ledger *ledger, const char *me,
                    unsigned lease_ms, const struct own_lease_events *events, void *data);

/* Renews it. */
void own_lease_hold(struct own_lease *lease);

/* A turn comes sooner than it would. */
void own_lease_look_soon(struct own_lease *lease);

/* The controller stops: nothing is told any more. */
void own_lease_end(struct own_lease *lease);

/* Gives it up, so that the next controller needn't wait for its end. 0, or -1: the link isn't up. */
int own_lease_give_up(struct own_lease *lease, ledger_reply_fn *reply, void *data);

void own_lease_close(struct own_lease *lease, uv_close_cb closed);
