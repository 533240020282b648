/*
 * The queue: every operation, and every outcome that it can have.
 *
 *                  claim                          settle
 *      waiting ────────────► processing ────────────────────────► complete      counted exactly once
 *         ▲                      │   settle, failed, retries left ─┐
 *         ├──────────────────────┤   release (told to stop)        │
 *         ├──────────────────────┘   reclaim (the lease ran out)   │
 *         └────────────────────────────────────────────────────────┘
 *
 * Each operation is one script (lua/<name>.lua) and may be sent again when its reply was lost: the second time
 * changes nothing. All are asynchronous: they return 0 and `reply` is called exactly once, or -1 (the link isn't up)
 * and it never is. Texts are borrowed for the call only.
 *
 * What a reply may say, besides what each operation lists:
 *     LOST      the link went; nobody knows whether it was done: send it again when the link is up
 *     TROUBLE   the server refuses for now (loading, out of memory, busy; `text`): send it again later
 *
 * A server that doesn't know the scripts is taught them, by whoever may: the user of a worker needs no right to run
 * scripts of its own, if there is a controller that loads ours.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/error.h"
#include "shared/ledger_keys.h"
#include "shared/redis_link.h"
#include "shared/task.h"

enum ledger_outcome {
    LEDGER_LOST,
    LEDGER_TROUBLE,
    LEDGER_OK,
    LEDGER_ALREADY,
    LEDGER_FENCED,
    LEDGER_UNKNOWN,
    LEDGER_GONE,
    LEDGER_ALIVE,
    LEDGER_BUSY,
    LEDGER_CLOSED,
    LEDGER_CANCELLED,
    LEDGER_WAITING,
    LEDGER_TAKEN,
    LEDGER_AT,
    LEDGER_FRESH,
    LEDGER_RESUME,
    LEDGER_SERVE,
    LEDGER_REPLACE,
    LEDGER_STANDBY,
    LEDGER_OCCUPIED,
};

struct ledger_reply {
    enum ledger_outcome outcome;
    const char *text;             /* TROUBLE: the server's words */
    const struct redisReply *raw; /* the whole reply, element 0 is the outcome's word; NULL when LOST */
    bool is_taught;               /* TROUBLE: it didn't know the scripts, and has been sent them */
    uint64_t sent_ms;             /* monotonic: when it was asked for */
};
typedef void ledger_reply_fn(void *data, const struct ledger_reply *reply);

struct ledger {
    struct redis_link *link; /* borrowed */
    struct ledger_keys keys;
    char digests[32][41]; /* SHA-1 of each script as the server names it */
    char nonce[64];       /* of the worker's process that speaks through this ledger; register remembers it */
    bool may_not_teach;   /* this user was refused SCRIPT LOAD */
};

int ledger_init(struct ledger *ledger, struct redis_link *link, const char *prefix, struct error *err);

/*
 * Teaches the server the scripts. The controller does so each time its link has come up, before anything else, and
 * must be allowed to. {OK}
 */
int ledger_load(struct ledger *ledger, ledger_reply_fn *reply, void *data);

/* ---- workers ---- */

struct ledger_worker {
    const char *id;
    const char *nonce; /* of this process; claim, renew and leave are refused to another one of this name */
    const char *host;
    int pid;
    int slots;
    const char *identity; /* of this process (identity.h) */
};
enum { LEDGER_TOKEN_SIZE = 33 }; /* 128 random bits in hex */

/*
 * {OK: fields of the run} {WAITING: no run is open} {CLOSED: [2] is 1 while a controller is alive}
 * {TAKEN: another process has this name, or has left claimed tasks}
 */
int ledger_register(struct ledger *ledger, const struct ledger_worker *worker, ledger_reply_fn *reply, void *data);

/*
 * {OK: [1…] the tasks in the worker's list: those that it knows nothing of are to be claimed} {CLOSED}
 * {UNKNOWN: declared dead, register again} {CANCELLED: hand back what runs}
 */
int ledger_renew(struct ledger *ledger, const char *worker, ledger_reply_fn *reply, void *data);

