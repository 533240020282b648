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
 * Each operation that changes something is one script (lua/<name>.lua; ledger_script.c says which keys it is given)
 * and may be sent again when its reply was lost: the second time changes nothing. What only reads is one command. All
 * are asynchronous: they return 0 and `reply` is called exactly once, or -1 (the link isn't up) and it never is.
 * Texts are borrowed for the call only.
 *
 * What a reply may say, besides what each operation lists:
 *     LOST      the link went; nobody knows whether it was done: send it again when the link is up
 *     TROUBLE   the server refuses for now (loading, out of memory, busy; `text`): send it again later
 *
 * A server that doesn't know the scripts is taught them by whoever may load scripts. A worker's user needs no right
 * to do so if there is a controller, which does it.
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
    const struct redisReply *raw; /* the whole reply, for the readers below; NULL when LOST */
    bool is_taught;               /* TROUBLE: it didn't know the scripts, and has been sent them */
    uint64_t sent_ms;             /* monotonic: when it was asked for */
};
enum { LEDGER_RETRY_MS = 500 }; /* after TROUBLE: it is asked again */

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
    const char *identity; /* of this process (lease_holder.h) */
};
enum { LEDGER_TOKEN_SIZE = 33 }; /* 128 random bits in hex */

/*
 * {OK: ledger_run_field} {WAITING: no run is open} {CLOSED: ledger_closed}
 * {TAKEN: another process has this name, or has left claimed tasks}
 */
int ledger_register(struct ledger *ledger, const struct ledger_worker *worker, ledger_reply_fn *reply, void *data);

/* A field of the run; "": it has none of that name. */
const char *ledger_run_field(const struct ledger_reply *reply, const char *name);

struct ledger_closed {
    const char *run_id;
    bool has_controller; /* which is alive */
};
struct ledger_closed ledger_closed(const struct ledger_reply *reply);

/*
 * {OK: ledger_held, the tasks in the worker's list: those that it knows nothing of are to be claimed} {CLOSED}
 * {UNKNOWN: declared dead, register again} {CANCELLED: hand back what runs}
 */
int ledger_renew(struct ledger *ledger, const char *worker, ledger_reply_fn *reply, void *data);
size_t ledger_held_count(const struct ledger_reply *reply);
const char *ledger_held(const struct ledger_reply *reply, size_t index);

/* Waits a while for a task to move to the worker's list; blocks `link`. {OK: ledger_value_text, NULL: none came} */
int ledger_pop(struct ledger *ledger, struct redis_link *link, const char *worker, ledger_reply_fn *reply,
               void *data);

/* {OK: ledger_claimed} {GONE} {CLOSED} {UNKNOWN} */
int ledger_claim(struct ledger *ledger, const char *worker, const char *task, const char *token,
                 ledger_reply_fn *reply, void *data);

struct ledger_claimed {
    unsigned attempt;
    const char *spec, *viewport, *browser, *runner;
    const char *overrides; /* "": none */
};
struct ledger_claimed ledger_claimed(const struct ledger_reply *reply);

struct ledger_settlement {
    const char *worker, *task, *token;
    enum task_result result; /* PASSED, FAILED or ERROR */
    const char *reason;      /* "" : none */
    uint64_t duration_ns;
    const char *record; /* JSON of the attempt (ARCHITECTURE.md) */
    const char *log;    /* kept output; NULL: none */
    size_t log_length;
    const char *details; /* JSON for the board (worker/judge.h); NULL: none */
    int retries;         /* attempts that may follow failed ones */
};

/* What an attempt that runs has put out so far; its settlement brings all of it. {OK} {FENCED} */
int ledger_log(struct ledger *ledger, const char *task, const char *token, const char *output, size_t length,
               ledger_reply_fn *reply, void *data);

/* {OK: 1 complete, 0 waits again} {ALREADY} {FENCED: somebody else answers for the task} */
int ledger_settle(struct ledger *ledger, const struct ledger_settlement *settlement, ledger_reply_fn *reply,
                  void *data);

/* `token` NULL: popped but not claimed; `record` NULL: none. {OK: ledger_is_given_up} {FENCED} */
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
    bool is_again;      /* ledger_rerun follows; until then workers that find the run finished wait */
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

/* What acquire found. */
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

