/*
 * Every operation of shared/ledger.h, outcome by outcome, on a real server; each is sent again, as after a lost
 * reply. What a sequence of operations may do is model_test's business.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "ledger_scripts.h"
#include "shared/buffer.h"
#include "shared/ledger.h"
#include "shared/memory.h"
#include "shared/record.h"
#include "shared/redis_reply.h"
#include "tests/redis/keyspace.h"
#include "tests/redis/redis_fixture.h"

enum { LEASE_MS = 50000, PLAN_LIMIT = 8, BROKEN_SCRIPTS = 3 /* exit status */ };

struct bench {
    struct redis_fixture server;
    uv_loop_t loop;
    struct redis_address address;
    struct redis_link *link;
    bool is_up, is_closed;
    const char *prefix;
    struct ledger ledger, other; /* two processes */
    struct answer answer;
    const char *digest; /* of the run that was begun last */
    struct keyspace before;
    const char *source; /* what acquire is told, and begin */
    bool is_fresh, is_again;
    struct ledger_dead dead_workers[2];
    size_t dead_count;
    unsigned settled_ms; /* what the next settlement says of its duration */
    const char *log, *details;
};

/* ---- the stage ---- */

static void on_up(void *data)
{
    ((struct bench *)data)->is_up = true;
}

static void on_down(void *data, const struct error *reason)
{
    (void)reason;
    ((struct bench *)data)->is_up = false;
}

static void on_closed(void *data)
{
    ((struct bench *)data)->is_closed = true;
}

static struct answer *done(struct bench *b, int sent)
{
    assert_int_equal(sent, 0);
    b->answer.has_come = false;
    run_until(&b->loop, &b->answer.has_come, "a reply of the ledger");
    return &b->answer;
}

static void expect(struct bench *b, int sent, enum ledger_outcome wanted)
{
    done(b, sent);
    if (b->answer.outcome != wanted)
        fail_msg("outcome %s %s, wanted %s", ledger_outcome_name(b->answer.outcome),
                 b->answer.trouble ? b->answer.trouble : "", ledger_outcome_name(wanted));
}

static void expect_text(struct bench *b, size_t index, const char *wanted)
{
    assert_string_equal(answer_text(&b->answer, index), wanted);
}

static void use_prefix(struct bench *b, const char *prefix)
{
    struct error err;
    b->prefix = prefix;
    assert_int_equal(ledger_init(&b->ledger, b->link, prefix, &err), 0);
    assert_int_equal(ledger_init(&b->other, b->link, prefix, &err), 0);
    done(b, ledger_load(&b->ledger, on_answer, &b->answer));
    if (b->answer.outcome != LEDGER_OK)
        exit(BROKEN_SCRIPTS);
    memcpy(b->other.digests, b->ledger.digests, sizeof(b->ledger.digests));
}

static int set_up_all(void **state)
{
    static const struct redis_link_events events = {on_up, on_down};
    struct bench *b = memory_zeroed(1, sizeof(*b));
    redis_fixture_open(&b->server, NULL);
    redis_fixture_start(&b->server);
    b->address = (struct redis_address){.host = "127.0.0.1", .port = b->server.port};
    assert_int_equal(uv_loop_init(&b->loop), 0);
    b->link = redis_link_open(&b->loop, &b->address, &events, b);
    run_until(&b->loop, &b->is_up, "the link comes up");
    use_prefix(b, "");
    *state = b;
    return 0;
}

static int tear_down_all(void **state)
{
    struct bench *b = *state;
    keyspace_close(&b->before);
    answer_clear(&b->answer);
    redis_link_close(b->link, on_closed);
    run_until(&b->loop, &b->is_closed, "the link is closed");
    assert_int_equal(uv_loop_close(&b->loop), 0);
    redis_fixture_close(&b->server);
    free(b);
    return 0;
}

static int set_up(void **state)
{
    struct bench *b = *state;
    b->prefix = "";
    redis_fixture_do(&b->server, "FLUSHALL");
    b->ledger.nonce[0] = b->other.nonce[0] = '\0';
    b->settled_ms = 0;
    b->log = b->details = NULL;
    b->source = "";
    b->is_fresh = b->is_again = false;
    b->dead_count = 0;
    return 0;
}

/* ---- what is in Redis ---- */

static void remember(struct bench *b)
{
    keyspace_close(&b->before);
    keyspace_read(&b->before, &b->server, b->prefix, "0-0");
}

/* Not a byte was written since remember(). */
static void expect_untouched(struct bench *b)
{
    struct keyspace now;
    keyspace_read(&now, &b->server, b->prefix, "0-0");
    if (strcmp(now.digest, b->before.digest) != 0) {
        keyspace_equal(b->before.lines, b->before.count, now.lines, now.count);
        fail_msg("something was written");
    }
    keyspace_close(&now);
}

/* The same, but for moments: a lease was renewed. */
static void expect_same(struct bench *b)
{
    struct keyspace now;
    keyspace_read(&now, &b->server, b->prefix, "0-0");
    assert_true(keyspace_equal(b->before.lines, b->before.count, now.lines, now.count));
    keyspace_close(&now);
}

#define expect_refused(b, sent, outcome)                                                                             \
    do {                                                                                                             \
        remember(b);                                                                                                 \
        expect(b, sent, outcome);                                                                                    \
        expect_untouched(b);                                                                                         \
    } while (0)

static void expect_line(struct bench *b, const char *line)
{
    struct keyspace now;
    keyspace_read(&now, &b->server, b->prefix, "0-0");
    if (!keyspace_has(&now, line)) {
        keyspace_equal(NULL, 0, now.lines, now.count);
        fail_msg("no line: %s", line);
    }
    keyspace_close(&now);
}

static void expect_count(struct bench *b, const char *start, size_t wanted)
{
    struct keyspace now;
    keyspace_read(&now, &b->server, b->prefix, "0-0");
    if (keyspace_count(&now, start) != wanted) {
        keyspace_equal(NULL, 0, now.lines, now.count);
        fail_msg("%zu lines start with %s, wanted %zu", keyspace_count(&now, start), start, wanted);
    }
    keyspace_close(&now);
}

/* These lines are all that start so. */
static void expect_lines(struct bench *b, const char *start, const char *const *wanted)
{
    size_t count = 0;
    for (; wanted[count]; count++)
        expect_line(b, wanted[count]);
    expect_count(b, start, count);
}
#define expect_all(b, start, ...) expect_lines(b, start, (const char *const[]){__VA_ARGS__, NULL})

static int64_t ledger_number_of(struct bench *b, size_t index)
{
    return strtoll(answer_text(&b->answer, index), NULL, 10);
}

/* ---- operations, with the little that differs ---- */

static int acquire(struct bench *b, const char *me, const char *digest, const char *id, const char *dead)
{
    const struct ledger_acquisition a = {
        .me = me,
        .lease_ms = LEASE_MS,
        .digest = digest,
        .run_id = id,
        .source = b->source,
        .is_fresh = b->is_fresh,
        .is_again = b->is_again,
        .dead = dead,
        .dead_workers = b->dead_workers,
        .dead_count = b->dead_count,
    };
    return ledger_acquire(&b->ledger, &a, on_answer, &b->answer);
}

static int acquire_of(struct bench *b, const char *me, const char *id, const char *source)
{
    b->source = source;
    return acquire(b, me, "d1", id, "");
}

static int hold(struct bench *b, const char *me, unsigned lease_ms)
{
    return ledger_hold(&b->ledger, me, lease_ms, on_answer, &b->answer);
}

static int archive(struct bench *b, const char *me, const char *summary)
{
    return ledger_archive(&b->ledger, me, summary, on_answer, &b->answer);
}

static int purge(struct bench *b, const char *me, const char *const *tasks, size_t count)
{
    return ledger_purge(&b->ledger, me, tasks, count, on_answer, &b->answer);
}

static int begin(struct bench *b, const char *me, const char *id, const char *digest, const char *total)
{
    const char *fields[] = {"id",          id,  "digest",       digest, "total",  total,    "lease_ms", "50000",
                            "max_crashes", "2", "max_releases", "2",    "source", b->source};
    size_t count = sizeof(fields) / sizeof(fields[0]) - (*b->source ? 0 : 2);
    b->digest = digest;
    return ledger_begin(&b->ledger, me, fields, count, on_answer, &b->answer);
}

static int enqueue(struct bench *b, const char *me, size_t offset, size_t count)
{
    struct ledger_entry entries[PLAN_LIMIT];
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct ledger_entry){.spec = "tests/a.spec.ts",
                                           .viewport = "desktop",
                                           .browser = "chrome",
                                           .runner = "playwright",
                                           .overrides = offset + i == 0 ? "{\"retries\":1}" : NULL};
        snprintf(entries[i].key, sizeof(entries[i].key), "task:a:%zu", offset + i);
    }
    return ledger_enqueue(&b->ledger, me, b->digest ? b->digest : "d1", offset, entries, count, on_answer,
                          &b->answer);
}

static int open_run(struct bench *b, const char *me)
{
    return ledger_open(&b->ledger, me, on_answer, &b->answer);
}

static int join_as(struct bench *b, struct ledger *ledger, const char *worker, const char *nonce)
{
    const struct ledger_worker w = {worker, nonce, "host", 42, 2, nonce};
    return ledger_register(ledger, &w, on_answer, &b->answer);
}

static int join(struct bench *b, const char *worker)
{
    return join_as(b, &b->ledger, worker, "n1");
}

static int renew(struct bench *b, const char *worker)
{
    return ledger_renew(&b->ledger, worker, on_answer, &b->answer);
}

static int claim(struct bench *b, const char *worker, const char *task, const char *token)
{
    return ledger_claim(&b->ledger, worker, task, token, on_answer, &b->answer);
}

static int settle(struct bench *b, const char *worker, const char *task, const char *token, enum task_result result,
                  int retries)
{
    const struct ledger_settlement s = {
        .worker = worker,
        .task = task,
        .token = token,
        .result = result,
        .reason = result == TASK_PASSED ? "" : "exit 1",
        .duration_ns = b->settled_ms * 1000000ull,
        .record = "{\"outcome\":\"told\"}",
        .log = b->log,
        .log_length = b->log ? strlen(b->log) : 0,
        .details = b->details,
        .retries = retries,
    };
    return ledger_settle(&b->ledger, &s, on_answer, &b->answer);
}

static int tell_log(struct bench *b, const char *task, const char *token, const char *output)
{
    return ledger_log(&b->ledger, task, token, output, strlen(output), on_answer, &b->answer);
}

static int release(struct bench *b, const char *worker, const char *task, const char *token, const char *record)
{
    return ledger_release(&b->ledger, worker, task, token, record, on_answer, &b->answer);
}

static int leave(struct bench *b, const char *worker)
{
    return ledger_leave(&b->ledger, worker, on_answer, &b->answer);
}

static int overdue(struct bench *b)
{
    return ledger_overdue(&b->ledger, 0, on_answer, &b->answer);
}

/* The end of a worker's lease as it stands there, as an overdue would tell it. */
static const char *lease_end(struct bench *b, const char *worker)
{
    static char text[32];
    redisReply *reply =
        redis_fixture_command(&b->server, "ZSCORE %s %s", b->ledger.keys.names[LEDGER_WORKERS], worker);
    snprintf(text, sizeof(text), "%s", redis_reply_text(reply) ? redis_reply_text(reply) : "");
    freeReplyObject(reply);
    return text;
}

static int reclaim(struct bench *b, const char *worker, const char *task)
{
    return ledger_reclaim(&b->ledger, worker, lease_end(b, worker), task, on_answer, &b->answer);
}

static int summarize(struct bench *b, const char *me, const char *summary, int64_t reruns)
{
    return ledger_summarize(&b->ledger, me, summary, reruns, on_answer, &b->answer);
}

/* `tasks`: the keys, separated by blanks. */
static size_t split(const char *tasks, char keys[PLAN_LIMIT][TASK_KEY_SIZE], const char *list[PLAN_LIMIT])
{
    size_t count = 0;
    for (const char *at = tasks; *at; at += strspn(at, " "), count++) {
        snprintf(keys[count], TASK_KEY_SIZE, "%.*s", (int)strcspn(at, " "), at);
        list[count] = keys[count];
        at += strcspn(at, " ");
    }
    return count;
}

static int cancel(struct bench *b, const char *me, const char *reason, const char *tasks)
{
    char keys[PLAN_LIMIT][TASK_KEY_SIZE];
    const char *list[PLAN_LIMIT];
    return ledger_cancel(&b->ledger, me, CANCEL_DEADLINE, reason, list, split(tasks, keys, list), on_answer,
                         &b->answer);
}

static int rerun(struct bench *b, const char *me, const char *tasks)
{
    char keys[PLAN_LIMIT][TASK_KEY_SIZE];
    const char *list[PLAN_LIMIT];
    return ledger_rerun(&b->ledger, me, list, split(tasks, keys, list), on_answer, &b->answer);
}

/* Of a run whose only worker is w. */
static int audit(struct bench *b, bool repair, size_t task_count)
{
    static const char *const tasks[] = {"task:a:0", "task:a:1", "task:a:2", "task:a:3"};
    static const char *const workers[] = {"w"};
    return ledger_audit(&b->ledger, repair, workers, 1, tasks, task_count, on_answer, &b->answer);
}

static int bury(struct bench *b, const char *worker)
{
    return ledger_bury(&b->ledger, worker, lease_end(b, worker), on_answer, &b->answer);
}

static int64_t server_ms(struct bench *b)
{
    return redis_fixture_number(&b->server, "EVAL %s 0",
                                "local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000)");
}

/* What Redis does for a worker's BRPOPLPUSH. */
static void pop(struct bench *b, const char *worker, const char *wanted)
{
    char list[LEDGER_KEY_SIZE];
    ledger_key_build(&b->ledger.keys, LEDGER_PROCESSING, worker, list);
    redisReply *reply =
        redis_fixture_command(&b->server, "RPOPLPUSH %s %s", b->ledger.keys.names[LEDGER_TASKQUEUE], list);
    const char *task = redis_reply_text(reply);
    assert_string_equal(task ? task : "(none)", wanted);
    freeReplyObject(reply);
}

