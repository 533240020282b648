/*
 * Redis says: not now, or nothing at all. This decides when it is asked once more, and logs each reason once.
 *
 * The owner knows what is to be asked again: on_retry is called, and everybody who still has something to say says
 * it. A lost reply needs no timer: it is asked for again when the link is up again.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "shared/ledger.h"

struct trouble {
    void (*on_retry)(void *data);
    void (*on_closed)(void *data);
    void *data;
    uv_timer_t timer;
    char last[256];     /* so that the same reason is logged once */
    uint64_t taught_ms; /* when the server last lacked the scripts */
};

void trouble_open(struct trouble *t, uv_loop_t *loop, void (*on_retry)(void *data), void *data);

/* Logs why Redis can't be used, once for each reason. */
void trouble_note(struct trouble *t, const char *text);

/* Whether this reason to wait differs from the last one; it is the last one from now on. */
bool trouble_is_news(struct trouble *t, const char *reason);

/* Whatever is to be told or asked is tried again in a while. */
void trouble_retry_soon(struct trouble *t);
bool trouble_is_waiting(const struct trouble *t);

/* LOST is answered by the link when it is up again, TROUBLE by on_retry. true: it was one of the two. */
bool trouble_is_unanswered(struct trouble *t, const struct ledger_reply *reply);

void trouble_is_over(struct trouble *t);
void trouble_close(struct trouble *t, void (*closed)(void *data));