/*
 * Renews our lease; `lease_ms` 0: gives it up. {OK: ledger_now_ms}
 * {FENCED: another controller has it, or had it since}
 */
int ledger_hold(struct ledger *ledger, const char *me, unsigned lease_ms, ledger_reply_fn *reply, void *data);

/*
 * The found run goes to the history; from then on nobody holds anything of it. {OK} {FENCED}
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
 * Writes `count` tasks of which the first is number `offset` of the plan with this digest. {OK, AT: ledger_count are
 * loaded, go on there} {FENCED}
 */
int ledger_enqueue(struct ledger *ledger, const char *me, const char *digest, size_t offset,
                   const struct ledger_entry *entries, size_t count, ledger_reply_fn *reply, void *data);

/* Opens the run: from now on workers take tasks. {OK} {ALREADY} {AT: tasks are missing} {FENCED} */
int ledger_open(struct ledger *ledger, const char *me, ledger_reply_fn *reply, void *data);

/*
 * Cancels the run; `tasks`: those at the right end of the queue, which are complete without a result then. To be
 * called until the run is finished: what runs is handed back by its workers, and then waits.
 * {OK: ledger_count} {FENCED} {CLOSED}
 */
int ledger_cancel(struct ledger *ledger, const char *me, enum cancel_kind kind, const char *reason,
                  const char *const *tasks, size_t count, ledger_reply_fn *reply, void *data);

/* Puts these complete tasks back, those that passed at once excepted. {OK: ledger_count} {FENCED} {CLOSED} {BUSY} */
int ledger_rerun(struct ledger *ledger, const char *me, const char *const *tasks, size_t count,
                 ledger_reply_fn *reply, void *data);

/*
 * Keeps the summary of a run that is finished and had been put back `reruns` times when it was made.
 * {OK} {FENCED} {CLOSED: it goes on, or has ended once more}
 */
int ledger_summarize(struct ledger *ledger, const char *me, const char *summary, int64_t reruns,
                     ledger_reply_fn *reply, void *data);

/*
 * Whose lists must be swept. `known_ms`: what Redis' clock must have come to if nobody has set it, 0: unknown. After
 * that no lease has longer to go than one lease. {OK: ledger_now_ms, ledger_late}
 */
int ledger_overdue(struct ledger *ledger, int64_t known_ms, ledger_reply_fn *reply, void *data);

struct ledger_late {
    const char *worker;
    const char *lease_end; /* when its lease ran out; "": it has gone lately */
};
size_t ledger_late_count(const struct ledger_reply *reply);
struct ledger_late ledger_late(const struct ledger_reply *reply, size_t index);

/*
 * Takes one task back from a dead worker; `lease_end` as overdue told it, "": it has gone.
 * {OK: ledger_is_given_up} {ALIVE} {GONE}
 */
int ledger_reclaim(struct ledger *ledger, const char *worker, const char *lease_end, const char *task,
                   ledger_reply_fn *reply, void *data);

/* Strikes off a dead worker whose list is empty. {OK} {ALIVE} {BUSY} */
int ledger_bury(struct ledger *ledger, const char *worker, const char *lease_end, ledger_reply_fn *reply, void *data);

/*
 * Writes anew what Redis has lost of these tasks, as errors. To be called after an audit that repairs.
 * {OK: ledger_count were lost} {FENCED} {CLOSED}
 */
int ledger_restore(struct ledger *ledger, const char *me, const struct ledger_entry *entries, size_t count,
                   ledger_reply_fn *reply, void *data);

/*
 * Holds the run against its promises. `workers`: all of the workers' set and the graves; `tasks`: the order.
 * {OK: ledger_audited} {WAITING: no run is open} {BUSY: a worker wasn't named}
 */
int ledger_audit(struct ledger *ledger, bool repair, const char *const *workers, size_t worker_count,
                 const char *const *tasks, size_t task_count, ledger_reply_fn *reply, void *data);

struct ledger_audited {
    int64_t tasks, findings;
    size_t lost; /* tasks whose hash is gone: ledger_lost */
    size_t told; /* the first hundred findings: ledger_finding */
};
struct ledger_audited ledger_audited(const struct ledger_reply *reply);
const char *ledger_lost(const struct ledger_reply *reply, size_t index);
const char *ledger_finding(const struct ledger_reply *reply, size_t index);

/* ---- what is read as it stands ---- */

