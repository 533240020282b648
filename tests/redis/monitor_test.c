/*
 * What the monitor makes of a run that changes while it is being read; a private server, the real links. What happens
 * between two of its reads is done in its callbacks, so that nothing here is a matter of luck.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/monitor.h"
#include "controller/plan.h"
#include "shared/memory.h"
#include "tests/redis/redis_fixture.h"

enum { LEASE_MS = 1000, LINKS = 2 };

struct stage {
    struct redis_fixture server;
    uv_loop_t loop;
    struct redis_address address;
    struct redis_link *links[LINKS]; /* commands, events */
    struct ledger ledger;
    struct plan plan;
    struct board *board;
    struct monitor monitor;
    int up, closed;
    bool are_up, is_finished, is_closed;
    const char *const *meanwhile; /* commands for when everything has been read once; NULL ends them */
    enum board_verdict verdicts[8];
    int verdict_count, reopened_count;
};

/* ---- the monitor's events ---- */

static void on_change(void *data)
{
    struct stage *s = data;
    const char *const *command = s->meanwhile;
    s->meanwhile = NULL;
    for (; command && *command; command++)
        redis_fixture_do(&s->server, *command);
}

static void on_task_end(void *data, size_t task)
{
    (void)data;
    (void)task;
}

static void on_finished(void *data)
{
    struct stage *s = data;
    s->verdicts[s->verdict_count++] = board_verdict(s->board);
    s->is_finished = true;
}

static void on_trouble(void *data, const char *reason)
{
    (void)data;
    (void)reason;
}

static void on_cancelling(void *data, enum cancel_kind kind, const char *reason)
{
    (void)data;
    (void)kind;
    (void)reason;
}

static void on_reopened(void *data)
{
    ((struct stage *)data)->reopened_count++;
}

/* ---- the stage ---- */

static void on_up(void *data)
{
    struct stage *s = data;
    s->are_up = ++s->up == LINKS;
}

static void on_down(void *data, const struct error *reason)
{
    (void)data;
    (void)reason;
}

static int set_up(void **state)
{
    static const struct redis_link_events links = {on_up, on_down};
    static const struct monitor_events events = {on_change,  on_task_end,   on_finished,
                                                 on_trouble, on_cancelling, on_reopened};
    static const char map[] = "{\"groups\":[{\"name\":\"a\",\"tasks\":[{\"spec\":\"a.spec.ts\","
                              "\"viewports\":[\"desktop\"],\"browsers\":[\"chrome\",\"firefox\"]}]}]}";
    struct stage *s = memory_zeroed(1, sizeof(*s));
    struct error err;
    *state = s;
    redis_fixture_open(&s->server, NULL);
    redis_fixture_start(&s->server);
    s->address = (struct redis_address){.host = "127.0.0.1", .port = s->server.port};
    uv_loop_init(&s->loop);
    for (int i = 0; i < LINKS; i++)
        s->links[i] = redis_link_open(&s->loop, &s->address, &links, s);
    run_until(&s->loop, &s->are_up, "the links come up");
    assert_int_equal(ledger_init(&s->ledger, s->links[0], "", &err), 0);
    assert_int_equal(plan_parse(&s->plan, map, strlen(map), &err), 0);
    s->board = board_new(&s->plan, "r", "e");
    monitor_init(&s->monitor, &s->loop, &s->ledger, s->links[1], &s->plan, s->board, LEASE_MS, &events, s);
    return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void on_link_closed(void *data)
{
    struct stage *s = data;
    s->is_closed = ++s->closed == LINKS;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    monitor_close(&s->monitor, on_handle_closed);
    for (int i = 0; i < LINKS; i++)
        redis_link_close(s->links[i], on_link_closed);
    run_until(&s->loop, &s->is_closed, "the links are closed");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    int failed = uv_loop_close(&s->loop);
    board_free(s->board);
    plan_close(&s->plan);
    redis_fixture_close(&s->server);
    free(s);
    return failed;
}

/* A run that is finished: one task failed, the other passed. */
static void have_finished_run(struct stage *s)
{
    redis_fixture_do(&s->server, "HMSET task:a:0 status complete result failed attempt 1");
    redis_fixture_do(&s->server, "HMSET task:a:1 status complete result passed attempt 1");
    redis_fixture_do(&s->server, "HMSET funkytown:run id r state finished started_ms 1000 finished_ms 2000 events 1");
    redis_fixture_do(&s->server, "XADD funkytown:events * number 1 at_ms 2000 event finished");
}

/* What a rerun that is over at once leaves of the run, and the events that tell of it. */
static const char *const quick_rerun[] = {
    "HMSET task:a:0 status complete result passed attempt 2",
    "HMSET funkytown:run state finished reopened_ms 3000 finished_ms 3001 events 5 reruns 1",
    NULL,
};
static const char *const its_events[] = {
    "XADD funkytown:events * number 2 at_ms 3000 event rerun task task:a:0",
    "XADD funkytown:events * number 3 at_ms 3000 event claimed task task:a:0 worker w attempt 2",
    "XADD funkytown:events * number 4 at_ms 3001 event settled task task:a:0 worker w attempt 2 result passed flaky "
    "0 duration_ns 0 failed 0",
    "XADD funkytown:events * number 5 at_ms 3001 event finished",
    NULL,
};

static void carry_out(struct stage *s, const char *const *commands)
{
    for (; *commands; commands++)
        redis_fixture_do(&s->server, *commands);
}

/* The events are late. */
static void a_rerun_that_ends_while_the_end_is_read_is_the_verdict(void **state)
{
    struct stage *s = *state;
    have_finished_run(s);
    s->meanwhile = quick_rerun;
    monitor_watch(&s->monitor);
    run_until(&s->loop, &s->is_finished, "the run is finished");
    assert_int_equal(s->verdict_count, 1);
    assert_int_equal(s->verdicts[0], BOARD_VERDICT_PASSED);
    assert_int_equal(s->reopened_count, 0);
}

/* The end of the run had been told. Redis' clock may have been set, so the rerun may bear the same time. */
static void a_rerun_that_ends_before_it_is_noticed_is_told(void **state)
{
    struct stage *s = *state;
    have_finished_run(s);
    monitor_watch(&s->monitor);
    run_until(&s->loop, &s->is_finished, "the run is finished");
    assert_int_equal(s->verdicts[0], BOARD_VERDICT_FAILED);
    s->is_finished = false;
    carry_out(s, quick_rerun);
    redis_fixture_do(&s->server, "HSET funkytown:run reopened_ms 0");
    carry_out(s, its_events);
    run_until(&s->loop, &s->is_finished, "the run is finished once more");
    assert_int_equal(s->verdict_count, 2);
    assert_int_equal(s->verdicts[1], BOARD_VERDICT_PASSED);
    assert_int_equal(s->reopened_count, 1);
}

/* The same without an event: the stream was deleted. */
static void a_rerun_without_an_event_is_told_when_all_is_read_again(void **state)
{
    struct stage *s = *state;
    have_finished_run(s);
    monitor_watch(&s->monitor);
    run_until(&s->loop, &s->is_finished, "the run is finished");
    s->is_finished = false;
    carry_out(s, quick_rerun);
    redis_fixture_do(&s->server, "DEL funkytown:events");
    monitor_read_again(&s->monitor);
    run_until(&s->loop, &s->is_finished, "the run is finished once more");
    assert_int_equal(s->verdicts[1], BOARD_VERDICT_PASSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_rerun_that_ends_while_the_end_is_read_is_the_verdict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rerun_that_ends_before_it_is_noticed_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rerun_without_an_event_is_told_when_all_is_read_again, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
