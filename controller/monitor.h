/*
 * Keeps the board true: reads what happens, notices the end. The dead are left to its reaper.
 *
 *     stopped ──watch──► reading everything ──► following the stream ──► finished
 *        ▲                    ▲      │ a gap        │
 *        └─ link lost ─┘      └──────┴──────────────┴──── reopened ────┘
 *
 * The stream is a short cut, the task hashes are the truth: whenever the numbers of the events don't follow each
 * other, and once more before the end is told, everything is read again. So no verdict rests on the stream.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "controller/board.h"
#include "controller/plan.h"
#include "controller/reaper.h"
#include "shared/ledger.h"
#include "shared/redis_link.h"

struct monitor_events {
    void (*on_change)(void *data);                      /* the board has changed */
    void (*on_task_end)(void *data, size_t task);       /* a task has become complete, as it happens */
    void (*on_finished)(void *data);                    /* the run is finished and the board agrees with the hashes */
    void (*on_trouble)(void *data, const char *reason); /* the server says: not now */
    void (*on_cancelling)(void *data, enum cancel_kind kind, const char *reason); /* may be told again */
    void (*on_reopened)(void *data); /* a finished run goes on: tasks were put back */
};

struct monitor {
    uv_loop_t *loop;
    struct ledger *ledger;
    struct redis_link *events_link; /* blocks in XREAD */
    const struct plan *plan;
    struct board *board;
    struct monitor_events events;
    void *data;

    bool is_watching;  /* the run is open and the link is up */
    bool is_reading;   /* everything is being read */
    bool is_following; /* an XREAD is under way, wanted or not: there is one at a time */
    bool is_finished;  /* has been told */
    bool end_is_near;  /* the stream or the run said: finished */
    bool is_reopened;  /* it was finished, and the stream says that tasks were put back */
    unsigned round;    /* answers of an earlier round are ignored */
    char last_id[64];  /* of the stream */
    uint64_t last_number;
    size_t asked, answered; /* of the task hashes */
    int64_t read_reruns;    /* how often tasks had been put back when they began to be read */

    char **workers; /* who is on the board as live; owned */
    size_t worker_count;

    struct reaper reaper;
    uv_timer_t retry;
    uv_timer_t pause;     /* between two reads of the stream */
    uint64_t events_seen; /* since the start, for /metrics */
};

/* Everything is borrowed. The links are opened by the owner. */
void monitor_init(struct monitor *monitor, uv_loop_t *loop, struct ledger *ledger, struct redis_link *events_link,
                  const struct plan *plan, struct board *board, unsigned lease_ms,
                  const struct monitor_events *events, void *data);

void monitor_watch(struct monitor *monitor);      /* the run is open: begin, or begin again */
void monitor_events_up(struct monitor *monitor);  /* the stream's link is up */
void monitor_read_again(struct monitor *monitor); /* the board may have missed something */
void monitor_stop(struct monitor *monitor);       /* the link is lost, or the end */

/* Frees what it owns and closes its handles; `closed` gets each of the MONITOR_HANDLES, whose data is `monitor`. */
enum { MONITOR_HANDLES = 3 };
void monitor_close(struct monitor *monitor, uv_close_cb closed);
