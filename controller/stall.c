/*
 * The cheap questions come first (workers, graves, the counter, then the lists), and only what they say leads to an
 * audit. The audit itself is the auditor's.
 */
#include "controller/stall.h"

#include <stdlib.h>

#include "controller/auditor.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/memory.h"

enum { RESTORED_AT_A_TIME = 100 };

struct step {
    struct stall *stall;
    unsigned round;
    char (*keys)[TASK_KEY_SIZE]; /* owned, of an audit: every task of the plan */
    const char **tasks;          /* owned: pointers to them */
};

static struct step *new_step(struct stall *s)
{
    struct step *step = memory_zeroed(1, sizeof(*step));
    *step = (struct step){.stall = s, .round = s->round};
    return step;
}

static void free_step(struct step *step)
{
    free(step->keys);
    free(step->tasks);
    free(step);
}

/* The stall if the answer is still wanted; frees the step. */
static struct stall *end_step(void *data)
{
    struct step *step = data;
    struct stall *s = step->round == step->stall->round ? step->stall : NULL;
    free_step(step);
    return s;
}

/* Whatever came out, the next look is after another lease. */
static void end_look(struct stall *s)
{
    s->round++;
    s->is_asking = false;
    s->quiet_since_ms = clock_mono_ms();
}

static bool is_answer(struct stall *s, const struct ledger_reply *reply)
{
    if (reply->outcome == LEDGER_OK)
        return true;
    end_look(s);
    return false;
}

/* ---- mending ---- */

static void audit(struct stall *s);

static void on_restored(void *data, const struct ledger_reply *reply)
{
    struct stall *s = end_step(data);
    if (s && reply->outcome == LEDGER_OK)
        audit(s); /* there may be more of them than an audit tells */
    else if (s)
        end_look(s);
}

/* The plan has all that the hash of a task began with. */
static void restore(struct stall *s, const struct ledger_reply *audited, size_t lost)
{
    struct ledger_entry entries[RESTORED_AT_A_TIME];
    size_t count = 0;
    for (size_t i = 0; i < lost && count < RESTORED_AT_A_TIME; i++) {
        ptrdiff_t index = plan_find(s->plan, ledger_lost(audited, i));
        if (index < 0)
            continue;
        const struct plan_task *task = &s->plan->tasks[index];
        entries[count] = (struct ledger_entry){
            .spec = task->spec, .viewport = task->viewport, .browser = task->browser, .runner = task->runner};
        plan_key(s->plan, (size_t)index, entries[count++].key);
    }
    struct step *step = new_step(s);
    if (ledger_restore(s->ledger, s->me, entries, count, on_restored, step) == 0)
        return;
    free_step(step);
    end_look(s);
}

static void on_audited(void *data, const struct ledger_reply *reply)
{
    struct stall *s = end_step(data);
    if (s == NULL)
        return;
    if (reply->outcome == LEDGER_TROUBLE)
        log_warn("run.stalled", LOG_TEXT("reason", reply->text));
    if (reply->outcome != LEDGER_OK) {
        end_look(s);
        return;
    }
    const struct ledger_audited audited = ledger_audited(reply);
    if (s->count == 0 && audited.findings > 0) {
        s->count = (size_t)audited.findings;
        memory_copy_text(s->finding, sizeof(s->finding), ledger_finding(reply, 0));
    }
    if (audited.lost > 0) {
        restore(s, reply, audited.lost);
        return;
    }
    end_look(s);
    s->on_mended(s->data, s->finding, s->count);
}

static void audit(struct stall *s)
{
    size_t count = s->plan->task_count;
    struct step *step = new_step(s);
    step->keys = memory_zeroed(count, sizeof(*step->keys));
    step->tasks = memory_zeroed(count, sizeof(*step->tasks));
    for (size_t i = 0; i < count; i++) {
        plan_key(s->plan, i, step->keys[i]);
        step->tasks[i] = step->keys[i];
    }
    if (auditor_ask(s->ledger, true, step->tasks, count, on_audited, step) == 0)
        return;
    free_step(step);
    end_look(s);
}

/* ---- looking ---- */

/* Nobody has anything to do, or the counters tell of another run than the board: neither mends itself. */
static void judge(struct stall *s)
{
    size_t open = board_count(s->board, BOARD_QUEUED) + board_count(s->board, BOARD_RUNNING);
    if (s->is_busy && s->remaining == (int64_t)open) {
        end_look(s);
        return;
    }
    s->count = 0;
    s->finding[0] = '\0';
    audit(s);
}

static void on_length(void *data, const struct ledger_reply *reply)
{
    struct stall *s = end_step(data);
    if (s == NULL || !is_answer(s, reply))
        return;
    s->is_busy = s->is_busy || ledger_value_number(reply, 0) > 0;
    if (--s->awaited == 0)
        judge(s);
}

typedef int ask_fn(struct ledger *ledger, ledger_reply_fn *reply, void *data);

static void ask(struct stall *s, ask_fn *ask_ledger, ledger_reply_fn *reply)
{
    struct step *step = new_step(s);
    if (ask_ledger(s->ledger, reply, step) < 0)
        free_step(step);
}

static void ask_length_of(struct stall *s, const char *worker)
{
    struct step *step = new_step(s);
    s->awaited++;
    if (ledger_ask_processing_length(s->ledger, worker, on_length, step) < 0)
        free_step(step);
}

static void on_workers(void *data, const struct ledger_reply *reply)
{
    struct stall *s = end_step(data);
    if (s == NULL || !is_answer(s, reply))
        return;
    for (size_t i = 0; i < ledger_list_count(reply); i++)
        ask_length_of(s, ledger_list_text(reply, i));
}

/* The last of what is asked first: by now it is known how many lists there are. */
static void on_remaining(void *data, const struct ledger_reply *reply)
{
    struct stall *s = end_step(data);
    if (s == NULL || !is_answer(s, reply))
        return;
    s->remaining = ledger_value_number(reply, -1);
    s->awaited++;
    ask(s, ledger_ask_queue_length, on_length);
}

void stall_look(struct stall *s, uint64_t events_seen)
{
    uint64_t now = clock_mono_ms();
    if (events_seen != s->events_seen || s->quiet_since_ms == 0) {
        s->events_seen = events_seen;
        s->quiet_since_ms = now;
    }
    if (s->is_asking || now - s->quiet_since_ms < s->lease_ms)
        return;
    s->is_asking = true;
    s->is_busy = false;
    s->awaited = 0;
    ask(s, ledger_ask_workers, on_workers);
    ask(s, ledger_ask_graves, on_workers);
    ask(s, ledger_ask_remaining, on_remaining);
}

/* ---- outside ---- */

void stall_init(struct stall *s, struct ledger *ledger, const char *me, const struct plan *plan,
                const struct board *board, unsigned lease_ms, stall_fn *on_mended, void *data)
{
    *s = (struct stall){.ledger = ledger,
                        .me = me,
                        .plan = plan,
                        .board = board,
                        .lease_ms = lease_ms,
                        .on_mended = on_mended,
                        .data = data};
}

void stall_stop(struct stall *s)
{
    end_look(s);
}
