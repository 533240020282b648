#include "worker/worker_private.h"

#include <string.h>

#include "shared/log.h"
#include "shared/memory.h"

static void ask(struct slot *s);

struct slot *slots_find(struct worker *w, enum slot_state state)
{
    for (int i = 0; i < w->slot_count; i++)
        if (w->slots[i].state == state)
            return &w->slots[i];
    return NULL;
}

struct slot *slots_find_room(struct worker *w)
{
    struct slot *idle = slots_find(w, SLOT_IDLE);
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

bool slots_are_idle(struct worker *w)
{
    for (int i = 0; i < w->slot_count; i++)
        if (w->slots[i].state != SLOT_IDLE)
            return false;
    return true;
}

/* ---- the end of an attempt ---- */

static void drop_slot(struct slot *s)
{
    char next[TASK_KEY_SIZE];
    memory_copy_text(next, sizeof(next), s->next);
    s->next[0] = '\0';
    start_clear(&s->start);
    attempt_clear(&s->attempt);
    s->state = SLOT_IDLE;
    /* If it isn't taken now, leaving hands it back, or the next renewal tells of it. */
    if (next[0] && s->worker->state == WORKER_WORKING)
        slots_take(s->worker, next, true);
    run_pop(s->worker);
    worker_move_on(s->worker);
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

/* What a slot has asked and got no answer to it asks again, unless the run is closed and the answer doesn't matter.
 */
static bool is_slot_unanswered(struct slot *s, const struct ledger_reply *reply)
{
    s->is_asking = false;
    if (s->worker->state == WORKER_CLOSING)
        return true;
    if (!worker_is_unanswered(s->worker, reply))
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
    run_pop(s->worker);
}

static void on_start_end(void *data)
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

/* ---- its beginning ---- */

static void run_attempt(struct slot *s)
{
    struct worker *w = s->worker;
    struct error err;
    s->state = SLOT_RUNNING;
    if (start_run(&s->start, &w->policy, &s->attempt, 1, &err) == 0)
        return;
    if (err.code != ERROR_SYSTEM) {
        attempt_fail(&s->attempt, err.text);
        settle(s);
        return;
    }
    /* Who can't start runners would be the quickest of all, and make errors of every task that there is. */
    log_error("worker.unfit", LOG_TEXT("reason", err.text));
    s->state = SLOT_RELEASING;
    worker_drain(w, STATUS_UNFIT, err.text, START_GRACE_MS);
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
            run_register(w);
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
    run_pop(w);
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

/* ---- tasks come ---- */

/* Whatever the answer is: what is still in our list is told by the next renewal. */
static void on_returned(void *data, const struct ledger_reply *reply)
{
    (void)data;
    (void)reply;
}

/* Under a token that nobody else can have. */
void slots_take(struct worker *w, const char *task, bool is_popped)
{
    struct slot *s = slots_find_room(w);
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
    worker_random_hex(s->attempt.task.token, LEDGER_TOKEN_SIZE - 1);
    s->state = SLOT_CLAIMING;
    ask(s);
}

/* ---- all of them ---- */

void slots_ask(struct worker *w)
{
    for (int i = 0; i < w->slot_count; i++)
        ask(&w->slots[i]);
}

void slots_stop(struct worker *w, unsigned grace_ms)
{
    for (int i = 0; i < w->slot_count; i++) {
        struct slot *s = &w->slots[i];
        if (s->state != SLOT_RUNNING)
            continue;
        s->state = SLOT_STOPPING;
        start_stop(&s->start, grace_ms);
    }
}

void slots_kill_stopping(struct worker *w)
{
    for (int i = 0; i < w->slot_count; i++)
        if (w->slots[i].state == SLOT_STOPPING)
            start_kill(&w->slots[i].start);
}

void slots_settle_again(struct worker *w)
{
    for (int i = 0; i < w->slot_count; i++) {
        struct slot *s = &w->slots[i];
        if (s->state == SLOT_SETTLING && !s->is_asking)
            s->is_asking = ask_settle(s) == 0;
    }
}

void slots_let_go(struct worker *w)
{
    for (int i = 0; i < w->slot_count; i++) {
        struct slot *s = &w->slots[i];
        if (s->state == SLOT_RUNNING || s->state == SLOT_STOPPING)
            start_kill(&s->start);
        else if (s->state != SLOT_IDLE && !s->is_asking)
            abandon_slot(s);
    }
}

/* ---- opening and closing ---- */

int slots_open(struct worker *w, struct error *err)
{
    w->slots = memory_zeroed((size_t)w->options->slots, sizeof(*w->slots));
    for (int i = 0; i < w->options->slots; i++) {
        w->slots[i].worker = w;
        w->slot_count++;
        attempt_init(&w->slots[i].attempt, &w->attempt_setup);
        if (start_open(&w->slots[i].start, &w->start_setup, i, on_start_end, &w->slots[i], err) < 0)
            return -1;
    }
    return 0;
}

static void on_start_closed(void *data)
{
    struct slot *s = data;
    attempt_close(&s->attempt);
    s->worker->open_handles--;
}

void slots_close(struct worker *w)
{
    for (int i = 0; i < w->slot_count; i++) {
        w->open_handles++;
        start_close(&w->slots[i].start, on_start_closed);
    }
}
