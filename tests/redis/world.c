#include "tests/redis/world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/memory.h"

/* ---- texts ---- */

static void __attribute__((format(printf, 2, 3))) reply(struct world *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(w->reply, sizeof(w->reply), format, arguments);
    va_end(arguments);
}

static void refuse(struct world *w, const char *word)
{
    reply(w, "%s", word);
    w->is_refusal = true;
}

static void start(struct world *w)
{
    w->is_refusal = false;
    w->new_events = 0;
}

static void __attribute__((format(printf, 2, 3))) emit(struct world *w, const char *format, ...)
{
    char rest[220];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(rest, sizeof(rest), format, arguments);
    va_end(arguments);
    assert(w->new_events < WORLD_EVENTS);
    snprintf(w->events[w->new_events++], sizeof(w->events[0]), "funkytown:events number=%d at_ms=T event=%s",
             ++w->event_count, rest);
}

static void copy(char *to, const char *from)
{
    snprintf(to, WORLD_TOKEN_SIZE, "%s", from);
}

static void __attribute__((format(printf, 2, 3))) add_record(struct world_task *t, const char *format, ...)
{
    va_list arguments;
    assert(t->record_count < WORLD_RECORDS);
    va_start(arguments, format);
    vsnprintf(t->records[t->record_count++], sizeof(t->records[0]), format, arguments);
    va_end(arguments);
}

/* ---- lists ---- */

static void push_left(struct world_list *l, int item)
{
    assert(l->count < WORLD_TASKS * 2);
    memmove(l->items + 1, l->items, (size_t)l->count * sizeof(l->items[0]));
    l->items[0] = item;
    l->count++;
}

static void push_right(struct world_list *l, int item)
{
    assert(l->count < WORLD_TASKS * 2);
    l->items[l->count++] = item;
}

static int find(const struct world_list *l, int item)
{
    for (int i = 0; i < l->count; i++)
        if (l->items[i] == item)
            return i;
    return -1;
}

static void take_out(struct world_list *l, int item)
{
    int at = find(l, item);
    if (at < 0)
        return;
    l->count--;
    memmove(l->items + at, l->items + at + 1, (size_t)(l->count - at) * sizeof(l->items[0]));
}

/* ---- small things ---- */

static const char *const state_names[] = {"", "loading", "running", "finished", "purging"};

int world_plan_size(int plan)
{
    return plan == 0 ? 4 : WORLD_TASKS;
}

bool world_has_overrides(int plan, int task)
{
    return plan == 1 && task % 2 == 1;
}

void world_init(struct world *w)
{
    *w = (struct world){.holder = WORLD_NOBODY, .controller = WORLD_NOBODY};
}

static bool is_registered(const struct world_worker *worker, const char *nonce)
{
    return worker->is_listed && strcmp(worker->nonce, nonce) == 0;
}

bool world_is_alive(const struct world *w, int name)
{
    return w->workers[name].is_listed && w->workers[name].lease >= 0;
}

static bool is_run_finished(const struct world *w)
{
    return w->has_meta && w->remaining == 0;
}

static void signal_workers(struct world *w, const char *what)
{
    assert(w->signal_count < WORLD_SIGNALS);
    w->signals[w->signal_count++] = what;
}

static void count_finished(struct world *w)
{
    w->finished++;
    if (--w->remaining > 0)
        return;
    w->state = WORLD_FINISHED;
    w->is_finished = true;
    signal_workers(w, "finished");
    emit(w, "finished");
}

/* ---- workers ---- */

void world_register(struct world *w, int name, const char *nonce, int pid)
{
    struct world_worker *worker = &w->workers[name];
    bool is_same = strcmp(worker->nonce, nonce) == 0;
    start(w);
    if (!w->has_meta) {
        refuse(w, "waiting");
        return;
    }
    if (is_run_finished(w)) {
        refuse(w, "");
        reply(w, "closed|%s|%d", w->id, w->holder != WORLD_NOBODY && w->holder == w->controller);
        return;
    }
    bool is_taken = !is_same && world_is_alive(w, name);
    for (int i = 0; i < worker->list.count; i++)
        is_taken |= !is_same && w->tasks[worker->list.items[i]].claim[0] != '\0';
    if (is_taken) {
        refuse(w, "taken");
        return;
    }
    bool is_new = !is_same || !worker->is_listed;
    worker->is_listed = true;
    worker->lease = 0;
    worker->is_in_grave = false;
    worker->pid = pid;
    copy(worker->nonce, nonce);
    struct world_list items = worker->list;
    for (int i = 0; i < items.count; i++) {
        if (w->tasks[items.items[i]].claim[0] == '\0') {
            take_out(&worker->list, items.items[i]);
            push_right(&w->queue, items.items[i]);
        }
    }
    if (is_new)
        emit(w, "joined worker=w%d slots=2 host=h pid=%d", name, pid);
    reply(w, "ok|*");
}

