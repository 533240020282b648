/*
 * One attempt at one task: from the claim to what is to be settled. It has the task and the token, the judge of its
 * events and, at the end, the record.
 *
 *     empty ──load──► loaded ──prepare──► running ──end──► ended ──clear──► empty
 *                        └── fail: it couldn't be started ──┘
 *
 * The process is the start's (worker/start.h), which one attempt or several may be made in. It reads what a claim
 * brought, and sends nothing to Redis: the slot does.
 */
#pragma once
#include "shared/buffer.h"
#include "shared/error.h"
#include "shared/ledger.h"
#include "shared/run_policy.h"
#include "shared/spec_finder.h"
#include "worker/capture.h"
#include "worker/judge.h"
#include "worker/supervisor.h"

/* What all attempts of a worker have in common; borrowed. */
struct attempt_setup {
    const char *worker_id;
    const char *root; /* the spec root: absolute, symbolic links resolved */
    struct spec_finder *specs;
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

struct attempt {
    const struct attempt_setup *setup;
    struct judge judge;
    struct attempt_task task;
    const struct runner *runner; /* borrowed from the run's policy while running */
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

/* How the start ended in which the attempt was made. */
struct attempt_end {
    const struct runner_end *runner;
    const char *program; /* the runner's argv[0] */
    unsigned timeout_s;  /* the time limit that made the worker stop it; 0: none did */
    const struct capture *output;
    const char *reason; /* why the task is an error, whatever the runner said; NULL: its end decides */
};

void attempt_init(struct attempt *a, const struct attempt_setup *setup);

/* Takes over the claim (key and token are set in `a->task` by the caller). */
void attempt_load(struct attempt *a, const struct ledger_reply *claim, const struct run_policy *policy);

/* Finds what to run: its limits, runner and spec. 0, or -1 and the task is to blame: attempt_fail() follows. */
int attempt_prepare(struct attempt *a, const struct run_policy *policy, struct error *err);

/*
 * Whether the map leaves the task out on this machine, as a program is missing here. Then the attempt has ended, and
 * the task is skipped.
 */
bool attempt_is_left_out(struct attempt *a);

/* The start is made once more: what was told so far is forgotten. */
void attempt_begin_again(struct attempt *a);

void attempt_end(struct attempt *a, const struct attempt_end *end);

/* Ends an attempt that couldn't be started as an error. */
void attempt_fail(struct attempt *a, const char *reason);

/* JSON of an attempt that was handed back, and why; the caller frees it. */
char *attempt_released_record(const struct attempt *a, const char *reason);

void attempt_clear(struct attempt *a); /* for the next task */
void attempt_close(struct attempt *a);