static void expire(struct bench *b, const char *worker)
{
    redis_fixture_do(&b->server, "ZADD %s XX 1 %s", b->ledger.keys.names[LEDGER_WORKERS], worker);
}

/* A run of `count` tasks, open. */
static void have_run(struct bench *b, size_t count)
{
    char total[8];
    snprintf(total, sizeof(total), "%zu", count);
    expect(b, acquire(b, "c1", "d1", "", ""), LEDGER_FRESH);
    expect(b, begin(b, "c1", "r1", "d1", total), LEDGER_OK);
    expect(b, enqueue(b, "c1", 0, count), LEDGER_OK);
    expect(b, open_run(b, "c1"), LEDGER_OK);
}

/* The same with worker w, which has claimed the first task. */
static void have_claim(struct bench *b, size_t count)
{
    have_run(b, count);
    expect(b, join(b, "w"), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t1"), LEDGER_OK);
}

/* ---- acquire, hold ---- */

static void acquire_finds_nothing(void **state)
{
    struct bench *b = *state;
    expect(b, acquire(b, "c1", "d1", "", ""), LEDGER_FRESH);
    expect_line(b, "funkytown:controller = c1 for a while");
    expect_refused(b, archive(b, "c1", "{}"), LEDGER_FENCED); /* Redis fell back to before there was a run */
    remember(b);
    expect(b, acquire(b, "c1", "d1", "", ""), LEDGER_FRESH);
    expect_same(b);
    expect_refused(b, acquire(b, "c2", "d1", "", ""), LEDGER_STANDBY);
    expect_text(b, 1, "");
    expect_text(b, 5, "controller");
    expect_text(b, 6, "c1");
    expect_refused(b, acquire(b, "c2", "d1", "", "c3"), LEDGER_STANDBY);
    expect(b, acquire(b, "c2", "d1", "", "c1"), LEDGER_FRESH);
    expect_line(b, "funkytown:controller = c2 for a while");
}

static void acquire_finds_a_run_with_its_controller(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    expect_refused(b, acquire(b, "c2", "d1", "", ""), LEDGER_STANDBY);
    expect_text(b, 1, "r1");
    expect_text(b, 2, "running");
    expect_text(b, 6, "c1");
    expect_refused(b, acquire(b, "c2", "d1", "r1", ""), LEDGER_STANDBY);
    expect_refused(b, acquire(b, "c2", "d2", "", ""), LEDGER_OCCUPIED);
    expect_text(b, 1, "r1");
    expect_text(b, 3, "plan");
    expect_text(b, 5, "controller");
    expect_text(b, 6, "c1");
    expect_refused(b, acquire(b, "c2", "d1", "r2", ""), LEDGER_OCCUPIED);
}

static void acquire_finds_a_run_without_controller(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    expect(b, hold(b, "c1", 0), LEDGER_OK);
    expect(b, acquire(b, "c2", "d1", "", ""), LEDGER_RESUME);
    expect_text(b, 1, "r1");
    expect_text(b, 2, "running");
    expect(b, acquire(b, "c3", "d1", "r1", "c2"), LEDGER_RESUME);
    expect(b, join(b, "w"), LEDGER_OK);
    expect_refused(b, acquire(b, "c4", "d2", "", "c3"), LEDGER_OCCUPIED);
    expect_text(b, 5, "worker");
    expect_text(b, 6, "w");
    expire(b, "w");
    expect(b, acquire(b, "c4", "d2", "", "c3"), LEDGER_REPLACE);
    expect_text(b, 1, "r1");
    expect(b, acquire(b, "c5", "d1", "r2", "c4"), LEDGER_REPLACE);
}

static void acquire_finds_a_finished_run(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_OK);
    expect(b, leave(b, "w"), LEDGER_OK);
    expect(b, acquire(b, "c2", "d1", "r1", "c1"), LEDGER_SERVE);
    expect_text(b, 2, "finished");
    expect(b, acquire(b, "c3", "d1", "", "c2"), LEDGER_REPLACE);
    expect(b, archive(b, "c3", "{}"), LEDGER_OK);
    expect(b, acquire(b, "c4", "d1", "r1", "c3"), LEDGER_REPLACE);
    expect_text(b, 2, "purging");
}

/* The same plan, but other code: a result of the one isn't one of the other. */
static void acquire_tells_sources_apart(void **state)
{
    struct bench *b = *state;
    b->source = "s1";
    have_run(b, 2);
    expect(b, hold(b, "c1", 0), LEDGER_OK);
    expect(b, acquire_of(b, "c2", "", "s1"), LEDGER_RESUME);
    expect_text(b, 3, "");
    expect_text(b, 4, "s1");
    expect_refused(b, acquire_of(b, "c3", "", "s2"), LEDGER_OCCUPIED);
    expect_text(b, 3, "source");
    expect_text(b, 4, "s1");
    expect_text(b, 5, "controller");
    expect_text(b, 6, "c2");
    assert_true(ledger_number_of(b, 7) - ledger_number_of(b, 8) > LEASE_MS - 10000);
    expect(b, hold(b, "c2", 0), LEDGER_OK);
    expect(b, acquire_of(b, "c3", "r1", ""), LEDGER_REPLACE);
    expect_text(b, 3, "source");
    expect(b, acquire_of(b, "c3", "", "s2"), LEDGER_REPLACE);
    expect_text(b, 0, "replace");
    expect_text(b, 1, "r1");
    expect_text(b, 2, "running");
    expect_text(b, 3, "source");
    expect_text(b, 4, "s1");
}

/* What was begun by a controller that knew of no sources has none. */
static void acquire_finds_a_run_without_source(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    expect(b, hold(b, "c1", 0), LEDGER_OK);
    expect(b, acquire_of(b, "c2", "", ""), LEDGER_RESUME);
    expect(b, hold(b, "c2", 0), LEDGER_OK);
    expect(b, acquire_of(b, "c3", "", "s1"), LEDGER_REPLACE);
    expect_text(b, 4, "");
}

static void acquire_begins_anew_when_it_is_told_to(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    b->is_fresh = true;
    expect_refused(b, acquire(b, "c2", "d1", "", ""), LEDGER_OCCUPIED);
    expect_text(b, 3, "fresh");
    expect(b, hold(b, "c1", 0), LEDGER_OK);
    expect(b, acquire(b, "c2", "d1", "r1", ""), LEDGER_REPLACE);
    expect_text(b, 3, "fresh");
}

static void acquire_says_what_makes_it_another_run(void **state)
{
    struct bench *b = *state;
    b->source = "s1";
    have_run(b, 2);
    b->is_fresh = true;
    expect(b, acquire(b, "c1", "d1", "r1", ""), LEDGER_REPLACE);
    expect_text(b, 3, "fresh");
    expect(b, acquire_of(b, "c1", "r1", "s2"), LEDGER_REPLACE);
    expect_text(b, 3, "source");
    expect(b, acquire(b, "c1", "d1", "r2", ""), LEDGER_REPLACE);
    expect_text(b, 3, "id");
    expect(b, acquire(b, "c1", "d2", "r2", ""), LEDGER_REPLACE);
    expect_text(b, 3, "plan");
    expect(b, archive(b, "c1", "{}"), LEDGER_OK);
    expect(b, acquire(b, "c1", "d2", "r2", ""), LEDGER_REPLACE);
    expect_text(b, 3, "purging");
}

static void have_finished_run(struct bench *b)
{
    have_claim(b, 1);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_OK);
    expect(b, leave(b, "w"), LEDGER_OK);
}

/* Its controller is alive, and once it has told the verdict it only shows it. */
static void acquire_takes_over_from_who_only_serves(void **state)
{
    struct bench *b = *state;
    have_finished_run(b);
    expect_refused(b, acquire(b, "c2", "d1", "", ""), LEDGER_STANDBY);
    expect_text(b, 3, "finished");
    expect_refused(b, acquire(b, "c2", "d1", "r1", ""), LEDGER_STANDBY);
    expect_text(b, 3, "");
    expect_refused(b, acquire(b, "c2", "d2", "", ""), LEDGER_OCCUPIED);
    redis_fixture_do(&b->server, "HSET funkytown:run summary {}");
    expect_refused(b, acquire(b, "c2", "d2", "", ""), LEDGER_OCCUPIED);
    expect_text(b, 2, "finished");
    expect(b, acquire(b, "c2", "d1", "r1", ""), LEDGER_SERVE);
    expect_refused(b, hold(b, "c1", LEASE_MS), LEDGER_FENCED);
    expect(b, acquire_of(b, "c3", "r1", "s2"), LEDGER_REPLACE);
    expect_text(b, 3, "source");
    /* Until it is archived it is c3's to replace, and nobody else's. */
    expect_refused(b, acquire_of(b, "c4", "", ""), LEDGER_STANDBY);
    expect_refused(b, acquire(b, "c4", "d2", "", ""), LEDGER_STANDBY);
    expect(b, archive(b, "c3", "{}"), LEDGER_OK);
    expect_refused(b, acquire(b, "c4", "d2", "", ""), LEDGER_STANDBY);
    expect_refused(b, acquire_of(b, "c4", "r1", ""), LEDGER_STANDBY);
    expect_text(b, 2, "purging");
}

/* A lease of who is known to be dead holds up nobody; of another process of that name it does. */
static void acquire_waits_for_no_dead_worker(void **state)
{
    struct bench *b = *state;
    have_claim(b, 2);
    expect(b, join_as(b, &b->other, "v", "n2"), LEDGER_OK);
    b->dead_workers[0] = (struct ledger_dead){"w", "n2"};
    b->dead_workers[1] = (struct ledger_dead){"v", "n2"};
    b->dead_count = 2;
    expect_refused(b, acquire(b, "c2", "d2", "", "c1"), LEDGER_OCCUPIED);
    expect_text(b, 5, "worker");
    expect_text(b, 6, "w");
    b->dead_workers[0].identity = "n1";
    b->dead_count = 1;
    expect_refused(b, acquire(b, "c2", "d2", "", "c1"), LEDGER_OCCUPIED);
    expect_text(b, 6, "v");
    assert_true(ledger_number_of(b, 7) - ledger_number_of(b, 8) > LEASE_MS - 10000);
    b->dead_count = 2;
    expect(b, acquire(b, "c2", "d2", "", "c1"), LEDGER_REPLACE);
    expect(b, archive(b, "c2", "{}"), LEDGER_OK);
    expect_line(b, "funkytown:graves w T");
    expect_line(b, "funkytown:graves v T");
}

/* Who is resumed with may be cut off, and says so itself. */
static void acquire_ends_no_lease_of_a_run_that_goes_on(void **state)
{
    struct bench *b = *state;
    have_claim(b, 2);
    b->dead_workers[0] = (struct ledger_dead){"w", "n1"};
    b->dead_count = 1;
    expect(b, acquire(b, "c2", "d1", "", "c1"), LEDGER_RESUME);
    expect(b, renew(b, "w"), LEDGER_OK);
    expect_refused(b, reclaim(b, "w", "task:a:0"), LEDGER_ALIVE);
}

static void hold_is_for_the_last_controller(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    redis_fixture_do(&b->server, "PEXPIRE funkytown:controller 1000");
    remember(b);
    int64_t now = server_ms(b);
    expect(b, hold(b, "c1", LEASE_MS), LEDGER_OK);
    assert_in_range(strtoll(answer_text(&b->answer, 1), NULL, 10), now, now + 60000);
    expect_same(b);
    assert_true(redis_fixture_number(&b->server, "PTTL funkytown:controller") > LEASE_MS - 10000);
    expect_refused(b, hold(b, "c2", LEASE_MS), LEDGER_FENCED);
    expect_refused(b, hold(b, "c2", 0), LEDGER_FENCED);

    redis_fixture_do(&b->server, "DEL funkytown:controller");
    expect_refused(b, hold(b, "c2", LEASE_MS), LEDGER_FENCED);
    expect(b, hold(b, "c1", LEASE_MS), LEDGER_OK);
    expect_line(b, "funkytown:controller = c1 for a while");
}

static void a_controller_that_was_away_too_long_is_fenced(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    expect(b, acquire(b, "c2", "d1", "", "c1"), LEDGER_RESUME);
    expect(b, hold(b, "c2", 0), LEDGER_OK);
    expect_refused(b, hold(b, "c1", LEASE_MS), LEDGER_FENCED);
    remember(b);
    expect(b, hold(b, "c2", 0), LEDGER_OK);
    expect_untouched(b);
}

/* ---- begin, enqueue, open ---- */

static void begin_writes_the_fields_of_the_run(void **state)
{
    struct bench *b = *state;
    expect_refused(b, begin(b, "c1", "r1", "d1", "2"), LEDGER_FENCED);
    expect(b, acquire(b, "c1", "d1", "", ""), LEDGER_FRESH);
    expect(b, begin(b, "c1", "r1", "d1", "2"), LEDGER_OK);
    expect_all(b, "", "funkytown:controller = c1 for a while", "funkytown:run.controller = c1",
               "funkytown:run.digest = d1", "funkytown:run.events = 0", "funkytown:run.id = r1",
               "funkytown:run.lease_ms = 50000", "funkytown:run.loaded = 0", "funkytown:run.max_crashes = 2",
               "funkytown:run.max_releases = 2", "funkytown:run.state = loading", "funkytown:run.total = 2");
    remember(b);
    expect(b, begin(b, "c1", "r1", "d1", "2"), LEDGER_OK);
    expect_untouched(b);
    expect_refused(b, begin(b, "c2", "r2", "d2", "2"), LEDGER_FENCED);
}