void world_renew(struct world *w, int name, const char *nonce)
{
    struct world_worker *worker = &w->workers[name];
    start(w);
    if (!is_registered(worker, nonce)) {
        refuse(w, "unknown");
        return;
    }
    worker->lease = 0;
    if (is_run_finished(w) || w->cancel[0]) {
        reply(w, is_run_finished(w) ? "closed" : "cancelled");
        return;
    }
    reply(w, "ok");
    for (int i = 0; i < worker->list.count; i++)
        snprintf(w->reply + strlen(w->reply), sizeof(w->reply) - strlen(w->reply), "|task:a:%d",
                 worker->list.items[i]);
}

void world_pop(struct world *w, int name)
{
    start(w);
    if (w->queue.count > 0)
        push_left(&w->workers[name].list, w->queue.items[--w->queue.count]);
}

static bool has_others(const struct world *w, int name)
{
    for (int i = 0; i < WORLD_NAMES; i++)
        if (i != name && world_is_alive(w, i))
            return true;
    return false;
}

void world_claim(struct world *w, int name, const char *nonce, int task, const char *token)
{
    struct world_worker *worker = &w->workers[name];
    struct world_task *t = &w->tasks[task];
    start(w);
    if (!is_registered(worker, nonce)) {
        refuse(w, "unknown");
        return;
    }
    if (find(&worker->list, task) < 0) {
        refuse(w, "gone");
        return;
    }
    if (!t->exists) {
        take_out(&worker->list, task);
        t->claim[0] = '\0';
        reply(w, "gone");
        return;
    }
    if (strcmp(t->claim, token) != 0 && (w->state != WORLD_RUNNING || w->cancel[0])) {
        refuse(w, "closed");
        return;
    }
    if (strcmp(t->claim, token) != 0) {
        if (t->claim[0] == '\0' && t->worker == name && has_others(w, name) && t->declined++ < WORLD_DECLINES) {
            take_out(&worker->list, task);
            push_left(&w->queue, task);
            reply(w, "gone");
            return;
        }
        t->declined = t->attempt > 0 ? 0 : t->declined;
        if (t->claim[0] != '\0')
            add_record(t, "lost %d w%d T true: the worker knew nothing of it any more", t->attempt, name);
        copy(t->claim, token);
        t->status = TASK_PROCESSING;
        t->result = TASK_UNKNOWN;
        t->has_started = true;
        t->worker = name;
        t->duration_ms = 0;
        t->attempt++;
        emit(w, "claimed task=task:a:%d worker=w%d attempt=%d", task, name, t->attempt);
    }
    reply(w, "ok|%d|p%d-%d|desktop|chrome|playwright|%s", t->attempt, t->plan, task, t->has_overrides ? "{}" : "");
}

static void keep_log(struct world_task *t, bool is_whole)
{
    bool is_known = t->log_count > 0 && t->logs[t->log_count - 1].attempt == t->attempt;
    t->log_count += !is_known;
    t->logs[t->log_count - 1] = (struct world_log){t->attempt, is_whole};
}

void world_log(struct world *w, int task, const char *token)
{
    struct world_task *t = &w->tasks[task];
    start(w);
    if (strcmp(t->claim, token) != 0 || !t->exists) {
        refuse(w, "fenced");
        return;
    }
    keep_log(t, false);
    reply(w, "ok");
}

void world_settle(struct world *w, int name, int task, const char *token, enum task_result result, int retries)
{
    struct world_task *t = &w->tasks[task];
    start(w);
    if (strcmp(t->settled, token) == 0) {
        refuse(w, "already");
        return;
    }
    if (strcmp(t->claim, token) != 0 || !t->exists) {
        refuse(w, "fenced");
        return;
    }
    t->failures += result == TASK_FAILED;
    bool is_again = result == TASK_FAILED && t->failures <= retries;
    bool is_flaky = result == TASK_PASSED && t->failures > 0;
    bool is_no_skip = result == TASK_SKIPPED && t->failures > 0;
    copy(t->settled, token);
    copy(t->details, token);
    t->claim[0] = '\0';
    take_out(&w->workers[name].list, task);
    add_record(t, "%s", token);
    keep_log(t, true);
    snprintf(t->reason, sizeof(t->reason), "%s", result == TASK_PASSED ? "" : "broken");
    if (is_no_skip) {
        result = TASK_FAILED;
        snprintf(t->reason, sizeof(t->reason), "it failed before, and skipped itself then");
    }
    if (is_again) {
        t->status = TASK_WAITING;
        push_right(&w->queue, task);
    } else {
        t->status = TASK_COMPLETE;
        t->result = result;
        t->is_flaky = is_flaky;
        t->duration_ms = 1500;
    }
    w->failed += result == TASK_FAILED && !is_again;
    emit(w,
         "%s task=task:a:%d worker=w%d attempt=%d result=%s flaky=%d duration_ns=1500000000 reason=%s failed=%d "
         "details=%s",
         is_again ? "retried" : "settled", task, name, t->attempt, task_result_name(result), is_flaky, t->reason,
         w->failed, token);
    reply(w, "ok|%d", !is_again);
    if (!is_again)
        count_finished(w);
}

