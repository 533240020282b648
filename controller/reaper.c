#include "controller/reaper.h"

#include <stdlib.h>

#include "shared/clock.h"
#include "shared/log.h"
#include "shared/memory.h"

enum {
    LONGEST_PASS_MS = 2000, /* between two looks for the dead, however long a lease is */
};

/* One who is dead or has gone, while his list is swept. */
struct question {
    struct reaper *reaper;
    unsigned round;
    char *worker;    /* owned; NULL: nobody yet */
    char *lease_end; /* owned; "": he has gone, there is nobody to strike off */
};

static struct question *new_question(struct reaper *r, const char *worker, const char *lease_end)
{
    struct question *question = memory_zeroed(1, sizeof(*question));
    *question = (struct question){r, r->round, memory_text(worker), memory_text(lease_end)};
    return question;
}

static void free_question(struct question *question)
{
    free(question->worker);
    free(question->lease_end);
    free(question);
}

static bool is_stale(const struct question *question)
{
    return question->round != question->reaper->round;
}

/* ---- who may be dead ---- */

static void spare_everybody(struct reaper *r, uint64_t until_ms)
{
    if (until_ms > r->nobody_dies_before_ms)
        r->nobody_dies_before_ms = until_ms;
}

static bool is_renewed(const struct reaper *r, uint64_t now)
{
    return now - r->renewed_ms <= r->lease_ms * 2 / 3; /* it is due after one third */
}

static bool may_anybody_die(const struct reaper *r)
{
    uint64_t now = clock_mono_ms();
    return is_renewed(r, now) && now >= r->nobody_dies_before_ms;
}

/* After a step of the clock no lease says anything: the living get one lease to renew theirs by the new time. */
static void read_clock(struct reaper *r, const struct ledger_reply *reply)
{
    uint64_t now = clock_mono_ms();
    int64_t step_ms = clock_watch_read(&r->clock, ledger_now_ms(reply), reply->sent_ms, now);
    if (step_ms == 0)
        return;
    log_warn("redis.clock_set", LOG_INT("by_ms", step_ms),
             LOG_TEXT("reason", "nobody is declared dead for one lease"));
    spare_everybody(r, now + r->lease_ms);
}

void reaper_renewed(struct reaper *r, const struct ledger_reply *held)
{
    uint64_t now = clock_mono_ms();
    if (!is_renewed(r, now))
        spare_everybody(r, now + REDIS_LINK_LONGEST_WAIT_MS + r->lease_ms);
    r->renewed_ms = now;
    read_clock(r, held);
}

/* ---- sweeping ---- */

static void on_buried(void *data, const struct ledger_reply *reply)
{
    (void)reply;
    free_question(data);
}

static void on_reclaimed(void *data, const struct ledger_reply *reply)
{
    struct question *question = data;
    if (reply->outcome == LEDGER_OK) {
        question->reaper->tasks_reclaimed++;
        log_warn("task.reclaimed", LOG_TEXT("worker", question->worker),
                 LOG_INT("given_up", ledger_is_given_up(reply)));
    }
    free_question(question);
}

static void reclaim(struct question *of, const char *task)
{
    struct question *question = new_question(of->reaper, of->worker, of->lease_end);
    if (ledger_reclaim(of->reaper->ledger, question->worker, question->lease_end, task, on_reclaimed, question) < 0)
        free_question(question);
}

static void bury(struct question *of)
{
    struct question *question = new_question(of->reaper, of->worker, of->lease_end);
    if (ledger_bury(of->reaper->ledger, question->worker, question->lease_end, on_buried, question) < 0)
        free_question(question);
}

static void on_list(void *data, const struct ledger_reply *reply)
{
    struct question *question = data;
    if (!is_stale(question) && reply->outcome == LEDGER_OK) {
        for (size_t i = 0; i < ledger_list_count(reply); i++)
            reclaim(question, ledger_list_text(reply, i));
        if (question->lease_end[0])
            bury(question);
    }
    free_question(question);
}

static void sweep(struct reaper *r, const struct ledger_late *late)
{
    struct question *question = new_question(r, late->worker, late->lease_end);
    if (ledger_ask_processing(r->ledger, late->worker, on_list, question) < 0)
        free_question(question);
}

static void on_overdue(void *data, const struct ledger_reply *reply)
{
    struct question *question = data;
    struct reaper *r = question->reaper;
    bool is_wanted = !is_stale(question) && reply->outcome == LEDGER_OK;
    free_question(question);
    if (!is_wanted)
        return;
    read_clock(r, reply);
    if (!may_anybody_die(r)) /* the answer itself may have come late */
        return;
    for (size_t i = 0; i < ledger_late_count(reply); i++) {
        const struct ledger_late late = ledger_late(reply, i);
        sweep(r, &late);
    }
}

/* Also while nobody may die: it notices at once when a clock was set back, and shortens the leases then too long. */
static void on_pass(uv_timer_t *timer)
{
    struct reaper *r = timer->data;
    if (!r->is_watching)
        return;
    struct question *question = new_question(r, "", "");
    if (ledger_overdue(r->ledger, clock_watch_least(&r->clock, clock_mono_ms()), on_overdue, question) < 0)
        free_question(question);
}

/* ---- outside ---- */

void reaper_init(struct reaper *r, uv_loop_t *loop, struct ledger *ledger, unsigned lease_ms)
{
    *r = (struct reaper){.ledger = ledger, .lease_ms = lease_ms};
    uv_timer_init(loop, &r->pass);
    r->pass.data = r;
    unsigned pass_ms = lease_ms / 3 < LONGEST_PASS_MS ? lease_ms / 3 : LONGEST_PASS_MS;
    uv_timer_start(&r->pass, on_pass, pass_ms, pass_ms);
}

void reaper_watch(struct reaper *r)
{
    r->is_watching = true;
    r->round++;
    r->renewed_ms = clock_mono_ms();
    spare_everybody(r, r->renewed_ms + REDIS_LINK_LONGEST_WAIT_MS + r->lease_ms);
}

void reaper_rest(struct reaper *r)
{
    r->is_watching = false;
    r->round++;
}

void reaper_close(struct reaper *r, uv_close_cb closed)
{
    reaper_rest(r);
    uv_close((uv_handle_t *)&r->pass, closed);
}