static void begin_spares_a_run(void **state)
{
    struct bench *b = *state;
    expect(b, acquire(b, "c1", "d1", "", ""), LEDGER_FRESH);
    expect(b, begin(b, "c1", "r1", "d1", "2"), LEDGER_OK);
    expect(b, enqueue(b, "c1", 0, 1), LEDGER_OK);
    expect_refused(b, begin(b, "c1", "r1", "d1", "2"), LEDGER_BUSY);
    expect(b, enqueue(b, "c1", 1, 1), LEDGER_OK);
    expect(b, open_run(b, "c1"), LEDGER_OK);
    expect_refused(b, begin(b, "c1", "r1", "d1", "2"), LEDGER_BUSY);
    expect(b, archive(b, "c1", "{}"), LEDGER_OK);
    expect_refused(b, begin(b, "c1", "r1", "d1", "2"), LEDGER_BUSY);
}

static void enqueue_writes_tasks_in_plan_order(void **state)
{
    struct bench *b = *state;
    expect(b, acquire(b, "c1", "d1", "", ""), LEDGER_FRESH);
    expect_refused(b, enqueue(b, "c1", 0, 2), LEDGER_FENCED);
    expect(b, begin(b, "c1", "r1", "d1", "3"), LEDGER_OK);
    expect_refused(b, enqueue(b, "c2", 0, 2), LEDGER_FENCED);
    b->digest = "d2"; /* Redis is back with a run that we had before */
    expect_refused(b, enqueue(b, "c1", 0, 2), LEDGER_FENCED);
    b->digest = "d1";
    expect_refused(b, enqueue(b, "c1", 1, 2), LEDGER_AT);
    expect_text(b, 1, "0");
    expect(b, enqueue(b, "c1", 0, 2), LEDGER_OK);
    expect_text(b, 1, "2");
    expect_all(b, "task:a:0", "task:a:0.key = task:a:0", "task:a:0.spec = tests/a.spec.ts",
               "task:a:0.viewport = desktop", "task:a:0.browser = chrome", "task:a:0.status = waiting",
               "task:a:0.result = unknown", "task:a:0.starttime = 0", "task:a:0.duration = 0",
               "task:a:0.durationstring = 0s", "task:a:0.runner = playwright", "task:a:0.attempt = 0",
               "task:a:0.worker = ", "task:a:0.flaky = 0", "task:a:0.reason = ");
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:1", "taskqueue[1] = task:a:0");
    expect_all(b, "funkytown:order", "funkytown:order[0] = task:a:0", "funkytown:order[1] = task:a:1");
    expect_all(b, "funkytown:overrides", "funkytown:overrides.task:a:0 = {\"retries\":1}");
    expect_refused(b, enqueue(b, "c1", 0, 2), LEDGER_AT);
    expect_text(b, 1, "2");

    /* Another controller goes on in the middle. */
    expect(b, acquire(b, "c2", "d1", "", "c1"), LEDGER_RESUME);
    expect_text(b, 2, "loading");
    expect_refused(b, enqueue(b, "c1", 2, 1), LEDGER_FENCED);
    expect_refused(b, enqueue(b, "c2", 0, 1), LEDGER_AT);
    expect(b, enqueue(b, "c2", 2, 1), LEDGER_OK);
    expect_text(b, 1, "3");
    expect(b, open_run(b, "c2"), LEDGER_OK);
    expect_refused(b, enqueue(b, "c2", 3, 1), LEDGER_FENCED);
    expect(b, join(b, "w"), LEDGER_OK);
    pop(b, "w", "task:a:0");
    pop(b, "w", "task:a:1");
    pop(b, "w", "task:a:2");
}

static void open_writes_runmeta_last(void **state)
{
    struct bench *b = *state;
    expect(b, acquire(b, "c1", "d1", "", ""), LEDGER_FRESH);
    expect_refused(b, open_run(b, "c1"), LEDGER_FENCED);
    expect(b, begin(b, "c1", "r1", "d1", "2"), LEDGER_OK);
    expect(b, enqueue(b, "c1", 0, 1), LEDGER_OK);
    expect_refused(b, open_run(b, "c1"), LEDGER_AT);
    expect_text(b, 1, "1");
    expect_refused(b, open_run(b, "c2"), LEDGER_FENCED);
    expect(b, enqueue(b, "c1", 1, 1), LEDGER_OK);
    expect(b, open_run(b, "c1"), LEDGER_OK);
    expect_all(b, "runmeta", "runmeta.runid = r1", "runmeta.tasksremaining = 2", "runmeta.tasksfinished = 0",
               "runmeta.finished = 0");
    expect_line(b, "funkytown:run.state = running");
    expect_line(b, "funkytown:run.started_ms = T");
    expect_all(b, "funkytown:events", "funkytown:events number=1 at_ms=T event=opened");
    expect_all(b, "funkytown:signals", "funkytown:signals event=opened");
    expect_refused(b, open_run(b, "c1"), LEDGER_ALREADY);
    expect(b, join(b, "w"), LEDGER_OK);
    for (int i = 0; i < 2; i++) {
        char task[16];
        snprintf(task, sizeof(task), "task:a:%d", i);
        pop(b, "w", task);
        expect(b, claim(b, "w", task, "t"), LEDGER_OK);
        expect(b, settle(b, "w", task, "t", TASK_PASSED, 0), LEDGER_OK);
    }
    expect_refused(b, open_run(b, "c1"), LEDGER_ALREADY);
}

/* ---- register, renew, leave ---- */

static void register_leases_a_worker(void **state)
{
    struct bench *b = *state;
    expect_refused(b, join(b, "w"), LEDGER_WAITING);
    have_run(b, 2);
    expect(b, join(b, "w"), LEDGER_OK);
    bool has_id = false;
    for (size_t i = 1; i + 1 < b->answer.count; i += 2)
        has_id |= strcmp(answer_text(&b->answer, i), "id") == 0 && strcmp(answer_text(&b->answer, i + 1), "r1") == 0;
    assert_true(has_id);
    expect_all(b, "funkytown:worker", "funkytown:workers w alive", "funkytown:worker:w.nonce = n1",
               "funkytown:worker:w.host = host", "funkytown:worker:w.pid = 42", "funkytown:worker:w.slots = 2",
               "funkytown:worker:w.identity = n1");
    expect_line(b, "funkytown:events number=2 at_ms=T event=joined worker=w slots=2 host=host pid=42");
    remember(b);
    expect(b, join(b, "w"), LEDGER_OK);
    expect_same(b);
    expect_refused(b, join_as(b, &b->other, "w", "n2"), LEDGER_TAKEN);
    expire(b, "w");
    expect(b, join(b, "w"), LEDGER_OK);
    expect_same(b);
}

static void register_hands_back_what_a_lost_pop_left(void **state)
{
    struct bench *b = *state;
    have_claim(b, 3);
    pop(b, "w", "task:a:1");
    expect(b, join(b, "w"), LEDGER_OK);
    expect_all(b, "funkytown:processing", "funkytown:processing:w[0] = task:a:0");
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:2", "taskqueue[1] = task:a:1");
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_OK);
}

static void register_takes_over_the_name_of_a_dead_worker(void **state)
{
    struct bench *b = *state;
    have_claim(b, 3);
    expire(b, "w");
    expect_refused(b, join_as(b, &b->other, "w", "n2"), LEDGER_TAKEN); /* its claim is to be reclaimed first */
    expect(b, reclaim(b, "w", "task:a:0"), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expect(b, join_as(b, &b->other, "w", "n2"), LEDGER_OK);
    expect_line(b, "funkytown:worker:w.nonce = n2");
    expect_count(b, "funkytown:processing", 0);
    expect_line(b, "taskqueue[2] = task:a:0");
    expect_line(b, "funkytown:events number=5 at_ms=T event=joined worker=w slots=2 host=host pid=42");
    expect_refused(b, join(b, "w"), LEDGER_TAKEN);
}

static void a_replaced_process_is_no_worker_any_more(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    expect(b, join(b, "w"), LEDGER_OK);
    expire(b, "w");
    expect(b, join_as(b, &b->other, "w", "n2"), LEDGER_OK);
    pop(b, "w", "task:a:0");
    /* Its claims would be kept alive by the other's lease, and by nobody be swept. */
    expect_refused(b, claim(b, "w", "task:a:0", "t1"), LEDGER_UNKNOWN);
    expect_refused(b, renew(b, "w"), LEDGER_UNKNOWN);
    remember(b);
    expect(b, leave(b, "w"), LEDGER_OK);
    expect_untouched(b);
    expect(b, ledger_renew(&b->other, "w", on_answer, &b->answer), LEDGER_OK);
    expect_text(b, 1, "task:a:0");
    expect(b, ledger_claim(&b->other, "w", "task:a:0", "t2", on_answer, &b->answer), LEDGER_OK);
    expect(b, ledger_leave(&b->other, "w", on_answer, &b->answer), LEDGER_BUSY);
}

static void register_says_that_the_run_is_closed(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_OK);
    expect_refused(b, join_as(b, &b->other, "v", "n2"), LEDGER_CLOSED);
    expect_text(b, 1, "r1");
    expect_text(b, 2, "1");
    expect(b, hold(b, "c1", 0), LEDGER_OK);
    expect_refused(b, join_as(b, &b->other, "v", "n2"), LEDGER_CLOSED);
    expect_text(b, 2, "0");
    expect(b, acquire(b, "c2", "d1", "r1", ""), LEDGER_SERVE);
    expect_refused(b, join_as(b, &b->other, "v", "n2"), LEDGER_CLOSED);
    expect_text(b, 2, "1");
}

/* A controller has come, and will put back what didn't pass: who came with it waits, and so does another controller. */
static void register_waits_for_a_closed_run_that_is_run_again(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_FAILED, 0), LEDGER_OK);
    redis_fixture_do(&b->server, "HSET funkytown:run summary {}");
    expect(b, hold(b, "c1", 0), LEDGER_OK);
    b->is_again = true;
    expect(b, acquire(b, "c2", "d1", "r1", ""), LEDGER_SERVE);
    expect_refused(b, join_as(b, &b->other, "v", "n2"), LEDGER_CLOSED);
    expect_text(b, 2, "0");
    expect_refused(b, acquire(b, "c3", "d1", "r1", ""), LEDGER_STANDBY);
    expect(b, hold(b, "c2", LEASE_MS), LEDGER_OK);
    expect(b, rerun(b, "c2", ""), LEDGER_OK); /* nothing is left to run again: it is closed all the same */
    expect_refused(b, join_as(b, &b->other, "v", "n2"), LEDGER_CLOSED);
    expect_text(b, 2, "1");
    expect(b, rerun(b, "c2", "task:a:0"), LEDGER_OK);
    expect(b, join_as(b, &b->other, "v", "n2"), LEDGER_OK);
    expect(b, acquire(b, "c3", "d1", "r1", "c2"), LEDGER_RESUME); /* a run that goes on is ours at once */
    expect_line(b, "funkytown:run.controller = c3");
}

/* A controller has come, and what it begins with is the end of the old run: who came with it waits. */
static void register_waits_for_a_run_that_replaces_the_closed_one(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_OK);
    expect(b, leave(b, "w"), LEDGER_OK);
    expect(b, hold(b, "c1", 0), LEDGER_OK);
    expect(b, acquire(b, "c2", "d1", "", ""), LEDGER_REPLACE);
    expect_refused(b, join_as(b, &b->other, "v", "n2"), LEDGER_CLOSED);
    expect_text(b, 2, "0");
    expect(b, archive(b, "c2", "{}"), LEDGER_OK);
    expect_refused(b, join_as(b, &b->other, "v", "n2"), LEDGER_WAITING);
    redis_fixture_do(&b->server, "DEL funkytown:controller");
    expect(b, hold(b, "c2", LEASE_MS), LEDGER_OK);
    expect(b, acquire(b, "c3", "d1", "", "c2"), LEDGER_REPLACE);
    redis_fixture_do(&b->server, "DEL funkytown:controller");
    expect(b, hold(b, "c3", LEASE_MS), LEDGER_OK);
}

static void renew_tells_what_lies_in_the_list(void **state)
{
    struct bench *b = *state;
    expect_refused(b, renew(b, "w"), LEDGER_UNKNOWN);
    have_claim(b, 3);
    pop(b, "w", "task:a:1");
    remember(b);
    expect(b, renew(b, "w"), LEDGER_OK);
    assert_int_equal(b->answer.count, 3);
    expect_text(b, 1, "task:a:1");
    expect_text(b, 2, "task:a:0");
    expect_same(b);
    expire(b, "w");
    expect(b, renew(b, "w"), LEDGER_OK); /* it was late, and nobody had noticed */
    expect_same(b);
    expect_refused(b, renew(b, "v"), LEDGER_UNKNOWN);
}

static void renew_says_that_the_run_is_closed(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_OK);
    remember(b);
    expect(b, renew(b, "w"), LEDGER_CLOSED);
    expect_same(b);
}

static void leave_hands_back_and_keeps_the_list_swept(void **state)
{
    struct bench *b = *state;
    have_claim(b, 3);
    pop(b, "w", "task:a:1");
    expect_refused(b, leave(b, "w"), LEDGER_BUSY);
    expect(b, release(b, "w", "task:a:0", "t1", NULL), LEDGER_OK);
    expect(b, leave(b, "w"), LEDGER_OK);
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:2", "taskqueue[1] = task:a:0", "taskqueue[2] = task:a:1");
    expect_count(b, "funkytown:worker", 0);
    expect_count(b, "funkytown:processing", 0);
    expect_all(b, "funkytown:graves", "funkytown:graves w T");
    expect_line(b, "funkytown:events number=5 at_ms=T event=left worker=w");
    remember(b);
    expect(b, leave(b, "w"), LEDGER_OK);
    expect_untouched(b);

    /* Redis serves a pop of the connection that nobody reads from any more. */
    pop(b, "w", "task:a:1");
    expect(b, overdue(b), LEDGER_OK);
    expect_text(b, 2, "0");
    expect_text(b, 3, "w");
    expect(b, reclaim(b, "w", "task:a:1"), LEDGER_OK);
    expect_line(b, "taskqueue[2] = task:a:1");
    expect_count(b, "funkytown:crashes", 0);

    pop(b, "w", "task:a:1");
    expect(b, join(b, "w"), LEDGER_OK); /* or the worker comes back before */
    expect_line(b, "taskqueue[2] = task:a:1");
    expect_count(b, "funkytown:graves", 0);
    expect_line(b, "funkytown:worker:w.nonce = n1");
}

