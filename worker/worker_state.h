/* How far the worker is. worker.c moves it on; its parts look at it, and never write it. */
#pragma once

/*
 *     joining ──► working ──► leaving ──► closing
 *        ▲         │  │
 *        └─────────┘  └──► draining ──► leaving …
 *
 * It goes back to joining when no run is open, or another one is; on to draining when it is told to stop, can't start
 * runners or the run is cancelled; to leaving when it holds nothing any more, or the run is closed.
 */
enum worker_state { WORKER_JOINING, WORKER_WORKING, WORKER_DRAINING, WORKER_LEAVING, WORKER_CLOSING };
