#include "worker/membership.h"

#include <string.h>

#include "shared/event.h"
#include "shared/log.h"
#include "shared/memory.h"

/* ---- popping ---- */

static void on_popped(void *data, const struct ledger_reply *reply)
{
    struct membership *m = data;
    m->is_popping = false;
    if (reply->outcome == LEDGER_LOST || *m->setup->state == WORKER_CLOSING)
        return; /* what the lost reply held is told by the next registration or renewal */
    const char *task = ledger_value_text(reply);
    if (task)
        slots_take(m->setup->slots, task, true);
    if (reply->outcome == LEDGER_TROUBLE) {
        trouble_note(m->setup->trouble, reply->text);
        trouble_retry_soon(m->setup->trouble);
    } else {
        membership_pop(m);
    }
}

void membership_pop(struct membership *m)
{
    if (*m->setup->state != WORKER_WORKING || !m->is_registered || m->is_popping ||
        !slots_have_room(m->setup->slots) || trouble_is_waiting(m->setup->trouble))
        return;
    m->is_popping = ledger_pop(m->setup->ledger, m->pops, m->setup->me.id, on_popped, m) == 0;
}

/* ---- the lease ---- */

static void on_renewed(void *data, const struct ledger_reply *reply)
{
    struct membership *m = data;
    if (*m->setup->state >= WORKER_LEAVING || trouble_is_unanswered(m->setup->trouble, reply))
        return;
    if (reply->outcome == LEDGER_CLOSED) {
        m->setup->on_closed(m->setup->data, m->policy.run_id);
    } else if (reply->outcome == LEDGER_CANCELLED) {
        m->setup->on_cancelled(m->setup->data);
    } else if (reply->outcome == LEDGER_UNKNOWN) {
        log_warn("worker.declared_dead", LOG_TEXT("worker", m->setup->me.id));
        m->is_registered = false;
        membership_register(m);
    } else {
        /* A pop whose reply was lost, or is about to come: that one will find the task held, or gone. */
        for (size_t i = 0; i < ledger_held_count(reply); i++)
            slots_take(m->setup->slots, ledger_held(reply, i), false);
    }
}

static void renew(struct membership *m)
{
    ledger_renew(m->setup->ledger, m->setup->me.id, on_renewed, m);
}

static void on_renew(uv_timer_t *timer)
{
    struct membership *m = timer->data;
    if (m->is_registered)
        renew(m);
}

/* ---- joining ---- */

/* No run is open. What we hold belongs to a run that has gone. */
static void wait_for_run(struct membership *m, const char *reason, bool is_abandoned)
{
    slots_let_go(m->setup->slots);
    if (trouble_is_news(m->setup->trouble, reason))
        log_info("run.waiting", LOG_TEXT("reason", reason));
    m->setup->on_waiting(m->setup->data, is_abandoned);
    trouble_retry_soon(m->setup->trouble);
}

static void join(struct membership *m, const struct ledger_reply *reply)
{
    struct run_policy policy;
    struct error err;
    if (run_policy_load(&policy, reply, m->setup->versions, &err) < 0) {
        trouble_note(m->setup->trouble, err.text);
        trouble_retry_soon(m->setup->trouble);
        return;
    }
    bool is_cancelled = policy.is_cancelled;
    if (slots_are_running(m->setup->slots)) {
        bool is_same = run_policy_equal(&policy, &m->policy);
        run_policy_close(&policy);
        if (!is_same) { /* what runs belongs to a run that has gone; and it borrows from that run's policy */
            wait_for_run(m, "what ran here is being stopped: another run is open", false);
            return;
        }
    } else {
        run_policy_close(&m->policy);
        m->policy = policy;
    }
    if (!m->has_worked) {
        log_info("worker.joined", LOG_TEXT("worker", m->setup->me.id), LOG_TEXT("run", m->policy.run_id),
                 LOG_INT("slots", m->setup->me.slots));
        parent_tell_joined(m->setup->parent);
    }
    m->is_registered = true;
    m->has_worked = true;
    trouble_is_over(m->setup->trouble);
    uv_timer_start(&m->renew, on_renew, m->policy.lease_ms / 3, m->policy.lease_ms / 3);
    m->setup->on_joined(m->setup->data, is_cancelled);
}

static void on_registered(void *data, const struct ledger_reply *reply)
{
    struct membership *m = data;
    m->is_registering = false;
    if (*m->setup->state >= WORKER_LEAVING || trouble_is_unanswered(m->setup->trouble, reply))
        return;
    switch (reply->outcome) {
    case LEDGER_OK:
        join(m, reply);
        break;
    case LEDGER_CLOSED:
        if (m->has_worked || ledger_closed(reply).has_controller) {
            m->setup->on_closed(m->setup->data, ledger_closed(reply).run_id);
            break;
        }
        wait_for_run(m, "the run is finished and its controller has gone", true);
        break;
    case LEDGER_TAKEN:
        wait_for_run(m, "another worker has this name; waiting for its lease to end", false);
        break;
    default:
        wait_for_run(m, "no run is open yet", false);
    }
}

