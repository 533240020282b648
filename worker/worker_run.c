#include "worker/worker_private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/log.h"
#include "shared/memory.h"
#include "shared/redis_reply.h"

enum {
    POP_TIMEOUT_S = 5, /* Redis 5 takes whole seconds */
    SIGNAL_TIMEOUT_MS = 20000,
    NOBODY_CAME_MS = 15000, /* a finished run whose controller has gone: how long a new one is waited for */
    CANCEL_GRACE_MS = 2000, /* what runs of a cancelled run has so long to end by itself */
};

/* ---- its end ---- */

void run_close(struct worker *w, const char *run_id)
{
    if (w->state >= WORKER_LEAVING)
        return;
    log_info("run.closed", LOG_TEXT("run", run_id));
    worker_leave(w, w->state == WORKER_DRAINING ? w->exit_status : 0);
    /* What is still held here was given to somebody else, or the run could not be closed: but for a settlement whose
     * answer was lost, of which only Redis knows whether it counts. */
    slots_settle_again(w);
    slots_let_go(w);
}

static void cancel_run(struct worker *w)
{
    if (w->state < WORKER_DRAINING)
        log_info("run.cancelled", LOG_TEXT("run", w->policy.run_id));
    worker_drain(w, 0, "the run was cancelled", CANCEL_GRACE_MS);
}

/* ---- popping ---- */

static void on_popped(void *data, const struct redisReply *reply)
{
    struct worker *w = data;
    w->is_popping = false;
    if (reply == NULL || w->state == WORKER_CLOSING)
        return; /* what the lost reply held is told by the next registration or renewal */
    const char *task = redis_reply_text(reply);
    const char *trouble = redis_reply_error(reply);
    if (task)
        slots_take(w, task, true);
    if (trouble) {
        worker_note_trouble(w, trouble);
        worker_retry_soon(w);
    } else {
        run_pop(w);
    }
}

void run_pop(struct worker *w)
{
    if (w->state != WORKER_WORKING || !w->is_registered || w->is_popping || slots_find_room(w) == NULL ||
        uv_is_active((uv_handle_t *)&w->retry))
        return;
    char timeout[8];
    snprintf(timeout, sizeof(timeout), "%d", POP_TIMEOUT_S);
    const char *argv[] = {"BRPOPLPUSH", w->ledger.keys.names[LEDGER_TASKQUEUE], w->processing, timeout};
    w->is_popping =
        redis_link_send(w->pops, POP_TIMEOUT_S * 1000 + COMMAND_TIMEOUT_MS, on_popped, w, 4, argv, NULL) == 0;
}

/* ---- the lease ---- */

static void on_renewed(void *data, const struct ledger_reply *reply)
{
    struct worker *w = data;
    if (w->state >= WORKER_LEAVING || worker_is_unanswered(w, reply))
        return;
    if (reply->outcome == LEDGER_CLOSED) {
        run_close(w, w->policy.run_id);
    } else if (reply->outcome == LEDGER_CANCELLED) {
        cancel_run(w);
    } else if (reply->outcome == LEDGER_UNKNOWN) {
        log_warn("worker.declared_dead", LOG_TEXT("worker", w->id));
        w->is_registered = false;
        run_register(w);
    } else {
        /* A pop whose reply was lost, or is about to come: that one will find the task held, or gone. */
        for (size_t i = 1; i < redis_reply_count(reply->raw); i++)
            slots_take(w, ledger_text(reply, i), false);
    }
}

void run_renew(struct worker *w)
{
    ledger_renew(&w->ledger, w->id, on_renewed, w);
}

static void on_renew(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    if (w->is_registered)
        run_renew(w);
}

/* ---- joining ---- */

/* No run is open. What we hold belongs to a run that has gone. */
static void wait_for_run(struct worker *w, const char *reason)
{
    slots_let_go(w);
    if (strcmp(reason, w->last_trouble) != 0)
        log_info("run.waiting", LOG_TEXT("reason", reason));
    memory_copy_text(w->last_trouble, sizeof(w->last_trouble), reason);
    if (w->state == WORKER_WORKING)
        w->state = WORKER_JOINING;
    worker_move_on(w);
    worker_retry_soon(w);
}

