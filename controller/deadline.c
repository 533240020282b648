/* Only times are known here: what a deadline does to the run and to the program, the owner decides. */
#include "controller/deadline.h"

#include <stdio.h>

enum {
    GRACE_MS = 10000, /* to cancel what is left, and for what runs to be handed back */
    REASON_SIZE = 100,
};

static void format_reason(const struct deadline *d, char text[REASON_SIZE])
{
    snprintf(text, REASON_SIZE, "the deadline of %d s is over", d->seconds);
}

static void on_grace_over(uv_timer_t *timer)
{
    struct deadline *d = timer->data;
    char reason[REASON_SIZE];
    format_reason(d, reason);
    d->events.on_grace_over(d->data, reason);
}

static void on_over(uv_timer_t *timer)
{
    struct deadline *d = timer->data;
    char reason[REASON_SIZE];
    format_reason(d, reason);
    d->events.on_over(d->data, reason);
    if (d->has_grace && !uv_is_active((uv_handle_t *)&d->grace))
        uv_timer_start(&d->grace, on_grace_over, GRACE_MS, 0);
}

/* Never more than the whole of it is left, whatever Redis' clock says. */
static void count_from(struct deadline *d, int64_t begun_ms, int64_t now_ms)
{
    int64_t all_ms = (int64_t)d->seconds * 1000, left_ms = begun_ms + all_ms - now_ms;
    bool is_known = begun_ms == d->from_ms;
    if (is_known && uv_is_active((uv_handle_t *)&d->over))
        return;
    if (is_known || left_ms < 0)
        left_ms = 0;
    if (left_ms > all_ms)
        left_ms = all_ms;
    if (left_ms > 0)
        uv_timer_stop(&d->grace);
    d->from_ms = begun_ms;
    uv_timer_start(&d->over, on_over, (uint64_t)left_ms, 0);
}

static void on_time(void *data, const struct ledger_reply *reply)
{
    struct deadline *d = data;
    int64_t now_ms = ledger_time_ms(reply);
    int64_t begun_ms = now_ms ? d->events.begun_ms(d->data) : 0;
    if (begun_ms != 0)
        count_from(d, begun_ms, now_ms);
}

void deadline_init(struct deadline *d, uv_loop_t *loop, struct ledger *ledger, int seconds, bool has_grace,
                   const struct deadline_events *events, void *data)
{
    *d = (struct deadline){
        .ledger = ledger, .seconds = seconds, .has_grace = has_grace, .events = *events, .data = data};
    uv_timer_init(loop, &d->over);
    uv_timer_init(loop, &d->grace);
    d->over.data = d->grace.data = d;
    if (seconds > 0)
        uv_timer_start(&d->over, on_over, (uint64_t)seconds * 1000, 0);
}

void deadline_look(struct deadline *d)
{
    if (d->seconds > 0)
        ledger_ask_time(d->ledger, on_time, d);
}

void deadline_close(struct deadline *d, uv_close_cb closed)
{
    uv_close((uv_handle_t *)&d->over, closed);
    uv_close((uv_handle_t *)&d->grace, closed);
}
