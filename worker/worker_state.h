/* How far the worker is. worker.c moves it on; its parts look at it, and never write it. */
#pragma once

/*
 *     joining ──► working ──► leaving ──► closing
 *        ▲         │  │
 *        └─────────┘  └──► draining ──► leaving …
 *
 * To joining it goes back when no run is open, or another one; to draining when it is told to stop, can't start
 * runners or the run is cancelled; to leaving when nothing is held any more, or the run is closed.
 */
enum worker_state { WORKER_JOINING, WORKER_WORKING, WORKER_DRAINING, WORKER_LEAVING, WORKER_CLOSING };
