/* What a terminal says of a run, and the causes that it is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/cause_list.h"
#include "controller/run_text.h"
#include "shared/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { TASKS = 40 };

struct fixture {
    struct plan plan;
    struct board *board;
    struct run_text text;
    struct buffer out;
};

static int set_up(void **state)
{
    struct fixture *f = memory_zeroed(1, sizeof(*f));
    struct error err = {0};
    auto_buffer map = {0};
    buffer_text(&map, "{\"groups\":[{\"name\":\"g\",\"tasks\":[");
    for (int i = 0; i < TASKS; i++)
        buffer_format(&map, "%s{\"spec\":\"s%d\",\"viewports\":[\"desktop\"],\"browsers\":[\"chrome\"]}",
                      i ? "," : "", i);
    buffer_text(&map, "]}]}");
    plan_parse(&f->plan, map.data, map.length, &err);
    assert_string_equal(err.text, "");
    f->board = board_new(&f->plan, "run-1", "epoch-1");
    f->text = (struct run_text){.plan = &f->plan, .board = f->board};
    buffer_text(&f->out, "");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    board_free(f->board);
    plan_close(&f->plan);
    buffer_close(&f->out);
    free(f);
    return 0;
}

/* How a task ended, with one failed test of that message (NULL: none is told of). */
static void stands(struct fixture *f, size_t index, enum board_state state, const char *title, const char *message,
                   const char *said)
{
    const struct board_error error = {
        .message = said, .expected = title ? "3" : NULL, .received = title ? "2" : NULL};
    const struct board_failure row = {.title = title, .error = &error, .file = "tests/a.ts", .line = 12};
    const struct board_failures failures = {.count = 1, .rows = &row};
    board_set_task(f->board, index,
                   &(struct board_task){.state = state,
                                        .attempt = 1,
                                        .duration_ms = 1200,
                                        .message = message,
                                        .failures = title ? &failures : NULL});
}

static size_t lines_of(const struct buffer *text)
{
    size_t count = 0;
    for (const char *at = text->data; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    return count;
}

static void causes_are_told_with_what_where_and_how_many(void **state)
{
    struct fixture *f = *state;
    stands(f, 0, BOARD_ERROR, NULL, "exit 9", NULL);
    stands(f, 1, BOARD_FAILED, "cart › adds", "no basket of :4711", "no basket of localhost:4711\nTimeout: 5000ms");
    stands(f, 2, BOARD_FAILED, "cart › adds", "no basket", "no basket of localhost:4712\nTimeout: 5001ms");
    run_text_add_causes(&f->out, &f->text);
    assert_string_equal(f->out.data, "2 causes, 2 tests in 3 tasks:\n"
                                     "✗ no basket of localhost:4711\n"
                                     "    Timeout: 5000ms\n"
                                     "    expected 3\n"
                                     "    received 2\n"
                                     "    at tests/a.ts:12\n"
                                     "    2 tests in 2 tasks, the first is cart › adds\n"
                                     "      g › s1 [desktop chrome]\n"
                                     "      g › s2 [desktop chrome]\n"
                                     "! exit 9\n"
                                     "    1 task\n"
                                     "      g › s0 [desktop chrome]\n");
}

static void what_waits_or_passed_has_no_cause(void **state)
{
    static const enum board_state states[] = {BOARD_QUEUED, BOARD_RUNNING,   BOARD_PASSED,
                                              BOARD_FLAKY,  BOARD_CANCELLED, BOARD_SKIPPED};
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(states); i++)
        stands(f, i, states[i], "t", "no", "no");
    run_text_add_causes(&f->out, &f->text);
    assert_string_equal(f->out.data, "");
}

