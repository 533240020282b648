/* How a run is read to be written down; a private server, the real link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/export/export_walk.h"
#include "controller/plan.h"
#include "shared/memory.h"
#include "tests/redis/redis_fixture.h"

enum { TASKS = 100 };

struct stage {
    struct redis_fixture server;
    uv_loop_t loop;
    struct redis_address address;
    struct redis_link *link;
    struct ledger ledger;
    struct plan plan;
    struct board *board;
    struct export_walk walk;
    bool is_up, is_closed, has_ended, is_complete;
    struct buffer told; /* "0:attempts:log ", … */
    size_t stops_at;    /* the task that makes the owner stop; TASKS: none */
};

static void on_task(void *data, const struct export_task *task)
{
    struct stage *s = data;
    buffer_format(&s->told, "%zu:%zu:%.*s ", task->index, task->attempt_count, (int)task->log_length,
                  task->log ? task->log : "");
    if (task->index == s->stops_at) {
        export_walk_stop(&s->walk);
        s->has_ended = true;
    }
}

static void on_end(void *data, bool is_complete)
{
    struct stage *s = data;
    assert_false(s->has_ended);
    s->has_ended = true;
    s->is_complete = is_complete;
}

static void on_up(void *data)
{
    ((struct stage *)data)->is_up = true;
}

static void on_down(void *data, const struct error *reason)
{
    (void)reason;
    ((struct stage *)data)->is_up = false;
}

static void make_map(struct buffer *map)
{
    buffer_text(map, "{\"groups\":[{\"name\":\"a\",\"tasks\":[");
    for (int i = 0; i < TASKS; i++)
        buffer_format(map, "%s{\"spec\":\"%d.spec.ts\",\"viewports\":[\"desktop\"],\"browsers\":[\"chrome\"]}",
                      i ? "," : "", i);
    buffer_text(map, "]}]}");
}

static int set_up(void **state)
{
    static const struct redis_link_events links = {on_up, on_down};
    struct stage *s = memory_zeroed(1, sizeof(*s));
    struct error err;
    auto_buffer map = {0};
    *state = s;
    redis_fixture_open(&s->server, NULL);
    redis_fixture_start(&s->server);
    redis_fixture_do(&s->server, "HSET funkytown:run id r");
    s->address = (struct redis_address){.host = "127.0.0.1", .port = s->server.port};
    uv_loop_init(&s->loop);
    s->link = redis_link_open(&s->loop, &s->address, &links, s);
    run_until(&s->loop, &s->is_up, "the link comes up");
    assert_int_equal(ledger_init(&s->ledger, s->link, "", &err), 0);
    make_map(&map);
    assert_int_equal(plan_parse(&s->plan, map.data, map.length, &err), 0);
    s->board = board_new(&s->plan, "r", "e");
    s->stops_at = TASKS;
    return 0;
}

static void on_link_closed(void *data)
{
    ((struct stage *)data)->is_closed = true;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    redis_link_close(s->link, on_link_closed);
    run_until(&s->loop, &s->is_closed, "the link is closed");
    uv_run(&s->loop, UV_RUN_DEFAULT);
    int failed = uv_loop_close(&s->loop);
    board_free(s->board);
    plan_close(&s->plan);
    buffer_close(&s->told);
    redis_fixture_close(&s->server);
    free(s);
    return failed;
}

/* Of a task with so many attempts; the last one's output is "log<index>". */
static void have(struct stage *s, size_t index, enum board_state state, unsigned attempts, unsigned tests)
{
    const struct board_task task = {.state = state, .attempt = attempts, .tests = {.passed = tests}};
    board_set_task(s->board, index, &task);
    for (unsigned i = 1; i <= attempts; i++)
        redis_fixture_do(&s->server, "RPUSH funkytown:attempts:task:a:%u {\"attempt\":%u,\"outcome\":\"failed\"}",
                         (unsigned)index, i);
    redis_fixture_do(&s->server, "HSET funkytown:logs:task:a:%u %u log%u", (unsigned)index, attempts,
                     (unsigned)index);
}

