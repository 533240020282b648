/*
 * The scripts against a model of them (world.h), through shared/ledger.c, on a real server, in random histories.
 *
 * Workers and controllers are small state machines that lose replies, send again, die in every gap, come back from
 * the dead and share names; leases end when the test says so; Redis falls back to an older state, loses hashes, and
 * has its clock set. After every step everything in Redis must be what the model says, the model must be without a
 * flaw, a refusal must have written nothing, and the stream of events must give the same board. At the end of a
 * history those that live must be able to finish the run.
 *
 *     MODEL_SEED=n     the first history's seed; each further one has the next number
 *     MODEL_STEPS=n    ends with the history in which the n-th step was made; else after MODEL_SECONDS (20)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "shared/clock.h"
#include "shared/ledger.h"
#include "shared/memory.h"
#include "shared/redis_reply.h"
#include "tests/redis/keyspace.h"
#include "tests/redis/redis_fixture.h"
#include "tests/redis/world.h"

enum {
    PROCESSES = 4,
    HOLDINGS = 2,
    PAST = 8,
    SHORTEST_HISTORY = 50,
    LONGEST_HISTORY = 500,
    TOLD_STEPS = 30,
    LINES = 400,
    DRAIN_ROUNDS = 60,
    LEASE_MS = 50000000,
    STEP_MS = 4 * LEASE_MS, /* by which the clock is set */
    BROKEN_SCRIPTS = 3,     /* exit status */
};

/* ---- who acts ---- */

struct holding {
    int task; /* WORLD_NOBODY: none */
    char token[WORLD_TOKEN_SIZE];
    bool is_claimed;
    enum task_result result; /* UNKNOWN until it was settled the first time */
};

struct process {
    bool exists, has_joined;
    int name, pid;
    char nonce[WORLD_TOKEN_SIZE];
    struct ledger ledger;
    struct holding holdings[HOLDINGS];
};

enum stage { STAGE_OUT, STAGE_ARCHIVE, STAGE_PURGE, STAGE_BEGIN, STAGE_ENQUEUE, STAGE_OPEN, STAGE_WATCH };

struct controller {
    enum stage stage;
    int plan, source, offset;
    bool is_fresh, is_again;
    char id[16]; /* "": none given */
};

/* ---- what is counted beside the model, from what the operations said ---- */

struct tally {
    int claims, failures, crashes, releases, ends;
    enum task_result result;
};

struct board_task {
    enum task_status status;
    enum task_result result;
    int attempt;
    char worker[8];
    bool is_flaky;
};

/* What the stream of events tells. */
struct board {
    int last;
    struct board_task tasks[WORLD_TASKS];
};

/* All that falls back when Redis does. */
struct state {
    struct world world;
    struct tally tallies[WORLD_TASKS];
    struct board board;
    char last_event[64];
};

/* A copy of Redis: keys, their dumps, their times to live. */
struct snapshot {
    bool is_taken;
    struct state state;
    redisReply *keys, *dumps[200];
    int64_t ttls[200];
};

struct model {
    struct redis_fixture server;
    uv_loop_t loop;
    struct redis_address address;
    struct redis_link *link;
    bool is_up, is_closed;
    struct ledger ledger; /* of everybody who isn't a process */
    struct answer answer;

    uint64_t seed, random;
    unsigned long steps, history_steps;
    bool is_reliable; /* no reply is lost */
    int runs, summaries, pids;
    struct state now;
    struct keyspace space;
    struct snapshot snapshot;
    char looked_at[WORLD_NAMES][32]; /* ends of leases that an overdue told, at some time */
    struct process processes[PROCESSES];
    struct controller controllers[WORLD_CONTROLLERS];
    struct {
        int name, task;
        char token[WORLD_TOKEN_SIZE];
    } past[PAST]; /* claims of old, for a settlement that comes late */
    char told[TOLD_STEPS][320];
};

static unsigned draw(struct model *m, unsigned below)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return (unsigned)(m->random >> 33) % below;
}

static void draw_token(struct model *m, char kind, char *token)
{
    snprintf(token, WORLD_TOKEN_SIZE, "%c%08x", kind, draw(m, 0x40000000));
}

static const char *name_text(int name)
{
    static const char *const names[WORLD_NAMES] = {"w0", "w1", "w2"};
    return names[name];
}

static const char *controller_text(int controller)
{
    static const char *const names[WORLD_CONTROLLERS] = {"c0", "c1", "c2"};
    return controller == WORLD_NOBODY ? "" : names[controller];
}

static const char *task_text(int task)
{
    static const char *const keys[WORLD_TASKS] = {"task:a:0", "task:a:1", "task:a:2", "task:a:3", "task:a:4"};
    return keys[task];
}

static const char *digest_text(int plan)
{
    return plan == 0 ? "d0" : "d1";
}

/* ---- violations ---- */

static void __attribute__((format(printf, 2, 3))) tell(struct model *m, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(m->told[m->steps % TOLD_STEPS], sizeof(m->told[0]), format, arguments);
    va_end(arguments);
    m->steps++;
    m->history_steps++;
}

static void __attribute__((noreturn, format(printf, 2, 3))) violate(struct model *m, const char *format, ...)
{
    va_list arguments;
    unsigned long known = m->history_steps < TOLD_STEPS ? m->history_steps : TOLD_STEPS;
    for (unsigned long i = m->steps - known; i < m->steps; i++)
        fprintf(stderr, "  %4lu %s\n", m->history_steps - (m->steps - i) + 1, m->told[i % TOLD_STEPS]);
    fprintf(stderr, "VIOLATION: ");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nto see it again: MODEL_SEED=%" PRIu64 " MODEL_STEPS=1\n", m->seed);
    fail();
    abort();
}

/* ---- checks ---- */

static void field_of(const char *event, const char *name, char *value, size_t size)
{
    char wanted[16];
    snprintf(wanted, sizeof(wanted), " %s=", name);
    const char *found = strstr(event, wanted);
    const char *start = found ? found + strlen(wanted) : "";
    snprintf(value, size, "%.*s", (int)strcspn(start, " "), start);
}

static void apply_event(struct model *m, const char *event)
{
    struct board *board = &m->now.board;
    char n[16], e[16], t[16], w[8], a[16], r[16], f[4];
    field_of(event, "number", n, sizeof(n));
    field_of(event, "event", e, sizeof(e));
    field_of(event, "task", t, sizeof(t));
    field_of(event, "worker", w, sizeof(w));
    field_of(event, "attempt", a, sizeof(a));
    field_of(event, "result", r, sizeof(r));
    field_of(event, "flaky", f, sizeof(f));
    board->last = atoi(n);
    if (t[0] == '\0')
        return;
    struct board_task *task = &board->tasks[t[strlen(t) - 1] - '0'];
    bool is_lost = strcmp(e, "lost") == 0;
    bool is_given_up = is_lost || strcmp(e, "released") == 0;
    if (a[0])
        task->attempt = atoi(a);
    if (strcmp(e, "claimed") == 0) {
        task->status = TASK_PROCESSING;
        snprintf(task->worker, sizeof(task->worker), "%s", w);
    } else if (strcmp(e, "cancelled") == 0) {
        task->status = TASK_COMPLETE;
        task->result = TASK_UNKNOWN;
        task->is_flaky = false;
    } else if (strcmp(e, "settled") == 0 || (is_given_up && strcmp(r, "error") == 0)) {
        task->status = TASK_COMPLETE;
        task->result = (enum task_result)task_result_parse(r);
        task->is_flaky = f[0] == '1';
    } else {
        task->status = TASK_WAITING;
    }
}