void world_release(struct world *w, int name, int task, const char *token)
{
    struct world_task *t = &w->tasks[task];
    start(w);
    bool is_there = strcmp(t->claim, token ? token : "") == 0 && find(&w->workers[name].list, task) >= 0;
    if (!is_there || (token && !t->exists)) {
        refuse(w, "fenced");
        return;
    }
    take_out(&w->workers[name].list, task);
    reply(w, "ok|0");
    if (token == NULL) {
        push_right(&w->queue, task);
        return;
    }
    t->releases += w->cancel[0] == '\0';
    bool is_given_up = w->cancel[0] == '\0' && t->releases > WORLD_RELEASES;
    char reason[sizeof(t->reason)] = "";
    if (is_given_up)
        snprintf(reason, sizeof(reason), "handed back %d times by workers that were told to stop", t->releases);
    t->claim[0] = '\0';
    add_record(t, "released");
    emit(w, "released task=task:a:%d worker=w%d attempt=%d result=%s reason=%s", task, name, t->attempt,
         is_given_up ? "error" : "unknown", reason);
    if (!is_given_up) {
        t->status = TASK_WAITING;
        t->has_started = false;
        push_right(&w->queue, task);
        return;
    }
    t->status = TASK_COMPLETE;
    t->result = TASK_ERROR;
    snprintf(t->reason, sizeof(t->reason), "%s", reason);
    reply(w, "ok|1");
    count_finished(w);
}

static void strike_off(struct world *w, int name, const char *event)
{
    struct world_worker *worker = &w->workers[name];
    w->is_refusal = !worker->is_listed && worker->is_in_grave && worker->list.count == 0 && worker->nonce[0] == '\0';
    for (int i = 0; i < worker->list.count; i++)
        push_right(&w->queue, worker->list.items[i]);
    worker->list.count = 0;
    worker->nonce[0] = '\0';
    worker->grave = worker->is_in_grave ? worker->grave : 0;
    worker->is_in_grave = true;
    if (worker->is_listed)
        emit(w, "%s worker=w%d", event, name);
    worker->is_listed = false;
    reply(w, "ok");
}

void world_leave(struct world *w, int name, const char *nonce)
{
    struct world_worker *worker = &w->workers[name];
    start(w);
    if (worker->nonce[0] != '\0' && strcmp(worker->nonce, nonce) != 0) {
        refuse(w, "ok");
        return;
    }
    for (int i = 0; i < worker->list.count; i++) {
        if (w->tasks[worker->list.items[i]].claim[0] != '\0') {
            refuse(w, "busy");
            return;
        }
    }
    strike_off(w, name, "left");
}

/* ---- the controller ---- */

static const char *why_another(const struct world *w, const struct world_acquisition *a)
{
    if (w->state == WORLD_ABSENT)
        return "";
    if (w->state == WORLD_PURGING)
        return "purging";
    if (w->plan != a->plan)
        return "plan";
    if (a->id[0] && strcmp(a->id, w->id) != 0)
        return "id";
    if (w->source != a->source)
        return "source";
    if (a->is_fresh)
        return "fresh";
    return w->state == WORLD_FINISHED && a->id[0] == '\0' ? "finished" : "";
}

/* Whether the holder of the lease has told the verdict of this very plan. */
static bool only_serves(const struct world *w, int plan)
{
    return w->state == WORLD_FINISHED && w->plan == plan && w->holder == w->controller && w->summary[0];
}

/* Whether there will soon be something else than what is found. */
static bool is_on_its_way(const struct world *w, int plan)
{
    return w->state == WORLD_ABSENT || w->state == WORLD_PURGING || w->holder != w->controller ||
           (w->state == WORLD_FINISHED && w->plan == plan);
}

static bool is_dead(const struct world_worker *worker, const char *nonce)
{
    return nonce[0] && strcmp(worker->nonce, nonce) == 0;
}

void world_acquire(struct world *w, const struct world_acquisition *a)
{
    const char *found = w->state != WORLD_ABSENT ? w->id : "", *state = state_names[w->state];
    const char *why = why_another(w, a);
    char source[8] = "";
    start(w);
    if (w->state != WORLD_ABSENT)
        snprintf(source, sizeof(source), "s%d", w->source);
    if (w->holder != WORLD_NOBODY && w->holder != a->me && w->holder != a->dead && !only_serves(w, a->plan)) {
        bool waits = why[0] == '\0' || is_on_its_way(w, a->plan);
        refuse(w, "");
        reply(w, waits ? "standby|%s|%s|%s|%s|controller|c%d" : "occupied|%s|%s|%s|%s|controller|c%d|*", found, state,
              why, source, w->holder);
        return;
    }
    bool is_found = w->state != WORLD_ABSENT, is_replaced = why[0] != '\0';
    for (int i = 0; i < WORLD_NAMES && is_replaced; i++) {
        if (world_is_alive(w, i) && !is_dead(&w->workers[i], a->dead_nonces[i])) {
            refuse(w, "");
            reply(w, "occupied|%s|%s|%s|%s|worker|*", found, state, why, source);
            return;
        }
    }
    for (int i = 0; i < WORLD_NAMES && is_replaced; i++)
        if (is_dead(&w->workers[i], a->dead_nonces[i]))
            w->workers[i].lease = WORLD_LONG_AGO;
    w->holder = a->me;
    bool is_left = is_replaced || (is_found && w->state == WORLD_FINISHED && a->is_again);
    if (!is_left || w->state == WORLD_PURGING)
        w->controller = a->me;
    const char *outcome = !is_found                    ? "fresh"
                          : is_replaced                ? "replace"
                          : w->state == WORLD_FINISHED ? "serve"
                                                       : "resume";
    reply(w, "%s|%s|%s|%s|%s", outcome, found, state, why, source);
}

