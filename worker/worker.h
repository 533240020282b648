/*
 * The worker: takes tasks, runs them, settles them, until the run is closed.
 *
 *   joining ──► working ──► leaving ──► closing ──► exit 0 (the run is closed), 143 or 130 (told to stop)
 *      ▲           │  │
 *      └───────────┘  └──► draining ──► leaving …
 *
 *   slot:  idle ──► claiming ──► running ──► settling ──► idle
 *                       │           └─► stopping ──► releasing ──► idle
 *                       └─► releasing
 *
 * What a slot has to tell Redis it tells again and again until it is answered: links come and go, the state stays.
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