/* ---- claim ---- */

static void claim_makes_a_waiting_task_ours(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    expect_refused(b, claim(b, "w", "task:a:0", "t1"), LEDGER_UNKNOWN);
    expect(b, join(b, "w"), LEDGER_OK);
    expect_refused(b, claim(b, "w", "task:a:0", "t1"), LEDGER_GONE);
    pop(b, "w", "task:a:0");
    for (int i = 0; i < 2; i++) {
        expect(b, claim(b, "w", "task:a:0", "t1"), LEDGER_OK);
        assert_int_equal(b->answer.count, 7);
        expect_text(b, 1, "1");
        expect_text(b, 2, "tests/a.spec.ts");
        expect_text(b, 3, "desktop");
        expect_text(b, 4, "chrome");
        expect_text(b, 5, "playwright");
        expect_text(b, 6, "{\"retries\":1}");
        if (i > 0)
            expect_untouched(b);
        remember(b);
    }
    expect_all(b, "task:a:0", "task:a:0.key = task:a:0", "task:a:0.spec = tests/a.spec.ts",
               "task:a:0.viewport = desktop", "task:a:0.browser = chrome", "task:a:0.status = processing",
               "task:a:0.result = unknown", "task:a:0.starttime = T", "task:a:0.duration = 0",
               "task:a:0.durationstring = 0s", "task:a:0.runner = playwright", "task:a:0.attempt = 1",
               "task:a:0.worker = w", "task:a:0.flaky = 0", "task:a:0.reason = ");
    expect_all(b, "funkytown:claims", "funkytown:claims.task:a:0 = t1");
    expect_line(b, "funkytown:events number=3 at_ms=T event=claimed task=task:a:0 worker=w attempt=1");
    pop(b, "w", "task:a:1");
    expect(b, claim(b, "w", "task:a:1", "t2"), LEDGER_OK);
    expect_text(b, 6, "");
}

static void claim_under_another_token_starts_a_forgotten_task_anew(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    expect(b, join_as(b, &b->other, "v", "n2"), LEDGER_OK); /* who would be given what ended badly with w */
    expect(b, claim(b, "w", "task:a:0", "t2"), LEDGER_OK);
    expect_text(b, 1, "2");
    expect_line(b, "task:a:0.attempt = 2");
    expect_all(b, "funkytown:attempts",
               "funkytown:attempts:task:a:0[0] = lost 1 w T true: the worker knew nothing of it any more");
    expect_count(b, "funkytown:crashes", 0);
    expect_refused(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_FENCED);
    expect(b, settle(b, "w", "task:a:0", "t2", TASK_PASSED, 0), LEDGER_OK);
}

static void claim_takes_out_of_the_list_what_somebody_else_answers_for(void **state)
{
    struct bench *b = *state;
    have_claim(b, 2);
    expect(b, join_as(b, &b->other, "v", "n2"), LEDGER_OK);
    redis_fixture_do(&b->server, "LPUSH funkytown:processing:v task:a:0");
    expect(b, ledger_claim(&b->other, "v", "task:a:0", "t2", on_answer, &b->answer), LEDGER_GONE);
    expect_all(b, "funkytown:processing", "funkytown:processing:w[0] = task:a:0");
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_OK);
    redis_fixture_do(&b->server, "LPUSH funkytown:processing:v task:a:0");
    expect(b, ledger_claim(&b->other, "v", "task:a:0", "t2", on_answer, &b->answer), LEDGER_GONE);
    expect_count(b, "funkytown:processing", 0);
    expect_line(b, "task:a:0.result = passed");
}

static void claim_needs_an_open_run(void **state)
{
    struct bench *b = *state;
    have_run(b, 1);
    expect(b, join(b, "w"), LEDGER_OK);
    pop(b, "w", "task:a:0");
    redis_fixture_do(&b->server, "HSET funkytown:run state finished");
    expect_refused(b, claim(b, "w", "task:a:0", "t1"), LEDGER_CLOSED);
}

/* ---- settle ---- */

static void settle_ends_a_task(void **state)
{
    static const struct {
        enum task_result result;
        unsigned duration_ms;
        const char *result_line, *reason_line, *duration_line, *text_line;
    } rows[] = {
        {TASK_PASSED, 0, "task:a:0.result = passed", "task:a:0.reason = ", "task:a:0.duration = 0",
         "task:a:0.durationstring = 0s"},
        {TASK_FAILED, 72900, "task:a:0.result = failed", "task:a:0.reason = exit 1",
         "task:a:0.duration = 72900000000", "task:a:0.durationstring = 1m12s"},
        {TASK_ERROR, 3605000, "task:a:0.result = error", "task:a:0.reason = exit 1",
         "task:a:0.duration = 3605000000000", "task:a:0.durationstring = 1h0m5s"},
        {TASK_SKIPPED, 2000, "task:a:0.result = skipped", "task:a:0.reason = exit 1",
         "task:a:0.duration = 2000000000", "task:a:0.durationstring = 2s"},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_up(state);
        have_claim(b, 2);
        b->settled_ms = rows[i].duration_ms;
        b->log = "output";
        b->details = "{\"message\":\"m\"}";
        expect(b, settle(b, "w", "task:a:0", "t1", rows[i].result, 0), LEDGER_OK);
        expect_text(b, 1, "1");
        expect_line(b, "task:a:0.status = complete");
        expect_line(b, rows[i].result_line);
        expect_line(b, rows[i].reason_line);
        expect_line(b, rows[i].duration_line);
        expect_line(b, rows[i].text_line);
        expect_line(b, "task:a:0.flaky = 0");
        expect_all(b, "runmeta", "runmeta.runid = r1", "runmeta.tasksremaining = 1", "runmeta.tasksfinished = 1",
                   "runmeta.finished = 0");
        expect_count(b, "funkytown:processing", 0);
        expect_count(b, "funkytown:claims", 0);
        expect_all(b, "taskqueue", "taskqueue[0] = task:a:1");
        expect_all(b, "funkytown:attempts", "funkytown:attempts:task:a:0[0] = {\"outcome\":\"told\"}");
        expect_all(b, "funkytown:logs", "funkytown:logs:task:a:0.1 = output");
        expect_all(b, "funkytown:details", "funkytown:details.task:a:0 = {\"message\":\"m\"}");
        expect_count(b, "funkytown:failures", rows[i].result == TASK_FAILED);
        expect_refused(b, settle(b, "w", "task:a:0", "t1", rows[i].result, 0), LEDGER_ALREADY);
        expect_refused(b, settle(b, "w", "task:a:0", "t2", rows[i].result, 0), LEDGER_FENCED);
    }
    expect_line(b, "funkytown:events number=4 at_ms=T event=settled task=task:a:0 worker=w attempt=1 result=skipped "
                   "flaky=0 duration_ns=2000000000 reason=exit 1 "
                   "failed=0 details={\"message\":\"m\"}");
}

static void settle_of_a_failure_leaves_retries(void **state)
{
    struct bench *b = *state;
    have_claim(b, 2);
    b->details = "{}";
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_FAILED, 2), LEDGER_OK);
    expect_text(b, 1, "0");
    expect_line(b, "task:a:0.status = waiting");
    expect_line(b, "task:a:0.result = unknown");
    expect_line(b, "task:a:0.reason = exit 1");
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:1", "taskqueue[1] = task:a:0");
    expect_line(b, "funkytown:failures.task:a:0 = 1");
    expect_line(b, "runmeta.tasksremaining = 2");
    expect_count(b, "funkytown:logs", 0);
    expect_line(b, "funkytown:details.task:a:0 = {}");
    expect_line(b, "funkytown:events number=4 at_ms=T event=retried task=task:a:0 worker=w attempt=1 result=failed "
                   "flaky=0 duration_ns=0 reason=exit 1 failed=0 details={}");
    expect_refused(b, settle(b, "w", "task:a:0", "t1", TASK_FAILED, 2), LEDGER_ALREADY);

    pop(b, "w", "task:a:0"); /* the next one to run */
    expect(b, claim(b, "w", "task:a:0", "t2"), LEDGER_OK);
    expect_text(b, 1, "2");
    b->details = NULL;
    expect(b, settle(b, "w", "task:a:0", "t2", TASK_FAILED, 2), LEDGER_OK);
    expect_text(b, 1, "0");
    expect_count(b, "funkytown:details", 0);
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t3"), LEDGER_OK);
    expect(b, settle(b, "w", "task:a:0", "t3", TASK_FAILED, 2), LEDGER_OK);
    expect_text(b, 1, "1");
    expect_line(b, "task:a:0.result = failed");
    expect_line(b, "task:a:0.flaky = 0");
    expect_line(b, "funkytown:failures.task:a:0 = 3");
    expect_line(b, "runmeta.tasksremaining = 1");
}

static void settle_of_a_pass_after_a_failure_is_flaky(void **state)
{
    struct bench *b = *state;
    have_claim(b, 2);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_FAILED, 1), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t2"), LEDGER_OK);
    expect(b, settle(b, "w", "task:a:0", "t2", TASK_PASSED, 1), LEDGER_OK);
    expect_line(b, "task:a:0.flaky = 1");
    expect_line(b, "task:a:0.result = passed");
    expect_line(b, "funkytown:events number=6 at_ms=T event=settled task=task:a:0 worker=w attempt=2 result=passed "
                   "flaky=1 duration_ns=0 reason= failed=0 details=");
    expect_all(b, "funkytown:attempts", "funkytown:attempts:task:a:0[0] = {\"outcome\":\"told\"}",
               "funkytown:attempts:task:a:0[1] = {\"outcome\":\"told\"}");
}

static void settle_of_a_skip_needs_no_retry_and_takes_no_failure_back(void **state)
{
    struct bench *b = *state;
    have_claim(b, 2);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_SKIPPED, 5), LEDGER_OK);
    expect_text(b, 1, "1");
    expect_line(b, "task:a:0.result = skipped");
    expect_line(b, "runmeta.tasksremaining = 1");
    expect_count(b, "funkytown:failures", 0);

    pop(b, "w", "task:a:1");
    expect(b, claim(b, "w", "task:a:1", "t2"), LEDGER_OK);
    expect(b, settle(b, "w", "task:a:1", "t2", TASK_FAILED, 1), LEDGER_OK);
    pop(b, "w", "task:a:1");
    expect(b, claim(b, "w", "task:a:1", "t3"), LEDGER_OK);
    expect(b, settle(b, "w", "task:a:1", "t3", TASK_SKIPPED, 1), LEDGER_OK);
    expect_text(b, 1, "1");
    expect_line(b, "task:a:1.result = failed");
    expect_line(b, "task:a:1.reason = it failed before, and skipped itself then");
    expect_line(b, "task:a:1.flaky = 0");
    expect_line(b, "funkytown:run.failed = 1");
    expect_line(b, "runmeta.finished = 1");
    expect_line(b, "funkytown:events number=8 at_ms=T event=settled task=task:a:1 worker=w attempt=2 result=failed "
                   "flaky=0 duration_ns=0 reason=it failed before, and skipped itself then failed=1 details=");

    expect(b, rerun(b, "c1", "task:a:0"), LEDGER_OK);
    expect_text(b, 1, "1");
    expect_line(b, "task:a:0.status = waiting");
}

static void the_last_settlement_finishes_the_run(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_OK);
    expect_all(b, "runmeta", "runmeta.runid = r1", "runmeta.tasksremaining = 0", "runmeta.tasksfinished = 1",
               "runmeta.finished = 1");
    expect_line(b, "funkytown:run.state = finished");
    expect_line(b, "funkytown:run.finished_ms = T");
    expect_line(b, "funkytown:signals event=finished");
    expect_line(b, "funkytown:events number=5 at_ms=T event=finished");
    expect_refused(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_ALREADY);
}

/* ---- release ---- */

static void release_makes_a_task_the_next_one(void **state)
{
    struct bench *b = *state;
    have_claim(b, 3);
    pop(b, "w", "task:a:1");
    expect_refused(b, release(b, "w", "task:a:0", "t2", "{}"), LEDGER_FENCED);
    expect_refused(b, release(b, "w", "task:a:0", NULL, NULL), LEDGER_FENCED);
    expect_refused(b, release(b, "w", "task:a:2", NULL, NULL), LEDGER_FENCED);
    expect(b, release(b, "w", "task:a:1", NULL, NULL), LEDGER_OK);
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:2", "taskqueue[1] = task:a:1");
    expect_count(b, "funkytown:events", 3);
    expect_refused(b, release(b, "w", "task:a:1", NULL, NULL), LEDGER_FENCED);

    expect(b, release(b, "w", "task:a:0", "t1", "{\"outcome\":\"released\"}"), LEDGER_OK);
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:2", "taskqueue[1] = task:a:1", "taskqueue[2] = task:a:0");
    expect_line(b, "task:a:0.status = waiting");
    expect_line(b, "task:a:0.starttime = 0");
    expect_line(b, "task:a:0.attempt = 1");
    expect_count(b, "funkytown:claims", 0);
    expect_count(b, "funkytown:processing", 0);
    expect_count(b, "funkytown:crashes", 0);
    expect_count(b, "funkytown:failures", 0);
    expect_all(b, "funkytown:attempts", "funkytown:attempts:task:a:0[0] = {\"outcome\":\"released\"}");
    expect_line(
        b,
        "funkytown:events number=4 at_ms=T event=released task=task:a:0 worker=w attempt=1 result=unknown reason=");
    expect_refused(b, release(b, "w", "task:a:0", "t1", "{}"), LEDGER_FENCED);
    expect_refused(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_FENCED);
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t2"), LEDGER_OK);
    expect(b, release(b, "w", "task:a:0", "t2", NULL), LEDGER_OK);
    expect_count(b, "funkytown:attempts", 1);
}

