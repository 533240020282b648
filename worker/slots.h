/*
 * The slots of a worker: each takes one task at a time through its life here, from the claim until Redis has heard
 * how it ended. A slot tells Redis what it has to tell again and again until it is answered: links come and go, its
 * state stays.
 *
 * Which tasks come, and whether the run goes on, is the membership's (membership.h); what an attempt is and how it is
 * carried out, attempt.h's and start.h's. How many attempts share a start is decided here: one.
 */
#pragma once
#include <stdbool.h>

#include "shared/error.h"
#include "shared/ledger.h"
#include "shared/run_policy.h"
#include "worker/attempt.h"
#include "worker/live_log.h"
#include "worker/start.h"
#include "worker/trouble.h"
#include "worker/worker_state.h"

/*
 *     idle ──► claiming ──► running ──► settling ──► idle
 *                  │           └─► stopping ──► releasing ──► idle
 *                  └─► releasing
 */
enum slot_state { SLOT_IDLE, SLOT_CLAIMING, SLOT_RUNNING, SLOT_STOPPING, SLOT_SETTLING, SLOT_RELEASING };

/* What the slots look at and use, all of it borrowed, and whom they tell. */
struct slots_setup {
    struct ledger *ledger;
    struct trouble *trouble;
    const char *worker_id;
    const enum worker_state *state;
    const bool *is_registered; /* nothing is asked in the name of a worker that Redis doesn't know */
    const struct run_policy *policy;
    const char *stop_reason; /* what the record of a task that is handed back says */
    struct start_setup start;
    struct attempt_setup attempt;

    void (*on_moved)(void *data);   /* there may be room for a task, or nothing may be held any more */
    void (*on_unknown)(void *data); /* this worker isn't registered, or the run is closed */
    void (*on_unfit)(void *data, const char *reason); /* no runner can be started here */
    void *data;
};

struct slot {
    struct slots *slots;
    enum slot_state state;
    bool is_asking;           /* a command of this slot is on its way */
    char next[TASK_KEY_SIZE]; /* popped while the last task is being settled; "": none */
    struct start start;
    struct attempt attempt;
    struct live_log live_log;
};

struct slots {
    const struct slots_setup *setup;
    struct slot *list;
    int count;
    int open_count;
    void (*on_closed)(void *data);
};

/* 0 or -1; to be closed in either case. */
int slots_open(struct slots *slots, const struct slots_setup *setup, int count, struct error *err);

bool slots_are_idle(const struct slots *slots);
bool slots_are_running(const struct slots *slots);

/* Whether a task may be popped: a slot is free, or will be as soon as Redis has heard of its last one. */
bool slots_have_room(struct slots *slots);

/* A task lies in our list: claims it. `is_popped`: just now. */
void slots_take(struct slots *slots, const char *task, bool is_popped);

/* Each tells Redis what it has to tell, unless it is being told already. */
void slots_ask(struct slots *slots);

/* What runs is ended, and is to be handed back. */
void slots_stop(struct slots *slots, unsigned grace_ms);
void slots_kill_stopping(struct slots *slots);

/* What is held doesn't count any more. */
void slots_let_go(struct slots *slots);

/* Settlements whose answer was lost are told once more. */
void slots_settle_again(struct slots *slots);

/* Kills what runs; `closed` is called when all handles are gone. Only what was opened may be closed. */
void slots_close(struct slots *slots, void (*closed)(void *data));
void slots_free(struct slots *slots); /* when no reply can come any more */