void world_hold(struct world *w, int me, bool gives_up)
{
    start(w);
    int holder = w->holder != WORLD_NOBODY ? w->holder : w->controller;
    if (holder != me) {
        refuse(w, "fenced");
        return;
    }
    w->is_refusal = gives_up && w->holder == WORLD_NOBODY;
    w->holder = gives_up ? WORLD_NOBODY : me;
    reply(w, "ok|*");
}

/* No lease is longer than one, no grave was dug in the future. Returns whether that was new. */
static bool shorten(struct world *w)
{
    bool is_changed = false;
    for (int i = 0; i < WORLD_NAMES; i++) {
        struct world_worker *worker = &w->workers[i];
        bool is_long = worker->is_listed && worker->lease > 0;
        bool is_late = worker->is_in_grave && worker->grave > 0;
        is_changed = is_changed || is_long || is_late;
        worker->lease = is_long ? 0 : worker->lease;
        worker->grave = is_late ? 0 : worker->grave;
    }
    return is_changed;
}

static void archive(struct world *w, int me, const char *summary)
{
    start(w);
    if (w->holder != me || w->state == WORLD_ABSENT) {
        refuse(w, "fenced");
        return;
    }
    if (w->state == WORLD_PURGING) {
        refuse(w, "ok");
        return;
    }
    for (int i = 0; i < WORLD_NAMES; i++) {
        if (world_is_alive(w, i)) {
            refuse(w, "");
            reply(w, "occupied|%s|%s|worker|*", w->id, state_names[w->state]);
            return;
        }
    }
    assert(w->history_count < WORLD_HISTORY);
    snprintf(w->history[w->history_count++], sizeof(w->history[0]), "%s", summary);
    for (int i = 0; i < WORLD_NAMES; i++) {
        struct world_worker *worker = &w->workers[i];
        worker->grave = worker->is_listed ? 0 : worker->grave;
        worker->is_in_grave |= worker->is_listed;
        worker->is_listed = false;
        worker->nonce[0] = '\0';
        worker->list.count = 0;
    }
    for (int i = 0; i < WORLD_TASKS; i++)
        w->tasks[i].claim[0] = '\0';
    w->has_meta = false;
    w->queue.count = 0;
    w->state = WORLD_PURGING;
    w->controller = me;
    reply(w, "ok");
}

/* Who archives asks for the dead and the gone first. */
void world_archive(struct world *w, int me, const char *summary)
{
    bool is_shortened = shorten(w);
    archive(w, me, summary);
    w->is_refusal = w->is_refusal && !is_shortened;
}

void world_purge(struct world *w, int me, const int *tasks, int count)
{
    start(w);
    if (w->holder != me || w->state != WORLD_PURGING) {
        refuse(w, "fenced");
        return;
    }
    for (int i = 0; i < count; i++) {
        struct world_task *t = &w->tasks[tasks[i]];
        t->exists = t->is_lost = false;
        t->record_count = t->log_count = 0;
        take_out(&w->order, tasks[i]);
    }
    reply(w, "ok");
}

void world_begin(struct world *w, int me, int plan, int source, const char *id)
{
    start(w);
    if (w->holder != me) {
        refuse(w, "fenced");
        return;
    }
    bool is_cleared = w->state == WORLD_ABSENT || (w->state == WORLD_PURGING && w->order.count == 0);
    if (!is_cleared && !(w->state == WORLD_LOADING && w->loaded == 0)) {
        refuse(w, "busy");
        return;
    }
    for (int i = 0; i < WORLD_TASKS; i++)
        w->tasks[i] = (struct world_task){.worker = WORLD_NOBODY};
    w->state = WORLD_LOADING;
    w->plan = plan;
    w->source = source;
    w->loaded = w->event_count = w->signal_count = 0;
    w->is_started = w->is_finished = w->is_reopened = false;
    w->cancel[0] = w->summary[0] = '\0';
    w->kind = CANCEL_NONE;
    w->failed = w->reruns = 0;
    w->controller = me;
    snprintf(w->id, sizeof(w->id), "%s", id);
    reply(w, "ok");
}