static void release_is_bounded(void **state)
{
    struct bench *b = *state;
    have_run(b, 1);
    expect(b, join(b, "w"), LEDGER_OK);
    for (int i = 0; i < 2; i++) {
        pop(b, "w", "task:a:0");
        expect(b, claim(b, "w", "task:a:0", i ? "t2" : "t1"), LEDGER_OK);
        expect(b, release(b, "w", "task:a:0", i ? "t2" : "t1", "{}"), LEDGER_OK);
        expect_text(b, 1, "0");
        expect_line(b, "task:a:0.status = waiting");
    }
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t3"), LEDGER_OK);
    expect(b, release(b, "w", "task:a:0", "t3", "{}"), LEDGER_OK);
    expect_text(b, 1, "1");
    expect_count(b, "taskqueue", 0);
    expect_line(b, "task:a:0.status = complete");
    expect_line(b, "task:a:0.result = error");
    expect_line(b, "task:a:0.reason = handed back 3 times by workers that were told to stop");
    expect_line(b, "runmeta.finished = 1");
    expect_line(b, "funkytown:events number=8 at_ms=T event=released task=task:a:0 worker=w attempt=3 result=error "
                   "reason=handed back 3 times by workers that were told to stop");
    expect_line(b, "funkytown:events number=9 at_ms=T event=finished");
}

/* ---- a failed task goes to another worker ---- */

static void claim_leaves_a_task_that_failed_here_to_others(void **state)
{
    struct bench *b = *state;
    have_claim(b, 2);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_FAILED, 5), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t2"), LEDGER_OK); /* there is nobody else */
    expect(b, settle(b, "w", "task:a:0", "t2", TASK_FAILED, 5), LEDGER_OK);

    expect(b, join_as(b, &b->other, "v", "n2"), LEDGER_OK);
    for (int i = 0; i < 2; i++) {
        redis_fixture_do(&b->server, "LREM taskqueue 0 task:a:1");
        pop(b, "w", "task:a:0");
        redis_fixture_do(&b->server, "LPUSH taskqueue task:a:1");
        expect(b, claim(b, "w", "task:a:0", "t3"), LEDGER_GONE);
        expect_all(b, "taskqueue", "taskqueue[0] = task:a:0", "taskqueue[1] = task:a:1");
        expect_count(b, "funkytown:processing", 0);
    }
    redis_fixture_do(&b->server, "LREM taskqueue 0 task:a:1");
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t3"), LEDGER_OK); /* the others are busy for long */
    expect_count(b, "funkytown:declined", 0);
    expect(b, settle(b, "w", "task:a:0", "t3", TASK_FAILED, 5), LEDGER_OK);

    expire(b, "w"); /* its own lease doesn't matter */
    redis_fixture_do(&b->server, "LREM taskqueue 0 task:a:1");
    pop(b, "w", "task:a:0");
    redis_fixture_do(&b->server, "LPUSH taskqueue task:a:1");
    expect(b, claim(b, "w", "task:a:0", "t4"), LEDGER_GONE);
    expect(b, renew(b, "w"), LEDGER_OK);
    redis_fixture_do(&b->server, "LREM taskqueue 0 task:a:1");

    expire(b, "v"); /* who is dead is nobody else */
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t4"), LEDGER_OK);
}

/* ---- cancel, rerun ---- */

static void cancel_ends_what_waits(void **state)
{
    struct bench *b = *state;
    expect_refused(b, cancel(b, "c1", "enough", ""), LEDGER_FENCED);
    have_claim(b, 4);
    expect_refused(b, cancel(b, "c2", "enough", "task:a:1"), LEDGER_FENCED);
    expect(b, cancel(b, "c1", "enough", ""), LEDGER_OK);
    expect_text(b, 1, "0");
    expect_line(b, "funkytown:run.cancel = enough");
    expect_line(b, "funkytown:run.cancel_kind = deadline");
    expect_line(b, "funkytown:events number=4 at_ms=T event=cancelling kind=deadline reason=enough");
    expect_all(b, "funkytown:signals", "funkytown:signals event=cancelled", "funkytown:signals event=opened");

    pop(b, "w", "task:a:1");
    expect_refused(b, claim(b, "w", "task:a:1", "t2"), LEDGER_CLOSED);
    expect(b, renew(b, "w"), LEDGER_CANCELLED);
    expect(b, cancel(b, "c1", "another reason", "task:a:2 task:a:0 task:a:1 task:a:2"), LEDGER_OK);
    expect_text(b, 1, "1");
    expect_line(b, "task:a:2.status = complete");
    expect_line(b, "task:a:2.result = unknown");
    expect_line(b, "task:a:2.reason = enough");
    expect_line(b, "funkytown:events number=5 at_ms=T event=cancelled task=task:a:2 reason=enough");
    expect_line(b, "runmeta.tasksremaining = 3");
    expect_line(b, "task:a:0.status = processing");

    expect(b, release(b, "w", "task:a:0", "t1", "{}"), LEDGER_OK);
    expect_count(b, "funkytown:releases", 0); /* it was not its fault */
    expect(b, leave(b, "w"), LEDGER_OK);
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:3", "taskqueue[1] = task:a:0", "taskqueue[2] = task:a:1");
    expect(b, cancel(b, "c1", "enough", "task:a:1 task:a:0 task:a:3"), LEDGER_OK);
    expect_text(b, 1, "3");
    expect_line(b, "runmeta.tasksremaining = 0");
    expect_line(b, "runmeta.tasksfinished = 4");
    expect_line(b, "runmeta.finished = 1");
    expect_line(b, "funkytown:run.state = finished");
    expect_line(b, "funkytown:events number=11 at_ms=T event=finished");
    expect_refused(b, cancel(b, "c1", "enough", "task:a:3"), LEDGER_CLOSED);
}

static void rerun_puts_back_what_did_not_pass(void **state)
{
    struct bench *b = *state;
    expect_refused(b, rerun(b, "c1", "task:a:0"), LEDGER_FENCED);
    expect(b, acquire(b, "c1", "d1", "", ""), LEDGER_FRESH);
    expect(b, begin(b, "c1", "r1", "d1", "4"), LEDGER_OK);
    expect_refused(b, rerun(b, "c1", ""), LEDGER_CLOSED);
    set_up(state);
    have_claim(b, 4);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_FAILED, 1), LEDGER_OK);
    for (int i = 0; i < 4; i++) {
        char task[16], token[8];
        snprintf(task, sizeof(task), "task:a:%d", i);
        snprintf(token, sizeof(token), "u%d", i);
        pop(b, "w", task);
        expect(b, claim(b, "w", task, token), LEDGER_OK);
        enum task_result result = i == 1 ? TASK_FAILED : i == 2 ? TASK_ERROR : TASK_PASSED;
        expect(b, settle(b, "w", task, token, result, 0), LEDGER_OK);
    }
    expect_line(b, "task:a:0.flaky = 1");
    expect_line(b, "runmeta.finished = 1");
    expect_refused(b, rerun(b, "c2", "task:a:1"), LEDGER_FENCED);
    expect_refused(b, rerun(b, "c1", "task:a:3"), LEDGER_OK); /* a pass is carried forward */
    expect_text(b, 1, "0");

    expect(b, rerun(b, "c1", "task:a:0 task:a:1 task:a:2 task:a:3"), LEDGER_OK);
    expect_text(b, 1, "3");
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:2", "taskqueue[1] = task:a:1", "taskqueue[2] = task:a:0");
    expect_line(b, "funkytown:events number=15 at_ms=T event=rerun task=task:a:1");
    expect_count(b, "funkytown:signals event=opened", 2);
    expect_line(b, "task:a:1.status = waiting");
    expect_line(b, "task:a:1.result = unknown");
    expect_line(b, "task:a:1.reason = ");
    expect_line(b, "task:a:1.attempt = 1");
    expect_line(b, "task:a:0.flaky = 0");
    expect_count(b, "funkytown:failures", 0);
    expect_line(b, "runmeta.tasksremaining = 3");
    expect_line(b, "runmeta.tasksfinished = 1");
    expect_line(b, "runmeta.finished = 0");
    expect_line(b, "funkytown:run.state = running");
    expect_line(b, "funkytown:run.reopened_ms = T");
    expect_line(b, "funkytown:run.idle_ms = D");
    expect_count(b, "funkytown:run.finished_ms", 0);
    expect_count(b, "funkytown:run.cancel", 0);
    expect_line(b, "funkytown:signals event=opened");
    expect_refused(b, rerun(b, "c1", "task:a:0 task:a:1"), LEDGER_OK); /* asked twice */
    expect_text(b, 1, "0");

    expect(b, cancel(b, "c1", "enough", "task:a:0"), LEDGER_OK);
    expect_refused(b, rerun(b, "c1", "task:a:0"), LEDGER_BUSY);
    expect(b, cancel(b, "c1", "enough", "task:a:1 task:a:2"), LEDGER_OK);
    expect(b, rerun(b, "c1", "task:a:0"), LEDGER_OK); /* a cancelled run that is finished may go on */
    expect_text(b, 1, "1");
    expect_count(b, "funkytown:run.cancel", 0);
}

static void rerun_of_a_run_that_goes_on_is_no_new_beginning(void **state)
{
    struct bench *b = *state;
    have_claim(b, 2);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_FAILED, 0), LEDGER_OK);
    expect(b, rerun(b, "c1", "task:a:0"), LEDGER_OK);
    expect_text(b, 1, "1");
    expect_line(b, "runmeta.tasksremaining = 2");
    expect_line(b, "funkytown:run.state = running");
    expect_count(b, "funkytown:run.reopened_ms", 0);
    expect_count(b, "funkytown:run.idle_ms", 0);
}

static void rerun_forgets_every_budget(void **state)
{
    struct bench *b = *state;
    b->details = "{}";
    have_claim(b, 1);
    expire(b, "w");
    expect(b, reclaim(b, "w", "task:a:0"), LEDGER_OK);
    expect(b, join(b, "w"), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t2"), LEDGER_OK);
    expect(b, release(b, "w", "task:a:0", "t2", NULL), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t3"), LEDGER_OK);
    expect(b, settle(b, "w", "task:a:0", "t3", TASK_FAILED, 0), LEDGER_OK);
    redis_fixture_do(&b->server, "HSET funkytown:declined task:a:0 1");
    const char *const budgets[] = {"funkytown:crashes", "funkytown:failures", "funkytown:releases",
                                   "funkytown:declined", "funkytown:details"};
    for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++)
        expect_count(b, budgets[i], 1);
    expect(b, rerun(b, "c1", "task:a:0"), LEDGER_OK);
    for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++)
        expect_count(b, budgets[i], 0);
}

/* ---- audit ---- */

/* task:a:0 is processed by w, 1 popped by it, 2 complete, 3 waits. */
static void have_some_of_each(struct bench *b)
{
    have_claim(b, 4);
    pop(b, "w", "task:a:1");
    expect(b, claim(b, "w", "task:a:1", "t2"), LEDGER_OK);
    expect(b, settle(b, "w", "task:a:1", "t2", TASK_PASSED, 0), LEDGER_OK);
    pop(b, "w", "task:a:2");
}

static void audit_tells_what_does_not_agree_and_mends_it(void **state)
{
    static const struct {
        const char *damage, *finding, *mended;
    } rows[] = {
        {"LPUSH taskqueue task:a:3", "task:a:3: waiting, in the queue and the queue; wanted one list",
         "taskqueue[0] = task:a:3"},
        {"DEL taskqueue", "task:a:3: waiting, in no list; wanted one list", "taskqueue[0] = task:a:3"},
        {"LPUSH taskqueue task:a:2", "task:a:2: waiting, in the list of w and the queue; wanted one list",
         "taskqueue[0] = task:a:2"},
        {"HSET funkytown:claims task:a:3 t9", "task:a:3: waiting with a token, in the queue; wanted one list",
         "taskqueue[0] = task:a:3"},
        {"LREM funkytown:processing:w 0 task:a:0", "task:a:0: processing, in no list; wanted the list of w",
         "funkytown:processing:w[0] = task:a:0"},
        {"HSET task:a:0 worker v", "task:a:0: processing, in the list of w; wanted the list of v",
         "taskqueue[0] = task:a:0"},
        {"HDEL funkytown:claims task:a:0",
         "task:a:0: processing without a token, in the list of w; wanted the list of w",
         "funkytown:attempts:task:a:0[0] = lost 1 w T true: an audit found it nowhere"},
        {"LPUSH taskqueue task:a:0", "task:a:0: processing, in the list of w and the queue; wanted the list of w",
         "taskqueue[0] = task:a:0"},
        {"LPUSH taskqueue task:a:1", "task:a:1: complete, in the queue; wanted none", "taskqueue[0] = task:a:3"},
        {"HSET funkytown:claims task:a:1 t9", "task:a:1: complete with a token, in no list; wanted none",
         "taskqueue[0] = task:a:3"},
        {"LPUSH taskqueue task:b:9", "task:b:9: in the queue; the run has no such task", "taskqueue[0] = task:a:3"},
        {"HSET runmeta tasksremaining 7", "runmeta tasksremaining: found 7; a recount gives 3",
         "runmeta.tasksremaining = 3"},
        {"HSET runmeta tasksfinished 0", "runmeta tasksfinished: found 0; a recount gives 1",
         "runmeta.tasksfinished = 1"},
        {"HSET runmeta finished 1", "runmeta finished: found 1; a recount gives 0", "runmeta.finished = 0"},
        {"HDEL runmeta runid", "runmeta runid: found nothing; a recount gives r1", "runmeta.runid = r1"},
        {"HMSET funkytown:run state finished finished_ms 1", "the run is finished; a recount gives running",
         "funkytown:run.state = running"},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_up(state);
        have_some_of_each(b);
        expect_refused(b, audit(b, false, 4), LEDGER_OK);
        expect_text(b, 1, "4");
        expect_text(b, 2, "0");
        redis_fixture_do(&b->server, rows[i].damage);
        expect_refused(b, audit(b, false, 4), LEDGER_OK);
        expect_text(b, 2, "1");
        expect_text(b, 3, "0");
        expect_text(b, 4, rows[i].finding);
        expect(b, audit(b, true, 4), LEDGER_OK);
        expect_text(b, 3, "0");
        expect_text(b, 4, rows[i].finding);
        expect_line(b, rows[i].mended);
        /* After a number that no event has: whoever follows reads everything again. */
        expect_line(b, "funkytown:events number=7 at_ms=T event=repaired");
        expect_count(b, "funkytown:run.finished_ms", 0);
        expect_refused(b, audit(b, true, 4), LEDGER_OK);
        expect_text(b, 2, "0");
    }
}