/* After a number that no event has everything is read again. */
static bool was_repaired(const struct model *m)
{
    char wanted[80];
    snprintf(wanted, sizeof(wanted), "funkytown:events number=%d at_ms=T event=repaired", m->now.board.last + 2);
    for (size_t i = 0; i < m->space.count; i++)
        if (strcmp(m->space.lines[i], wanted) == 0)
            return true;
    return false;
}

static void read_board_again(struct model *m)
{
    m->now.board.last += 2;
    for (int i = 0; i < WORLD_TASKS; i++) {
        const struct world_task *t = &m->now.world.tasks[i];
        struct board_task *b = &m->now.board.tasks[i];
        *b = (struct board_task){
            .status = t->status, .result = t->result, .attempt = t->attempt, .is_flaky = t->is_flaky};
        if (t->worker != WORLD_NOBODY)
            snprintf(b->worker, sizeof(b->worker), "%s", name_text(t->worker));
    }
}

static void check_board(struct model *m)
{
    size_t told = 0, applied = 0;
    for (size_t i = 0; i < m->space.count; i++)
        told += strncmp(m->space.lines[i], "funkytown:events ", 17) == 0;
    for (; applied < told; applied++) { /* the lines are in the order of their text, not of their numbers */
        char next[40];
        snprintf(next, sizeof(next), "funkytown:events number=%d ", m->now.board.last + 1);
        size_t i = 0;
        while (i < m->space.count && strncmp(m->space.lines[i], next, strlen(next)) != 0)
            i++;
        if (i == m->space.count && was_repaired(m)) {
            read_board_again(m);
            continue;
        }
        if (i == m->space.count)
            violate(m, "the stream has a gap: there is no %s", next);
        apply_event(m, m->space.lines[i]);
    }
    if (m->now.board.last != m->now.world.event_count)
        violate(m, "the stream ends with %d, the run says %d", m->now.board.last, m->now.world.event_count);
    for (int i = 0; i < WORLD_TASKS; i++) {
        const struct board_task *b = &m->now.board.tasks[i];
        const struct world_task *t = &m->now.world.tasks[i];
        if (!t->exists)
            continue;
        if (b->status != t->status || b->attempt != t->attempt ||
            (t->status == TASK_COMPLETE && (b->result != t->result || b->is_flaky != t->is_flaky)) ||
            (t->status == TASK_PROCESSING && strcmp(b->worker, name_text(t->worker)) != 0))
            violate(m, "the stream tells something else of %s than its hash", task_text(i));
    }
}

static void check_tallies(struct model *m)
{
    for (int i = 0; i < WORLD_TASKS; i++) {
        const struct tally *tally = &m->now.tallies[i];
        const struct world_task *t = &m->now.world.tasks[i];
        if (!t->exists)
            continue;
        if (t->attempt != tally->claims || t->failures != tally->failures || t->crashes != tally->crashes ||
            t->releases != tally->releases)
            violate(m, "attempts, failures, crashes or releases of %s are not what happened", task_text(i));
        if (tally->ends != (t->status == TASK_COMPLETE))
            violate(m, "%s ended %d times", task_text(i), tally->ends);
        if (t->status == TASK_COMPLETE && t->result != tally->result)
            violate(m, "the result of %s is not that of the settlement that was accepted", task_text(i));
        if (t->is_flaky != (t->result == TASK_PASSED && tally->failures > 0))
            violate(m, "%s: flaky is wrong", task_text(i));
        if (t->record_count != t->attempt - (t->status == TASK_PROCESSING))
            violate(m, "%s: not every attempt has a record", task_text(i));
    }
}

static void check_redis(struct model *m)
{
    static char *lines[LINES];
    char digest[41];
    memcpy(digest, m->space.digest, sizeof(digest));
    keyspace_close(&m->space);
    keyspace_read(&m->space, &m->server, "", m->now.last_event);
    memcpy(m->now.last_event, m->space.last_event, sizeof(m->now.last_event));
    if (m->now.world.is_refusal && strcmp(digest, m->space.digest) != 0)
        violate(m, "a refusal has written something");
    size_t count = world_lines(&m->now.world, lines, LINES);
    keyspace_sort(lines, count);
    bool is_equal = keyspace_equal(lines, count, m->space.lines, m->space.count);
    for (size_t i = 0; i < count; i++)
        free(lines[i]);
    if (!is_equal)
        violate(m, "Redis doesn't hold what the model says (above)");
}

static void check(struct model *m)
{
    check_redis(m);
    const char *flaw = world_find_flaw(&m->now.world);
    if (flaw)
        violate(m, "%s", flaw);
    check_board(m);
    check_tallies(m);
}

static bool is_as_wanted(const struct answer *answer, const char *wanted, char *joined, size_t size)
{
    joined[0] = '\0';
    for (size_t i = 0; i < answer->count; i++) {
        size_t used = strlen(joined);
        snprintf(joined + used, size - used, "%s%s", i ? "|" : "", answer->texts[i]);
    }
    size_t length = strlen(wanted);
    return length > 0 && wanted[length - 1] == '*' ? strncmp(joined, wanted, length - 1) == 0
                                                   : strcmp(joined, wanted) == 0;
}