void world_enqueue(struct world *w, int me, int plan, int offset, int count)
{
    start(w);
    if (w->holder != me || w->state != WORLD_LOADING || w->plan != plan) {
        refuse(w, "fenced");
        return;
    }
    if (w->loaded != offset) {
        refuse(w, "");
        reply(w, "at|%d", w->loaded);
        return;
    }
    for (int i = offset; i < offset + count; i++) {
        w->tasks[i] = (struct world_task){
            .exists = true, .plan = plan, .worker = WORLD_NOBODY, .has_overrides = world_has_overrides(plan, i)};
        push_right(&w->order, i);
        push_left(&w->queue, i);
    }
    w->loaded += count;
    reply(w, "ok|%d", w->loaded);
}

void world_open(struct world *w, int me)
{
    start(w);
    if (w->holder != me || w->state == WORLD_ABSENT || w->state == WORLD_PURGING) {
        refuse(w, "fenced");
        return;
    }
    if (w->state != WORLD_LOADING) {
        refuse(w, "already");
        return;
    }
    if (w->loaded != world_plan_size(w->plan)) {
        refuse(w, "");
        reply(w, "at|%d", w->loaded);
        return;
    }
    w->state = WORLD_RUNNING;
    w->is_started = w->has_meta = true;
    w->remaining = w->loaded;
    w->finished = 0;
    emit(w, "opened");
    signal_workers(w, "opened");
    reply(w, "ok");
}

void world_cancel(struct world *w, int me, enum cancel_kind kind, const char *reason, const int *tasks, int count)
{
    int cancelled = 0;
    start(w);
    if (w->holder != me) {
        refuse(w, "fenced");
        return;
    }
    if (w->state != WORLD_RUNNING) {
        refuse(w, "closed");
        return;
    }
    w->is_refusal = w->cancel[0] != '\0';
    if (w->cancel[0] == '\0') {
        snprintf(w->cancel, sizeof(w->cancel), "%s", reason);
        w->kind = kind;
        emit(w, "cancelling kind=%s reason=%s", cancel_kind_name(kind), reason);
        signal_workers(w, "cancelled");
    }
    for (int i = 0; i < count; i++) {
        struct world_task *t = &w->tasks[tasks[i]];
        if (find(&w->queue, tasks[i]) < 0)
            continue;
        w->is_refusal = false;
        take_out(&w->queue, tasks[i]);
        if (!t->exists)
            continue;
        cancelled++;
        t->status = TASK_COMPLETE;
        snprintf(t->reason, sizeof(t->reason), "%s", w->cancel);
        emit(w, "cancelled task=task:a:%d reason=%s", tasks[i], w->cancel);
        count_finished(w);
    }
    reply(w, "ok|%d", cancelled);
}

void world_rerun(struct world *w, int me, const int *tasks, int count)
{
    int put_back = 0;
    start(w);
    if (w->holder != me) {
        refuse(w, "fenced");
        return;
    }
    if (w->state != WORLD_RUNNING && w->state != WORLD_FINISHED) {
        refuse(w, "closed");
        return;
    }
    if (w->state == WORLD_RUNNING && w->cancel[0]) {
        refuse(w, "busy");
        return;
    }
    for (int i = 0; i < count; i++) {
        struct world_task *t = &w->tasks[tasks[i]];
        if (!t->exists || t->status != TASK_COMPLETE || (t->result == TASK_PASSED && !t->is_flaky))
            continue;
        put_back++;
        t->status = TASK_WAITING;
        t->result = TASK_UNKNOWN;
        t->is_flaky = t->has_started = false;
        t->duration_ms = 0;
        t->reason[0] = t->details[0] = '\0';
        t->crashes = t->failures = t->releases = t->declined = 0;
        push_left(&w->queue, tasks[i]);
        emit(w, "rerun task=task:a:%d", tasks[i]);
    }
    w->is_refusal = put_back == 0 && w->controller == me;
    w->controller = me;
    reply(w, "ok|%d", put_back);
    if (put_back == 0)
        return;
    w->remaining += put_back;
    w->finished -= put_back;
    w->is_reopened |= w->state == WORLD_FINISHED;
    w->state = WORLD_RUNNING;
    w->is_finished = false;
    w->cancel[0] = w->summary[0] = '\0';
    w->kind = CANCEL_NONE;
    w->failed = 0;
    w->reruns++;
    signal_workers(w, "opened");
}

void world_summarize(struct world *w, int me, const char *summary, int reruns)
{
    start(w);
    if ((w->holder != WORLD_NOBODY ? w->holder : w->controller) != me) {
        refuse(w, "fenced");
        return;
    }
    if (w->state != WORLD_FINISHED || reruns != w->reruns) {
        refuse(w, "closed");
        return;
    }
    snprintf(w->summary, sizeof(w->summary), "%s", summary);
    reply(w, "ok");
}

/* Who is named is model_test's business. */
void world_overdue(struct world *w)
{
    start(w);
    w->is_refusal = !shorten(w);
    reply(w, "ok|*");
}

