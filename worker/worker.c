#include "worker/worker.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/ledger.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/redis_link.h"
#include "shared/redis_reply.h"
#include "worker/attempt.h"
#include "worker/run_policy.h"
#include "worker/scratch.h"
#include "worker/spec_finder.h"
#include "worker_files.h"

enum {
    POP_TIMEOUT_S = 5, /* Redis 5 takes whole seconds */
    SIGNAL_TIMEOUT_MS = 20000,
    COMMAND_TIMEOUT_MS = 10000,
    RETRY_MS = 500,         /* after a server said: not now */
    NOBODY_CAME_MS = 15000, /* a finished run whose controller has gone: how long a new one is waited for */
    DRAIN_LIMIT_MS = 20000, /* told to stop, and Redis doesn't answer */
    CANCEL_GRACE_MS = 2000, /* what runs of a cancelled run has so long to end by itself */
    STATUS_UNFIT = 2,       /* as when it can't be started */
};

enum worker_state { WORKER_JOINING, WORKER_WORKING, WORKER_DRAINING, WORKER_LEAVING, WORKER_CLOSING };

enum slot_state { SLOT_IDLE, SLOT_CLAIMING, SLOT_RUNNING, SLOT_STOPPING, SLOT_SETTLING, SLOT_RELEASING };

struct slot {
    struct worker *worker;
    enum slot_state state;
    bool is_asking;           /* a command of this slot is on its way */
    char next[TASK_KEY_SIZE]; /* popped while the last task is being settled; "": none */
    struct attempt attempt;
};

struct worker {
    uv_loop_t *loop;
    const struct options *options;
    char id[128], nonce[33], host[65];
    struct redis_address address;
    struct redis_link *commands, *pops, *signals;
    struct ledger ledger;
    char processing[LEDGER_KEY_SIZE];
    char last_signal[64];
    char last_trouble[256]; /* so that the same reason is logged once */
    uint64_t taught_ms;     /* when it last lacked the scripts */

    enum worker_state state;
    bool is_registered;
    bool is_registering, is_popping, is_listening;
    bool has_worked; /* in the run that is now finished */
    int exit_status;
    int signals_seen;
    char stop_reason[256]; /* what the record of a task that was handed back says */

    uv_timer_t renew, retry, patience;
    uv_signal_t on_term, on_int;
    int open_handles;

    struct run_policy policy;
    struct scratch scratch;
    struct spec_finder specs;
    struct attempt_setup setup;
    char root[PATH_MAX], reporter[PATH_MAX], playwright[PATH_MAX];
    struct slot *slots;
    int slot_count;
};

static void register_now(struct worker *w);
static void renew(struct worker *w);
static void on_patience_over(uv_timer_t *timer);
static void fill(struct worker *w);
static void take_task(struct worker *w, const char *task, bool is_popped);
static void ask(struct slot *s);
static int ask_settle(struct slot *s);
static void move_on(struct worker *w);

/* ---- small things ---- */

