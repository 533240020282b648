/*
 * What the files of the worker share; nobody else includes this.
 *
 *     worker.c        the owner: starts, drains, leaves, closes
 *     worker_run.c    the run: registration, lease, signals, popping
 *     worker_slots.c  the slots: claim, run, settle, hand back
 */
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "shared/identity.h"
#include "shared/ledger.h"
#include "shared/redis_link.h"
#include "shared/spec_finder.h"
#include "worker/attempt.h"
#include "worker/run_policy.h"
#include "worker/scratch.h"
#include "worker/start.h"
#include "worker/worker.h"

enum {
    COMMAND_TIMEOUT_MS = 10000,
    STATUS_UNFIT = 2, /* as when it can't be started */
};

enum worker_state { WORKER_JOINING, WORKER_WORKING, WORKER_DRAINING, WORKER_LEAVING, WORKER_CLOSING };

enum slot_state { SLOT_IDLE, SLOT_CLAIMING, SLOT_RUNNING, SLOT_STOPPING, SLOT_SETTLING, SLOT_RELEASING };

struct slot {
    struct worker *worker;
    enum slot_state state;
    bool is_asking;           /* a command of this slot is on its way */
    char next[TASK_KEY_SIZE]; /* popped while the last task is being settled; "": none */
    struct start start;
    struct attempt attempt;
};

struct worker {
    uv_loop_t *loop;
    const struct options *options;
    const struct parent *parent;
    char id[128], nonce[33], host[65];
    char identity[IDENTITY_SIZE]; /* by which a controller here can tell that this process has ended */
    struct redis_address address;
    struct redis_link *commands, *pops, *signals;
    struct ledger ledger;
    char processing[LEDGER_KEY_SIZE];
    char last_signal[64];
    char last_trouble[256]; /* so that the same reason is logged once */
    uint64_t taught_ms;     /* when it last lacked the scripts */

    enum worker_state state;
    bool is_registered;
    bool is_registering, is_popping, is_listening;
    bool has_worked; /* in the run that is now finished */
    int exit_status;
    int signals_seen;
    char stop_reason[256]; /* what the record of a task that was handed back says */

    uv_timer_t renew, retry, patience;
    uv_signal_t on_term, on_int;
    uv_poll_t on_parent; /* open only if there is one */
    int open_handles;

    struct run_policy policy;
    struct scratch scratch;
    struct spec_finder specs;
    struct start_setup start_setup;
    struct attempt_setup attempt_setup;
    char root[PATH_MAX], reporter[PATH_MAX], playwright[PATH_MAX];
    struct slot *slots;
    int slot_count;
};

/* ---- worker.c ---- */

/* Logs why Redis can't be used, once for each reason. */
void worker_note_trouble(struct worker *w, const char *text);

/* Whatever is to be told or asked is tried again in a while. */
void worker_retry_soon(struct worker *w);

/* LOST is answered by the link when it is up again, TROUBLE by the retry timer. true: it was one of the two. */
bool worker_is_unanswered(struct worker *w, const struct ledger_reply *reply);

/* If it isn't waiting already: so long for Redis to answer, or for a run to come, then the worker ends. */
void worker_wait_at_most(struct worker *w, unsigned limit_ms);

/* Takes nothing any more, hands back what it holds (TERM, KILL after the grace), and leaves with this status. */
void worker_drain(struct worker *w, int exit_status, const char *reason, unsigned grace_ms);

/* The work is over, one way or the other: leave when nothing is held any more. */
void worker_leave(struct worker *w, int exit_status);

/* The next step of draining or leaving, if it is due. */
void worker_move_on(struct worker *w);

/* `digits` random hex digits, an even number of at most 64, and a zero behind them. */
void worker_random_hex(char *text, size_t digits);

/* ---- worker_run.c ---- */

void run_register(struct worker *w);
void run_renew(struct worker *w);
void run_listen(struct worker *w); /* to the run's signals */

/* Asks for the next task if a slot has room for it. */
void run_pop(struct worker *w);

/* The run is closed: nothing that is held here counts any more. `run_id` is for the log. */
void run_close(struct worker *w, const char *run_id);

/* ---- worker_slots.c ---- */

int slots_open(struct worker *w, struct error *err);

/* A slot in this state, or NULL. */
struct slot *slots_find(struct worker *w, enum slot_state state);
bool slots_are_idle(struct worker *w);

/* A slot that a task may be popped for, or NULL: it is free, or will be as soon as Redis has heard of its last one.
 */
struct slot *slots_find_room(struct worker *w);

/* A task lies in our list: claims it. `is_popped`: just now. */
void slots_take(struct worker *w, const char *task, bool is_popped);

/* Each tells Redis what it has to tell, unless it is being told already. */
void slots_ask(struct worker *w);

/* What runs is ended, and is to be handed back. */
void slots_stop(struct worker *w, unsigned grace_ms);
void slots_kill_stopping(struct worker *w);

/* What is held doesn't count any more. */
void slots_let_go(struct worker *w);

/* Settlements whose answer was lost are told once more. */
void slots_settle_again(struct worker *w);

/* Closes the attempts; w->open_handles counts them. */
void slots_close(struct worker *w);
