#include "worker/slots.h"

#include <stdlib.h>
#include <string.h>

#include "shared/log.h"
#include "shared/memory.h"
#include "worker/random_hex.h"

static void ask(struct slot *s);

static struct slot *find(const struct slots *slots, enum slot_state state)
{
    for (int i = 0; i < slots->count; i++)
        if (slots->list[i].state == state)
            return &slots->list[i];
    return NULL;
}

/* It is free, or will be as soon as Redis has heard of its last task; or NULL. */
static struct slot *find_room(struct slots *slots)
{
    struct slot *idle = find(slots, SLOT_IDLE);
    for (int i = 0; idle == NULL && i < slots->count; i++)
        if (slots->list[i].state == SLOT_SETTLING && slots->list[i].next[0] == '\0')
            return &slots->list[i];
    return idle;
}

bool slots_have_room(struct slots *slots)
{
    return find_room(slots) != NULL;
}

/* `is_popped`: just now, so a settlement that is on its way has put the task back already. */
static bool is_held(struct slots *slots, const char *task, bool is_popped)
{
    for (int i = 0; i < slots->count; i++) {
        const struct slot *s = &slots->list[i];
        bool has_let_go = s->state == SLOT_IDLE || (is_popped && s->state == SLOT_SETTLING);
        if ((!has_let_go && strcmp(s->attempt.task.key, task) == 0) || strcmp(s->next, task) == 0)
            return true;
    }
    return false;
}

bool slots_are_running(const struct slots *slots)
{
    return find(slots, SLOT_RUNNING) || find(slots, SLOT_STOPPING);
}

bool slots_are_idle(const struct slots *slots)
{
    for (int i = 0; i < slots->count; i++)
        if (slots->list[i].state != SLOT_IDLE)
            return false;
    return true;
}

/* ---- the end of an attempt ---- */

static void tell_moved(struct slot *s)
{
    s->slots->setup->on_moved(s->slots->setup->data);
}