static void random_hex(char *text, size_t digits)
{
    unsigned char bytes[32];
    int failed = uv_random(NULL, NULL, bytes, digits / 2, 0, NULL);
    assert(failed == 0 && digits / 2 <= sizeof(bytes));
    (void)failed;
    for (size_t i = 0; i < digits / 2; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static struct slot *find_slot(struct worker *w, enum slot_state state)
{
    for (int i = 0; i < w->slot_count; i++)
        if (w->slots[i].state == state)
            return &w->slots[i];
    return NULL;
}

/* A slot that a task may be popped for: it is free, or will be as soon as Redis has heard of its last one. */
static struct slot *find_room(struct worker *w)
{
    struct slot *idle = find_slot(w, SLOT_IDLE);
    for (int i = 0; idle == NULL && i < w->slot_count; i++)
        if (w->slots[i].state == SLOT_SETTLING && w->slots[i].next[0] == '\0')
            return &w->slots[i];
    return idle;
}

/* `is_popped`: just now, so a settlement that is on its way has put the task back already. */
static bool is_held(struct worker *w, const char *task, bool is_popped)
{
    for (int i = 0; i < w->slot_count; i++) {
        const struct slot *s = &w->slots[i];
        bool has_let_go = s->state == SLOT_IDLE || (is_popped && s->state == SLOT_SETTLING);
        if ((!has_let_go && strcmp(s->attempt.task.key, task) == 0) || strcmp(s->next, task) == 0)
            return true;
    }
    return false;
}

static bool is_idle(struct worker *w)
{
    for (int i = 0; i < w->slot_count; i++)
        if (w->slots[i].state != SLOT_IDLE)
            return false;
    return true;
}

/* Which script it was that Redis refused is left out: all are, for the same reason. */
static void note_trouble(struct worker *w, const char *text)
{
    char reason[sizeof(w->last_trouble)];
    memory_copy_text(reason, sizeof(reason), text);
    char *script = strstr(reason, " script: ");
    if (script)
        *script = '\0';
    if (strcmp(reason, w->last_trouble) == 0)
        return;
    memory_copy_text(w->last_trouble, sizeof(w->last_trouble), reason);
    log_warn("redis.waiting", LOG_TEXT("reason", reason));
}

static void on_retry(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    if (w->is_registered)
        renew(w);
    else
        register_now(w);
    for (int i = 0; i < w->slot_count; i++)
        ask(&w->slots[i]);
    fill(w);
    move_on(w);
}

static void retry_in(struct worker *w, unsigned wait_ms)
{
    if (!uv_is_active((uv_handle_t *)&w->retry))
        uv_timer_start(&w->retry, on_retry, wait_ms, 0);
}

static void retry_soon(struct worker *w)
{
    retry_in(w, RETRY_MS);
}

/* The scripts are on their way and arrive before what we send next: at once, but for a server that won't learn. */
static void retry_after_teaching(struct worker *w)
{
    uint64_t now = uv_now(w->loop);
    bool was_taught_lately = w->taught_ms > 0 && now - w->taught_ms < RETRY_MS;
    w->taught_ms = now;
    retry_in(w, was_taught_lately ? RETRY_MS : 0);
}

/* LOST is answered by on_up, TROUBLE by the retry timer. true: it was one of the two. */
static bool is_unanswered(struct worker *w, const struct ledger_reply *reply)
{
    if (reply->outcome == LEDGER_TROUBLE) {
        if (reply->is_taught) {
            log_debug("redis.taught", LOG_TEXT("reason", reply->text));
            retry_after_teaching(w);
        } else {
            note_trouble(w, reply->text);
            retry_soon(w);
        }
    }
    return reply->outcome == LEDGER_TROUBLE || reply->outcome == LEDGER_LOST;
}

/* ---- closing ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct worker *w = handle->data;
    w->open_handles--;
}

static void close_handle(struct worker *w, uv_handle_t *handle)
{
    w->open_handles++;
    handle->data = w;
    uv_close(handle, on_handle_closed);
}

static void on_link_closed(void *data)
{
    struct worker *w = data;
    w->open_handles--;
}

static void close_link(struct worker *w, struct redis_link **link)
{
    if (*link == NULL)
        return;
    w->open_handles++;
    redis_link_close(*link, on_link_closed);
    *link = NULL;
}

static void on_attempt_closed(void *data)
{
    struct slot *s = data;
    s->worker->open_handles--;
}

static void close_all(struct worker *w)
{
    if (w->state == WORKER_CLOSING)
        return;
    w->state = WORKER_CLOSING;
    close_link(w, &w->commands);
    close_link(w, &w->pops);
    close_link(w, &w->signals);
    close_handle(w, (uv_handle_t *)&w->renew);
    close_handle(w, (uv_handle_t *)&w->retry);
    close_handle(w, (uv_handle_t *)&w->patience);
    close_handle(w, (uv_handle_t *)&w->on_term);
    close_handle(w, (uv_handle_t *)&w->on_int);
    for (int i = 0; i < w->slot_count; i++) {
        w->open_handles++;
        attempt_close(&w->slots[i].attempt, on_attempt_closed);
    }
}

static void on_left(void *data, const struct ledger_reply *reply)
{
    struct worker *w = data;
    if (w->state == WORKER_CLOSING || is_unanswered(w, reply))
        return;
    close_all(w);
}

/* The work is over, one way or the other: leave when nothing is held any more. */
static void leave(struct worker *w, int exit_status)
{
    if (w->state >= WORKER_LEAVING)
        return;
    w->exit_status = exit_status;
    w->state = WORKER_LEAVING;
    close_link(w, &w->pops);
    if (!uv_is_active((uv_handle_t *)&w->patience))
        uv_timer_start(&w->patience, on_patience_over, DRAIN_LIMIT_MS, 0);
    move_on(w);
}

static void move_on(struct worker *w)
{
    if (w->state == WORKER_DRAINING && is_idle(w))
        leave(w, w->exit_status);
    if (w->state != WORKER_LEAVING || !is_idle(w))
        return;
    if (!w->is_registered || ledger_leave(&w->ledger, w->id, on_left, w) < 0)
        close_all(w);
}

/* ---- the run is closed, or isn't ours any more ---- */

static void drop_slot(struct slot *s)
{
    char next[TASK_KEY_SIZE];
    memory_copy_text(next, sizeof(next), s->next);
    s->next[0] = '\0';
    attempt_clear(&s->attempt);
    s->state = SLOT_IDLE;
    /* If it isn't taken now, leaving hands it back, or the next renewal tells of it. */
    if (next[0] && s->worker->state == WORKER_WORKING)
        take_task(s->worker, next, true);
    fill(s->worker);
    move_on(s->worker);
}

/* The task isn't ours any more, and nobody will be told how its attempt ended. */
static void abandon_slot(struct slot *s)
{
    const struct attempt *a = &s->attempt;
    if (a->task.attempt > 0)
        log_warn("task.fenced", LOG_TEXT("task", a->task.key), LOG_INT("attempt", a->task.attempt),
                 LOG_TEXT("result", task_result_name(a->verdict.result)),
                 LOG_TEXT("reason", "its run is closed; another worker answers for it"));
    drop_slot(s);
}

static void close_run(struct worker *w, const char *run_id)
{
    if (w->state >= WORKER_LEAVING)
        return;
    log_info("run.closed", LOG_TEXT("run", run_id));
    leave(w, w->state == WORKER_DRAINING ? w->exit_status : 0);
    /* What is still held here was given to somebody else, or the run could not be closed: but for a settlement whose
     * answer was lost, of which only Redis knows whether it counts. */
    for (int i = 0; i < w->slot_count; i++) {
        struct slot *s = &w->slots[i];
        if (s->state == SLOT_SETTLING && !s->is_asking)
            s->is_asking = ask_settle(s) == 0;
        if (s->state == SLOT_RUNNING || s->state == SLOT_STOPPING)
            attempt_kill(&s->attempt);
        else if (s->state != SLOT_IDLE && !s->is_asking)
            abandon_slot(s);
    }
}

static void on_patience_over(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    if (w->state == WORKER_DRAINING || w->state == WORKER_LEAVING) {
        log_error("worker.abandoned", LOG_TEXT("reason", "Redis doesn't answer; the lease hands the tasks back"));
        close_all(w);
    } else {
        close_run(w, "that nobody replaced");
    }
}

/* ---- slots ---- */

/* The same for what a slot asked: it asks again, unless the run is closed and the answer doesn't matter any more. */
static bool is_slot_unanswered(struct slot *s, const struct ledger_reply *reply)
{
    s->is_asking = false;
    if (s->worker->state == WORKER_CLOSING)
        return true;
    if (!is_unanswered(s->worker, reply))
        return false;
    if (s->worker->state == WORKER_LEAVING)
        abandon_slot(s);
    return true;
}

static void on_settled(void *data, const struct ledger_reply *reply)
{
    struct slot *s = data;
    struct attempt *a = &s->attempt;
    if (is_slot_unanswered(s, reply))
        return;
    if (reply->outcome == LEDGER_FENCED)
        log_warn("task.fenced", LOG_TEXT("task", a->task.key), LOG_INT("attempt", a->task.attempt),
                 LOG_TEXT("result", task_result_name(a->verdict.result)),
                 LOG_TEXT("reason", "the lease was lost; another worker answers for it"));
    else
        log_info("task.settled", LOG_TEXT("task", a->task.key), LOG_INT("attempt", a->task.attempt),
                 LOG_TEXT("result", task_result_name(a->verdict.result)), LOG_TEXT("reason", a->verdict.reason),
                 LOG_INT("duration_ms", a->duration_ns / 1000000));
    drop_slot(s);
}

static int ask_settle(struct slot *s)
{
    const struct attempt *a = &s->attempt;
    const struct ledger_settlement settlement = {
        .worker = s->worker->id,
        .task = a->task.key,
        .token = a->task.token,
        .result = a->verdict.result,
        .reason = a->verdict.reason,
        .duration_ns = a->duration_ns,
        .record = a->record,
        .log = a->log.data,
        .log_length = a->log.length,
        .details = a->details,
        .retries = (int)a->task.limits.retries,
    };
    return ledger_settle(&s->worker->ledger, &settlement, on_settled, s);
}

static void on_released(void *data, const struct ledger_reply *reply)
{
    struct slot *s = data;
    if (is_slot_unanswered(s, reply))
        return;
    log_info("task.released", LOG_TEXT("task", s->attempt.task.key),
             LOG_TEXT("outcome", ledger_outcome_name(reply->outcome)));
    drop_slot(s);
}

static int ask_release(struct slot *s)
{
    const struct attempt *a = &s->attempt;
    auto_free char *record = a->task.attempt ? attempt_released_record(a, s->worker->stop_reason) : NULL;
    return ledger_release(&s->worker->ledger, s->worker->id, a->task.key, a->task.token, record, on_released, s);
}

static void settle(struct slot *s)
{
    s->state = SLOT_SETTLING;
    ask(s);
    fill(s->worker);
}

static void on_attempt_end(void *data)
{
    struct slot *s = data;
    if (s->worker->state == WORKER_LEAVING) {
        abandon_slot(s);
    } else if (s->state == SLOT_STOPPING) {
        s->state = SLOT_RELEASING;
        ask(s);
    } else {
        settle(s);
    }
}

/* Takes nothing any more, hands back what it holds, and leaves. */
static void drain(struct worker *w, int exit_status, const char *reason, unsigned grace_ms)
{
    for (int i = 0; i < w->slot_count; i++) {
        struct slot *s = &w->slots[i];
        if (s->state != SLOT_RUNNING)
            continue;
        s->state = SLOT_STOPPING;
        attempt_stop(&s->attempt, grace_ms);
    }
    if (w->state >= WORKER_DRAINING)
        return;
    w->state = WORKER_DRAINING;
    w->exit_status = exit_status;
    memory_copy_text(w->stop_reason, sizeof(w->stop_reason), reason);
    close_link(w, &w->pops);
    uv_timer_start(&w->patience, on_patience_over, DRAIN_LIMIT_MS, 0);
    move_on(w);
}

static void run_attempt(struct slot *s)
{
    struct worker *w = s->worker;
    struct error err;
    s->state = SLOT_RUNNING;
    if (attempt_start(&s->attempt, &w->policy, &err) == 0)
        return;
    if (err.code != ERROR_SYSTEM) {
        attempt_fail(&s->attempt, err.text);
        settle(s);
        return;
    }
    /* Who can't start runners would be the quickest of all, and make errors of every task that there is. */
    log_error("worker.unfit", LOG_TEXT("reason", err.text));
    s->state = SLOT_RELEASING;
    drain(w, STATUS_UNFIT, err.text, ATTEMPT_GRACE_MS);
    ask(s);
}

static void on_claimed(void *data, const struct ledger_reply *reply)
{
    struct slot *s = data;
    struct worker *w = s->worker;
    struct attempt *a = &s->attempt;
    if (is_slot_unanswered(s, reply))
        return;
    if (reply->outcome != LEDGER_OK) {
        drop_slot(s);
        if (reply->outcome == LEDGER_UNKNOWN || reply->outcome == LEDGER_CLOSED)
            register_now(w);
        return;
    }
    attempt_load(a, reply, &w->policy);
    if (w->state != WORKER_WORKING) {
        s->state = SLOT_RELEASING;
        ask(s);
        return;
    }
    log_info("task.claimed", LOG_TEXT("task", a->task.key), LOG_INT("attempt", a->task.attempt),
             LOG_TEXT("spec", a->task.spec), LOG_TEXT("viewport", a->task.viewport),
             LOG_TEXT("browser", a->task.browser));
    run_attempt(s);
    fill(w);
}

/* Tells Redis what this slot has to tell, unless it is being told already. */
static void ask(struct slot *s)
{
    struct worker *w = s->worker;
    if (s->is_asking || !w->is_registered || w->state == WORKER_CLOSING)
        return;
    int sent = -1;
    if (s->state == SLOT_CLAIMING)
        sent = ledger_claim(&w->ledger, w->id, s->attempt.task.key, s->attempt.task.token, on_claimed, s);
    else if (s->state == SLOT_SETTLING)
        sent = ask_settle(s);
    else if (s->state == SLOT_RELEASING)
        sent = ask_release(s);
    s->is_asking = sent == 0;
}

/* Whatever the answer is: what is still in our list is told by the next renewal. */
static void on_returned(void *data, const struct ledger_reply *reply)
{
    (void)data;
    (void)reply;
}

/* A task lies in our list: claim it, under a token that nobody else can have. */
static void take_task(struct worker *w, const char *task, bool is_popped)
{
    struct slot *s = find_room(w);
    /* No task has such a name: a claim strikes it off the list. */
    if (task[0] == '\0' || strlen(task) >= TASK_KEY_SIZE) {
        ledger_claim(&w->ledger, w->id, task, "", on_returned, w);
        return;
    }
    if (is_held(w, task, is_popped))
        return;
    if (s == NULL || w->state != WORKER_WORKING) {
        ledger_release(&w->ledger, w->id, task, NULL, NULL, on_returned, w);
        return;
    }
    if (s->state == SLOT_SETTLING) {
        memory_copy_text(s->next, sizeof(s->next), task);
        return;
    }
    memory_copy_text(s->attempt.task.key, sizeof(s->attempt.task.key), task);
    random_hex(s->attempt.task.token, LEDGER_TOKEN_SIZE - 1);
    s->state = SLOT_CLAIMING;
    ask(s);
}

/* ---- the run is cancelled ---- */

static void cancel_run(struct worker *w)
{
    if (w->state < WORKER_DRAINING)
        log_info("run.cancelled", LOG_TEXT("run", w->policy.run_id));
    drain(w, 0, "the run was cancelled", CANCEL_GRACE_MS);
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
        take_task(w, task, true);
    if (trouble) {
        note_trouble(w, trouble);
        retry_soon(w);
    } else {
        fill(w);
    }
}

static void fill(struct worker *w)
{
    if (w->state != WORKER_WORKING || !w->is_registered || w->is_popping || find_room(w) == NULL ||
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
    if (w->state >= WORKER_LEAVING || is_unanswered(w, reply))
        return;
    if (reply->outcome == LEDGER_CLOSED) {
        close_run(w, w->policy.run_id);
    } else if (reply->outcome == LEDGER_CANCELLED) {
        cancel_run(w);
    } else if (reply->outcome == LEDGER_UNKNOWN) {
        log_warn("worker.declared_dead", LOG_TEXT("worker", w->id));
        w->is_registered = false;
        register_now(w);
    } else {
        /* A pop whose reply was lost, or is about to come: that one will find the task held, or gone. */
        for (size_t i = 1; i < redis_reply_count(reply->raw); i++)
            take_task(w, ledger_text(reply, i), false);
    }
}

static void renew(struct worker *w)
{
    ledger_renew(&w->ledger, w->id, on_renewed, w);
}

static void on_renew(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    if (w->is_registered)
        renew(w);
}

/* No run is open. What we hold belongs to a run that has gone. */
static void wait_for_run(struct worker *w, const char *reason)
{
    for (int i = 0; i < w->slot_count; i++) {
        struct slot *s = &w->slots[i];
        if (s->state == SLOT_RUNNING || s->state == SLOT_STOPPING)
            attempt_kill(&s->attempt);
        else if (s->state != SLOT_IDLE && !s->is_asking)
            abandon_slot(s);
    }
    if (strcmp(reason, w->last_trouble) != 0)
        log_info("run.waiting", LOG_TEXT("reason", reason));
    memory_copy_text(w->last_trouble, sizeof(w->last_trouble), reason);
    if (w->state == WORKER_WORKING)
        w->state = WORKER_JOINING;
    move_on(w);
    retry_soon(w);
}

static void join(struct worker *w, const struct ledger_reply *reply)
{
    struct run_policy policy;
    struct error err;
    if (run_policy_load(&policy, reply, &err) < 0) {
        note_trouble(w, err.text);
        retry_soon(w);
        return;
    }
    bool is_cancelled = policy.is_cancelled;
    if (find_slot(w, SLOT_RUNNING) || find_slot(w, SLOT_STOPPING)) {
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
    if (!w->has_worked)
        log_info("worker.joined", LOG_TEXT("worker", w->id), LOG_TEXT("run", w->policy.run_id),
                 LOG_INT("slots", w->slot_count));
    w->is_registered = true;
    w->has_worked = true;
    w->last_trouble[0] = '\0';
    if (w->state == WORKER_JOINING)
        w->state = WORKER_WORKING;
    uv_timer_stop(&w->patience);
    uv_timer_stop(&w->retry);
    uv_timer_start(&w->renew, on_renew, w->policy.lease_ms / 3, w->policy.lease_ms / 3);
    for (int i = 0; i < w->slot_count; i++)
        ask(&w->slots[i]);
    if (is_cancelled)
        cancel_run(w);
    fill(w);
    move_on(w);
}

static void on_registered(void *data, const struct ledger_reply *reply)
{
    struct worker *w = data;
    w->is_registering = false;
    if (w->state >= WORKER_LEAVING || is_unanswered(w, reply))
        return;
    switch (reply->outcome) {
    case LEDGER_OK:
        join(w, reply);
        break;
    case LEDGER_CLOSED:
        if (w->has_worked || ledger_number(reply, 2) == 1) {
            close_run(w, ledger_text(reply, 1));
            break;
        }
        if (!uv_is_active((uv_handle_t *)&w->patience))
            uv_timer_start(&w->patience, on_patience_over, NOBODY_CAME_MS, 0);
        wait_for_run(w, "the run is finished and its controller has gone");
        break;
    case LEDGER_TAKEN:
        wait_for_run(w, "another worker has this name; waiting for its lease to end");
        break;
    default:
        wait_for_run(w, "no run is open yet");
    }
}

static void register_now(struct worker *w)
{
    if (w->is_registering || w->state >= WORKER_LEAVING)
        return;
    w->is_registered = false;
    const struct ledger_worker me = {w->id, w->nonce, w->host, getpid(), w->slot_count};
    w->is_registering = ledger_register(&w->ledger, &me, on_registered, w) == 0;
}

/* ---- signals of the run ---- */

static void listen_for_signals(struct worker *w);

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
            register_now(w);
        else if (w->is_registered && what && strcmp(what, "opened") != 0)
            renew(w);
    }
    if (redis_reply_error(reply))
        return; /* the link's next life listens again */
    listen_for_signals(w);
}

static void listen_for_signals(struct worker *w)
{
    if (w->is_listening || w->state >= WORKER_LEAVING)
        return;
    char block[16];
    snprintf(block, sizeof(block), "%d", SIGNAL_TIMEOUT_MS);
    const char *argv[] = {"XREAD", "BLOCK", block, "STREAMS", w->ledger.keys.names[LEDGER_SIGNALS], w->last_signal};
    w->is_listening =
        redis_link_send(w->signals, SIGNAL_TIMEOUT_MS + COMMAND_TIMEOUT_MS, on_signals, w, 6, argv, NULL) == 0;
}

/* ---- links ---- */

static void on_commands_up(void *data)
{
    struct worker *w = data;
    log_debug("redis.connected", LOG_TEXT("host", w->address.host), LOG_INT("port", w->address.port));
    register_now(w);
    move_on(w);
}

/* A refused password, or a right that this user lacks. */
static void refuse(struct worker *w, const struct error *reason)
{
    if (w->state == WORKER_CLOSING)
        return;
    log_error("redis.refused", LOG_TEXT("reason", reason->text));
    w->exit_status = STATUS_UNFIT;
    close_all(w);
}

static void on_commands_down(void *data, const struct error *reason)
{
    struct worker *w = data;
    w->is_registered = false;
    if (reason->code == ERROR_AUTH)
        refuse(w, reason);
    else
        note_trouble(w, reason->text);
}

static void on_pops_up(void *data)
{
    fill(data);
}

static void on_signals_up(void *data)
{
    struct worker *w = data;
    listen_for_signals(w);
    if (w->state == WORKER_JOINING)
        register_now(w);
}

/* The commands' link speaks for all three, except of what only this one needs. */
static void on_other_down(void *data, const struct error *reason)
{
    if (reason->code == ERROR_AUTH)
        refuse(data, reason);
}

/* ---- told to stop ---- */

static void on_signal(uv_signal_t *handle, int number)
{
    struct worker *w = handle->data;
    w->signals_seen++;
    log_info("worker.stopping", LOG_TEXT("worker", w->id), LOG_INT("signal", number));
    drain(w, 128 + number, "the worker was told to stop", ATTEMPT_GRACE_MS);
    for (int i = 0; i < w->slot_count && w->signals_seen > 1; i++)
        if (w->slots[i].state == SLOT_STOPPING)
            attempt_kill(&w->slots[i].attempt);
}

/* ---- start and end ---- */

static void name_worker(struct worker *w)
{
    char random[7];
    random_hex(w->nonce, sizeof(w->nonce) - 1);
    random_hex(random, sizeof(random) - 1);
    if (gethostname(w->host, sizeof(w->host)) < 0)
        snprintf(w->host, sizeof(w->host), "localhost");
    if (w->options->worker_id)
        memory_copy_text(w->id, sizeof(w->id), w->options->worker_id);
    else
        snprintf(w->id, sizeof(w->id), "%s-%d-%s", w->host, getpid(), random);
}

/* As Node resolves it: in the spec root or in a folder above it. */
static const char *find_playwright(struct worker *w)
{
    char folder[PATH_MAX];
    memory_copy_text(folder, sizeof(folder), w->root);
    for (;;) {
        int length =
            snprintf(w->playwright, sizeof(w->playwright), "%s/node_modules/@playwright/test/cli.js", folder);
        if (length < (int)sizeof(w->playwright) && access(w->playwright, R_OK) == 0)
            return w->playwright;
        char *slash = strrchr(folder, '/');
        if (slash == NULL || folder[0] == '\0')
            return NULL;
        *slash = '\0';
    }
}

static int open_slots(struct worker *w, struct error *err)
{
    w->slots = memory_zeroed((size_t)w->options->slots, sizeof(*w->slots));
    for (int i = 0; i < w->options->slots; i++) {
        w->slots[i].worker = w;
        w->slot_count++;
        if (attempt_open(&w->slots[i].attempt, &w->setup, i, on_attempt_end, &w->slots[i], err) < 0)
            return -1;
    }
    return 0;
}

static int open_folders(struct worker *w, struct error *err)
{
    if (realpath(w->options->spec_root, w->root) == NULL)
        return error_set(err, ERROR_CONFIG, "SPEC_ROOT: found \"%s\", wanted a folder that exists",
                         w->options->spec_root);
    if (scratch_open(&w->scratch, err) < 0)
        return -1;
    for (size_t i = 0; i < worker_files_count; i++)
        if (scratch_write(&w->scratch, worker_files[i].path, worker_files[i].body, worker_files[i].size, err) < 0)
            return -1;
    if (scratch_path(&w->scratch, "playwright.mjs", w->reporter, err) < 0)
        return -1;
    spec_finder_init(&w->specs, w->root);
    w->setup = (struct attempt_setup){
        .loop = w->loop,
        .worker_id = w->id,
        .root = w->root,
        .reporter = w->reporter,
        .playwright = find_playwright(w),
        .specs = &w->specs,
        .scratch = &w->scratch,
    };
    return open_slots(w, err);
}

static void open_handles(struct worker *w)
{
    uv_timer_init(w->loop, &w->renew);
    uv_timer_init(w->loop, &w->retry);
    uv_timer_init(w->loop, &w->patience);
    uv_signal_init(w->loop, &w->on_term);
    uv_signal_init(w->loop, &w->on_int);
    w->renew.data = w->retry.data = w->patience.data = w->on_term.data = w->on_int.data = w;
    uv_signal_start(&w->on_term, on_signal, SIGTERM);
    uv_signal_start(&w->on_int, on_signal, SIGINT);
}

static void open_links(struct worker *w)
{
    static const struct redis_link_events commands = {on_commands_up, on_commands_down};
    static const struct redis_link_events pops = {on_pops_up, on_other_down};
    static const struct redis_link_events signals = {on_signals_up, on_other_down};
    w->commands = redis_link_open(w->loop, &w->address, &commands, w);
    w->pops = redis_link_open(w->loop, &w->address, &pops, w);
    w->signals = redis_link_open(w->loop, &w->address, &signals, w);
}

struct worker *worker_start(uv_loop_t *loop, const struct options *options, struct error *err)
{
    struct worker *w = memory_zeroed(1, sizeof(*w));
    w->loop = loop;
    w->options = options;
    memory_copy_text(w->stop_reason, sizeof(w->stop_reason), "the worker couldn't take it");
    w->address = (struct redis_address){options->redis_host, options->redis_port, options->redis_username,
                                        options->redis_password, options->redis_db};
    w->scratch.lock = -1;
    snprintf(w->last_signal, sizeof(w->last_signal), "0-0");
    name_worker(w);
    open_handles(w);
    if (open_folders(w, err) < 0 || ledger_init(&w->ledger, NULL, options->prefix, err) < 0) {
        close_all(w);
        uv_run(loop, UV_RUN_DEFAULT);
        worker_finish(w);
        return NULL;
    }
    ledger_processing_key(&w->ledger.keys, w->id, w->processing);
    open_links(w);
    w->ledger.link = w->commands;
    return w;
}

int worker_finish(struct worker *w)
{
    int status = w->exit_status;
    assert(w->open_handles == 0);
    run_policy_close(&w->policy);
    spec_finder_close(&w->specs);
    scratch_close(&w->scratch);
    free(w->slots);
    free(w);
    return status;
}