static void tests_of_one_task_are_one_task(void **state)
{
    struct fixture *f = *state;
    struct cause_list list;
    const struct board_error errors[] = {{.message = "a"}, {.message = "b"}};
    const struct board_failure rows[] = {{.title = "1", .error = &errors[0]},
                                         {.title = "2", .error = &errors[1]},
                                         {.title = "3", .error = &errors[0]}};
    const struct board_failures failures = {.count = COUNT(rows), .rows = rows, .dropped = 7};
    board_set_task(f->board, 5,
                   &(struct board_task){.state = BOARD_ERROR, .message = "timeout", .failures = &failures});
    cause_list_make(&list, f->board);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.tests, 3);
    assert_int_equal(list.tasks, 1);
    assert_int_equal(list.dropped, 7);
    assert_string_equal(list.items[0].first.error->message, "a");
    assert_int_equal(list.items[0].tests, 2);
    assert_int_equal(list.items[0].tasks, 1);
    assert_string_equal(list.items[1].first.error->message, "b");
    assert_string_equal(list.items[2].first.error->message, "timeout");
    assert_int_equal(list.items[2].tests, 0);
    cause_list_close(&list);
}

static void however_many_there_are_the_lists_end(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < TASKS; i++) {
        char message[] = "error \"A\"";
        message[7] = (char)('A' + i % 20);
        stands(f, i, BOARD_FAILED, "t", message, i < 8 ? "all" : message);
    }
    run_text_add_causes(&f->out, &f->text);
    assert_non_null(strstr(f->out.data, "✗ all\n"));
    assert_non_null(strstr(f->out.data, "    8 tests in 8 tasks, the first is t\n      g › s0 [desktop chrome]\n"));
    assert_non_null(strstr(f->out.data, "      g › s2 [desktop chrome]\n      and 5 more\n"));
    assert_non_null(strstr(f->out.data, "\nand 11 more; the report has them all\n"));
    assert_in_range(lines_of(&f->out), 20, 100);

    buffer_clear(&f->out);
    for (size_t i = 0; i < TASKS; i++)
        stands(f, i, BOARD_FLAKY, NULL, NULL, NULL);
    run_text_add_flaky(&f->out, &f->text);
    assert_non_null(strstr(f->out.data, "flaky:\n  ≈ g › s0 [desktop chrome] 1s\n"));
    assert_non_null(strstr(f->out.data, "\n  and 30 more; the report has them all\n"));
    assert_int_equal(lines_of(&f->out), 12);
}

static void the_end_of_a_task_is_a_row_of_the_terminal(void **state)
{
    static const struct {
        size_t columns;
        const char *line;
    } rows[] = {
        {0, "✗ g › s0 [desktop chrome] 1s: expected a b in the basket, and so on\n"},
        {80, "✗ g › s0 [desktop chrome] 1s: expected a b in the basket, and so on\n"},
        {50, "✗ g › s0 [desktop chrome] 1s: expected a b in the…\n"},
        {40, "✗ g › s0 [desktop chrome] 1s\n"},
        {10, "✗ g › s0 [desktop chrome] 1s\n"},
    };
    struct fixture *f = *state;
    stands(f, 0, BOARD_FAILED, "t", "all of it in one line", "expected a\033b in the basket, and so on\nsecond");
    for (size_t i = 0; i < COUNT(rows); i++) {
        buffer_clear(&f->out);
        f->text.columns = rows[i].columns;
        run_text_add_end(&f->out, &f->text, 0);
        assert_string_equal(f->out.data, rows[i].line);
    }
    buffer_clear(&f->out);
    f->text.columns = 50;
    f->text.has_colour = true;
    run_text_add_end(&f->out, &f->text, 0);
    assert_string_equal(f->out.data, "\033[31m✗\033[0m g › s0 [desktop chrome] 1s: expected a b in the…\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(causes_are_told_with_what_where_and_how_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_waits_or_passed_has_no_cause, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tests_of_one_task_are_one_task, set_up, tear_down),
        cmocka_unit_test_setup_teardown(however_many_there_are_the_lists_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_of_a_task_is_a_row_of_the_terminal, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