void membership_register(struct membership *m)
{
    if (m->is_registering || *m->setup->state >= WORKER_LEAVING)
        return;
    m->is_registered = false;
    m->is_registering = ledger_register(m->setup->ledger, &m->setup->me, on_registered, m) == 0;
}

/* ---- signals of the run ---- */

static void listen_to_signals(struct membership *m);

static void on_signals(void *data, const struct ledger_reply *reply)
{
    struct membership *m = data;
    m->is_listening = false;
    if (reply->outcome == LEDGER_LOST || *m->setup->state == WORKER_CLOSING)
        return;
    size_t count = ledger_event_count(reply);
    if (count > 0) {
        const struct ledger_event last = ledger_event(reply, count - 1);
        memory_copy_text(m->last_signal, sizeof(m->last_signal), last.id);
        enum event_signal signal = event_signal_parse(last.fields);
        if (*m->setup->state == WORKER_JOINING)
            membership_register(m);
        else if (m->is_registered && (signal == SIGNAL_CANCELLED || signal == SIGNAL_FINISHED))
            renew(m);
    }
    if (reply->outcome == LEDGER_TROUBLE)
        trouble_retry_soon(m->setup->trouble);
    else
        listen_to_signals(m);
}

static void listen_to_signals(struct membership *m)
{
    if (m->is_listening || *m->setup->state >= WORKER_LEAVING)
        return;
    m->is_listening = ledger_follow_signals(m->setup->ledger, m->signals, m->last_signal, on_signals, m) == 0;
}

/* ---- links ---- */

static void on_pops_up(void *data)
{
    struct membership *m = data;
    if (!redis_link_follow(m->pops, m->commands))
        membership_pop(m);
}

static void on_signals_up(void *data)
{
    struct membership *m = data;
    if (redis_link_follow(m->signals, m->commands))
        return;
    listen_to_signals(m);
    if (*m->setup->state == WORKER_JOINING)
        membership_register(m);
}

/* The commands' link reports trouble for all three; here only what concerns this one alone. */
static void on_other_down(void *data, const struct error *reason)
{
    struct membership *m = data;
    m->setup->on_refused(m->setup->data, reason);
}

void membership_connect(struct membership *m, const struct redis_link *commands)
{
    static const struct redis_link_events pops = {on_pops_up, on_other_down};
    static const struct redis_link_events signals = {on_signals_up, on_other_down};
    m->commands = commands;
    m->pops = redis_link_open(m->setup->loop, m->setup->address, &pops, m);
    m->signals = redis_link_open(m->setup->loop, m->setup->address, &signals, m);
}

/* The other links only wait: at a server that is no longer the right one, for ever. */
void membership_up(struct membership *m)
{
    if (m->pops)
        redis_link_follow(m->pops, m->commands);
    redis_link_follow(m->signals, m->commands);
    membership_register(m);
}

void membership_down(struct membership *m)
{
    m->is_registered = false;
}

void membership_ask(struct membership *m)
{
    if (m->is_registered)
        renew(m);
    else
        membership_register(m);
    slots_ask(m->setup->slots);
    listen_to_signals(m);
    membership_pop(m);
}

/* ---- opening and closing ---- */

void membership_open(struct membership *m, const struct membership_setup *setup)
{
    *m = (struct membership){.setup = setup};
    memory_copy_text(m->last_signal, sizeof(m->last_signal), "0-0");
    uv_timer_init(setup->loop, &m->renew);
    m->renew.data = m;
}

static void count_down(struct membership *m)
{
    if (--m->open_handles == 0 && m->on_gone)
        m->on_gone(m->setup->data);
}

static void on_link_closed(void *data)
{
    count_down(data);
}

static void on_timer_closed(uv_handle_t *handle)
{
    count_down(handle->data);
}

static void close_link(struct membership *m, struct redis_link **link)
{
    struct redis_link *old = *link;
    if (old == NULL)
        return;
    *link = NULL;
    m->open_handles++;
    redis_link_close(old, on_link_closed);
}

void membership_stop_popping(struct membership *m)
{
    close_link(m, &m->pops);
}

void membership_close(struct membership *m, void (*closed)(void *data))
{
    m->on_gone = closed;
    m->open_handles++;
    uv_close((uv_handle_t *)&m->renew, on_timer_closed);
    close_link(m, &m->pops);
    close_link(m, &m->signals);
}

void membership_free(struct membership *m)
{
    run_policy_close(&m->policy);
}