void world_reclaim(struct world *w, int name, bool is_current, int task)
{
    struct world_worker *worker = &w->workers[name];
    struct world_task *t = &w->tasks[task];
    start(w);
    if (worker->is_listed && (!is_current || worker->lease >= 0)) {
        refuse(w, "alive");
        return;
    }
    if (find(&worker->list, task) < 0) {
        refuse(w, "gone");
        return;
    }
    take_out(&worker->list, task);
    if (!t->exists) {
        reply(w, "gone");
        return;
    }
    reply(w, "ok|0");
    if (t->status == TASK_WAITING) {
        push_right(&w->queue, task);
        return;
    }
    t->crashes++;
    t->claim[0] = '\0';
    add_record(t, "lost %d w%d T true: the worker was lost", t->attempt, name);
    if (t->crashes == 1)
        snprintf(t->reason, sizeof(t->reason), "its worker was lost");
    else
        snprintf(t->reason, sizeof(t->reason), "%d workers were lost", t->crashes);
    bool is_given_up = t->crashes == WORLD_CRASHES;
    emit(w, "lost task=task:a:%d worker=w%d attempt=%d result=%s reason=%s", task, name, t->attempt,
         is_given_up ? "error" : "unknown", t->reason);
    if (is_given_up) {
        t->status = TASK_COMPLETE;
        t->result = TASK_ERROR;
        reply(w, "ok|1");
        count_finished(w);
    } else {
        t->status = TASK_WAITING;
        push_right(&w->queue, task);
    }
}

void world_bury(struct world *w, int name, bool is_current)
{
    struct world_worker *worker = &w->workers[name];
    start(w);
    if (worker->is_listed && (!is_current || worker->lease >= 0))
        refuse(w, "alive");
    else if (worker->list.count > 0)
        refuse(w, "busy");
    else
        strike_off(w, name, "buried");
}

void world_expire_worker(struct world *w, int name)
{
    start(w);
    w->workers[name].lease = WORLD_LONG_AGO;
}

void world_expire_controller(struct world *w)
{
    start(w);
    w->holder = WORLD_NOBODY;
}

void world_set_clock(struct world *w, bool forward)
{
    start(w);
    for (int i = 0; i < WORLD_NAMES; i++) {
        struct world_worker *worker = &w->workers[i];
        if (worker->is_listed && worker->lease != WORLD_LONG_AGO)
            worker->lease += forward ? -1 : 1;
        if (worker->is_in_grave && (!forward || worker->grave > 0)) /* no grave grows old by it: see the test */
            worker->grave += forward ? -1 : 1;
    }
}

void world_lose_hash(struct world *w, int task)
{
    start(w);
    w->tasks[task].exists = false;
    w->tasks[task].is_lost = true;
}

/* ---- what mends ---- */

/* The lists and the token of a lost task. Returns whether it had any. */
static bool put_down(struct world *w, int task)
{
    bool is_changed = w->tasks[task].claim[0] != '\0' || find(&w->queue, task) >= 0;
    w->tasks[task].claim[0] = '\0';
    take_out(&w->queue, task);
    for (int i = 0; i < WORLD_NAMES; i++) {
        is_changed = is_changed || find(&w->workers[i].list, task) >= 0;
        take_out(&w->workers[i].list, task);
    }
    return is_changed;
}

void world_audit(struct world *w)
{
    int lost = 0, open = 0, findings;
    bool is_changed = false;
    start(w);
    if (w->state != WORLD_RUNNING && w->state != WORLD_FINISHED) {
        refuse(w, "waiting");
        return;
    }
    for (int i = 0; i < WORLD_TASKS; i++) {
        struct world_task *t = &w->tasks[i];
        lost += t->is_lost;
        open += t->is_lost || (t->exists && t->status != TASK_COMPLETE);
        if (t->is_lost) {
            is_changed |= put_down(w, i);
            t->status = TASK_WAITING;
        }
    }
    findings = lost;
    if (open != w->remaining) { /* some of them were complete */
        findings += 2;
        is_changed = true;
        w->finished -= open - w->remaining;
        w->remaining = open;
    }
    if (open > 0 && w->state == WORLD_FINISHED) {
        findings += 2;
        w->state = WORLD_RUNNING;
        w->is_finished = false;
        signal_workers(w, "opened");
    }
    if (is_changed) {
        w->event_count++;
        emit(w, "repaired");
    }
    w->is_refusal = !is_changed;
    reply(w, "ok|%d|%d|%d*", world_plan_size(w->plan), findings, lost);
}

void world_restore(struct world *w, int me, const int *tasks, int count)
{
    int restored = 0;
    start(w);
    if (w->holder != me || w->state != WORLD_RUNNING) {
        refuse(w, w->holder != me ? "fenced" : "closed");
        return;
    }
    for (int i = 0; i < count; i++) {
        struct world_task *t = &w->tasks[tasks[i]];
        if (t->exists)
            continue;
        restored++;
        t->exists = true;
        t->is_lost = t->has_started = t->is_flaky = false;
        t->plan = w->plan;
        t->status = TASK_COMPLETE;
        t->result = TASK_ERROR;
        t->attempt = t->record_count;
        t->worker = WORLD_NOBODY;
        t->duration_ms = 0;
        t->details[0] = '\0';
        snprintf(t->reason, sizeof(t->reason), "its record was lost from Redis");
        emit(w, "lost task=task:a:%d worker= attempt=%d result=error reason=%s", tasks[i], t->attempt, t->reason);
        count_finished(w);
    }
    w->is_refusal = restored == 0;
    reply(w, "ok|%d", restored);
}