static void audit_finishes_a_run_that_is_done(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    redis_fixture_do(&b->server, "HMSET task:a:0 status complete result passed");
    redis_fixture_do(&b->server, "DEL funkytown:claims funkytown:processing:w");
    expect(b, audit(b, true, 1), LEDGER_OK);
    expect_text(b, 2, "4");
    expect_line(b, "runmeta.finished = 1");
    expect_line(b, "funkytown:run.state = finished");
    expect_line(b, "funkytown:run.finished_ms = T");
    expect_line(b, "funkytown:signals event=finished");
    expect_refused(b, audit(b, true, 1), LEDGER_OK);
    expect_text(b, 2, "0");
}

static void audit_needs_an_open_run_and_every_worker(void **state)
{
    struct bench *b = *state;
    expect_refused(b, audit(b, true, 0), LEDGER_WAITING);
    have_some_of_each(b);
    expect(b, join_as(b, &b->other, "v", "n2"), LEDGER_OK);
    expect_refused(b, audit(b, true, 4), LEDGER_BUSY);
    expect(b, ledger_leave(&b->other, "v", on_answer, &b->answer), LEDGER_OK);
    expect_refused(b, audit(b, true, 4), LEDGER_BUSY); /* the graves hold lists, too */
}

static void audit_wants_every_task_named(void **state)
{
    struct bench *b = *state;
    have_some_of_each(b);
    redis_fixture_do(&b->server, "LTRIM taskqueue 1 0");
    expect_refused(b, audit(b, true, 3), LEDGER_OK);
    expect_text(b, 2, "1");
    expect_text(b, 3, "0");
    expect_text(b, 4, "the order names 3 tasks; wanted 4");
}

/* One that has left isn't at it any more. */
static void audit_puts_back_what_a_worker_has_left_behind(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    redis_fixture_do(&b->server, "DEL funkytown:processing:w funkytown:workers");
    expect(b, audit(b, true, 1), LEDGER_OK);
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:0");
    expect_count(b, "funkytown:processing", 0);

    set_up(state);
    have_claim(b, 1);
    redis_fixture_do(&b->server, "DEL funkytown:processing:w funkytown:claims");
    expect(b, audit(b, true, 1), LEDGER_OK);
    expect_text(b, 4, "task:a:0: processing without a token, in no list; wanted the list of w");
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:0");
    expect_count(b, "funkytown:processing", 0);
}

/* ---- hashes that are gone ---- */

static int restore(struct bench *b, const char *me, size_t first, size_t count)
{
    struct ledger_entry entries[PLAN_LIMIT];
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct ledger_entry){
            .spec = "tests/a.spec.ts", .viewport = "desktop", .browser = "chrome", .runner = "playwright"};
        snprintf(entries[i].key, sizeof(entries[i].key), "task:a:%zu", first + i);
    }
    return ledger_restore(&b->ledger, me, entries, count, on_answer, &b->answer);
}

static void a_task_whose_hash_is_gone_can_only_be_put_down(void **state)
{
    struct bench *b = *state;
    have_claim(b, 4);
    pop(b, "w", "task:a:1");
    redis_fixture_do(&b->server, "DEL task:a:0 task:a:1 task:a:2");
    expect_refused(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_FENCED);
    expect_refused(b, release(b, "w", "task:a:0", "t1", "{}"), LEDGER_FENCED);
    expect(b, release(b, "w", "task:a:1", NULL, NULL), LEDGER_OK);
    pop(b, "w", "task:a:1");
    expect(b, claim(b, "w", "task:a:1", "t2"), LEDGER_GONE);
    expect_count(b, "task:a:1", 0);
    expect(b, claim(b, "w", "task:a:0", "t1"), LEDGER_GONE);
    expect_count(b, "funkytown:processing", 0);
    expect_count(b, "funkytown:claims", 0);
    expect(b, cancel(b, "c1", "enough", "task:a:2 task:a:3"), LEDGER_OK);
    expect_text(b, 1, "1");
    expect_count(b, "task:a:2", 0);
    expect_count(b, "taskqueue", 0);
    expect_line(b, "runmeta.tasksremaining = 3");
}

static void restore_makes_an_error_of_what_is_lost(void **state)
{
    struct bench *b = *state;
    b->details = "{}";
    have_claim(b, 3);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_FAILED, 1), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t2"), LEDGER_OK);
    redis_fixture_do(&b->server, "DEL task:a:0 task:a:2");
    remember(b);
    expect(b, audit(b, false, 3), LEDGER_OK);
    expect_untouched(b);
    expect_text(b, 2, "2");
    expect_text(b, 3, "2");
    expect_text(b, 4, "task:a:0");
    expect_text(b, 5, "task:a:2");
    expect_text(b, 6, "task:a:0: its hash is gone; wanted its controller, which makes an error of it");
    expect(b, audit(b, true, 3), LEDGER_OK);
    expect_count(b, "funkytown:claims", 0);
    expect_count(b, "funkytown:processing", 0);
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:1");
    expect_line(b, "runmeta.tasksremaining = 3");
    expect_refused(b, audit(b, true, 3), LEDGER_OK); /* there is nothing more that it could do */
    expect_text(b, 2, "2");

    expect_refused(b, restore(b, "c2", 0, 3), LEDGER_FENCED);
    expect(b, restore(b, "c1", 0, 2), LEDGER_OK);
    expect_text(b, 1, "1");
    expect_all(b, "task:a:0", "task:a:0.key = task:a:0", "task:a:0.spec = tests/a.spec.ts",
               "task:a:0.viewport = desktop", "task:a:0.browser = chrome", "task:a:0.status = complete",
               "task:a:0.result = error", "task:a:0.starttime = 0", "task:a:0.duration = 0",
               "task:a:0.durationstring = 0s", "task:a:0.runner = playwright", "task:a:0.attempt = 1",
               "task:a:0.worker = ", "task:a:0.flaky = 0", "task:a:0.reason = its record was lost from Redis");
    expect_count(b, "funkytown:attempts:task:a:0", 1);
    expect_count(b, "funkytown:details", 0);
    expect_line(b, "runmeta.tasksremaining = 2");
    expect_line(b, "funkytown:events number=8 at_ms=T event=lost task=task:a:0 worker= attempt=1 result=error "
                   "reason=its record was lost from Redis");
    expect_line(b, "task:a:1.status = waiting");
    expect_refused(b, restore(b, "c1", 0, 2), LEDGER_OK);
    expect_text(b, 1, "0");

    pop(b, "w", "task:a:1");
    expect(b, claim(b, "w", "task:a:1", "t3"), LEDGER_OK);
    expect(b, settle(b, "w", "task:a:1", "t3", TASK_PASSED, 0), LEDGER_OK);
    expect(b, restore(b, "c1", 0, 3), LEDGER_OK);
    expect_line(b, "runmeta.finished = 1");
    expect_line(b, "funkytown:events number=12 at_ms=T event=finished");
    expect_line(b, "funkytown:signals event=finished");
    redis_fixture_do(&b->server, "DEL task:a:1");
    expect_refused(b, restore(b, "c1", 0, 3), LEDGER_CLOSED);
    expect(b, audit(b, true, 3), LEDGER_OK); /* it is open again */
    expect(b, restore(b, "c1", 0, 3), LEDGER_OK);
    expect_line(b, "task:a:1.result = error");
    expect_refused(b, audit(b, true, 3), LEDGER_OK);
    expect_text(b, 2, "0");
}

/* ---- log ---- */

static void an_attempt_tells_what_it_has_put_out_while_it_holds_its_task(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    expect(b, join(b, "w"), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expect_refused(b, tell_log(b, "task:a:0", "t1", "early"), LEDGER_FENCED); /* popped, not claimed */
    expect(b, claim(b, "w", "task:a:0", "t1"), LEDGER_OK);
    expect(b, tell_log(b, "task:a:0", "t1", "one"), LEDGER_OK);
    expect_line(b, "funkytown:logs:task:a:0.1 = one");
    expect(b, tell_log(b, "task:a:0", "t1", "one, two"), LEDGER_OK);
    expect_refused(b, tell_log(b, "task:a:0", "t1", "one, two"), LEDGER_OK);
    expect_line(b, "funkytown:logs:task:a:0.1 = one, two");
    expect_refused(b, tell_log(b, "task:a:0", "another", "x"), LEDGER_FENCED);
    expect_refused(b, tell_log(b, "task:a:1", "t1", "x"), LEDGER_FENCED);
    b->log = "one, two, three";
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_FAILED, 1), LEDGER_OK);
    expect_line(b, "funkytown:logs:task:a:0.1 = one, two, three");
    expect_refused(b, tell_log(b, "task:a:0", "t1", "late"), LEDGER_FENCED);
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t2"), LEDGER_OK);
    expect(b, tell_log(b, "task:a:0", "t2", "again"), LEDGER_OK);
    expect_line(b, "funkytown:logs:task:a:0.1 = one, two, three");
    expect_line(b, "funkytown:logs:task:a:0.2 = again");
    redis_fixture_do(&b->server, "DEL task:a:0");
    expect_refused(b, tell_log(b, "task:a:0", "t2", "more"), LEDGER_FENCED);
}

/* ---- summarize ---- */

static void summarize_is_for_the_last_controller_of_a_finished_run(void **state)
{
    struct bench *b = *state;
    expect_refused(b, summarize(b, "c1", "{}", 0), LEDGER_FENCED);
    have_claim(b, 1);
    expect_refused(b, summarize(b, "c1", "{}", 0), LEDGER_CLOSED);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_FAILED, 0), LEDGER_OK);
    expect_refused(b, summarize(b, "c2", "{}", 0), LEDGER_FENCED);
    expect(b, summarize(b, "c1", "{\"n\":1}", 0), LEDGER_OK);
    expect_line(b, "funkytown:run.summary = {\"n\":1}");
    expect_refused(b, summarize(b, "c1", "{\"n\":1}", 0), LEDGER_OK);

    expect(b, rerun(b, "c1", "task:a:0"), LEDGER_OK);
    expect_count(b, "funkytown:run.summary", 0);
    expect_refused(b, summarize(b, "c1", "{}", 0), LEDGER_CLOSED);
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t2"), LEDGER_OK);
    expect(b, settle(b, "w", "task:a:0", "t2", TASK_PASSED, 0), LEDGER_OK);
    expect_refused(b, summarize(b, "c1", "{}", 0), LEDGER_CLOSED); /* of how it had ended before */
    redis_fixture_do(&b->server, "DEL funkytown:controller");
    expect_refused(b, summarize(b, "c2", "{}", 1), LEDGER_FENCED);
    expect(b, summarize(b, "c1", "{\"n\":2}", 1), LEDGER_OK); /* nobody took the lease */
    expect_line(b, "funkytown:run.summary = {\"n\":2}");
    redis_fixture_do(&b->server, "SET funkytown:controller c2");
    expect_refused(b, summarize(b, "c1", "{\"n\":3}", 1), LEDGER_FENCED);
}

/* Whoever sets the clock back makes no run that ended before it began. */
static void a_run_ends_no_earlier_than_it_began(void **state)
{
    static const char *const fields[] = {"started_ms", "reopened_ms"};
    struct bench *b = *state;
    for (size_t i = 0; i < 2; i++) {
        set_up(state);
        have_claim(b, 1);
        int64_t later = server_ms(b) + 3600000;
        redis_fixture_do(&b->server, "HSET funkytown:run %s %lld", fields[i], (long long)later);
        expect(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_OK);
        assert_true(redis_fixture_number(&b->server, "HGET funkytown:run finished_ms") == later);
    }
}

/* ---- failures of the whole run ---- */

static void failures_count_since_something_was_put_back(void **state)
{
    struct bench *b = *state;
    have_run(b, 3);
    expect(b, join(b, "w"), LEDGER_OK);
    for (int i = 0; i < 3; i++) {
        char task[16], token[8];
        snprintf(task, sizeof(task), "task:a:%d", i);
        snprintf(token, sizeof(token), "t%d", i);
        pop(b, "w", task);
        expect(b, claim(b, "w", task, token), LEDGER_OK);
        expect(b, settle(b, "w", task, token, i == 2 ? TASK_ERROR : TASK_FAILED, 0), LEDGER_OK);
    }
    expect_line(b, "funkytown:run.failed = 2");
    expect_line(b, "funkytown:events number=4 at_ms=T event=settled task=task:a:0 worker=w attempt=1 result=failed "
                   "flaky=0 duration_ns=0 reason=exit 1 failed=1 details=");
    expect_line(b, "funkytown:events number=8 at_ms=T event=settled task=task:a:2 worker=w attempt=1 result=error "
                   "flaky=0 duration_ns=0 reason=exit 1 failed=2 details=");
    expect(b, rerun(b, "c1", "task:a:0"), LEDGER_OK);
    expect_count(b, "funkytown:run.failed", 0);
    expect_line(b, "funkytown:run.reruns = 1");
    expect(b, cancel(b, "c1", "enough", ""), LEDGER_OK);
    expect(b, cancel(b, "c1", "enough", "task:a:0"), LEDGER_OK);
    expect(b, rerun(b, "c1", "task:a:0"), LEDGER_OK);
    expect_count(b, "funkytown:run.cancel", 0); /* nor is the kind of it there */
    pop(b, "w", "task:a:0");
    expect(b, renew(b, "w"), LEDGER_OK);
    expect(b, join(b, "w"), LEDGER_OK);
    expire(b, "w");
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t9"), LEDGER_OK);
    expect(b, settle(b, "w", "task:a:0", "t9", TASK_FAILED, 9), LEDGER_OK);
    expect_count(b, "funkytown:run.failed", 0); /* it is tried again */
}