static void drop_slot(struct slot *s)
{
    char next[TASK_KEY_SIZE];
    memory_copy_text(next, sizeof(next), s->next);
    s->next[0] = '\0';
    start_clear(&s->start);
    attempt_clear(&s->attempt);
    s->state = SLOT_IDLE;
    /* If it isn't taken now, leaving hands it back, or the next renewal tells of it. */
    if (next[0] && *s->slots->setup->state == WORKER_WORKING)
        slots_take(s->slots, next, true);
    tell_moved(s);
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

/* A slot that got no answer asks again, unless the run is closed and the answer doesn't matter any more. */
static bool is_slot_unanswered(struct slot *s, const struct ledger_reply *reply)
{
    s->is_asking = false;
    if (*s->slots->setup->state == WORKER_CLOSING)
        return true;
    if (!trouble_is_unanswered(s->slots->setup->trouble, reply))
        return false;
    if (*s->slots->setup->state == WORKER_LEAVING)
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
        .worker = s->slots->setup->worker_id,
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
    return ledger_settle(s->slots->setup->ledger, &settlement, on_settled, s);
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
    auto_free char *record = a->task.attempt ? attempt_released_record(a, s->slots->setup->stop_reason) : NULL;
    return ledger_release(s->slots->setup->ledger, s->slots->setup->worker_id, a->task.key, a->task.token, record,
                          on_released, s);
}

static void settle(struct slot *s)
{
    s->state = SLOT_SETTLING;
    ask(s);
    tell_moved(s);
}

static void on_start_end(void *data)
{
    struct slot *s = data;
    live_log_end(&s->live_log);
    if (*s->slots->setup->state == WORKER_LEAVING) {
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
    const struct slots_setup *with = s->slots->setup;
    struct error err;
    s->state = SLOT_RUNNING;
    if (attempt_is_left_out(&s->attempt)) {
        settle(s);
        return;
    }
    if (start_run(&s->start, with->policy, &s->attempt, 1, &err) == 0) {
        live_log_begin(&s->live_log, s->attempt.task.key, s->attempt.task.token);
        return;
    }
    if (err.code != ERROR_SYSTEM) {
        attempt_fail(&s->attempt, err.text);
        settle(s);
        return;
    }
    /* A worker that can't start runners would be the quickest of all, and turn every task into an error. */
    log_error("worker.unfit", LOG_TEXT("reason", err.text));
    s->state = SLOT_RELEASING;
    with->on_unfit(with->data, err.text);
    ask(s);
}

static void on_claimed(void *data, const struct ledger_reply *reply)
{
    struct slot *s = data;
    const struct slots_setup *with = s->slots->setup;
    struct attempt *a = &s->attempt;
    if (is_slot_unanswered(s, reply))
        return;
    if (reply->outcome != LEDGER_OK) {
        drop_slot(s);
        if (reply->outcome == LEDGER_UNKNOWN || reply->outcome == LEDGER_CLOSED)
            with->on_unknown(with->data);
        return;
    }
    attempt_load(a, reply, with->policy);
    if (*with->state != WORKER_WORKING) {
        s->state = SLOT_RELEASING;
        ask(s);
        return;
    }
    log_info("task.claimed", LOG_TEXT("task", a->task.key), LOG_INT("attempt", a->task.attempt),
             LOG_TEXT("spec", a->task.spec), LOG_TEXT("viewport", a->task.viewport),
             LOG_TEXT("browser", a->task.browser));
    run_attempt(s);
    tell_moved(s);
}

/* Tells Redis what this slot has to tell, unless it is being told already. */
static void ask(struct slot *s)
{
    const struct slots_setup *with = s->slots->setup;
    if (s->is_asking || !*with->is_registered || *with->state == WORKER_CLOSING)
        return;
    int sent = -1;
    if (s->state == SLOT_CLAIMING)
        sent = ledger_claim(with->ledger, with->worker_id, s->attempt.task.key, s->attempt.task.token, on_claimed, s);
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
void slots_take(struct slots *slots, const char *task, bool is_popped)
{
    const struct slots_setup *with = slots->setup;
    struct slot *s = find_room(slots);
    /* No task has such a name: a claim strikes it off the list. */
    if (task[0] == '\0' || strlen(task) >= TASK_KEY_SIZE) {
        ledger_claim(with->ledger, with->worker_id, task, "", on_returned, slots);
        return;
    }
    if (is_held(slots, task, is_popped))
        return;
    if (s == NULL || *with->state != WORKER_WORKING) {
        ledger_release(with->ledger, with->worker_id, task, NULL, NULL, on_returned, slots);
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

/* ---- all of them ---- */

void slots_ask(struct slots *slots)
{
    for (int i = 0; i < slots->count; i++)
        ask(&slots->list[i]);
}

void slots_stop(struct slots *slots, unsigned grace_ms)
{
    for (int i = 0; i < slots->count; i++) {
        struct slot *s = &slots->list[i];
        if (s->state != SLOT_RUNNING)
            continue;
        s->state = SLOT_STOPPING;
        start_stop(&s->start, grace_ms);
    }
}

void slots_kill_stopping(struct slots *slots)
{
    for (int i = 0; i < slots->count; i++)
        if (slots->list[i].state == SLOT_STOPPING)
            start_kill(&slots->list[i].start);
}

void slots_settle_again(struct slots *slots)
{
    for (int i = 0; i < slots->count; i++) {
        struct slot *s = &slots->list[i];
        if (s->state == SLOT_SETTLING && !s->is_asking)
            s->is_asking = ask_settle(s) == 0;
    }
}

void slots_let_go(struct slots *slots)
{
    for (int i = 0; i < slots->count; i++) {
        struct slot *s = &slots->list[i];
        if (s->state == SLOT_RUNNING || s->state == SLOT_STOPPING)
            start_kill(&s->start);
        else if (s->state != SLOT_IDLE && !s->is_asking)
            abandon_slot(s);
    }
}

/* ---- opening and closing ---- */

int slots_open(struct slots *slots, const struct slots_setup *setup, int count, struct error *err)
{
    *slots = (struct slots){.setup = setup, .list = memory_zeroed((size_t)count, sizeof(*slots->list))};
    while (slots->count < count) {
        int number = slots->count++;
        struct slot *s = &slots->list[number];
        s->slots = slots;
        attempt_init(&s->attempt, &setup->attempt);
        live_log_init(&s->live_log, setup->start.loop, setup->ledger, &s->start.output);
        if (start_open(&s->start, &setup->start, number, on_start_end, s, err) < 0)
            return -1;
    }
    return 0;
}

static void on_live_log_closed(void *data)
{
    struct slot *s = data;
    attempt_close(&s->attempt);
    if (--s->slots->open_count == 0)
        s->slots->on_closed(s->slots->setup->data);
}

static void on_start_closed(void *data)
{
    struct slot *s = data;
    live_log_close(&s->live_log, on_live_log_closed, s);
}

void slots_close(struct slots *slots, void (*closed)(void *data))
{
    slots->on_closed = closed;
    slots->open_count = slots->count;
    for (int i = 0; i < slots->count; i++)
        start_close(&slots->list[i].start, on_start_closed);
}

void slots_free(struct slots *slots)
{
    free(slots->list);
    *slots = (struct slots){0};
}
