/*
 * How the controller stops: its workers, then those that work elsewhere with the embedded server, then its lease,
 * then all parts, then that server. None of them is waited for endlessly, and whatever is to be told is told first.
 * When to stop, and with which status, is controller.c's.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "controller/controller_private.h"
#include "shared/log.h"

enum {
    STOP_LIMIT_MS = 30000,    /* workers that don't end are killed then */
    FAREWELL_LIMIT_MS = 5000, /* workers elsewhere that have not left by then were killed, or are cut off */
    FAREWELL_TURN_MS = 20,
    LEASE_LIMIT_MS = 2000,   /* giving it up is a courtesy: it ends by itself */
    SERVER_LIMIT_MS = 10000, /* writing the last of the append-only file may take a while */
    LOOKUP_LIMIT_MS = 2000,  /* a name server that doesn't answer */
    HURRIED_LIMIT_MS = 2000, /* the same of workers and server when the deadline's grace is over */
};

void controller_stop_watching(struct controller *c)
{
    if (!c->has_monitor)
        return;
    monitor_stop(&c->monitor);
    stall_stop(&c->stall);
}

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void on_server_stopped(void *data)
{
    struct controller *c = data;
    c->server = NULL;
    uv_close((uv_handle_t *)&c->limit, on_handle_closed);
    uv_close((uv_handle_t *)&c->on_term, on_handle_closed);
    uv_close((uv_handle_t *)&c->on_int, on_handle_closed);
}

static void on_part_closed(void *data)
{
    struct controller *c = data;
    if (--c->open_handles > 0)
        return;
    uv_timer_stop(&c->limit);
    if (c->server)
        redis_server_stop(c->server, c->is_hurried ? HURRIED_LIMIT_MS : SERVER_LIMIT_MS, on_server_stopped);
    else
        on_server_stopped(c);
}

/* `data` is what the reporter asks, as for all its callbacks. */
static void on_reporter_stopped(void *data)
{
    const struct controller_answers *answers = data;
    on_part_closed(answers->data);
}

/*
 * All is told and closed, but for a link whose name is being looked up. Nothing can interrupt a look-up, and exit()
 * would wait for it: so the process ends at once.
 */
static void on_lookup_limit(uv_timer_t *timer)
{
    const struct controller *c = timer->data;
    log_warn("controller.abandoned", LOG_TEXT("reason", "the lookup of REDIS_HOST doesn't end"));
    fflush(NULL);
    _exit(c->exit_status);
}

static void tear_down(struct controller *c)
{
    if (c->is_torn_down)
        return;
    c->is_torn_down = true;
    uv_timer_start(&c->limit, on_lookup_limit, LOOKUP_LIMIT_MS, 0);
    own_lease_close(&c->lease, on_handle_closed);
    deadline_close(&c->deadline, on_handle_closed);
    opener_close(&c->opener, on_handle_closed);
    controller_stop_watching(c);
    if (c->has_monitor)
        monitor_close(&c->monitor, on_handle_closed);
    progress_close(&c->progress, on_handle_closed);
    c->open_handles = 1 + (c->commands != NULL) + (c->events != NULL);
    reporter_stop(c->reporter, on_reporter_stopped);
    c->reporter = NULL;
    controller_answers_end(&c->answers);
    struct redis_link *commands = c->commands, *events = c->events;
    c->commands = c->events = NULL;
    if (commands)
        redis_link_close(commands, on_part_closed);
    if (events)
        redis_link_close(events, on_part_closed);
}

static void on_given_up(void *data, const struct ledger_reply *reply)
{
    (void)reply;
    tear_down(data);
}

static void on_lease_limit(uv_timer_t *timer)
{
    tear_down(timer->data);
}

static void give_lease_up(struct controller *c)
{
    uv_timer_start(&c->limit, on_lease_limit, LEASE_LIMIT_MS, 0);
    if (!c->is_loaded || !c->opener.has_lease || own_lease_give_up(&c->lease, on_given_up, c) < 0)
        tear_down(c);
}

/* ---- farewell: a worker elsewhere that can no longer ask whether the run is over would wait for ever ---- */

static void end_farewell(struct controller *c)
{
    if (!c->is_in_farewell)
        return;
    c->is_in_farewell = false;
    give_lease_up(c);
}

static void on_workers_left(void *data, const struct ledger_reply *reply)
{
    struct controller *c = data;
    size_t count = reply->outcome == LEDGER_OK ? ledger_list_count(reply) : 0;
    if (count == 0)
        end_farewell(c);
    else if (c->farewell_looks == 1)
        log_info("workers.awaited", LOG_TEXT("reason", "they have to learn from our Redis that the run is over"),
                 LOG_INT("count", count));
}

static void on_farewell_turn(uv_timer_t *timer)
{
    struct controller *c = timer->data;
    if (++c->farewell_looks > FAREWELL_LIMIT_MS / FAREWELL_TURN_MS || !c->is_loaded ||
        ledger_ask_workers(&c->ledger, on_workers_left, c) < 0)
        end_farewell(c);
}

static void on_workers_stopped(void *data)
{
    struct controller *c = data;
    if (!c->is_in_farewell && c->server && c->was_finished && c->signals_seen <= 1) {
        c->is_in_farewell = true;
        uv_timer_start(&c->limit, on_farewell_turn, 0, FAREWELL_TURN_MS);
    } else {
        c->is_in_farewell = false;
        give_lease_up(c);
    }
}

static void on_stop_limit(uv_timer_t *timer)
{
    struct controller *c = timer->data;
    local_workers_kill(&c->workers);
}

void controller_stop(struct controller *c, int exit_status)
{
    if (c->state >= CONTROLLER_STOPPING)
        return;
    if (!c->is_serving)
        c->exit_status = exit_status;
    c->was_finished = c->state == CONTROLLER_FINISHED;
    controller_tell_now(c, "told to stop");
    c->state = CONTROLLER_STOPPING;
    own_lease_end(&c->lease);
    uv_timer_start(&c->limit, on_stop_limit, c->is_hurried ? HURRIED_LIMIT_MS : STOP_LIMIT_MS, 0);
    if (c->was_finished)
        local_workers_wait(&c->workers, on_workers_stopped);
    else
        local_workers_stop(&c->workers, on_workers_stopped);
}

void controller_on_signal(uv_signal_t *handle, int number)
{
    struct controller *c = handle->data;
    if (c->signals_seen++ > 0) {
        local_workers_stop(&c->workers, on_workers_stopped);
        return;
    }
    log_info("controller.stopping", LOG_INT("signal", number));
    if (c->state < CONTROLLER_FINISHED)
        progress_interrupted(&c->progress, c->options->fresh);
    controller_stop(c, 128 + number);
}