/* Waits for the reply to what was sent, which the model has done already. Returns whether whoever asked gets it. */
static bool __attribute__((format(printf, 3, 4))) carried(struct model *m, int sent, const char *format, ...)
{
    char what[160], joined[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    if (sent < 0)
        violate(m, "%s: not sent", what);
    m->answer.has_come = false;
    run_until(&m->loop, &m->answer.has_come, what);
    bool is_told = m->is_reliable || draw(m, 6) > 0;
    bool is_wanted = is_as_wanted(&m->answer, m->now.world.reply, joined, sizeof(joined));
    tell(m, "%s -> %.120s%s", what, m->answer.trouble ? m->answer.trouble : joined, is_told ? "" : "   (reply lost)");
    if (!is_wanted)
        violate(m, "the answer should have been %s", m->now.world.reply);
    return is_told;
}

/* ---- workers ---- */

static struct process *new_process(struct model *m)
{
    for (int i = 0; i < PROCESSES; i++) {
        struct process *p = &m->processes[i];
        if (p->exists)
            continue;
        *p = (struct process){.exists = true, .name = (int)draw(m, WORLD_NAMES), .pid = ++m->pids};
        p->ledger = m->ledger;
        draw_token(m, 'n', p->nonce);
        for (int h = 0; h < HOLDINGS; h++)
            p->holdings[h].task = WORLD_NOBODY;
        tell(m, "process %s of %s starts", p->nonce, name_text(p->name));
        return p;
    }
    return NULL;
}

static void end_process(struct model *m, struct process *p)
{
    if (p->exists)
        tell(m, "process %s of %s dies", p->nonce, name_text(p->name));
    p->exists = false;
}

static void drop_all(struct process *p)
{
    for (int h = 0; h < HOLDINGS; h++)
        p->holdings[h].task = WORLD_NOBODY;
}

static struct holding *find_holding(struct process *p, int task)
{
    for (int h = 0; h < HOLDINGS; h++)
        if (p->holdings[h].task == task)
            return &p->holdings[h];
    return NULL;
}

static void hold_task(struct model *m, struct process *p, int task)
{
    struct holding *free_one = find_holding(p, WORLD_NOBODY);
    if (free_one == NULL || find_holding(p, task))
        return;
    *free_one = (struct holding){.task = task, .result = TASK_UNKNOWN};
    draw_token(m, 't', free_one->token);
}

static void do_register(struct model *m, struct process *p)
{
    const struct ledger_worker worker = {name_text(p->name), p->nonce, "h", p->pid, 2, p->nonce};
    world_register(&m->now.world, p->name, p->nonce, p->pid);
    int sent = ledger_register(&p->ledger, &worker, on_answer, &m->answer);
    bool is_told = carried(m, sent, "register %s %s", name_text(p->name), p->nonce);
    check(m);
    if (is_told && m->answer.outcome == LEDGER_OK)
        p->has_joined = true;
    if (is_told && m->answer.outcome == LEDGER_TAKEN && (m->is_reliable || draw(m, 2) == 0))
        end_process(m, p);
}

/* Redis serves a pop into this list; `p` gets it unless the reply is lost or nobody reads it any more. */
static void do_pop(struct model *m, int name, struct process *p)
{
    struct world *w = &m->now.world;
    if (!w->workers[name].is_listed && !w->workers[name].is_in_grave)
        return;
    int task = w->queue.count > 0 ? w->queue.items[w->queue.count - 1] : WORLD_NOBODY;
    bool is_told = p && (m->is_reliable || draw(m, 6) > 0);
    world_pop(w, name);
    redis_fixture_do(&m->server, "RPOPLPUSH taskqueue funkytown:processing:%s", name_text(name));
    tell(m, "pop %s -> %s%s", name_text(name), task == WORLD_NOBODY ? "(nil)" : task_text(task),
         is_told ? "" : "   (reply lost)");
    check(m);
    if (is_told && task != WORLD_NOBODY)
        hold_task(m, p, task);
}

static void do_renew(struct model *m, struct process *p)
{
    world_renew(&m->now.world, p->name, p->nonce);
    int sent = ledger_renew(&p->ledger, name_text(p->name), on_answer, &m->answer);
    bool is_told = carried(m, sent, "renew %s %s", name_text(p->name), p->nonce);
    check(m);
    if (!is_told)
        return;
    if (m->answer.outcome == LEDGER_UNKNOWN && (m->is_reliable || draw(m, 2) == 0))
        p->has_joined = false;
    for (size_t i = 1; m->answer.outcome == LEDGER_OK && i < m->answer.count; i++)
        hold_task(m, p, m->answer.texts[i][strlen("task:a:")] - '0');
}

static void note_past(struct model *m, int name, int task, const char *token)
{
    unsigned at = draw(m, PAST);
    m->past[at].name = name;
    m->past[at].task = task;
    memcpy(m->past[at].token, token, WORLD_TOKEN_SIZE);
}

static void do_claim(struct model *m, struct process *p, int task, const char *token, struct holding *h)
{
    int before = m->now.world.tasks[task].attempt;
    world_claim(&m->now.world, p->name, p->nonce, task, token);
    int sent = ledger_claim(&p->ledger, name_text(p->name), task_text(task), token, on_answer, &m->answer);
    bool is_told = carried(m, sent, "claim %s %s by %s %s", task_text(task), token, name_text(p->name), p->nonce);
    bool is_anew = m->answer.outcome == LEDGER_OK && atoi(answer_text(&m->answer, 1)) != before;
    m->now.tallies[task].claims += is_anew;
    check(m);
    if (is_anew)
        note_past(m, p->name, task, token);
    if (is_told && h) {
        h->is_claimed = m->answer.outcome == LEDGER_OK;
        if (!h->is_claimed)
            h->task = WORLD_NOBODY;
    }
}

static bool do_settle(struct model *m, int name, int task, const char *token, enum task_result result)
{
    int retries = task % 3;
    const struct ledger_settlement settlement = {
        .worker = name_text(name),
        .task = task_text(task),
        .token = token,
        .result = result,
        .reason = result == TASK_PASSED ? "" : "broken",
        .duration_ns = 1500000000,
        .record = token,
        .log = "log",
        .log_length = 3,
        .details = token,
        .retries = retries,
    };
    struct tally *tally = &m->now.tallies[task];
    world_settle(&m->now.world, name, task, token, result, retries);
    int sent = ledger_settle(&m->ledger, &settlement, on_answer, &m->answer);
    bool is_told = carried(m, sent, "settle %s %s by %s: %s, retries %d", task_text(task), token, name_text(name),
                           task_result_name(result), retries);
    if (m->answer.outcome == LEDGER_OK) {
        tally->failures += result == TASK_FAILED;
        if (answer_text(&m->answer, 1)[0] == '1') {
            tally->ends++;
            tally->result = result == TASK_SKIPPED && tally->failures > 0 ? TASK_FAILED : result;
        }
    }
    check(m);
    return is_told;
}

static void settle_holding(struct model *m, struct process *p, struct holding *h)
{
    static const enum task_result results[] = {TASK_PASSED, TASK_PASSED, TASK_FAILED,
                                               TASK_FAILED, TASK_ERROR,  TASK_SKIPPED};
    if (h->result == TASK_UNKNOWN)
        h->result = m->is_reliable ? TASK_PASSED : results[draw(m, 6)];
    if (do_settle(m, p->name, h->task, h->token, h->result))
        h->task = WORLD_NOBODY;
}

static void do_log(struct model *m, int task, const char *token)
{
    static const char output[] = "begun";
    world_log(&m->now.world, task, token);
    int sent = ledger_log(&m->ledger, task_text(task), token, output, strlen(output), on_answer, &m->answer);
    carried(m, sent, "log %s %s", task_text(task), token);
    check(m);
}

static void do_release(struct model *m, struct process *p, int task, const char *token, struct holding *h)
{
    struct tally *tally = &m->now.tallies[task];
    bool is_cancelling = m->now.world.cancel[0] != '\0';
    world_release(&m->now.world, p->name, task, token);
    int sent =
        ledger_release(&p->ledger, name_text(p->name), task_text(task), token, "released", on_answer, &m->answer);
    bool is_told =
        carried(m, sent, "release %s %s by %s", task_text(task), token ? token : "unclaimed", name_text(p->name));
    if (m->answer.outcome == LEDGER_OK) {
        tally->releases += token && !is_cancelling;
        if (answer_text(&m->answer, 1)[0] == '1') {
            tally->ends++;
            tally->result = TASK_ERROR;
        }
    }
    check(m);
    if (is_told && h)
        h->task = WORLD_NOBODY;
}

static void do_leave(struct model *m, struct process *p)
{
    world_leave(&m->now.world, p->name, p->nonce);
    int sent = ledger_leave(&p->ledger, name_text(p->name), on_answer, &m->answer);
    bool is_told = carried(m, sent, "leave %s %s", name_text(p->name), p->nonce);
    check(m);
    if (is_told && m->answer.outcome == LEDGER_OK) {
        p->has_joined = false;
        drop_all(p);
    }
}

static void step_holding(struct model *m, struct process *p)
{
    struct holding *h = &p->holdings[draw(m, HOLDINGS)];
    if (h->task == WORLD_NOBODY && m->now.world.queue.count == 0 && draw(m, 4) > 0)
        do_renew(m, p);
    else if (h->task == WORLD_NOBODY)
        do_pop(m, p->name, p);
    else if (draw(m, 8) == 0)
        do_release(m, p, h->task, h->is_claimed ? h->token : NULL, h);
    else if (h->is_claimed && draw(m, 4) == 0)
        do_log(m, h->task, h->token);
    else if (h->is_claimed)
        settle_holding(m, p, h);
    else
        do_claim(m, p, h->task, h->token, h);
}

/* What a confused process, or a packet of long ago, may ask. */
static void step_astray(struct model *m, struct process *p)
{
    char token[WORLD_TOKEN_SIZE];
    unsigned at = draw(m, PAST);
    int task = (int)draw(m, WORLD_TASKS);
    draw_token(m, 't', token);
    switch (draw(m, 5)) {
    case 4:
        if (m->past[at].token[0])
            do_log(m, m->past[at].task, m->past[at].token);
        break;
    case 0:
        if (m->past[at].token[0])
            do_settle(m, m->past[at].name, m->past[at].task, m->past[at].token, TASK_FAILED);
        break;
    case 1:
        if (find_holding(p, task) == NULL)
            do_claim(m, p, task, token, NULL);
        break;
    case 2:
        do_release(m, p, task, draw(m, 2) ? NULL : token, NULL);
        break;
    default:
        if (m->past[at].token[0])
            do_release(m, p, m->past[at].task, m->past[at].token, NULL);
    }
}

static struct process *draw_process(struct model *m)
{
    unsigned first = draw(m, PROCESSES);
    for (unsigned i = 0; i < PROCESSES; i++) {
        struct process *p = &m->processes[(first + i) % PROCESSES];
        if (p->exists)
            return p;
    }
    return new_process(m);
}

static void step_process(struct model *m)
{
    struct process *p = draw_process(m);
    unsigned what = draw(m, 100);
    if (!p->has_joined || what < 4)
        do_register(m, p);
    else if (what < 80)
        step_holding(m, p);
    else if (what < 92)
        do_renew(m, p);
    else if (what < 96)
        step_astray(m, p);
    else
        do_leave(m, p);
}

/* ---- controllers ---- */

static void enter(const struct model *m, struct controller *c)
{
    const char *state = answer_text(&m->answer, 2);
    switch (m->answer.outcome) {
    case LEDGER_FRESH:
        c->stage = STAGE_BEGIN;
        break;
    case LEDGER_REPLACE:
        c->stage = STAGE_ARCHIVE;
        break;
    case LEDGER_RESUME:
        c->stage = strcmp(state, "loading") == 0 ? STAGE_ENQUEUE : STAGE_WATCH;
        c->offset = 0;
        break;
    case LEDGER_SERVE:
        c->stage = STAGE_WATCH;
        break;
    default:
        c->stage = STAGE_OUT;
    }
    if (c->stage == STAGE_ENQUEUE || c->stage == STAGE_WATCH)
        snprintf(c->id, sizeof(c->id), "%s", answer_text(&m->answer, 1));
}

static const char *source_text(int source)
{
    return source == 0 ? "s0" : "s1";
}

/* Of whom it is known that the process has ended; now and then of one that has been replaced meanwhile. */
static size_t draw_dead(struct model *m, struct world_acquisition *a, struct ledger_dead dead[WORLD_NAMES])
{
    size_t count = 0;
    for (int name = 0; name < WORLD_NAMES && draw(m, 3) == 0; name++) {
        const char *nonce = m->now.world.workers[name].nonce;
        snprintf(a->dead_nonces[name], sizeof(a->dead_nonces[name]), "%s",
                 draw(m, 4) && nonce[0] ? nonce : "n-of-old");
        dead[count++] = (struct ledger_dead){name_text(name), a->dead_nonces[name]};
    }
    return count;
}

static void do_acquire(struct model *m, int me, int dead)
{
    struct controller *c = &m->controllers[me];
    struct world_acquisition a = {.me = me,
                                  .plan = c->plan,
                                  .source = c->source,
                                  .dead = dead,
                                  .is_fresh = c->is_fresh,
                                  .is_again = c->is_again};
    struct ledger_dead dead_workers[WORLD_NAMES];
    memcpy(a.id, c->id, sizeof(a.id));
    const struct ledger_acquisition acquisition = {
        .me = controller_text(me),
        .lease_ms = LEASE_MS,
        .digest = digest_text(c->plan),
        .run_id = c->id,
        .source = source_text(c->source),
        .is_fresh = c->is_fresh,
        .is_again = c->is_again,
        .dead = controller_text(dead),
        .dead_workers = dead_workers,
        .dead_count = draw_dead(m, &a, dead_workers),
    };
    world_acquire(&m->now.world, &a);
    int sent = ledger_acquire(&m->ledger, &acquisition, on_answer, &m->answer);
    bool is_told = carried(m, sent, "acquire %s plan %d source %d%s%s id \"%s\" dead \"%s\" and %zu workers",
                           controller_text(me), c->plan, c->source, c->is_fresh ? " fresh" : "",
                           c->is_again ? " again" : "", c->id, controller_text(dead), acquisition.dead_count);
    check(m);
    if (is_told)
        enter(m, c);
}

static bool do_hold(struct model *m, int me, bool gives_up)
{
    world_hold(&m->now.world, me, gives_up);
    int sent = ledger_hold(&m->ledger, controller_text(me), gives_up ? 0 : LEASE_MS, on_answer, &m->answer);
    bool is_told = carried(m, sent, "hold %s%s", controller_text(me), gives_up ? " no more" : "");
    check(m);
    if (is_told && (gives_up || m->answer.outcome == LEDGER_FENCED))
        m->controllers[me].stage = STAGE_OUT;
    return is_told;
}

static void do_archive(struct model *m, int me)
{
    char summary[16];
    snprintf(summary, sizeof(summary), "s%d", ++m->summaries);
    world_archive(&m->now.world, me, summary);
    int sent = ledger_archive(&m->ledger, controller_text(me), summary, on_answer, &m->answer);
    bool is_told = carried(m, sent, "archive %s %s", controller_text(me), summary);
    check(m);
    if (is_told)
        m->controllers[me].stage = m->answer.outcome == LEDGER_OK ? STAGE_PURGE : STAGE_OUT;
}

static void do_purge(struct model *m, int me)
{
    const struct world_list *order = &m->now.world.order;
    const char *keys[WORLD_TASKS];
    int tasks[WORLD_TASKS], count = 0;
    for (int most = 1 + (int)draw(m, 3); count < most && count < order->count; count++) {
        tasks[count] = order->items[count];
        keys[count] = task_text(tasks[count]);
    }
    if (count == 0) {
        m->controllers[me].stage = STAGE_BEGIN;
        return;
    }
    for (int again = 0; again < 1 + (draw(m, 4) == 0); again++) { /* sent twice by who doesn't look again */
        world_purge(&m->now.world, me, tasks, count);
        int sent = ledger_purge(&m->ledger, controller_text(me), keys, (size_t)count, on_answer, &m->answer);
        bool is_told = carried(m, sent, "purge %s %s and %d more", controller_text(me), keys[0], count - 1);
        check(m);
        if (is_told && m->answer.outcome != LEDGER_OK)
            m->controllers[me].stage = STAGE_OUT;
    }
}

static void do_begin(struct model *m, int me)
{
    struct controller *c = &m->controllers[me];
    char total[8], crashes[8], releases[8], lease[16];
    if (c->id[0] == '\0')
        snprintf(c->id, sizeof(c->id), "r%d", ++m->runs);
    snprintf(total, sizeof(total), "%d", world_plan_size(c->plan));
    snprintf(crashes, sizeof(crashes), "%d", WORLD_CRASHES);
    snprintf(releases, sizeof(releases), "%d", WORLD_RELEASES);
    snprintf(lease, sizeof(lease), "%d", LEASE_MS);
    const char *fields[] = {"id",           c->id,      "digest", digest_text(c->plan),  "total",
                            total,          "lease_ms", lease,    "max_crashes",         crashes,
                            "max_releases", releases,   "source", source_text(c->source)};
    c->is_fresh = false;
    world_begin(&m->now.world, me, c->plan, c->source, c->id);
    int sent = ledger_begin(&m->ledger, controller_text(me), fields, sizeof(fields) / sizeof(fields[0]), on_answer,
                            &m->answer);
    bool is_told = carried(m, sent, "begin %s %s plan %d", controller_text(me), c->id, c->plan);
    if (m->answer.outcome == LEDGER_OK) {
        memset(m->now.tallies, 0, sizeof(m->now.tallies));
        m->now.board = (struct board){0};
    }
    check(m);
    c->offset = 0;
    if (is_told)
        c->stage = m->answer.outcome == LEDGER_OK ? STAGE_ENQUEUE : STAGE_OUT;
}

static void do_enqueue(struct model *m, int me)
{
    struct controller *c = &m->controllers[me];
    struct ledger_entry entries[WORLD_TASKS];
    char specs[WORLD_TASKS][16];
    int left = world_plan_size(c->plan) - c->offset, count = 1 + (int)draw(m, 3);
    if (left <= 0) {
        c->stage = STAGE_OPEN;
        return;
    }
    if (count > left)
        count = left;
    for (int i = 0; i < count; i++) {
        snprintf(specs[i], sizeof(specs[i]), "p%d-%d", c->plan, c->offset + i);
        entries[i] = (struct ledger_entry){
            .spec = specs[i],
            .viewport = "desktop",
            .browser = "chrome",
            .runner = "playwright",
            .overrides = world_has_overrides(c->plan, c->offset + i) ? "{}" : NULL,
        };
        snprintf(entries[i].key, sizeof(entries[i].key), "%s", task_text(c->offset + i));
    }
    world_enqueue(&m->now.world, me, c->plan, c->offset, count);
    int sent = ledger_enqueue(&m->ledger, controller_text(me), digest_text(c->plan), (size_t)c->offset, entries,
                              (size_t)count, on_answer, &m->answer);
    bool is_told = carried(m, sent, "enqueue %s %d from %d", controller_text(me), count, c->offset);
    check(m);
    if (!is_told)
        return;
    if (m->answer.outcome == LEDGER_FENCED)
        c->stage = STAGE_OUT;
    else
        c->offset = atoi(answer_text(&m->answer, 1));
}

static void do_open(struct model *m, int me)
{
    struct controller *c = &m->controllers[me];
    world_open(&m->now.world, me);
    int sent = ledger_open(&m->ledger, controller_text(me), on_answer, &m->answer);
    bool is_told = carried(m, sent, "open %s", controller_text(me));
    check(m);
    if (!is_told)
        return;
    c->stage = m->answer.outcome == LEDGER_FENCED ? STAGE_OUT
               : m->answer.outcome == LEDGER_AT   ? STAGE_ENQUEUE
                                                  : STAGE_WATCH;
    if (c->stage == STAGE_ENQUEUE)
        c->offset = atoi(answer_text(&m->answer, 1));
}

static void read_lease(struct model *m, int name, char text[32])
{
    redisReply *reply = redis_fixture_command(&m->server, "ZSCORE funkytown:workers %s", name_text(name));
    snprintf(text, 32, "%s", redis_reply_text(reply) ? redis_reply_text(reply) : "");
    freeReplyObject(reply);
}

/* The lease by which a worker is held for dead: as it is, or as somebody looked at it a while ago. */
static bool draw_lease(struct model *m, int name, char text[32])
{
    char now[32];
    read_lease(m, name, now);
    bool is_old = !m->is_reliable && draw(m, 4) == 0;
    snprintf(text, 32, "%s", is_old ? m->looked_at[name] : now);
    return strcmp(text, now) == 0;
}

static void do_reclaim(struct model *m, int name, int task)
{
    char lease[32];
    bool was_claimed = m->now.world.tasks[task].claim[0] != '\0';
    bool is_current = draw_lease(m, name, lease);
    struct tally *tally = &m->now.tallies[task];
    world_reclaim(&m->now.world, name, is_current, task);
    int sent = ledger_reclaim(&m->ledger, name_text(name), lease, task_text(task), on_answer, &m->answer);
    carried(m, sent, "reclaim %s from %s", task_text(task), name_text(name));
    if (m->answer.outcome == LEDGER_OK) {
        tally->crashes += was_claimed;
        if (answer_text(&m->answer, 1)[0] == '1') {
            tally->ends++;
            tally->result = TASK_ERROR;
        }
    }
    check(m);
}

static void do_cancel(struct model *m, int me, const int *tasks, int count)
{
    const struct world_list *queue = &m->now.world.queue;
    const char *keys[WORLD_TASKS];
    bool was_queued[WORLD_TASKS] = {0};
    for (int i = 0; i < count; i++)
        keys[i] = task_text(tasks[i]);
    for (int i = 0; i < queue->count; i++)
        was_queued[queue->items[i]] = m->now.world.tasks[queue->items[i]].exists;
    enum cancel_kind kind = draw(m, 2) ? CANCEL_FAILURES : CANCEL_DEADLINE;
    const char *reason = draw(m, 2) ? "enough" : "late";
    world_cancel(&m->now.world, me, kind, reason, tasks, count);
    int sent =
        ledger_cancel(&m->ledger, controller_text(me), kind, reason, keys, (size_t)count, on_answer, &m->answer);
    carried(m, sent, "cancel %s %d", controller_text(me), count);
    for (int i = 0; i < count && m->answer.outcome == LEDGER_OK; i++) {
        m->now.tallies[tasks[i]].ends += was_queued[tasks[i]];
        if (was_queued[tasks[i]])
            m->now.tallies[tasks[i]].result = TASK_UNKNOWN;
        was_queued[tasks[i]] = false;
    }
    check(m);
}

/* The right end of the queue as somebody saw it, who may have looked a while ago. */
static void step_cancel(struct model *m, int me)
{
    const struct world_list *queue = &m->now.world.queue;
    int tasks[WORLD_TASKS], count = (int)draw(m, WORLD_TASKS + 1);
    for (int i = 0; i < count; i++) {
        bool is_right = i < queue->count && draw(m, 4) > 0;
        tasks[i] = is_right ? queue->items[queue->count - 1 - i] : (int)draw(m, WORLD_TASKS);
    }
    do_cancel(m, me, tasks, count);
}

static void do_rerun(struct model *m, int me)
{
    const char *keys[WORLD_TASKS];
    int tasks[WORLD_TASKS], count = 0;
    for (int i = 0; i < world_plan_size(m->now.world.plan); i++) {
        if (!m->now.world.tasks[i].exists || draw(m, 2) == 0)
            continue;
        tasks[count] = i;
        keys[count++] = task_text(i);
    }
    struct world before = m->now.world;
    world_rerun(&m->now.world, me, tasks, count);
    int sent = ledger_rerun(&m->ledger, controller_text(me), keys, (size_t)count, on_answer, &m->answer);
    carried(m, sent, "rerun %s %d", controller_text(me), count);
    for (int i = 0; i < count && m->answer.outcome == LEDGER_OK; i++) {
        struct tally *tally = &m->now.tallies[tasks[i]];
        if (before.tasks[tasks[i]].status == TASK_COMPLETE && m->now.world.tasks[tasks[i]].status == TASK_WAITING)
            *tally = (struct tally){.claims = tally->claims};
    }
    check(m);
}

/* Whatever has happened, an audit finds nothing but what Redis has lost. */
static void do_audit(struct model *m)
{
    const char *tasks[WORLD_TASKS], *workers[WORLD_NAMES];
    size_t task_count = (size_t)m->now.world.order.count;
    for (size_t i = 0; i < task_count; i++)
        tasks[i] = task_text(m->now.world.order.items[i]);
    for (int i = 0; i < WORLD_NAMES; i++)
        workers[i] = name_text(i);
    world_audit(&m->now.world);
    int sent = ledger_audit(&m->ledger, true, workers, WORLD_NAMES, tasks, task_count, on_answer, &m->answer);
    carried(m, sent, "audit");
    check(m);
}

static bool has_lost(const struct model *m)
{
    bool is_lost = false;
    for (int i = 0; i < WORLD_TASKS; i++)
        is_lost |= m->now.world.tasks[i].is_lost;
    return is_lost;
}

/* Some of the tasks are written anew, if they are lost. */
static void do_restore(struct model *m, int me)
{
    struct ledger_entry entries[WORLD_TASKS];
    char specs[WORLD_TASKS][16];
    int tasks[WORLD_TASKS], count = 0;
    bool was_lost[WORLD_TASKS] = {0};
    for (int i = 0; i < m->now.world.order.count; i++) {
        int task = m->now.world.order.items[i];
        if (!m->is_reliable && draw(m, 3) == 0)
            continue;
        snprintf(specs[count], sizeof(specs[count]), "p%d-%d", m->now.world.plan, task);
        entries[count] = (struct ledger_entry){
            .spec = specs[count], .viewport = "desktop", .browser = "chrome", .runner = "playwright"};
        snprintf(entries[count].key, sizeof(entries[count].key), "%s", task_text(task));
        was_lost[task] = m->now.world.tasks[task].is_lost;
        tasks[count++] = task;
    }
    world_restore(&m->now.world, me, tasks, count);
    int sent = ledger_restore(&m->ledger, controller_text(me), entries, (size_t)count, on_answer, &m->answer);
    carried(m, sent, "restore %s %d", controller_text(me), count);
    for (int i = 0; i < WORLD_TASKS && m->answer.outcome == LEDGER_OK; i++) {
        struct tally *tally = &m->now.tallies[i];
        if (!was_lost[i])
            continue;
        tally->claims = m->now.world.tasks[i].record_count;
        tally->ends = 1;
        tally->result = TASK_ERROR;
    }
    check(m);
}

static void do_mend(struct model *m, int me)
{
    do_audit(m);
    if (m->now.world.state == WORLD_RUNNING)
        do_restore(m, me);
}

static void do_summarize(struct model *m, int me)
{
    char summary[16];
    int reruns = m->now.world.reruns - (draw(m, 4) == 0);
    snprintf(summary, sizeof(summary), "s%d", ++m->summaries);
    world_summarize(&m->now.world, me, summary, reruns);
    int sent = ledger_summarize(&m->ledger, controller_text(me), summary, reruns, on_answer, &m->answer);
    carried(m, sent, "summarize %s %s of %d reruns", controller_text(me), summary, reruns);
    check(m);
}

static void do_bury(struct model *m, int name)
{
    char lease[32];
    world_bury(&m->now.world, name, draw_lease(m, name, lease));
    carried(m, ledger_bury(&m->ledger, name_text(name), lease, on_answer, &m->answer), "bury %s", name_text(name));
    check(m);
}

/* Redis' clock, as somebody knows it who doesn't know that it was set forward so often; 0: who knows nothing. */
static int64_t known_ms(struct model *m, int unknown_steps)
{
    redisReply *reply = redis_fixture_command(&m->server, "TIME");
    int64_t now = redis_reply_integer(redis_reply_at(reply, 0), 0) * 1000;
    freeReplyObject(reply);
    return draw(m, 8) == 0 && unknown_steps == 0 ? 0 : now - unknown_steps * (int64_t)STEP_MS;
}

/* Whoever lives by the clock as the controller knows it isn't named, whatever the clock is by now. */
static void do_overdue(struct model *m)
{
    const struct world *w = &m->now.world;
    int unknown_steps = m->is_reliable ? 0 : (int)draw(m, 3);
    world_overdue(&m->now.world);
    int sent = ledger_overdue(&m->ledger, known_ms(m, unknown_steps), on_answer, &m->answer);
    carried(m, sent, "overdue, %d steps unknown", unknown_steps);
    size_t expired = (size_t)atoi(answer_text(&m->answer, 2)), expected = 3;
    for (int i = 0; i < WORLD_NAMES; i++) {
        const struct world_worker *worker = &w->workers[i];
        bool is_dead = worker->is_listed && worker->lease < -unknown_steps;
        bool is_named = false, must_be = worker->is_in_grave || is_dead;
        for (size_t k = 3; k < m->answer.count; k++) {
            if (strcmp(m->answer.texts[k], name_text(i)) != 0)
                continue;
            is_named = true;
            if (k < 3 + expired)
                snprintf(m->looked_at[i], sizeof(m->looked_at[i]), "%s", answer_text(&m->answer, k + expired));
        }
        if (is_named != must_be)
            violate(m, "overdue: %s %s", name_text(i), must_be ? "is missing" : "is too much");
        expected += (size_t)must_be + (size_t)is_dead;
    }
    if (m->answer.count != expected)
        violate(m, "overdue: %zu elements, wanted %zu", m->answer.count, expected);
    check(m);
}

static void step_sweep(struct model *m, int me)
{
    int name = (int)draw(m, WORLD_NAMES);
    const struct world_worker *workers = m->now.world.workers;
    for (int i = 0; i < WORLD_NAMES && (workers[name].lease >= 0 || workers[name].list.count == 0); i++)
        name = (name + 1) % WORLD_NAMES;
    const struct world_list *list = &workers[name].list;
    unsigned what = draw(m, 8);
    if (what == 0 && draw(m, 2) == 0)
        do_mend(m, me);
    else if (what == 0 && m->now.world.state == WORLD_FINISHED)
        do_summarize(m, me);
    else if (what == 0)
        do_overdue(m);
    else if (what == 1)
        do_reclaim(m, name, (int)draw(m, WORLD_TASKS));
    else if (what < 7 && list->count > 0)
        do_reclaim(m, name, list->items[draw(m, (unsigned)list->count)]);
    else if (what == 7 || workers[name].is_listed)
        do_bury(m, name);
    else
        step_process(m);
}

static void step_out(struct model *m, int me)
{
    struct controller *c = &m->controllers[me];
    if (draw(m, 2) == 0) { /* another program is started */
        c->plan = (int)draw(m, 2);
        c->source = draw(m, 4) == 0;
        c->is_fresh = draw(m, 8) == 0;
        c->is_again = draw(m, 4) == 0;
        c->id[0] = '\0';
        if (draw(m, 4) == 0)
            snprintf(c->id, sizeof(c->id), "%s", m->now.world.id);
    }
    do_acquire(m, me, draw(m, 4) == 0 ? m->now.world.holder : WORLD_NOBODY);
}

/* Somebody asks for it, rightly or not. */
static void step_asked(struct model *m, int me)
{
    if (draw(m, 3) == 0)
        step_cancel(m, me);
    else
        do_rerun(m, me);
}

static void step_controller(struct model *m, int me)
{
    switch (m->controllers[me].stage) {
    case STAGE_OUT:
        step_out(m, me);
        break;
    case STAGE_ARCHIVE:
        do_archive(m, me);
        break;
    case STAGE_PURGE:
        do_purge(m, me);
        break;
    case STAGE_BEGIN:
        do_begin(m, me);
        break;
    case STAGE_ENQUEUE:
        do_enqueue(m, me);
        break;
    case STAGE_OPEN:
        do_open(m, me);
        break;
    case STAGE_WATCH:
        if (m->now.world.cancel[0] && draw(m, 2) == 0)
            step_cancel(m, me);
        else if (m->now.world.state == WORLD_FINISHED && m->now.world.holder == me && draw(m, 4) == 0)
            do_summarize(m, me);
        else
            step_sweep(m, me);
    }
}

/* A controller does again what it, or its life before this one, has done already. */
static void step_controller_astray(struct model *m, int me)
{
    struct controller *c = &m->controllers[me];
    enum stage stage = c->stage;
    if (stage != STAGE_WATCH && stage != STAGE_ENQUEUE && stage != STAGE_OPEN)
        return;
    switch (draw(m, 3)) {
    case 0:
        if (m->now.world.plan == c->plan && strcmp(m->now.world.id, c->id) == 0)
            do_begin(m, me);
        break;
    case 1:
        if (m->now.world.plan == c->plan) {
            c->offset = (int)draw(m, 2);
            do_enqueue(m, me);
        }
        break;
    default:
        do_open(m, me);
    }
    if (c->stage != STAGE_OUT)
        c->stage = m->now.world.state == WORLD_LOADING ? STAGE_ENQUEUE : STAGE_WATCH;
}

/* ---- what happens by itself ---- */

static void expire_worker(struct model *m, int name)
{
    if (!m->now.world.workers[name].is_listed)
        return;
    world_expire_worker(&m->now.world, name);
    redis_fixture_do(&m->server, "ZADD funkytown:workers XX 1 %s", name_text(name));
    tell(m, "the lease of %s runs out", name_text(name));
    check(m);
}

/*
 * Instead of the clock, all that was written by it is set, which comes to the same. Graves don't grow old by it: the
 * hour that they are kept for is shorter than our step.
 */
static void set_clock(struct model *m, bool forward)
{
    world_set_clock(&m->now.world, forward);
    redis_fixture_do(&m->server, "EVAL %s 2 funkytown:workers funkytown:graves %d",
                     "local t, step = redis.call('TIME')[1] * 1000, tonumber(ARGV[1])\n"
                     "for i, key in ipairs(KEYS) do\n"
                     "  local all = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')\n"
                     "  for k = 1, #all, 2 do\n"
                     "    local at = tonumber(all[k + 1])\n"
                     "    if at > 1 and (i == 1 or step > 0 or at > t + 100000) then\n"
                     "      redis.call('ZADD', key, at + step, all[k])\n"
                     "    end\n"
                     "  end\n"
                     "end",
                     forward ? -STEP_MS : STEP_MS);
    tell(m, "the clock is set %s", forward ? "forward" : "back");
    check(m);
}

static void lose_hash(struct model *m)
{
    int task = (int)draw(m, WORLD_TASKS);
    bool is_open = m->now.world.state == WORLD_RUNNING || m->now.world.state == WORLD_FINISHED;
    if (!is_open || !m->now.world.tasks[task].exists || draw(m, 3) > 0)
        return;
    world_lose_hash(&m->now.world, task);
    redis_fixture_do(&m->server, "DEL %s", task_text(task));
    tell(m, "the hash of %s is deleted", task_text(task));
    check(m);
}

static void expire_controller(struct model *m)
{
    world_expire_controller(&m->now.world);
    redis_fixture_do(&m->server, "DEL funkytown:controller");
    tell(m, "the controller's lease runs out");
    check(m);
}

static void forget_snapshot(struct model *m)
{
    if (!m->snapshot.is_taken)
        return;
    for (size_t i = 0; i < redis_reply_count(m->snapshot.keys); i++)
        freeReplyObject(m->snapshot.dumps[i]);
    freeReplyObject(m->snapshot.keys);
    m->snapshot.is_taken = false;
}

static void take_snapshot(struct model *m)
{
    struct snapshot *s = &m->snapshot;
    forget_snapshot(m);
    *s = (struct snapshot){.is_taken = true, .state = m->now};
    s->state.world.new_events = 0;
    s->state.world.is_refusal = false;
    s->keys = redis_fixture_command(&m->server, "KEYS *");
    for (size_t i = 0; i < redis_reply_count(s->keys); i++) {
        const char *key = redis_reply_text(redis_reply_at(s->keys, i));
        s->dumps[i] = redis_fixture_command(&m->server, "DUMP %s", key);
        s->ttls[i] = redis_fixture_number(&m->server, "PTTL %s", key);
    }
    tell(m, "Redis saves what it has");
}

/* Who is named by nobody any more may hold what nobody would sweep: of that only a registration helps. */
static bool can_restore(const struct model *m)
{
    const struct world *w = &m->snapshot.state.world;
    for (int i = 0; i < PROCESSES; i++) {
        const struct process *p = &m->processes[i];
        if (p->exists && p->has_joined && !w->workers[p->name].is_listed && !w->workers[p->name].is_in_grave)
            return false;
    }
    return m->snapshot.is_taken;
}

/* Power failure, or a replica that lagged: everybody goes on, Redis is what it was. */
static void restore_snapshot(struct model *m)
{
    const struct snapshot *s = &m->snapshot;
    m->now = s->state;
    redis_fixture_do(&m->server, "FLUSHALL");
    for (size_t i = 0; i < redis_reply_count(s->keys); i++)
        redis_fixture_do(&m->server, "RESTORE %s %lld %b", redis_reply_text(redis_reply_at(s->keys, i)),
                         (long long)(s->ttls[i] > 0 ? s->ttls[i] : 0), s->dumps[i]->str, (size_t)s->dumps[i]->len);
    tell(m, "Redis comes back with what it saved");
    check(m);
}

/* Its host is gone: what it has claimed is a crash, unless another process of its name comes first. */
static void lose_worker(struct model *m)
{
    struct process *p = draw_process(m);
    for (int i = 0; i < PROCESSES; i++)
        for (int h = 0; h < HOLDINGS; h++)
            if (m->processes[i].exists && m->processes[i].holdings[h].task != WORLD_NOBODY &&
                m->processes[i].holdings[h].is_claimed)
                p = &m->processes[i];
    int name = p->name;
    end_process(m, p);
    expire_worker(m, name);
    for (int i = (int)draw(m, 4); i > 0 && m->now.world.workers[name].list.count > 0; i--)
        do_reclaim(m, name, m->now.world.workers[name].list.items[0]);
}

static void step_fate(struct model *m)
{
    switch (draw(m, 21)) {
    case 18:
    case 19:
        set_clock(m, draw(m, 2) == 0);
        break;
    case 20:
        lose_hash(m);
        break;
    case 0:
    case 1:
    case 2:
        expire_worker(m, (int)draw(m, WORLD_NAMES));
        break;
    case 3:
        expire_controller(m);
        break;
    case 4:
        end_process(m, &m->processes[draw(m, PROCESSES)]);
        break;
    case 5:
    case 6:
    case 7:
        new_process(m);
        break;
    case 8:
    case 9:
        do_pop(m, (int)draw(m, WORLD_NAMES), NULL);
        break;
    case 10:
        if (draw(m, 2) == 0)
            take_snapshot(m);
        break;
    case 11:
        if (draw(m, 4) == 0 && can_restore(m))
            restore_snapshot(m);
        break;
    default:
        lose_worker(m);
    }
}

/* Mostly one that believes that it is the controller. */
static int draw_controller(struct model *m)
{
    int me = (int)draw(m, WORLD_CONTROLLERS);
    for (int i = 0; i < WORLD_CONTROLLERS && m->controllers[me].stage == STAGE_OUT && draw(m, 4) > 0; i++)
        me = (me + 1) % WORLD_CONTROLLERS;
    return me;
}

static void step(struct model *m)
{
    bool is_open = m->now.world.state == WORLD_RUNNING;
    int me = draw_controller(m);
    unsigned what = draw(m, 100);
    if (what < 1 && draw(m, 3) == 0)
        step_asked(m, me);
    else if (what < 3)
        step_controller_astray(m, me);
    else if (what < 6)
        do_hold(m, me, draw(m, 4) == 0);
    else if (what < 18)
        step_fate(m);
    else if (what < (is_open ? 34 : 88))
        step_controller(m, me);
    else
        step_process(m);
}

/* ---- the end of a history: whoever lives finishes the run ---- */

static void sweep_all(struct model *m)
{
    do_overdue(m);
    for (int name = 0; name < WORLD_NAMES; name++) {
        const struct world_worker *worker = &m->now.world.workers[name];
        if (world_is_alive(&m->now.world, name))
            continue;
        struct world_list items = worker->list;
        for (int i = 0; i < items.count; i++)
            do_reclaim(m, name, items.items[i]);
        if (worker->is_listed)
            do_bury(m, name);
    }
}

static bool has_process(const struct model *m, int name)
{
    for (int i = 0; i < PROCESSES; i++)
        if (m->processes[i].exists && m->processes[i].name == name &&
            strcmp(m->processes[i].nonce, m->now.world.workers[name].nonce) == 0)
            return true;
    return false;
}

/* One turn of what worker.c does: the lease, what it holds, a pop. */
static void turn(struct model *m, struct process *p)
{
    if (p->has_joined)
        do_renew(m, p);
    if (p->exists && !p->has_joined)
        do_register(m, p);
    bool hands_back = m->now.world.cancel[0] && p->exists && p->has_joined;
    for (int h = 0; h < HOLDINGS && hands_back; h++)
        if (p->holdings[h].task != WORLD_NOBODY && p->holdings[h].is_claimed)
            do_release(m, p, p->holdings[h].task, p->holdings[h].token, &p->holdings[h]);
    if (hands_back) { /* and ends, even if Redis knows of more that it holds: its lease runs out */
        do_leave(m, p);
        end_process(m, p);
        return;
    }
    for (int h = 0; h < HOLDINGS && p->exists && p->has_joined; h++) {
        struct holding *holding = &p->holdings[h];
        if (holding->task != WORLD_NOBODY && !holding->is_claimed)
            do_claim(m, p, holding->task, holding->token, holding);
        if (holding->task != WORLD_NOBODY)
            settle_holding(m, p, holding);
    }
    if (p->exists && p->has_joined && find_holding(p, WORLD_NOBODY))
        do_pop(m, p->name, p);
}

static void open_somehow(struct model *m)
{
    const struct world *w = &m->now.world;
    struct controller *c = &m->controllers[0];
    *c = (struct controller){.stage = STAGE_OUT, .plan = w->state == WORLD_ABSENT ? 0 : w->plan, .source = w->source};
    for (int i = 0; i < DRAIN_ROUNDS && w->state != WORLD_RUNNING && w->state != WORLD_FINISHED; i++) {
        if (c->stage == STAGE_OUT)
            do_acquire(m, 0, w->holder);
        else
            step_controller(m, 0);
    }
    if (w->state != WORLD_RUNNING && w->state != WORLD_FINISHED)
        violate(m, "the run can't be opened");
}

static void have_controller(struct model *m)
{
    const struct world *w = &m->now.world;
    if (w->holder != WORLD_NOBODY)
        return;
    m->controllers[0] = (struct controller){.stage = STAGE_OUT, .plan = w->plan, .source = w->source};
    snprintf(m->controllers[0].id, sizeof(m->controllers[0].id), "%s", w->id);
    do_acquire(m, 0, WORLD_NOBODY);
}

/* What a controller does until a cancelled run is finished. */
static void cancel_rest(struct model *m)
{
    const struct world *w = &m->now.world;
    struct world_list queue = w->queue;
    have_controller(m);
    do_cancel(m, w->holder, queue.items, queue.count);
}

static void drain(struct model *m)
{
    const struct world *w = &m->now.world;
    m->is_reliable = true;
    open_somehow(m);
    for (int i = 0; i < PROCESSES && draw(m, 2) == 0; i++)
        end_process(m, &m->processes[i]);
    for (int round = 0; round < DRAIN_ROUNDS && (w->state != WORLD_FINISHED || has_lost(m)); round++) {
        int living = 0;
        if (has_lost(m)) {
            have_controller(m);
            do_mend(m, w->holder);
        }
        for (int name = 0; name < WORLD_NAMES; name++)
            if (!has_process(m, name))
                expire_worker(m, name);
        sweep_all(m);
        if (w->state == WORLD_RUNNING && w->cancel[0])
            cancel_rest(m);
        for (int i = 0; i < PROCESSES; i++) {
            if (m->processes[i].exists)
                turn(m, &m->processes[i]);
            living += m->processes[i].exists;
        }
        if (living == 0)
            new_process(m);
    }
    if (w->state != WORLD_FINISHED)
        violate(m, "the run can't be finished");
    do_audit(m);
    m->is_reliable = false;
}

static bool may_go_on(const struct model *m)
{
    const struct world *w = &m->now.world;
    bool may = w->history_count < WORLD_HISTORY - 2 && w->signal_count < WORLD_SIGNALS - 2;
    for (int i = 0; i < WORLD_TASKS; i++)
        may &= w->tasks[i].record_count < WORLD_RECORDS / 2;
    return may;
}

static void play_history(struct model *m, uint64_t seed)
{
    m->seed = seed;
    m->random = seed * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < 8; i++)
        draw(m, 2);
    m->history_steps = 0;
    m->runs = m->summaries = m->pids = 0;
    forget_snapshot(m);
    memset(m->looked_at, 0, sizeof(m->looked_at));
    memset(&m->now, 0, sizeof(m->now));
    world_init(&m->now.world);
    snprintf(m->now.last_event, sizeof(m->now.last_event), "0-0");
    memset(m->processes, 0, sizeof(m->processes));
    memset(m->controllers, 0, sizeof(m->controllers));
    memset(m->past, 0, sizeof(m->past));
    redis_fixture_do(&m->server, "FLUSHALL");
    check_redis(m);
    unsigned length = SHORTEST_HISTORY + draw(m, LONGEST_HISTORY - SHORTEST_HISTORY);
    for (unsigned i = 0; i < length && may_go_on(m); i++)
        step(m);
    drain(m);
}