static void walk(struct stage *s)
{
    static const struct export_walk_events events = {on_task, on_end};
    s->has_ended = s->is_complete = false;
    buffer_clear(&s->told);
    export_walk_start(&s->walk, &s->ledger, &s->plan, s->board, &events, s);
    run_until(&s->loop, &s->has_ended, "the walk to end");
}

static void tasks_are_told_in_order_with_what_they_left(void **state)
{
    static const struct {
        enum board_state state;
        unsigned attempts, tests;
        const char *told; /* attempts and log */
    } kinds[] = {
        {BOARD_PASSED, 1, 0, "0:"}, /* nothing was asked: it told of no test */
        {BOARD_PASSED, 1, 3, "1:"},   {BOARD_FAILED, 2, 3, "2:log"}, {BOARD_FLAKY, 2, 0, "2:log"},
        {BOARD_ERROR, 1, 0, "1:log"}, {BOARD_CANCELLED, 0, 0, "0:"}, {BOARD_SKIPPED, 1, 0, "1:"},
    };
    enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
    struct stage *s = *state;
    auto_buffer wanted = {0};
    for (size_t i = 0; i < TASKS; i++) {
        have(s, i, kinds[i % KINDS].state, kinds[i % KINDS].attempts, kinds[i % KINDS].tests);
        buffer_format(&wanted, "%zu:%s", i, kinds[i % KINDS].told);
        if (strstr(kinds[i % KINDS].told, "log"))
            buffer_format(&wanted, "%zu", i);
        buffer_text(&wanted, " ");
    }
    walk(s);
    assert_true(s->is_complete);
    assert_string_equal(s->told.data, wanted.data);
}

static void a_record_that_is_none_is_left_out(void **state)
{
    struct stage *s = *state;
    have(s, 0, BOARD_FAILED, 2, 0);
    redis_fixture_do(&s->server, "LSET funkytown:attempts:task:a:0 0 nonsense");
    walk(s);
    assert_true(s->is_complete);
    assert_memory_equal(s->told.data, "0:1:log0 1:0: ", 14);
}

static void what_is_refused_ends_it(void **state)
{
    struct stage *s = *state;
    have(s, 50, BOARD_FAILED, 1, 0);
    redis_fixture_do(&s->server, "DEL funkytown:logs:task:a:50");
    redis_fixture_do(&s->server, "SET funkytown:logs:task:a:50 x");
    walk(s);
    assert_false(s->is_complete);
    assert_non_null(strstr(s->walk.trouble, "WRONGTYPE"));
    redis_fixture_do(&s->server, "DEL funkytown:logs:task:a:50");
    walk(s);
    assert_true(s->is_complete);
}

static void another_run_is_not_mixed_in(void **state)
{
    struct stage *s = *state;
    have(s, 0, BOARD_FAILED, 1, 0);
    redis_fixture_do(&s->server, "HSET funkytown:run id r2");
    walk(s);
    assert_false(s->is_complete);
    assert_string_equal(s->walk.trouble, "another run has begun");
}

static void without_a_link_it_has_ended_at_once(void **state)
{
    struct stage *s = *state;
    have(s, 0, BOARD_FAILED, 1, 0);
    redis_fixture_kill(&s->server);
    walk(s);
    assert_false(s->is_complete);
    assert_string_equal(s->walk.trouble, "the link to Redis was lost");
}

static void who_stops_it_hears_no_more(void **state)
{
    struct stage *s = *state;
    for (size_t i = 0; i < TASKS; i++)
        have(s, i, BOARD_FAILED, 1, 0);
    s->stops_at = 3;
    walk(s);
    uv_run(&s->loop, UV_RUN_NOWAIT);
    assert_string_equal(s->told.data, "0:1:log0 1:1:log1 2:1:log2 3:1:log3 ");
    s->stops_at = TASKS;
    walk(s); /* what was asked for before is answered too, and told to nobody */
    assert_true(s->is_complete);
    assert_memory_equal(s->told.data, "0:1:log0 1:1:log1 2:1:log2 3:1:log3 4:", 38);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(tasks_are_told_in_order_with_what_they_left),
        TEST(a_record_that_is_none_is_left_out),
        TEST(what_is_refused_ends_it),
        TEST(another_run_is_not_mixed_in),
        TEST(without_a_link_it_has_ended_at_once),
        TEST(who_stops_it_hears_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