/* ---- as lines ---- */

struct page {
    char **lines;
    size_t count, limit;
};

static void __attribute__((format(printf, 2, 3))) line(struct page *p, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    assert(p->count < p->limit);
    p->lines[p->count++] = memory_text(text);
}

static void list_lines(struct page *p, const char *name, const struct world_list *l)
{
    for (int i = 0; i < l->count; i++)
        line(p, "%s[%d] = task:a:%d", name, i, l->items[i]);
}

static void hash_lines(struct page *p, int i, const struct world_task *t)
{
    line(p, "task:a:%d.key = task:a:%d", i, i);
    line(p, "task:a:%d.spec = p%d-%d", i, t->plan, i);
    line(p, "task:a:%d.viewport = desktop", i);
    line(p, "task:a:%d.browser = chrome", i);
    line(p, "task:a:%d.status = %s", i, task_status_name(t->status));
    line(p, "task:a:%d.result = %s", i, task_result_name(t->result));
    line(p, "task:a:%d.starttime = %s", i, t->has_started ? "T" : "0");
    line(p, t->duration_ms ? "task:a:%d.duration = %ld000000" : "task:a:%d.duration = %ld", i, t->duration_ms);
    line(p, "task:a:%d.durationstring = %lds", i, t->duration_ms / 1000);
    line(p, "task:a:%d.runner = playwright", i);
    line(p, "task:a:%d.attempt = %d", i, t->attempt);
    if (t->worker == WORLD_NOBODY)
        line(p, "task:a:%d.worker = ", i);
    else
        line(p, "task:a:%d.worker = w%d", i, t->worker);
    line(p, "task:a:%d.flaky = %d", i, t->is_flaky);
    line(p, "task:a:%d.reason = %s", i, t->reason);
}

static void task_lines(struct page *p, int i, const struct world_task *t)
{
    if (t->exists)
        hash_lines(p, i, t);
    for (int r = 0; r < t->record_count; r++)
        line(p, "funkytown:attempts:task:a:%d[%d] = %s", i, r, t->records[r]);
    for (int l = 0; l < t->log_count; l++)
        line(p, "funkytown:logs:task:a:%d.%d = %s", i, t->logs[l].attempt, t->logs[l].is_whole ? "log" : "begun");
    if (t->claim[0])
        line(p, "funkytown:claims.task:a:%d = %s", i, t->claim);
    if (t->settled[0])
        line(p, "funkytown:settled.task:a:%d = %s", i, t->settled);
    if (t->details[0])
        line(p, "funkytown:details.task:a:%d = %s", i, t->details);
    if (t->has_overrides)
        line(p, "funkytown:overrides.task:a:%d = {}", i);
    if (t->crashes)
        line(p, "funkytown:crashes.task:a:%d = %d", i, t->crashes);
    if (t->failures)
        line(p, "funkytown:failures.task:a:%d = %d", i, t->failures);
    if (t->releases)
        line(p, "funkytown:releases.task:a:%d = %d", i, t->releases);
    if (t->declined)
        line(p, "funkytown:declined.task:a:%d = %d", i, t->declined);
}

static void worker_lines(struct page *p, int i, const struct world_worker *worker)
{
    char name[32];
    if (worker->is_listed)
        line(p, "funkytown:workers w%d %s", i,
             worker->lease > 0    ? "ahead"
             : worker->lease == 0 ? "alive"
                                  : "expired");
    if (worker->is_in_grave)
        line(p, "funkytown:graves w%d %s", i, worker->grave > 0 ? "ahead" : "T");
    if (worker->nonce[0]) {
        line(p, "funkytown:worker:w%d.nonce = %s", i, worker->nonce);
        line(p, "funkytown:worker:w%d.host = h", i);
        line(p, "funkytown:worker:w%d.pid = %d", i, worker->pid);
        line(p, "funkytown:worker:w%d.slots = 2", i);
        line(p, "funkytown:worker:w%d.identity = %s", i, worker->nonce);
    }
    snprintf(name, sizeof(name), "funkytown:processing:w%d", i);
    list_lines(p, name, &worker->list);
}

