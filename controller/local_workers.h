/*
 * The workers that --workers starts on this machine: kept running while the run goes on, stopped with the controller.
 *
 * One that ended is started again. What that doesn't heal ends the run: a worker that never came up, or that none of
 * them comes up any more. A worker has come up when it joins a run, which it says on its line.
 */
#pragma once
#include <uv.h>

#include "controller/orphans.h"
#include "shared/error.h"
#include "shared/options.h"

struct local_worker;

struct local_workers {
    uv_loop_t *loop;
    const struct options *options;
    struct local_worker *list; /* owned */
    int count, running;
    char **variables; /* owned: what goes into their environment */
    char **secrets;   /* owned: what goes through their lines */
    struct orphans orphans;
    bool has_orphans; /* it is open */
    bool is_let_go;   /* the run is finished */
    bool has_gone_on; /* it was finished before, and goes on */
    bool is_stopping;
    void (*on_failed)(void *data, const struct error *reason);
    void (*on_stopped)(void *data);
    void *data;
};

/*
 * Starts options->workers of them, next to our own program, with this Redis. `on_failed` comes when they can't run at
 * all (bad configuration). Everything is borrowed.
 */
int local_workers_start(struct local_workers *workers, uv_loop_t *loop, const struct options *options,
                        const char *redis_host, int redis_port,
                        void (*on_failed)(void *data, const struct error *reason), void *data, struct error *err);

/* The run is finished: they end by themselves and aren't started again. */
void local_workers_let_go(struct local_workers *workers);

/* The run goes on after all: those that have ended are started again. */
void local_workers_go_on(struct local_workers *workers);

/* `stopped` comes when all have ended and nothing is left of them; at once if none runs. */
void local_workers_wait(struct local_workers *workers, void (*stopped)(void *data));

/* The same, and tells them to stop: they hand their tasks back. Told twice, they hurry. */
void local_workers_stop(struct local_workers *workers, void (*stopped)(void *data));
void local_workers_kill(struct local_workers *workers);
void local_workers_free(struct local_workers *workers);
