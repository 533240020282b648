/*
 * controller --audit: holds the run in Redis against its promises, tells what doesn't agree, and repairs it with
 * --repair. It is no controller: the run goes on meanwhile.
 */
#pragma once
#include <uv.h>

#include "shared/options.h"

/*
 * Runs on the loop until it has printed a line for each finding and a last one with the totals. Returns the exit
 * status: 0 nothing was found, 1 something was (also when it has been repaired), 2 there is no Redis or no run.
 */
int audit_run(uv_loop_t *loop, const struct options *options);