/* These fields of the run, or of a task. {OK: ledger_field, in that order} */
int ledger_ask_run(struct ledger *ledger, const char *const *fields, size_t count, ledger_reply_fn *reply,
                   void *data);
int ledger_ask_task(struct ledger *ledger, const char *task, const char *const *fields, size_t count,
                    ledger_reply_fn *reply, void *data);

/* One field of a worker; the details of a task's last attempt; the log of an attempt. {OK: ledger_value} */
int ledger_ask_worker(struct ledger *ledger, const char *worker, const char *field, ledger_reply_fn *reply,
                      void *data);
int ledger_ask_details(struct ledger *ledger, const char *task, ledger_reply_fn *reply, void *data);
int ledger_ask_log(struct ledger *ledger, const char *task, unsigned attempt, ledger_reply_fn *reply, void *data);

/*
 * The first tasks in the order of the plan; the last runs of the history (`most` 0: all of them); so many at the
 * right end of the queue, from left to right; what lies in a worker's list; the records of a task's attempts.
 * {OK: ledger_list}
 */
int ledger_ask_order(struct ledger *ledger, size_t most, ledger_reply_fn *reply, void *data);
int ledger_ask_history(struct ledger *ledger, size_t most, ledger_reply_fn *reply, void *data);
int ledger_ask_queue(struct ledger *ledger, size_t most, ledger_reply_fn *reply, void *data);
int ledger_ask_processing(struct ledger *ledger, const char *worker, ledger_reply_fn *reply, void *data);
int ledger_ask_attempts(struct ledger *ledger, const char *task, ledger_reply_fn *reply, void *data);

/* Who has a lease, ended or not; who has gone. {OK: ledger_list} */
int ledger_ask_workers(struct ledger *ledger, ledger_reply_fn *reply, void *data);
int ledger_ask_graves(struct ledger *ledger, ledger_reply_fn *reply, void *data);

/* How many wait, how many lie in a worker's list, how many tasks runmeta says remain. {OK: ledger_value_number} */
int ledger_ask_queue_length(struct ledger *ledger, ledger_reply_fn *reply, void *data);
int ledger_ask_processing_length(struct ledger *ledger, const char *worker, ledger_reply_fn *reply, void *data);
int ledger_ask_remaining(struct ledger *ledger, ledger_reply_fn *reply, void *data);

/* Redis' clock. {OK: ledger_time_ms, in whole seconds} */
int ledger_ask_time(struct ledger *ledger, ledger_reply_fn *reply, void *data);

/* The end of the events' stream. {OK: ledger_last_event} */
int ledger_ask_last_event(struct ledger *ledger, ledger_reply_fn *reply, void *data);

/* Waits a while for what comes after the entry of this id; blocks `link`. {OK: ledger_event} */
int ledger_follow_events(struct ledger *ledger, struct redis_link *link, const char *after, ledger_reply_fn *reply,
                         void *data);
int ledger_follow_signals(struct ledger *ledger, struct redis_link *link, const char *after, ledger_reply_fn *reply,
                          void *data);

/* ---- replies; whatever they give is borrowed, valid as long as the reply ---- */

const char *ledger_field(const struct ledger_reply *reply, size_t index);   /* NULL: it isn't there */
const char *ledger_value(const struct ledger_reply *reply, size_t *length); /* NULL: none */
const char *ledger_value_text(const struct ledger_reply *reply);            /* NULL: none */
int64_t ledger_value_number(const struct ledger_reply *reply, int64_t fallback);
size_t ledger_list_count(const struct ledger_reply *reply);
const char *ledger_list_text(const struct ledger_reply *reply, size_t index); /* "": no text */
int64_t ledger_now_ms(const struct ledger_reply *reply);                      /* Redis' time in the script */
int64_t ledger_time_ms(const struct ledger_reply *reply);
size_t ledger_count(const struct ledger_reply *reply);
bool ledger_is_given_up(const struct ledger_reply *reply); /* it is complete as an error; else it waits again */

struct ledger_event {
    const char *id; /* NULL: there is none */
    const struct redisReply *fields;
};
struct ledger_event ledger_last_event(const struct ledger_reply *reply);
size_t ledger_event_count(const struct ledger_reply *reply);
struct ledger_event ledger_event(const struct ledger_reply *reply, size_t index);

const char *ledger_outcome_name(enum ledger_outcome outcome);