/* {OK: attempt, spec, viewport, browser, runner, overrides} {GONE} {CLOSED} {UNKNOWN} */
int ledger_claim(struct ledger *ledger, const char *worker, const char *task, const char *token,
                 ledger_reply_fn *reply, void *data);

struct ledger_settlement {
    const char *worker, *task, *token;
    enum task_result result; /* PASSED, FAILED or ERROR */
    const char *reason;      /* "" : none */
    uint64_t duration_ns;
    const char *record; /* JSON of the attempt (ARCHITECTURE.md) */
    const char *log;    /* kept output; NULL: none */
    size_t log_length;
    const char *details; /* JSON for the board: {"message","title","file","line","tests":[p,f,s,fl]}; NULL: none */
    int retries;         /* attempts that may follow failed ones */
};

/* {OK: 1 complete, 0 waits again} {ALREADY} {FENCED: somebody else answers for the task} */
int ledger_settle(struct ledger *ledger, const struct ledger_settlement *settlement, ledger_reply_fn *reply,
                  void *data);

/* `token` NULL: popped but not claimed; `record` NULL: none. {OK: 1 given up as error, 0 waits again} {FENCED} */
int ledger_release(struct ledger *ledger, const char *worker, const char *task, const char *token, const char *record,
                   ledger_reply_fn *reply, void *data);

/* Leaves: what is unclaimed in the list goes back. {OK} {BUSY: tasks are still claimed} */
int ledger_leave(struct ledger *ledger, const char *worker, ledger_reply_fn *reply, void *data);

/* ---- the controller ---- */

struct ledger_acquisition {
    const char *me;
    unsigned lease_ms;
    const char *digest; /* of the plan */
    const char *run_id; /* "": none given */
    const char *source; /* "": unknown */
    bool is_fresh;      /* whatever is found, another run is wanted */
    const char *dead;   /* a holder of the lease that is known to be dead; "": none */
    struct ledger_dead {
        const char *worker, *identity;
    } const *dead_workers; /* that are known to be dead */
    size_t dead_count;
};

/*
 * {FRESH} {RESUME} {SERVE} {REPLACE}: we are the controller now. {STANDBY} another controller has this run, or is
 * about to have one. {OCCUPIED} another run is alive. What the reply tells besides is ledger_found's.
 */
int ledger_acquire(struct ledger *ledger, const struct ledger_acquisition *acquisition, ledger_reply_fn *reply,
                   void *data);

/* What acquire found. Borrowed from the reply. */
struct ledger_found {
    const char *run_id;           /* "": no run */
    const char *state;            /* loading, running, finished, purging */
    const char *why;              /* it isn't ours: plan, id, source, fresh, finished, purging; "": it is */
    const char *source;           /* its own */
    const char *who;              /* STANDBY, OCCUPIED: controller or worker, */
    const char *name;             /* and its name */
    int64_t lease_end_ms, now_ms; /* OCCUPIED, by Redis' clock */
};
struct ledger_found ledger_found(const struct ledger_reply *reply);

/* Renews our lease; `lease_ms` 0: gives it up. {OK: Redis' time in ms} {FENCED: another controller has it, or had it
 * since} */
int ledger_hold(struct ledger *ledger, const char *me, unsigned lease_ms, ledger_reply_fn *reply, void *data);

/*
 * The found run goes to the history, and nobody holds anything of it any more. {OK} {FENCED}
 * {OCCUPIED: id, state, "worker", its name: it came back to life}
 */
int ledger_archive(struct ledger *ledger, const char *me, const char *summary, ledger_reply_fn *reply, void *data);

/* Deletes what the first `count` tasks of the old order have left, and takes them out of it. {OK} {FENCED} */
int ledger_purge(struct ledger *ledger, const char *me, const char *const *tasks, size_t count,
                 ledger_reply_fn *reply, void *data);

/* Starts a run with these fields (name, value, …; `count` texts). {OK} {FENCED} {BUSY: a run is there} */
int ledger_begin(struct ledger *ledger, const char *me, const char *const *fields, size_t count,
                 ledger_reply_fn *reply, void *data);

