/*
 * The answers of one link come in the order of the questions: a task's attempts, then its output if it did not pass,
 * then the next task's. So what was asked first is told first, and one task at a time is held.
 */
#include "controller/export/export_walk.h"

#include <stdlib.h>
#include <string.h>

#include "controller/step.h"
#include "shared/memory.h"

enum { WINDOW = 32 }; /* tasks that are asked for at a time */

/* Begins with a step. */
struct question {
    struct step step;
    size_t index;
    bool asks_log; /* as well */
};

static void walk_on(struct export_walk *w);

/* ---- telling ---- */

static void forget_attempts(struct export_walk *w)
{
    for (size_t i = 0; i < w->attempt_count; i++)
        record_close(&w->attempts[i]);
    free(w->attempts);
    w->attempts = NULL;
    w->attempt_count = 0;
}

static void tell(struct export_walk *w, const char *log, size_t length)
{
    const struct export_task task = {
        .plan = w->plan,
        .index = w->told,
        .state = board_task(w->board, w->told),
        .attempts = w->attempts,
        .attempt_count = w->attempt_count,
        .log = log,
        .log_length = length,
    };
    w->events.on_task(w->data, &task);
    w->told++;
    forget_attempts(w);
}

/* Up to this one: nothing was asked of them. */
static void tell_until(struct export_walk *w, size_t index)
{
    while (w->is_walking && w->told < index)
        tell(w, NULL, 0);
}

static void end(struct export_walk *w, bool is_complete)
{
    if (!w->is_walking)
        return;
    export_walk_stop(w);
    w->events.on_end(w->data, is_complete);
}

static void fail(struct export_walk *w, const char *why)
{
    memory_copy_text(w->trouble, sizeof(w->trouble), why ? why : "the link to Redis was lost");
    end(w, false);
}

/* ---- asking ---- */

static bool needs_attempts(const struct board_task *task)
{
    const struct test_counts *t = &task->tests;
    bool told_tests = t->passed + t->failed + t->skipped + t->flaky > 0;
    return task->attempt > 0 && (told_tests || task->state != BOARD_PASSED);
}

static bool needs_log(const struct board_task *task)
{
    return task->state == BOARD_FAILED || task->state == BOARD_ERROR || task->state == BOARD_FLAKY;
}

static void on_log(void *data, const struct ledger_reply *reply)
{
    struct export_walk *w = step_end(data);
    size_t length = 0;
    if (w == NULL)
        return;
    if (reply->outcome != LEDGER_OK) {
        fail(w, reply->text);
        return;
    }
    const char *log = ledger_value(reply, &length);
    tell(w, log, length);
    w->in_flight--;
    walk_on(w);
}

/* A record that can't be read was written by no worker of ours: the task counts as the board has it. */
static void read_attempts(struct export_walk *w, const struct ledger_reply *reply)
{
    struct error err;
    size_t count = ledger_list_count(reply);
    w->attempts = memory_zeroed(count + 1, sizeof(*w->attempts));
    for (size_t i = 0; i < count; i++) {
        const char *text = ledger_list_text(reply, i);
        if (record_parse(&w->attempts[w->attempt_count], text, strlen(text), &err) == 0)
            w->attempt_count++;
    }
}

static void on_attempts(void *data, const struct ledger_reply *reply)
{
    struct question q = *(struct question *)data;
    struct export_walk *w = step_end(data);
    if (w == NULL)
        return;
    if (reply->outcome != LEDGER_OK) {
        fail(w, reply->text);
        return;
    }
    tell_until(w, q.index);
    if (!w->is_walking)
        return;
    read_attempts(w, reply);
    if (q.asks_log)
        return;
    tell(w, NULL, 0);
    w->in_flight--;
    walk_on(w);
}

/* Everything before this answer was read of the run that it names. */
static void on_run(void *data, const struct ledger_reply *reply)
{
    struct export_walk *w = step_end(data);
    if (w == NULL)
        return;
    const char *id = reply->outcome == LEDGER_OK ? ledger_field(reply, 0) : NULL;
    if (reply->outcome != LEDGER_OK) {
        fail(w, reply->text);
    } else if (id == NULL || strcmp(id, board_run_id(w->board)) != 0) {
        fail(w, "another run has begun");
    } else {
        tell_until(w, board_total(w->board));
        end(w, true);
    }
}

static void ask_run(struct export_walk *w)
{
    struct step *step = step_new(w, &w->round);
    if (ledger_ask_run(w->ledger, (const char *const[]){"id"}, 1, on_run, step) == 0)
        return;
    free(step);
    fail(w, NULL);
}

/* -1: the link isn't up. */
static int ask(struct export_walk *w, size_t index)
{
    char key[TASK_KEY_SIZE];
    const struct board_task *task = board_task(w->board, index);
    struct question *q = memory_zeroed(1, sizeof(*q));
    *q = (struct question){{w, &w->round, w->round}, index, needs_log(task)};
    plan_key(w->plan, index, key);
    bool asks_log = q->asks_log;
    if (ledger_ask_attempts(w->ledger, key, on_attempts, q) < 0) {
        free(q);
        return -1;
    }
    w->in_flight++;
    if (!asks_log)
        return 0;
    struct step *step = step_new(w, &w->round);
    if (ledger_ask_log(w->ledger, key, task->attempt, on_log, step) == 0)
        return 0;
    free(step);
    return -1;
}

static void walk_on(struct export_walk *w)
{
    size_t total = board_total(w->board);
    if (!w->is_walking)
        return;
    for (; w->asked < total && w->in_flight < WINDOW; w->asked++) {
        if (needs_attempts(board_task(w->board, w->asked)) && ask(w, w->asked) < 0) {
            fail(w, NULL);
            return;
        }
    }
    if (w->asked == total && w->in_flight == 0)
        ask_run(w);
}

void export_walk_start(struct export_walk *w, struct ledger *ledger, const struct plan *plan,
                       const struct board *board, const struct export_walk_events *events, void *data)
{
    unsigned round = w->round + 1;
    forget_attempts(w);
    *w = (struct export_walk){.ledger = ledger,
                              .plan = plan,
                              .board = board,
                              .events = *events,
                              .data = data,
                              .round = round,
                              .is_walking = true};
    walk_on(w);
}

void export_walk_stop(struct export_walk *w)
{
    w->round++;
    w->is_walking = false;
    forget_attempts(w);
}
