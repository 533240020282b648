/*
 * One start of a runner: its process and all that belongs to it, which are the supervisor, the folders, the kept
 * output, the time limit and the FIFO. A slot has one of these and uses it again and again.
 *
 *     empty ──run──► running ──► ended ──clear──► empty
 *                       ├── stop, or the time limit: TERM, 5 s, KILL ──┘
 *                       └──► listing ──► running, or ended
 *
 * A runner that needs a project and ended before any test may have been given one that its configuration hasn't: it is
 * asked for its projects, once (worker/projects.h), and started once more if another one fits.
 *
 * A start carries out attempts. How many, nothing here says: each event goes to the attempt whose spec it names, and
 * one that names none of them to all (a set-up's failure, and what nobody can read, may be bad news for any). How the
 * process ended is told to all of them. What an event means, also one that another attempt gets, and what is told of
 * an attempt, is the attempt's. Whether attempts may share a start is the owner's to know: they have one runner,
 * viewport and browser, and a spec each. The runner's FUNKYTOWN_TASK, _ATTEMPT and _SPEC are the first's.
 */
#pragma once
#include <stdbool.h>
#include <uv.h>

#include "shared/error.h"
#include "shared/run_policy.h"
#include "worker/attempt.h"
#include "worker/capture.h"
#include "worker/event_reader.h"
#include "worker/programs.h"
#include "worker/projects.h"
#include "worker/scratch.h"
#include "worker/supervisor.h"

/* What all starts of a worker have in common; borrowed. */
struct start_setup {
    uv_loop_t *loop;
    const char *root; /* the spec root: absolute, symbolic links resolved */
    const struct programs *programs;
    struct scratch *scratch; /* has the reporters too */
    struct projects_memory *projects;
};

/* Between TERM and KILL: runners write their reports on a signal. */
enum { START_GRACE_MS = 5000 };

enum { START_PROJECT_SIZE = 1280 };

struct start {
    const struct start_setup *setup;
    void (*on_end)(void *data); /* exactly once for each start_run() that returned 0; its attempts have ended */
    void (*on_closed)(void *data);
    void *data;
    struct supervisor *supervisor;
    struct scratch_slot scratch;
    struct capture output;
    struct event_reader events;
    uv_timer_t timer; /* the time limit; then the grace before KILL */
    bool is_timed_out;
    bool is_stopped;
    char program[256];                /* the runner's argv[0] */
    char project[START_PROJECT_SIZE]; /* that it was given */
    char *junit;                      /* the file that it is to leave; NULL: none */
    bool is_listing;
    struct projects listed;          /* so far */
    struct runner_end ended;         /* how the start ended that made us ask */
    const struct run_policy *policy; /* borrowed as the attempts are */
    unsigned timeout_s;
    struct attempt *attempts; /* borrowed from start_run() until start_clear() */
    size_t attempt_count;
};

/* `data` goes to the callbacks. 0 or -1; to be closed in either case. */
int start_open(struct start *s, const struct start_setup *setup, int slot, void (*on_end)(void *data), void *data,
               struct error *err);

/*
 * Starts the runner for these attempts, which are loaded. 0, or -1 and on_end won't come: with ERROR_SYSTEM no runner
 * can be started here, and the tasks aren't to blame; else they are, and attempt_fail() follows.
 */
int start_run(struct start *s, const struct run_policy *policy, struct attempt *attempts, size_t count,
              struct error *err);

void start_stop(struct start *s, unsigned grace_ms); /* TERM, and KILL after that */
void start_kill(struct start *s);                    /* KILL */

void start_clear(struct start *s); /* for the next one; empties the folders */

/* Kills what runs; `closed` is called when the handles are gone. The attempts must live until then. */
void start_close(struct start *s, void (*closed)(void *data));