struct ledger_entry {
    char key[TASK_KEY_SIZE];
    const char *spec, *viewport, *browser, *runner;
    const char *overrides; /* NULL: none */
};

/*
 * Writes `count` tasks of which the first is number `offset` of the plan with this digest. {OK: loaded} {AT: loaded,
 * go on there} {FENCED}
 */
int ledger_enqueue(struct ledger *ledger, const char *me, const char *digest, size_t offset,
                   const struct ledger_entry *entries, size_t count, ledger_reply_fn *reply, void *data);

/* Opens the run: from now on workers take tasks. {OK} {ALREADY} {AT: tasks are missing} {FENCED} */
int ledger_open(struct ledger *ledger, const char *me, ledger_reply_fn *reply, void *data);

/*
 * Cancels the run; `tasks`: those at the right end of the queue, which are complete without a result then. To be
 * called until the run is finished: what runs is handed back by its workers, and then waits. {OK: how many} {FENCED}
 * {CLOSED}
 */
int ledger_cancel(struct ledger *ledger, const char *me, enum cancel_kind kind, const char *reason,
                  const char *const *tasks, size_t count, ledger_reply_fn *reply, void *data);

/* Puts these complete tasks back, those that passed at once excepted. {OK: how many} {FENCED} {CLOSED} {BUSY} */
int ledger_rerun(struct ledger *ledger, const char *me, const char *const *tasks, size_t count,
                 ledger_reply_fn *reply, void *data);

/*
 * Keeps the summary of a run that is finished and had been put back `reruns` times when it was made.
 * {OK} {FENCED} {CLOSED: it goes on, or has ended once more}
 */
int ledger_summarize(struct ledger *ledger, const char *me, const char *summary, int64_t reruns,
                     ledger_reply_fn *reply, void *data);

/*
 * Whose lists must be swept. `known_ms`: what Redis' clock must have come to if nobody has set it, 0: unknown. No
 * lease is longer than one lease after that. {OK: Redis' time in ms, n, then n workers whose lease ran out, then the
 * n ends of these leases, then those that have gone lately}
 */
int ledger_overdue(struct ledger *ledger, int64_t known_ms, ledger_reply_fn *reply, void *data);

/*
 * Takes one task back from a dead worker; `lease_end` as overdue told it, "": it has gone.
 * {OK: 1 given up as error, 0 waits again} {ALIVE} {GONE}
 */
int ledger_reclaim(struct ledger *ledger, const char *worker, const char *lease_end, const char *task,
                   ledger_reply_fn *reply, void *data);

/* Strikes off a dead worker whose list is empty. {OK} {ALIVE} {BUSY} */
int ledger_bury(struct ledger *ledger, const char *worker, const char *lease_end, ledger_reply_fn *reply, void *data);

/*
 * Writes anew what Redis has lost of these tasks, as errors; an audit that repairs comes before.
 * {OK: how many were lost} {FENCED} {CLOSED}
 */
int ledger_restore(struct ledger *ledger, const char *me, const struct ledger_entry *entries, size_t count,
                   ledger_reply_fn *reply, void *data);

/*
 * Holds the run against its promises. `workers`: all of the workers' set and the graves; `tasks`: the order.
 * {OK: number of tasks, number of findings, n, then n tasks whose hash is gone, then the first hundred findings}
 * {WAITING: no run is open} {BUSY: a worker wasn't named}
 */
int ledger_audit(struct ledger *ledger, bool repair, const char *const *workers, size_t worker_count,
                 const char *const *tasks, size_t task_count, ledger_reply_fn *reply, void *data);

/* ---- replies ---- */

/* Element `index` of a reply as text ("" if it has none) or number. Borrowed, valid as long as the reply. */
const char *ledger_text(const struct ledger_reply *reply, size_t index);
int64_t ledger_number(const struct ledger_reply *reply, size_t index);
const char *ledger_outcome_name(enum ledger_outcome outcome);
