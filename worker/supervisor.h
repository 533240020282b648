/*
 * One slot's runner processes: started, watched, and gone when the attempt ends.
 *
 * A supervisor is a small process of its own, forked once per slot (supervisor_process.h): a child subreaper, so that
 * all that a runner leaves behind becomes its child and can be killed and reaped with no doubt whose it was. It dies
 * with the worker and takes everything with it. The worker's side of it lives on the loop.
 *
 *     idle --run()--> running --the runner ended, everything else was killed and reaped--> on_end, idle
 *                        └─ the supervisor was killed ─> recovering ─ its orphans are gone ─> on_end(UNKNOWN), idle
 *
 * The output pipe and the event FIFO belong to the slot. When on_end is called, all bytes that any process of the
 * attempt wrote were delivered.
 *
 * The worker becomes a child subreaper as well: should a spec kill its supervisor, the orphans come to the worker.
 * While it recovers, every child of the worker that is no supervisor is taken for an orphan and killed, so a worker
 * must have no other children.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "shared/error.h"

enum runner_end_kind {
    RUNNER_UNKNOWN,     /* the supervisor itself was killed (a spec can do that); the next run gets another one */
    RUNNER_EXITED,      /* code: exit status */
    RUNNER_SIGNALED,    /* code: signal */
    RUNNER_NOT_STARTED, /* code: errno of the start */
    RUNNER_NO_FOLDER,   /* code: errno of entering `cwd` */
};

struct runner_end {
    enum runner_end_kind kind;
    int code;
    unsigned strays;    /* processes that the runner left behind, or had when it was killed, and that were killed */
    unsigned survivors; /* processes that SIGKILL didn't end within 10 s: stuck in the kernel, or another user's */
    uint64_t cpu_ms;    /* user and system time of the runner and all that was reaped */
    uint64_t max_rss_bytes; /* of the largest process */
};

/* Any of them may call any function below. */
struct supervisor_events {
    void (*on_output)(void *data, const char *bytes, size_t length); /* standard output and error, interleaved */
    void (*on_event)(void *data, const char *bytes, size_t length);  /* what arrived in the FIFO, in any pieces */
    void (*on_end)(void *data, const struct runner_end *end);        /* exactly once for each successful run() */
};

struct supervisor;

/*
 * Starts the supervisor of a slot; early is best, while the worker is small. `folder` is the slot's own folder, which
 * exists; the FIFO is made there as "events". `events` and `data` are borrowed until closed. NULL with err if it
 * can't be started; the loop must then run on to close what was begun.
 */
struct supervisor *supervisor_start(uv_loop_t *loop, const char *folder, const struct supervisor_events *events,
                                    void *data, struct error *err);

/* Absolute path of the event FIFO; borrowed, as long as the supervisor. A writer never blocks in opening it. */
const char *supervisor_fifo(const struct supervisor *s);

/*
 * Starts a runner: argv[0] is looked up in its PATH; `env` is added to the worker's environment without its
 * credentials (REDIS_PASSWORD, REDIS_USERNAME and FUNKYTOWN_TOKEN are removed) and wins over it. All arrays end with
 * NULL and may be freed at once. Only descriptors 0 (/dev/null), 1 and 2 are inherited; it leads a session of its
 * own. 0, or -1 (more than 128 KiB, still running, no supervisor could be started): then on_end isn't called.
 */
int supervisor_run(struct supervisor *s, const char *const *argv, const char *const *env, const char *cwd,
                   struct error *err);

/* SIGTERM to the runner and everything below it. Does nothing when idle. */
void supervisor_terminate(struct supervisor *s);

/* SIGKILL to all of it. Should the supervisor not answer for 15 s (a spec can stop it), it is killed as well. */
void supervisor_kill(struct supervisor *s);

/* Kills what runs, ends the supervisor, closes the handles, frees `s`, calls `closed` (may be NULL). No on_end. */
void supervisor_close(struct supervisor *s, void (*closed)(void *data));
