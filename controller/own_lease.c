/* Renewing does more than keep the lease: it shows whether the server has lost the scripts, and tells Redis' time. */
#include "controller/own_lease.h"

#include "shared/log.h"

enum { LONGEST_TURN_MS = 5000 };

/* Often, however long a lease is: when the server has lost the scripts, workers may need us to load them. */
static unsigned turn_ms(const struct own_lease *l)
{
    unsigned third = l->lease_ms / 3;
    return third < LONGEST_TURN_MS ? third : LONGEST_TURN_MS;
}

static void on_turn(uv_timer_t *timer)
{
    struct own_lease *l = timer->data;
    l->events.on_turn(l->data);
}

void own_lease_look_soon(struct own_lease *l)
{
    uv_timer_start(&l->turn, on_turn, turn_ms(l) < LEDGER_RETRY_MS ? turn_ms(l) : LEDGER_RETRY_MS, turn_ms(l));
}

static void on_held(void *data, const struct ledger_reply *reply)
{
    struct own_lease *l = data;
    if (l->is_ended)
        return;
    if (reply->outcome == LEDGER_TROUBLE) {
        l->events.on_trouble(l->data, reply->text);
        own_lease_look_soon(l);
    }
    if (reply->outcome == LEDGER_OK)
        l->events.on_renewed(l->data, reply);
    if (reply->outcome != LEDGER_FENCED)
        return;
    log_warn("controller.fenced", LOG_TEXT("reason", "another controller took the run over"));
    l->events.on_fenced(l->data);
}

void own_lease_init(struct own_lease *l, uv_loop_t *loop, struct ledger *ledger, const char *me, unsigned lease_ms,
                    const struct own_lease_events *events, void *data)
{
    *l = (struct own_lease){.ledger = ledger, .me = me, .lease_ms = lease_ms, .events = *events, .data = data};
    uv_timer_init(loop, &l->turn);
    l->turn.data = l;
    uv_timer_start(&l->turn, on_turn, turn_ms(l), turn_ms(l));
}

void own_lease_hold(struct own_lease *l)
{
    ledger_hold(l->ledger, l->me, l->lease_ms, on_held, l);
}

void own_lease_end(struct own_lease *l)
{
    l->is_ended = true;
}

int own_lease_give_up(struct own_lease *l, ledger_reply_fn *reply, void *data)
{
    return ledger_hold(l->ledger, l->me, 0, reply, data);
}

void own_lease_close(struct own_lease *l, uv_close_cb closed)
{
    uv_close((uv_handle_t *)&l->turn, closed);
}