static void run_lines(struct page *p, const struct world *w)
{
    if (w->controller != WORLD_NOBODY)
        line(p, "funkytown:run.controller = c%d", w->controller);
    if (w->state == WORLD_ABSENT)
        return;
    line(p, "funkytown:run.id = %s", w->id);
    line(p, "funkytown:run.digest = d%d", w->plan);
    line(p, "funkytown:run.source = s%d", w->source);
    line(p, "funkytown:run.total = %d", world_plan_size(w->plan));
    line(p, "funkytown:run.lease_ms = 50000000");
    line(p, "funkytown:run.max_crashes = %d", WORLD_CRASHES);
    line(p, "funkytown:run.max_releases = %d", WORLD_RELEASES);
    line(p, "funkytown:run.state = %s", state_names[w->state]);
    if (w->cancel[0])
        line(p, "funkytown:run.cancel = %s", w->cancel);
    if (w->kind != CANCEL_NONE)
        line(p, "funkytown:run.cancel_kind = %s", cancel_kind_name(w->kind));
    if (w->summary[0])
        line(p, "funkytown:run.summary = %s", w->summary);
    if (w->failed > 0)
        line(p, "funkytown:run.failed = %d", w->failed);
    if (w->reruns > 0)
        line(p, "funkytown:run.reruns = %d", w->reruns);
    line(p, "funkytown:run.loaded = %d", w->loaded);
    line(p, "funkytown:run.events = %d", w->event_count);
    if (w->is_started)
        line(p, "funkytown:run.started_ms = T");
    if (w->is_finished)
        line(p, "funkytown:run.finished_ms = T");
    if (w->is_reopened) {
        line(p, "funkytown:run.reopened_ms = T");
        line(p, "funkytown:run.idle_ms = D");
    }
}

size_t world_lines(const struct world *w, char **lines, size_t limit)
{
    struct page p = {lines, 0, limit};
    if (w->holder != WORLD_NOBODY)
        line(&p, "funkytown:controller = c%d for a while", w->holder);
    run_lines(&p, w);
    if (w->has_meta) {
        line(&p, "runmeta.runid = %s", w->id);
        line(&p, "runmeta.tasksremaining = %d", w->remaining);
        line(&p, "runmeta.tasksfinished = %d", w->finished);
        line(&p, "runmeta.finished = %d", w->remaining == 0);
    }
    list_lines(&p, "taskqueue", &w->queue);
    list_lines(&p, "funkytown:order", &w->order);
    for (int i = 0; i < WORLD_TASKS; i++)
        task_lines(&p, i, &w->tasks[i]);
    for (int i = 0; i < WORLD_NAMES; i++)
        worker_lines(&p, i, &w->workers[i]);
    for (int i = 0; i < w->signal_count; i++)
        line(&p, "funkytown:signals event=%s", w->signals[i]);
    for (int i = 0; i < w->history_count; i++)
        line(&p, "funkytown:history[%d] = %s", i, w->history[w->history_count - 1 - i]);
    for (int i = 0; i < w->new_events; i++)
        line(&p, "%s", w->events[i]);
    return p.count;
}

/* ---- invariants ---- */

static int count_in(const struct world_list *l, int item)
{
    int count = 0;
    for (int i = 0; i < l->count; i++)
        count += l->items[i] == item;
    return count;
}

static const char *find_task_flaw(const struct world *w, int task)
{
    const struct world_task *t = &w->tasks[task];
    int queued = count_in(&w->queue, task), held = 0;
    for (int i = 0; i < WORLD_NAMES; i++)
        held += count_in(&w->workers[i].list, task);
    if (t->is_lost && w->state != WORLD_PURGING)
        return NULL;
    if (!t->exists || w->state == WORLD_PURGING)
        return queued + held > 0 ? "a task that isn't there is in a list" : NULL;
    switch (t->status) {
    case TASK_WAITING:
        if (queued + held != 1)
            return "a waiting task is not in exactly one place";
        return t->claim[0] ? "a waiting task has a token" : NULL;
    case TASK_PROCESSING:
        if (queued > 0 || held != 1 || count_in(&w->workers[t->worker].list, task) != 1)
            return "a processing task is not in the list of its worker alone";
        return t->claim[0] ? NULL : "a processing task has no token";
    default:
        if (queued + held > 0)
            return "a complete task is in a list";
        return t->claim[0] ? "a complete task has a token" : NULL;
    }
}

const char *world_find_flaw(const struct world *w)
{
    int complete = 0;
    for (int i = 0; i < WORLD_TASKS; i++) {
        const char *flaw = find_task_flaw(w, i);
        if (flaw)
            return flaw;
        complete += (w->tasks[i].exists || w->tasks[i].is_lost) && w->tasks[i].status == TASK_COMPLETE;
    }
    if (w->has_meta && w->remaining + w->finished != world_plan_size(w->plan))
        return "remaining and finished don't add up to the number of tasks";
    if (w->has_meta && w->finished != complete)
        return "the number of finished tasks is not that of complete ones";
    if (w->has_meta && (w->remaining == 0) != (w->state == WORLD_FINISHED))
        return "the run's state is not that of its counters";
    for (int i = 0; i < WORLD_NAMES; i++) {
        const struct world_worker *worker = &w->workers[i];
        if (worker->list.count > 0 && !worker->is_listed && !worker->is_in_grave)
            return "a list is swept by nobody";
    }
    return NULL;
}
