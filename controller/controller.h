/*
 * The controller: owns the loop's parts and takes the run from its plan to its verdict. Its states are drawn where
 * they are defined, in controller_private.h.
 */
#pragma once
#include <uv.h>

#include "controller/github.h"
#include "controller/plan.h"
#include "controller/source.h"
#include "shared/error.h"
#include "shared/options.h"

/* What the run's end means to a script. */
enum exit_status {
    EXIT_PASSED = 0,
    EXIT_FAILED = 1,
    EXIT_CONFIG = 2,
    EXIT_ERROR = 3,
    EXIT_CANCELLED = 4,
    EXIT_NO_TASKS = 5, /* none was there, or all of them were skipped */
};

struct controller;

/*
 * Starts on the loop; `options`, `plan`, `source` and `github` are borrowed. NULL with err: nothing was started, and the loop
 * is empty again.
 */
struct controller *controller_start(uv_loop_t *loop, const struct options *options, const struct plan *plan,
                                    const struct source *source, const struct github *github, struct error *err);

/* After uv_run() has returned: the exit status. Frees. */
int controller_finish(struct controller *controller);