static void join(struct worker *w, const struct ledger_reply *reply)
{
    struct run_policy policy;
    struct error err;
    if (run_policy_load(&policy, reply, &err) < 0) {
        worker_note_trouble(w, err.text);
        worker_retry_soon(w);
        return;
    }
    bool is_cancelled = policy.is_cancelled;
    if (slots_find(w, SLOT_RUNNING) || slots_find(w, SLOT_STOPPING)) {
        bool is_same = run_policy_equal(&policy, &w->policy);
        run_policy_close(&policy);
        if (!is_same) { /* what runs belongs to a run that has gone; and it borrows from that run's policy */
            wait_for_run(w, "what ran here is being stopped: another run is open");
            return;
        }
    } else {
        run_policy_close(&w->policy);
        w->policy = policy;
    }
    if (!w->has_worked) {
        log_info("worker.joined", LOG_TEXT("worker", w->id), LOG_TEXT("run", w->policy.run_id),
                 LOG_INT("slots", w->slot_count));
        parent_tell_joined(w->parent);
    }
    w->is_registered = true;
    w->has_worked = true;
    w->last_trouble[0] = '\0';
    if (w->state == WORKER_JOINING)
        w->state = WORKER_WORKING;
    uv_timer_stop(&w->patience);
    uv_timer_stop(&w->retry);
    uv_timer_start(&w->renew, on_renew, w->policy.lease_ms / 3, w->policy.lease_ms / 3);
    slots_ask(w);
    if (is_cancelled)
        cancel_run(w);
    run_pop(w);
    worker_move_on(w);
}

static void on_registered(void *data, const struct ledger_reply *reply)
{
    struct worker *w = data;
    w->is_registering = false;
    if (w->state >= WORKER_LEAVING || worker_is_unanswered(w, reply))
        return;
    switch (reply->outcome) {
    case LEDGER_OK:
        join(w, reply);
        break;
    case LEDGER_CLOSED:
        if (w->has_worked || ledger_number(reply, 2) == 1) {
            run_close(w, ledger_text(reply, 1));
            break;
        }
        worker_wait_at_most(w, NOBODY_CAME_MS);
        wait_for_run(w, "the run is finished and its controller has gone");
        break;
    case LEDGER_TAKEN:
        wait_for_run(w, "another worker has this name; waiting for its lease to end");
        break;
    default:
        wait_for_run(w, "no run is open yet");
    }
}

void run_register(struct worker *w)
{
    if (w->is_registering || w->state >= WORKER_LEAVING)
        return;
    w->is_registered = false;
    const struct ledger_worker me = {w->id, w->nonce, w->host, getpid(), w->slot_count, w->identity};
    w->is_registering = ledger_register(&w->ledger, &me, on_registered, w) == 0;
}

/* ---- signals of the run ---- */

static void on_signals(void *data, const struct redisReply *reply)
{
    struct worker *w = data;
    w->is_listening = false;
    if (reply == NULL || w->state == WORKER_CLOSING)
        return;
    const struct redisReply *entries = redis_reply_at(redis_reply_at(reply, 0), 1);
    size_t count = redis_reply_count(entries);
    if (count > 0) {
        const struct redisReply *last = redis_reply_at(entries, count - 1);
        memory_copy_text(w->last_signal, sizeof(w->last_signal), redis_reply_text(redis_reply_at(last, 0)));
        const char *what = redis_reply_field(redis_reply_at(last, 1), "e");
        if (w->state == WORKER_JOINING)
            run_register(w);
        else if (w->is_registered && what && strcmp(what, "opened") != 0)
            run_renew(w);
    }
    if (redis_reply_error(reply))
        worker_retry_soon(w);
    else
        run_listen(w);
}

void run_listen(struct worker *w)
{
    if (w->is_listening || w->state >= WORKER_LEAVING)
        return;
    char block[16];
    snprintf(block, sizeof(block), "%d", SIGNAL_TIMEOUT_MS);
    const char *argv[] = {"XREAD", "BLOCK", block, "STREAMS", w->ledger.keys.names[LEDGER_SIGNALS], w->last_signal};
    w->is_listening =
        redis_link_send(w->signals, SIGNAL_TIMEOUT_MS + COMMAND_TIMEOUT_MS, on_signals, w, 6, argv, NULL) == 0;
}
