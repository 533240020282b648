/*
 * The worker: takes tasks, runs them, settles them, until the run is closed.
 *
 * It owns the parts and moves the state on (worker_state.h). It exits with 0 (the run is closed), 143 or 130 (told to
 * stop), 2 (Redis refuses it, or it can't start runners). What ties it to a run is membership.h's, what happens to a
 * task slots.h's; both tell it by callbacks.
 */
#pragma once
#include <uv.h>

#include "shared/error.h"
#include "shared/options.h"
#include "worker/parent.h"

struct worker;

/* Starts on the loop. `options` and `parent` are borrowed. NULL with err: ERROR_CONFIG or ERROR_SYSTEM. */
struct worker *worker_start(uv_loop_t *loop, const struct options *options, const struct parent *parent,
                            struct error *err);

/* After uv_run() has returned: the exit status. Frees. */
int worker_finish(struct worker *worker);
