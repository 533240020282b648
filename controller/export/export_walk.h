/*
 * Reads the records of a whole run, task by task in the order of the plan, for whoever writes them down. A window of
 * questions is under way at a time, so that the memory it takes doesn't grow with the run; a task that passed at once
 * and told of no test has nothing to be asked for.
 *
 *     idle ──start──► walking ──► on_end(true)
 *                        ├──────► on_end(false): the link was lost, or Redis refused; why is in `trouble`
 *                        └─stop─► idle, and nobody is told
 */
#pragma once
#include "controller/export/export_case.h"
#include "shared/ledger.h"

struct export_walk_events {
    void (*on_task)(void *data, const struct export_task *task); /* valid during the call */
    void (*on_end)(void *data, bool is_complete);                /* exactly once, but after a stop */
};

struct export_walk {
    struct ledger *ledger; /* borrowed, as the rest */
    const struct plan *plan;
    const struct board *board;
    struct export_walk_events events;
    void *data;
    unsigned round;
    bool is_walking;
    size_t asked, told;             /* tasks */
    size_t in_flight;               /* of them: being asked for */
    struct record_source *attempts; /* of the task whose output is to come; owned */
    size_t attempt_count;
    char trouble[200];
};

void export_walk_start(struct export_walk *walk, struct ledger *ledger, const struct plan *plan,
                       const struct board *board, const struct export_walk_events *events, void *data);
/* May be called from on_task. */
void export_walk_stop(struct export_walk *walk);
