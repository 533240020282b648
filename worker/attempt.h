/*
 * One attempt at one task: from the claim to what is to be settled. A slot has one of these and uses it again and
 * again.
 *
 *     empty ──start──► running ──► ended ──clear──► empty
 *                         └── stop, or the time limit: TERM, 5 s, KILL ──┘
 *
 * It knows nothing of Redis.
 */
#pragma once
#include <stdbool.h>
#include <uv.h>

#include "shared/buffer.h"
#include "shared/error.h"
#include "shared/ledger.h"
#include "shared/spec_finder.h"
#include "worker/capture.h"
#include "worker/event_reader.h"
#include "worker/judge.h"
#include "worker/run_policy.h"
#include "worker/scratch.h"
#include "worker/supervise.h"

/* What all attempts of a worker have in common; borrowed. */
struct attempt_setup {
    uv_loop_t *loop;
    const char *worker_id;
    const char *root;       /* the spec root: absolute, symbolic links resolved */
    const char *reporter;   /* our Playwright reporter's file */
    const char *playwright; /* Playwright's cli.js; NULL: not installed */
    struct spec_finder *specs;
    struct scratch *scratch;
};

/* A claim's reply, and what was claimed. Owned by the attempt. */
struct attempt_task {
    char key[TASK_KEY_SIZE];
    char token[LEDGER_TOKEN_SIZE];
    unsigned attempt;
    char *spec, *viewport, *browser, *runner;
    char *overrides; /* JSON of what the map says of it alone; "": nothing */
    struct run_limits limits;
};

/* Between TERM and KILL: Playwright writes its reports on a signal. */
enum { ATTEMPT_GRACE_MS = 5000 };

struct attempt {
    const struct attempt_setup *setup;
    void (*on_end)(void *data); /* exactly once for each start that returned true */
    void (*on_closed)(void *data);
    void *data;
    struct supervisor *supervisor;
    struct scratch_slot scratch;
    struct capture capture;
    struct event_reader events;
    struct judge judge;
    uv_timer_t timer; /* the time limit; then the grace before KILL */
    bool is_timed_out;
    struct attempt_task task;
    const struct runner *runner; /* borrowed from the run's policy while running */
    char program[256];           /* its argv[0] */
    char *spec;                  /* the task's, where it was found below the root */
    int64_t started_wall_ms;
    uint64_t started_ns;

    /* After the end. */
    struct verdict verdict;
    uint64_t duration_ns;
    char *record;  /* JSON of ARCHITECTURE.md */
    char *details; /* JSON for the board; NULL: nothing to tell */
    struct buffer log;
};

/* `data` goes to the callbacks. 0 or -1. */
int attempt_open(struct attempt *a, const struct attempt_setup *setup, int slot, void (*on_end)(void *data),
                 void *data, struct error *err);

/* Takes over the claim (key and token are set in `a->task` by the caller). */
void attempt_load(struct attempt *a, const struct ledger_reply *claim, const struct run_policy *policy);

/*
 * Starts the runner. 0, or -1 and on_end won't come: with ERROR_SYSTEM no runner can be started here, and the task
 * isn't to blame; else it is, and attempt_fail() follows.
 */
int attempt_start(struct attempt *a, const struct run_policy *policy, struct error *err);

/* Ends an attempt that couldn't be started as an error. */
void attempt_fail(struct attempt *a, const char *reason);

void attempt_stop(struct attempt *a, unsigned grace_ms); /* TERM, and KILL after that */
void attempt_kill(struct attempt *a);                    /* KILL */

/* JSON of an attempt that was handed back, and why; the caller frees it. */
char *attempt_released_record(const struct attempt *a, const char *reason);

void attempt_clear(struct attempt *a); /* for the next task; empties the folders */

/* Kills what runs; `closed` is called when the handles are gone. */
void attempt_close(struct attempt *a, void (*closed)(void *data));
