/*
 * The processes that killed local workers leave behind: the controller is a child subreaper, so they become its
 * children, and it kills and reaps them. Mostly these are supervisors, which are about to end what they started; if
 * the supervisors were killed too, it is everything that ran.
 *
 * Every child of this process that child_start() didn't start is taken for one, so the controller must start nothing
 * in another way while local workers run.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "shared/process_tree.h"

struct orphans {
    uv_timer_t timer; /* the next look; active while there may be some */
    struct process_list list;
    uint64_t until_ms;
    void (*on_gone)(void *data);
    void (*on_closed)(void *data);
    void *data;
};

/* Becomes the subreaper. `on_gone` comes after each sweep, once nothing is left (or can't be killed). */
void orphans_open(struct orphans *orphans, uv_loop_t *loop, void (*on_gone)(void *data), void *data);

/* Some child has ended: kills and reaps, again and again, until nothing is left. */
void orphans_sweep(struct orphans *orphans);

bool orphans_are_swept(const struct orphans *orphans);

void orphans_close(struct orphans *orphans, void (*closed)(void *data));