/* ---- overdue, reclaim, bury ---- */

static void overdue_names_the_dead_and_the_gone(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    expect(b, join(b, "w"), LEDGER_OK);
    expect(b, join_as(b, &b->other, "v", "n2"), LEDGER_OK);
    remember(b);
    expect(b, overdue(b), LEDGER_OK);
    assert_int_equal(b->answer.count, 3);
    expect_text(b, 2, "0");
    expect_untouched(b);
    expect(b, leave(b, "w"), LEDGER_OK);
    expire(b, "v");
    redis_fixture_do(&b->server, "ZADD funkytown:graves 1 ancient");
    expect(b, overdue(b), LEDGER_OK);
    assert_int_equal(b->answer.count, 6);
    expect_text(b, 2, "1");
    expect_text(b, 3, "v");
    expect_text(b, 4, "1"); /* the end of its lease */
    expect_text(b, 5, "w");
    expect_all(b, "funkytown:graves", "funkytown:graves w T");
    redis_fixture_do(&b->server, "EVAL %s 0",
                     "redis.call('ZADD', 'funkytown:graves', redis.call('TIME')[1] * 1000 - 3500000, 'recent')");
    expect(b, overdue(b), LEDGER_OK);
    assert_int_equal(b->answer.count, 7);
    expect_text(b, 5, "recent");
}

/* What lies between the clock as the controller knows it and the clock as it is has been made up by somebody. */
static void overdue_believes_no_clock_that_was_set_forward(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    expect(b, join(b, "w"), LEDGER_OK);
    expect(b, join_as(b, &b->other, "v", "n2"), LEDGER_OK);
    int64_t now = server_ms(b);
    redis_fixture_do(&b->server, "ZADD funkytown:workers %lld w %lld v", (long long)now - 30000,
                     (long long)now - 60000);
    redis_fixture_do(&b->server, "ZADD funkytown:graves %lld gone", (long long)now - 3610000);
    remember(b);
    expect(b, ledger_overdue(&b->ledger, now - 40000, on_answer, &b->answer), LEDGER_OK);
    assert_int_equal(b->answer.count, 6);
    expect_text(b, 2, "1");
    expect_text(b, 3, "v");
    expect_text(b, 5, "gone");
    assert_in_range(strtoll(answer_text(&b->answer, 1), NULL, 10), now, now + 60000); /* Redis' own */
    expect_untouched(b);
    expect(b, ledger_overdue(&b->ledger, now + 1000000, on_answer, &b->answer), LEDGER_OK);
    assert_int_equal(b->answer.count, 7);
    expect_text(b, 2, "2");
    expect_count(b, "funkytown:graves", 0);
}

static void overdue_shortens_what_a_clock_that_was_set_back_has_left(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    expect(b, join(b, "w"), LEDGER_OK);
    expect(b, leave(b, "w"), LEDGER_OK);
    expect(b, join(b, "w"), LEDGER_OK);
    expect(b, join_as(b, &b->other, "v", "n2"), LEDGER_OK);
    int64_t now = server_ms(b);
    redis_fixture_do(&b->server, "ZADD funkytown:workers %lld v", (long long)now + LEASE_MS + 40000);
    redis_fixture_do(&b->server, "ZADD funkytown:graves %lld gone", (long long)now + 40000);
    expect(b, overdue(b), LEDGER_OK);
    expect_text(b, 2, "0");
    expect_all(b, "funkytown:workers", "funkytown:workers v alive", "funkytown:workers w alive");
    expect_all(b, "funkytown:graves", "funkytown:graves gone T");
    expect(b, ledger_overdue(&b->ledger, now + 10 * LEASE_MS, on_answer, &b->answer), LEDGER_OK);
    expect_text(b, 2, "0"); /* by the clock as it is they live */
}

/* Who was looked at before the clock was set, or before he renewed his lease, isn't dead for it. */
static void reclaim_and_bury_are_of_the_lease_that_was_looked_at(void **state)
{
    struct bench *b = *state;
    char looked_at[32];
    have_claim(b, 1);
    snprintf(looked_at, sizeof(looked_at), "%s", lease_end(b, "w"));
    expect_refused(b, ledger_reclaim(&b->ledger, "w", looked_at, "task:a:0", on_answer, &b->answer), LEDGER_ALIVE);
    redis_fixture_do(&b->server, "ZADD funkytown:workers XX 2 w"); /* renewed, by a clock that was set back */
    for (int i = 0; i < 2; i++) {
        const char *other = i ? "" : "1";
        expect_refused(b, ledger_reclaim(&b->ledger, "w", other, "task:a:0", on_answer, &b->answer), LEDGER_ALIVE);
        expect_refused(b, ledger_bury(&b->ledger, "w", other, on_answer, &b->answer), LEDGER_ALIVE);
    }
    expect(b, ledger_reclaim(&b->ledger, "w", "2", "task:a:0", on_answer, &b->answer), LEDGER_OK);
    expect(b, ledger_bury(&b->ledger, "w", "2", on_answer, &b->answer), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expect(b, ledger_reclaim(&b->ledger, "w", "", "task:a:0", on_answer, &b->answer), LEDGER_OK); /* it has gone */
}

static void what_a_script_tells_of_a_lost_attempt_is_a_record(void **state)
{
    struct bench *b = *state;
    struct record_source source;
    struct error err;
    have_claim(b, 2);
    expire(b, "w");
    expect(b, reclaim(b, "w", "task:a:0"), LEDGER_OK);
    redisReply *text = redis_fixture_command(&b->server, "LINDEX funkytown:attempts:task:a:0 0");
    if (record_parse(&source, text->str, text->len, &err) < 0)
        fail_msg("%s", err.text);
    assert_non_null(strstr(text->str, "\"version\":1"));
    assert_int_equal(source.record.outcome, RECORD_LOST);
    assert_int_equal(source.record.attempt, 1);
    assert_string_equal(source.record.worker, "w");
    assert_string_equal(source.record.reason, "the worker was lost");
    assert_true(source.record.started_ms > 0);
    assert_null(source.record.run);
    record_close(&source);
    freeReplyObject(text);
}

static void reclaim_costs_a_crash_and_no_retry(void **state)
{
    struct bench *b = *state;
    have_claim(b, 2);
    expect_refused(b, reclaim(b, "w", "task:a:0"), LEDGER_ALIVE);
    expire(b, "w");
    expect_refused(b, reclaim(b, "w", "task:a:1"), LEDGER_GONE);
    expect(b, reclaim(b, "w", "task:a:0"), LEDGER_OK);
    expect_text(b, 1, "0");
    expect_line(b, "task:a:0.status = waiting");
    expect_line(b, "task:a:0.reason = its worker was lost");
    expect_line(b, "funkytown:crashes.task:a:0 = 1");
    expect_count(b, "funkytown:failures", 0);
    expect_count(b, "funkytown:claims", 0);
    expect_count(b, "funkytown:processing", 0);
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:1", "taskqueue[1] = task:a:0");
    expect_all(b, "funkytown:attempts", "funkytown:attempts:task:a:0[0] = lost 1 w T true: the worker was lost");
    expect_line(b, "funkytown:events number=4 at_ms=T event=lost task=task:a:0 worker=w attempt=1 result=unknown "
                   "reason=its worker was lost");
    expect_refused(b, reclaim(b, "w", "task:a:0"), LEDGER_GONE);
    expect_refused(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_FENCED);
    expect_refused(b, release(b, "w", "task:a:0", "t1", NULL), LEDGER_FENCED);
}

static void reclaim_gives_up_when_the_crashes_are_spent(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    expire(b, "w");
    expect(b, reclaim(b, "w", "task:a:0"), LEDGER_OK);
    expect(b, join(b, "w"), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expect(b, claim(b, "w", "task:a:0", "t2"), LEDGER_OK);
    expire(b, "w");
    expect(b, reclaim(b, "w", "task:a:0"), LEDGER_OK);
    expect_text(b, 1, "1");
    expect_line(b, "task:a:0.status = complete");
    expect_line(b, "task:a:0.result = error");
    expect_line(b, "task:a:0.reason = 2 workers were lost");
    expect_count(b, "taskqueue", 0);
    expect_all(b, "runmeta", "runmeta.runid = r1", "runmeta.tasksremaining = 0", "runmeta.tasksfinished = 1",
               "runmeta.finished = 1");
    expect_line(b, "funkytown:run.state = finished");
    expect_line(b, "funkytown:signals event=finished");
    expect_line(b, "funkytown:events number=6 at_ms=T event=lost task=task:a:0 worker=w attempt=2 result=error "
                   "reason=2 workers were lost");
    expect_line(b, "funkytown:events number=7 at_ms=T event=finished");
    expect_refused(b, reclaim(b, "w", "task:a:0"), LEDGER_GONE);
    expect_refused(b, settle(b, "w", "task:a:0", "t2", TASK_PASSED, 0), LEDGER_FENCED);
}

static void reclaim_of_an_unclaimed_task_costs_nothing(void **state)
{
    struct bench *b = *state;
    have_run(b, 2);
    expect(b, join(b, "w"), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expire(b, "w");
    expect(b, reclaim(b, "w", "task:a:0"), LEDGER_OK);
    expect_text(b, 1, "0");
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:1", "taskqueue[1] = task:a:0");
    expect_count(b, "funkytown:processing", 0);
    expect_count(b, "funkytown:crashes", 0);
    expect_count(b, "funkytown:attempts", 0);
    expect_refused(b, reclaim(b, "w", "task:a:0"), LEDGER_GONE);
}

static void reclaim_takes_out_of_the_list_what_somebody_else_answers_for(void **state)
{
    struct bench *b = *state;
    have_claim(b, 2);
    redis_fixture_do(&b->server, "LPUSH funkytown:processing:v task:a:0");
    expect(b, reclaim(b, "v", "task:a:0"), LEDGER_GONE);
    expect_all(b, "funkytown:processing", "funkytown:processing:w[0] = task:a:0");
    expect_line(b, "task:a:0.status = processing");
    expect_count(b, "funkytown:crashes", 0);
}

static void bury_strikes_off_a_swept_worker(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    expect_refused(b, bury(b, "w"), LEDGER_ALIVE);
    expire(b, "w");
    expect_refused(b, bury(b, "w"), LEDGER_BUSY);
    expect(b, reclaim(b, "w", "task:a:0"), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expect_refused(b, bury(b, "w"), LEDGER_BUSY);
    expect(b, reclaim(b, "w", "task:a:0"), LEDGER_OK);
    expect(b, bury(b, "w"), LEDGER_OK);
    expect_count(b, "funkytown:worker", 0);
    expect_all(b, "funkytown:graves", "funkytown:graves w T");
    expect_line(b, "funkytown:events number=5 at_ms=T event=buried worker=w");
    expect_refused(b, bury(b, "w"), LEDGER_OK);
    expect_refused(b, renew(b, "w"), LEDGER_UNKNOWN);
    pop(b, "w", "task:a:0");
    expect_refused(b, claim(b, "w", "task:a:0", "t9"), LEDGER_UNKNOWN);
    expect(b, join(b, "w"), LEDGER_OK);
    expect_line(b, "taskqueue[0] = task:a:0");
}

/* ---- a run after another ---- */

static void a_second_run_leaves_no_key_of_the_first(void **state)
{
    static const char *const tasks[] = {"task:a:0", "task:a:1", "task:a:2", "task:a:3"};
    struct bench *b = *state;
    have_claim(b, 4);
    b->log = "output";
    b->details = "{}";
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_FAILED, 0), LEDGER_OK);
    pop(b, "w", "task:a:1");
    expect(b, claim(b, "w", "task:a:1", "t2"), LEDGER_OK);
    pop(b, "w", "task:a:2");
    expect_refused(b, archive(b, "c1", "{\"id\":\"r1\"}"), LEDGER_OCCUPIED);
    expect_text(b, 3, "worker");
    expect_text(b, 4, "w");
    expire(b, "w");
    expect(b, reclaim(b, "w", "task:a:1"), LEDGER_OK);
    pop(b, "w", "task:a:1");
    expect_refused(b, archive(b, "c2", "{}"), LEDGER_FENCED);
    expect(b, archive(b, "c1", "{\"id\":\"r1\"}"), LEDGER_OK);
    expect_all(b, "funkytown:history", "funkytown:history[0] = {\"id\":\"r1\"}");
    expect_refused(b, archive(b, "c1", "{\"id\":\"r1\"}"), LEDGER_OK);

    expect_refused(b, purge(b, "c2", tasks, 2), LEDGER_FENCED);
    expect(b, purge(b, "c1", tasks, 2), LEDGER_OK);
    expect_refused(b, purge(b, "c1", tasks, 2), LEDGER_OK);
    expect_all(b, "funkytown:order", "funkytown:order[0] = task:a:2", "funkytown:order[1] = task:a:3");
    expect(b, purge(b, "c1", tasks + 2, 2), LEDGER_OK);

    expect(b, begin(b, "c1", "r2", "d2", "1"), LEDGER_OK);
    expect_refused(b, purge(b, "c1", tasks, 2), LEDGER_FENCED);
    expect_all(b, "", "funkytown:controller = c1 for a while", "funkytown:run.controller = c1",
               "funkytown:run.digest = d2", "funkytown:run.events = 0", "funkytown:run.id = r2",
               "funkytown:run.lease_ms = 50000", "funkytown:run.loaded = 0", "funkytown:run.max_crashes = 2",
               "funkytown:run.max_releases = 2", "funkytown:run.state = loading", "funkytown:run.total = 1",
               "funkytown:graves w T", "funkytown:history[0] = {\"id\":\"r1\"}");
}

/* The worker was stopped all the while, and goes on where it was. */
static void a_zombie_of_an_archived_run_changes_nothing(void **state)
{
    static const char *const tasks[] = {"task:a:0", "task:a:1"};
    struct bench *b = *state;
    have_claim(b, 2);
    pop(b, "w", "task:a:1");
    expire(b, "w");
    expect(b, acquire(b, "c2", "d2", "", "c1"), LEDGER_REPLACE);
    expect(b, archive(b, "c2", "{}"), LEDGER_OK);
    for (int i = 0; i < 4; i++) {
        expect_refused(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_FENCED);
        expect_refused(b, release(b, "w", "task:a:0", "t1", "{}"), LEDGER_FENCED);
        expect_refused(b, release(b, "w", "task:a:1", NULL, NULL), LEDGER_FENCED);
        expect_refused(b, claim(b, "w", "task:a:1", "t2"), LEDGER_UNKNOWN);
        expect_refused(b, renew(b, "w"), LEDGER_UNKNOWN);
        expect_refused(b, leave(b, "w"), LEDGER_OK);
        expect_refused(b, reclaim(b, "w", "task:a:0"), LEDGER_GONE);
        if (i < 3)
            expect_refused(b, join(b, "w"), LEDGER_WAITING);
        if (i == 0)
            expect(b, purge(b, "c2", tasks, 2), LEDGER_OK);
        if (i == 1)
            expect(b, begin(b, "c2", "r2", "d2", "2"), LEDGER_OK);
        if (i == 2) {
            expect(b, enqueue(b, "c2", 0, 2), LEDGER_OK);
            expect(b, open_run(b, "c2"), LEDGER_OK);
        }
    }
    expect(b, join(b, "w"), LEDGER_OK);
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:1", "taskqueue[1] = task:a:0");
}

/* Its blocked pop is served from the queue of the next run. */
static void a_pop_of_an_older_runs_worker_is_swept(void **state)
{
    static const char *const tasks[] = {"task:a:0"};
    struct bench *b = *state;
    have_run(b, 1);
    expect(b, join(b, "w"), LEDGER_OK);
    expire(b, "w");
    expect(b, archive(b, "c1", "{}"), LEDGER_OK);
    expect(b, purge(b, "c1", tasks, 1), LEDGER_OK);
    expect(b, begin(b, "c1", "r2", "d2", "1"), LEDGER_OK);
    expect(b, enqueue(b, "c1", 0, 1), LEDGER_OK);
    pop(b, "w", "task:a:0");
    expect(b, open_run(b, "c1"), LEDGER_OK);
    expect(b, overdue(b), LEDGER_OK);
    expect_text(b, 3, "w");
    expect(b, reclaim(b, "w", "task:a:0"), LEDGER_OK);
    expect_all(b, "taskqueue", "taskqueue[0] = task:a:0");
    expect_refused(b, bury(b, "w"), LEDGER_OK);
}

/* As ledger_archive() would send it if somebody had joined between its question and this. */
static const char *archive_without_names(struct bench *b)
{
    auto_buffer script = {0};
    const char *names[] = {"prelude.lua", "archive.lua"};
    for (size_t n = 0; n < 2; n++)
        for (size_t i = 0; i < ledger_scripts_count; i++)
            if (strcmp(ledger_scripts[i].path, names[n]) == 0)
                buffer_add(&script, ledger_scripts[i].body, ledger_scripts[i].size);
    redisReply *reply = redis_fixture_command(
        &b->server,
        "EVAL %s 8 funkytown:controller funkytown:run runmeta taskqueue funkytown:claims funkytown:history "
        "funkytown:workers funkytown:graves c1 {}",
        script.data);
    const char *word = redis_reply_text(redis_reply_at(reply, 0));
    bool is_busy = word && strcmp(word, "busy") == 0;
    freeReplyObject(reply);
    return is_busy ? "busy" : "something else";
}

static void archive_wants_every_worker_named(void **state)
{
    struct bench *b = *state;
    have_run(b, 1);
    expect(b, join(b, "w"), LEDGER_OK);
    expire(b, "w");
    remember(b);
    assert_string_equal(archive_without_names(b), "busy");
    expect_untouched(b);
    expect(b, bury(b, "w"), LEDGER_OK);
    remember(b);
    assert_string_equal(archive_without_names(b), "busy");
    expect_untouched(b);
}

static void history_keeps_the_newest_hundred(void **state)
{
    struct bench *b = *state;
    have_run(b, 1);
    for (int i = 0; i < 100; i++)
        redis_fixture_do(&b->server, "LPUSH funkytown:history old%d", i);
    expect(b, archive(b, "c1", "newest"), LEDGER_OK);
    expect_count(b, "funkytown:history", 100);
    expect_line(b, "funkytown:history[0] = newest");
    expect_line(b, "funkytown:history[1] = old99");
    expect_line(b, "funkytown:history[99] = old1");
}

/* ---- the library around the scripts ---- */

static void forgotten_scripts_are_taught_again(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    redis_fixture_do(&b->server, "SCRIPT FLUSH");
    expect_refused(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_TROUBLE);
    assert_non_null(strstr(b->answer.trouble, "NOSCRIPT"));
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_OK);
}

static void a_server_out_of_memory_is_trouble(void **state)
{
    struct bench *b = *state;
    have_claim(b, 1);
    redis_fixture_do(&b->server, "CONFIG SET maxmemory 1");
    remember(b);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_TROUBLE);
    assert_non_null(strstr(b->answer.trouble, "OOM"));
    redis_fixture_do(&b->server, "CONFIG SET maxmemory 0");
    expect_untouched(b);
    expect(b, settle(b, "w", "task:a:0", "t1", TASK_PASSED, 0), LEDGER_OK);
}

