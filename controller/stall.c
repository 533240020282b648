#include "controller/stall.h"

#include <stdlib.h>

#include "controller/auditor.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/redis_reply.h"

enum { COMMAND_TIMEOUT_MS = 10000, RESTORED_AT_A_TIME = 100 };

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

/* It is looked again after another lease, whatever came out. */
static void end_look(struct stall *s)
{
    s->round++;
    s->is_asking = false;
    s->quiet_since_ms = clock_mono_ms();
}

static bool is_answer(struct stall *s, const struct redisReply *reply)
{
    if (reply && redis_reply_error(reply) == NULL)
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
        ptrdiff_t index = plan_find(s->plan, ledger_text(audited, 4 + i));
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
    size_t found = (size_t)ledger_number(reply, 2), lost = (size_t)ledger_number(reply, 3);
    if (s->count == 0 && found > 0) {
        s->count = found;
        memory_copy_text(s->finding, sizeof(s->finding), ledger_text(reply, 4 + lost));
    }
    if (lost > 0) {
        restore(s, reply, lost);
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

static void on_length(void *data, const struct redisReply *reply)
{
    struct stall *s = end_step(data);
    if (s == NULL || !is_answer(s, reply))
        return;
    s->is_busy = s->is_busy || redis_reply_integer(reply, 0) > 0;
    if (--s->awaited == 0)
        judge(s);
}

static void ask(struct stall *s, redis_reply_fn *reply, int argc, const char *const *argv)
{
    struct step *step = new_step(s);
    if (redis_link_send(s->ledger->link, COMMAND_TIMEOUT_MS, reply, step, argc, argv, NULL) < 0)
        free_step(step);
}

static void ask_length(struct stall *s, const char *key)
{
    s->awaited++;
    ask(s, on_length, 2, (const char *const[]){"LLEN", key});
}

static void on_workers(void *data, const struct redisReply *reply)
{
    struct stall *s = end_step(data);
    if (s == NULL || !is_answer(s, reply))
        return;
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        char key[LEDGER_KEY_SIZE];
        const char *worker = redis_reply_text(redis_reply_at(reply, i));
        ledger_processing_key(&s->ledger->keys, worker ? worker : "", key);
        ask_length(s, key);
    }
}

/* The last of what is asked first: by now it is known how many lists there are. */
static void on_remaining(void *data, const struct redisReply *reply)
{
    struct stall *s = end_step(data);
    if (s == NULL || !is_answer(s, reply))
        return;
    s->remaining = redis_reply_integer(reply, -1);
    ask_length(s, s->ledger->keys.names[LEDGER_TASKQUEUE]);
}

void stall_look(struct stall *s, uint64_t events_seen)
{
    const struct ledger_keys *keys = &s->ledger->keys;
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
    ask(s, on_workers, 4, (const char *const[]){"ZRANGE", keys->names[LEDGER_WORKERS], "0", "-1"});
    ask(s, on_workers, 4, (const char *const[]){"ZRANGE", keys->names[LEDGER_GRAVES], "0", "-1"});
    ask(s, on_remaining, 3, (const char *const[]){"HGET", keys->names[LEDGER_RUNMETA], "tasksremaining"});
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
