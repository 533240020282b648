/*
 * What the scripts ought to do, in C: the whole queue as a value that can be copied, and one function an operation.
 *
 * Each function does to the world what the operation of the same name (shared/ledger.h) ought to do to Redis, and
 * leaves in `reply` what it ought to answer, joined by '|'; a '*' at its end stands for anything. model_test compares
 * both after every step.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/task.h"

enum {
    WORLD_TASKS = 5,
    WORLD_NAMES = 3,
    WORLD_CONTROLLERS = 3,
    WORLD_TOKEN_SIZE = 17,
    WORLD_RECORDS = 64, /* attempts of one task that are remembered; a history is shorter */
    WORLD_EVENTS = 8,   /* most that one operation tells */
    WORLD_SIGNALS = 64,
    WORLD_HISTORY = 64,
    WORLD_CRASHES = 2,
    WORLD_RELEASES = 2, /* that cost nothing */
    WORLD_DECLINES = 2,
    WORLD_NOBODY = -1,
    WORLD_LONG_AGO = -1000, /* a lease that ran out whatever the clock says */
};

enum world_state { WORLD_ABSENT, WORLD_LOADING, WORLD_RUNNING, WORLD_FINISHED, WORLD_PURGING };

/* Tasks, from the left of a Redis list to its right. */
struct world_list {
    int items[WORLD_TASKS * 2];
    int count;
};

struct world_task {
    bool exists;  /* the fields up to `reason` are its hash */
    bool is_lost; /* its hash is gone; `status` is what the counters take it for */
    int plan;
    enum task_status status;
    enum task_result result;
    int attempt, worker;
    bool has_started, is_flaky;
    long duration_ms;
    char reason[80];
    char records[WORLD_RECORDS][80];
    int record_count;
    struct world_log {
        int attempt;
        bool is_whole; /* it was settled with the attempt; else told while that ran */
    } logs[WORLD_RECORDS];
    int log_count;
    char claim[WORLD_TOKEN_SIZE], settled[WORLD_TOKEN_SIZE], details[WORLD_TOKEN_SIZE]; /* "": none */
    bool has_overrides;
    int crashes, failures, releases, declined; /* 0: no such field */
};

struct world_worker {
    bool is_listed, is_in_grave;
    int lease; /* 0: it runs. The clock was set so often by more than a lease: forward, < 0: it ran out; back, > 0 */
    int grave; /* > 0: dug so often too late, in the same way */
    char nonce[WORLD_TOKEN_SIZE]; /* "": it has no hash */
    int pid;
    struct world_list list;
};

struct world {
    enum world_state state;
    char id[16];
    int plan, source, loaded, event_count;
    bool has_meta, is_started, is_finished, is_reopened;
    char cancel[16]; /* why the run is being cancelled; "": it isn't */
    enum cancel_kind kind;
    char summary[16]; /* "": its controller has not told the verdict */
    int remaining, finished, failed, reruns;
    int holder, controller; /* of the lease; of the run's field */
    struct world_list queue, order;
    struct world_task tasks[WORLD_TASKS];
    struct world_worker workers[WORLD_NAMES];
    const char *signals[WORLD_SIGNALS];
    int signal_count;
    char history[WORLD_HISTORY][16];
    int history_count;

    /* Of the last operation. */
    char reply[256];
    bool is_refusal; /* nothing may have been written */
    char events[WORLD_EVENTS][280];
    int new_events;
};

void world_init(struct world *w);

/* Plans are 0 and 1: so many tasks, some of them of the same names. */
int world_plan_size(int plan);
bool world_has_overrides(int plan, int task);

void world_register(struct world *w, int name, const char *nonce, int pid);
void world_renew(struct world *w, int name, const char *nonce);
void world_pop(struct world *w, int name);
void world_claim(struct world *w, int name, const char *nonce, int task, const char *token);
/* The output is "begun". */
void world_log(struct world *w, int task, const char *token);
/* The reason is "" for a pass, else "broken"; the duration is 1500 ms; the log and the details are the token. */
void world_settle(struct world *w, int name, int task, const char *token, enum task_result result, int retries);
/* `token` NULL: not claimed. The record is "released". */
void world_release(struct world *w, int name, int task, const char *token);
void world_leave(struct world *w, int name, const char *nonce);

/*
 * Run ids: "" none. `dead`: WORLD_NOBODY or a controller. `dead_nonces`: of each worker's process that is known to be
 * dead, "" where none is; a process' identity is its nonce.
 */
struct world_acquisition {
    int me, plan, source, dead;
    bool is_fresh, is_again;
    char id[16];
    char dead_nonces[WORLD_NAMES][WORLD_TOKEN_SIZE];
};
void world_acquire(struct world *w, const struct world_acquisition *a);
void world_hold(struct world *w, int me, bool gives_up);
void world_archive(struct world *w, int me, const char *summary);
void world_purge(struct world *w, int me, const int *tasks, int count);
void world_begin(struct world *w, int me, int plan, int source, const char *id);
void world_enqueue(struct world *w, int me, int plan, int offset, int count);
void world_open(struct world *w, int me);
void world_cancel(struct world *w, int me, enum cancel_kind kind, const char *reason, const int *tasks, int count);
void world_rerun(struct world *w, int me, const int *tasks, int count);
void world_summarize(struct world *w, int me, const char *summary, int reruns);
void world_overdue(struct world *w);
/* `is_current`: the lease that was looked at is still that of the worker. */
void world_reclaim(struct world *w, int name, bool is_current, int task);
void world_bury(struct world *w, int name, bool is_current);
/* Repairs. */
void world_audit(struct world *w);
void world_restore(struct world *w, int me, const int *tasks, int count);

/* What happens by itself. */
void world_expire_worker(struct world *w, int name);
void world_expire_controller(struct world *w);
void world_set_clock(struct world *w, bool forward); /* by more than a lease */
void world_lose_hash(struct world *w, int task);

bool world_is_alive(const struct world *w, int name); /* as Redis' clock says */

/* The world as lines of a keyspace, with the last operation's events. The caller owns the lines. Returns how many. */
size_t world_lines(const struct world *w, char **lines, size_t limit);

/* What must hold whatever has happened (ARCHITECTURE.md, Invariants). NULL, or what does not. */
const char *world_find_flaw(const struct world *w);