static void a_link_that_is_down_refuses(void **state)
{
    struct bench *b = *state;
    struct error err;
    struct ledger ledger;
    b->is_closed = false;
    static const struct redis_link_events events = {on_up, on_down};
    struct redis_link *link = redis_link_open(&b->loop, &b->address, &events, b);
    assert_int_equal(ledger_init(&ledger, link, "", &err), 0);
    assert_int_equal(ledger_load(&ledger, on_answer, &b->answer), -1);
    assert_int_equal(ledger_hold(&ledger, "c1", 1, on_answer, &b->answer), -1);
    assert_int_equal(ledger_archive(&ledger, "c1", "{}", on_answer, &b->answer), -1);
    redis_link_close(link, on_closed);
    run_until(&b->loop, &b->is_closed, "the link is closed");
    b->is_closed = false;
}

static void a_lost_link_answers_lost(void **state)
{
    struct bench *b = *state;
    struct answer hold_answer = {0}, archive_answer = {0};
    have_run(b, 1);
    assert_int_equal(ledger_hold(&b->ledger, "c1", LEASE_MS, on_answer, &hold_answer), 0);
    assert_int_equal(ledger_archive(&b->ledger, "c1", "{}", on_answer, &archive_answer), 0);
    b->is_up = false;
    redis_link_reset(b->link);
    assert_true(hold_answer.has_come && archive_answer.has_come);
    assert_int_equal(hold_answer.outcome, LEDGER_LOST);
    assert_int_equal(archive_answer.outcome, LEDGER_LOST);
    answer_clear(&hold_answer);
    answer_clear(&archive_answer);
    run_until(&b->loop, &b->is_up, "the link comes up");
}

static void every_key_has_the_prefix(void **state)
{
    struct bench *b = *state;
    static const char *const prefixes[] = {"{one}:", "two:"};
    static const char *const tasks[] = {"task:a:0", "task:a:1"};
    for (size_t i = 0; i < 2; i++)
        for (int pass = 0; pass < 2; pass++) { /* the runs stand side by side */
            use_prefix(b, prefixes[i]);
            b->log = "output";
            b->details = "{}";
            have_claim(b, 2);
            expect(b, settle(b, "w", "task:a:0", "t1", TASK_FAILED, 0), LEDGER_OK);
            pop(b, "w", "task:a:1");
            expect(b, claim(b, "w", "task:a:1", "t2"), LEDGER_OK);
            expire(b, "w");
            expect(b, reclaim(b, "w", "task:a:1"), LEDGER_OK);
            expect(b, join_as(b, &b->other, "v", "n2"), LEDGER_OK);
            pop(b, "v", "task:a:1");
            expect_line(b, "task:a:0.result = failed");
            expect_count(b, "STRANGE ", 0);
            expire(b, "v");
            expect(b, archive(b, "c1", "{}"), LEDGER_OK);
            expect(b, purge(b, "c1", tasks, 2), LEDGER_OK);
            expect_count(b, "STRANGE ", 0);
            redis_fixture_do(&b->server, "FLUSHALL");
        }
    struct error err;
    struct ledger ledger;
    char longest[LEDGER_PREFIX_LIMIT + 2];
    memset(longest, 'p', sizeof(longest));
    longest[LEDGER_PREFIX_LIMIT + 1] = '\0';
    assert_int_equal(ledger_init(&ledger, b->link, longest, &err), -1);
    assert_int_equal(err.code, ERROR_CONFIG);
    assert_string_equal(err.text, "FUNKYTOWN_PREFIX: found 65 bytes, wanted at most 64");
    longest[LEDGER_PREFIX_LIMIT] = '\0';
    assert_int_equal(ledger_init(&ledger, b->link, longest, &err), 0);
    use_prefix(b, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(acquire_finds_nothing),
        TEST(acquire_finds_a_run_with_its_controller),
        TEST(acquire_finds_a_run_without_controller),
        TEST(acquire_finds_a_finished_run),
        TEST(acquire_tells_sources_apart),
        TEST(acquire_finds_a_run_without_source),
        TEST(acquire_begins_anew_when_it_is_told_to),
        TEST(acquire_says_what_makes_it_another_run),
        TEST(acquire_takes_over_from_who_only_serves),
        TEST(acquire_waits_for_no_dead_worker),
        TEST(acquire_ends_no_lease_of_a_run_that_goes_on),
        TEST(hold_is_for_the_last_controller),
        TEST(a_controller_that_was_away_too_long_is_fenced),
        TEST(begin_writes_the_fields_of_the_run),
        TEST(begin_spares_a_run),
        TEST(enqueue_writes_tasks_in_plan_order),
        TEST(open_writes_runmeta_last),
        TEST(register_leases_a_worker),
        TEST(register_hands_back_what_a_lost_pop_left),
        TEST(register_takes_over_the_name_of_a_dead_worker),
        TEST(a_replaced_process_is_no_worker_any_more),
        TEST(register_says_that_the_run_is_closed),
        TEST(register_waits_for_a_closed_run_that_is_run_again),
        TEST(register_waits_for_a_run_that_replaces_the_closed_one),
        TEST(renew_tells_what_lies_in_the_list),
        TEST(renew_says_that_the_run_is_closed),
        TEST(leave_hands_back_and_keeps_the_list_swept),
        TEST(claim_makes_a_waiting_task_ours),
        TEST(claim_under_another_token_starts_a_forgotten_task_anew),
        TEST(claim_takes_out_of_the_list_what_somebody_else_answers_for),
        TEST(claim_needs_an_open_run),
        TEST(settle_ends_a_task),
        TEST(settle_of_a_failure_leaves_retries),
        TEST(settle_of_a_pass_after_a_failure_is_flaky),
        TEST(settle_of_a_skip_needs_no_retry_and_takes_no_failure_back),
        TEST(the_last_settlement_finishes_the_run),
        TEST(release_makes_a_task_the_next_one),
        TEST(release_is_bounded),
        TEST(claim_leaves_a_task_that_failed_here_to_others),
        TEST(cancel_ends_what_waits),
        TEST(rerun_puts_back_what_did_not_pass),
        TEST(rerun_of_a_run_that_goes_on_is_no_new_beginning),
        TEST(rerun_forgets_every_budget),
        TEST(audit_tells_what_does_not_agree_and_mends_it),
        TEST(audit_finishes_a_run_that_is_done),
        TEST(audit_needs_an_open_run_and_every_worker),
        TEST(audit_wants_every_task_named),
        TEST(audit_puts_back_what_a_worker_has_left_behind),
        TEST(a_task_whose_hash_is_gone_can_only_be_put_down),
        TEST(restore_makes_an_error_of_what_is_lost),
        TEST(an_attempt_tells_what_it_has_put_out_while_it_holds_its_task),
        TEST(summarize_is_for_the_last_controller_of_a_finished_run),
        TEST(failures_count_since_something_was_put_back),
        TEST(a_run_ends_no_earlier_than_it_began),
        TEST(overdue_names_the_dead_and_the_gone),
        TEST(overdue_believes_no_clock_that_was_set_forward),
        TEST(overdue_shortens_what_a_clock_that_was_set_back_has_left),
        TEST(reclaim_and_bury_are_of_the_lease_that_was_looked_at),
        TEST(what_a_script_tells_of_a_lost_attempt_is_a_record),
        TEST(reclaim_costs_a_crash_and_no_retry),
        TEST(reclaim_gives_up_when_the_crashes_are_spent),
        TEST(reclaim_of_an_unclaimed_task_costs_nothing),
        TEST(reclaim_takes_out_of_the_list_what_somebody_else_answers_for),
        TEST(bury_strikes_off_a_swept_worker),
        TEST(a_second_run_leaves_no_key_of_the_first),
        TEST(a_zombie_of_an_archived_run_changes_nothing),
        TEST(a_pop_of_an_older_runs_worker_is_swept),
        TEST(archive_wants_every_worker_named),
        TEST(history_keeps_the_newest_hundred),
        TEST(forgotten_scripts_are_taught_again),
        TEST(a_server_out_of_memory_is_trouble),
        TEST(a_link_that_is_down_refuses),
        TEST(a_lost_link_answers_lost),
        TEST(every_key_has_the_prefix),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all) != 0;
}