/* ---- the test ---- */

static void on_up(void *data)
{
    ((struct model *)data)->is_up = true;
}

static void on_down(void *data, const struct error *reason)
{
    (void)data;
    fprintf(stderr, "%s\n", reason->text);
}

static void on_closed(void *data)
{
    ((struct model *)data)->is_closed = true;
}

static int set_up(void **state)
{
    static const struct redis_link_events events = {on_up, on_down};
    struct model *m = memory_zeroed(1, sizeof(*m));
    struct error err;
    *state = m;
    redis_fixture_open(&m->server, NULL);
    redis_fixture_start(&m->server);
    m->address = (struct redis_address){.host = "127.0.0.1", .port = m->server.port};
    uv_loop_init(&m->loop);
    m->link = redis_link_open(&m->loop, &m->address, &events, m);
    run_until(&m->loop, &m->is_up, "the link comes up");
    if (ledger_init(&m->ledger, m->link, "", &err) < 0 || ledger_load(&m->ledger, on_answer, &m->answer) < 0)
        return -1;
    run_until(&m->loop, &m->answer.has_come, "the scripts are loaded");
    if (m->answer.outcome != LEDGER_OK)
        exit(BROKEN_SCRIPTS);
    return 0;
}

static int tear_down(void **state)
{
    struct model *m = *state;
    forget_snapshot(m);
    keyspace_close(&m->space);
    answer_clear(&m->answer);
    redis_link_close(m->link, on_closed);
    run_until(&m->loop, &m->is_closed, "the link is closed");
    int failed = uv_loop_close(&m->loop);
    redis_fixture_close(&m->server);
    free(m);
    return failed;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void random_histories_are_without_a_flaw(void **state)
{
    struct model *m = *state;
    uint64_t seed = number_from("MODEL_SEED", clock_mono_ns() % 1000000000);
    uint64_t most = number_from("MODEL_STEPS", UINT64_MAX);
    uint64_t started_ms = clock_mono_ms(), limit_ms = number_from("MODEL_SECONDS", 20) * 1000;
    unsigned long histories = 0;
    fprintf(stderr, "MODEL_SEED=%" PRIu64 "\n", seed);
    while (m->steps < most && (most != UINT64_MAX || clock_mono_ms() - started_ms < limit_ms))
        play_history(m, seed + histories++);
    uint64_t took_ms = clock_mono_ms() - started_ms + 1;
    fprintf(stderr, "%lu steps in %lu histories, %" PRIu64 " a second\n", m->steps, histories,
            (uint64_t)m->steps * 1000 / took_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_histories_are_without_a_flaw, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
