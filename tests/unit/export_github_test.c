/* What GitHub is told: whatever specs say, it is text in an annotation, and text in one cell of a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/export/export_github.h"
#include "shared/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { TASKS = 250 };

struct fixture {
    struct plan plan;
    struct board *board;
    struct export_run run;
    struct buffer out;
};

static const struct export_github_place place = {"/work/shop/e2e", "/work/shop"};

static int set_up(void **state)
{
    struct fixture *f = memory_zeroed(1, sizeof(*f));
    struct error err = {0};
    auto_buffer map = {0};
    buffer_text(&map, "{\"groups\":[{\"name\":\"a|b <i>\",\"tasks\":[");
    for (int i = 0; i < TASKS; i++)
        buffer_format(&map, "%s{\"spec\":\"tests/%d.ts\",\"viewports\":[\"desktop\"],\"browsers\":[\"chrome\"]}",
                      i ? "," : "", i);
    buffer_text(&map, "]}]}");
    plan_parse(&f->plan, map.data, map.length, &err);
    assert_string_equal(err.text, "");
    f->board = board_new(&f->plan, "run-1", "epoch-1");
    board_set_run(f->board,
                  &(struct board_run){.state = BOARD_RUN_FINISHED, .started_ms = 1000, .finished_ms = 63000});
    f->run = (struct export_run){f->board, &f->plan, 64000};
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

static void fails(struct fixture *f, size_t task, const char *title, const char *message, const char *file)
{
    const struct board_error error = {.message = message, .expected = "3", .received = "2"};
    const struct board_failure row = {.title = title, .error = &error, .file = file, .line = 12};
    const struct board_failures failures = {.count = 1, .rows = &row};
    board_set_task(
        f->board, task,
        &(struct board_task){
            .state = BOARD_FAILED, .attempt = 1, .message = "exit 1", .tests = {.failed = 1}, .failures = &failures});
}

static void the_rest_passes(struct fixture *f, size_t from)
{
    for (size_t i = from; i < TASKS; i++)
        board_set_task(f->board, i, &(struct board_task){.state = BOARD_PASSED, .attempt = 1});
}

static size_t count_of(const struct buffer *text, const char *what)
{
    size_t count = 0;
    for (const char *at = text->data; (at = strstr(at, what)) != NULL; at += strlen(what))
        count++;
    return count;
}

static void an_annotation_is_at_the_line_that_failed(void **state)
{
    struct fixture *f = *state;
    fails(f, 0, "cart › adds", "no basket", "tests/0.ts");
    export_github_add_annotations(&f->out, &f->run, &place);
    assert_string_equal(f->out.data, "::error file=e2e/tests/0.ts,line=12,title=1 test in 1 task%3A cart › adds::"
                                     "no basket%0Aexpected 3%0Areceived 2%0Aa|b <i> › tests/0.ts [desktop chrome]\n");
}

static void a_task_that_failed_itself_is_annotated_at_its_spec(void **state)
{
    struct fixture *f = *state;
    board_set_task(f->board, 0, &(struct board_task){.state = BOARD_ERROR, .attempt = 1, .message = "timeout"});
    export_github_add_annotations(&f->out, &f->run, &place);
    assert_string_equal(f->out.data, "::error file=e2e/tests/0.ts,line=1,title=1 task::timeout%0A"
                                     "a|b <i> › tests/0.ts [desktop chrome]\n");
}

static void paths_are_those_of_the_repository(void **state)
{
    static const struct {
        const char *file, *path; /* NULL: it is none of the repository */
    } rows[] = {
        {"a.ts", "e2e/a.ts"},
        {"./x//a.ts", "e2e/x/a.ts"},
        {"../src/a.ts", "src/a.ts"},
        {"/work/shop/e2e/a.ts", "e2e/a.ts"},
        {"/work/shop/../shop/a.ts", "a.ts"},
        {"../../a.ts", NULL},
        {"../../../../../../a.ts", NULL},
        {"/work/shopping/a.ts", NULL},
        {"/work/shop", NULL},
        {"/", NULL},
        {"..", NULL},
    };
    static const struct export_github_place unknown = {NULL, NULL};
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        buffer_clear(&f->out);
        buffer_text(&f->out, "");
        bool is_inside = export_github_add_path(&f->out, &place, rows[i].file);
        assert_int_equal(is_inside, rows[i].path != NULL);
        assert_string_equal(f->out.length ? f->out.data : "", rows[i].path ? rows[i].path : "");
    }
    buffer_clear(&f->out);
    assert_true(export_github_add_path(&f->out, &unknown, "a.ts"));
    assert_string_equal(f->out.data, "a.ts");
    assert_false(export_github_add_path(&f->out, &unknown, "/a.ts"));
}

/* Of each: nothing but text. */
static const char *const nasty[] = {
    "a|b",
    "`code` and ``` more",
    "two\nlines\r\n::set-output name=a::b",
    "::set-output name=a::b",
    "##[set-env name=PATH]/tmp",
    "</code></table></details><script>alert(1)</script>",
    "[link](javascript:alert(1)) ![](https://evil.example/p.png) www.evil.example @everyone #1",
    "\x1b[31mred\x1b[0m\x07\x01\x7f",
    "&lt; &#124; 100%0A::error::x",
    "\xff\xfe bytes, title=x,file=/etc/passwd",
    "\xe2\x80\xae turned around",
    "| --- |\n\n# head\n- list\n\\",
};

static void nasty_titles_end_no_command(void **state)
{
    for (size_t i = 0; i < COUNT(nasty); i++) {
        struct fixture *f = *state;
        buffer_clear(&f->out);
        fails(f, 0, nasty[i], nasty[i], nasty[i]);
        export_github_add_annotations(&f->out, &f->run, &place);
        assert_int_equal(count_of(&f->out, "\n"), 1);
        assert_int_equal(strncmp(f->out.data, "::error ", 8), 0);
        char *properties = f->out.data + 8, *data = strstr(properties, "::");
        *data = '\0';
        size_t commas = 0;
        for (const char *at = properties; *at; at++)
            commas += *at == ',';
        assert_int_equal(commas, 2);
        assert_null(strchr(properties, ':'));
        for (const unsigned char *at = (const unsigned char *)data + 2; *at; at++)
            assert_true(*at >= ' ' || *at == '\n');
    }
}

/* What is left of a summary without our own markup has no character that means anything to Markdown or HTML. */
static void assert_plain(const struct buffer *summary)
{
    static const char *const ours[] = {"<code>",     "</code>", "<br>", "<details><summary>What failed</summary>",
                                       "</details>", "| --- ",  "##",   "|"};
    auto_free char *text = memory_text(summary->data);
    for (size_t i = 0; i < COUNT(ours); i++)
        for (char *at; (at = strstr(text, ours[i])) != NULL;)
            memset(at, ' ', strlen(ours[i]));
    assert_null(strpbrk(text, "<>|`[]*_\\@\"'\r\x1b\x7f"));
}

static void nasty_titles_are_text_in_a_cell(void **state)
{
    for (size_t i = 0; i < COUNT(nasty); i++) {
        struct fixture *f = *state;
        buffer_clear(&f->out);
        fails(f, 0, nasty[i], nasty[i], nasty[i]);
        the_rest_passes(f, 1);
        export_github_add_summary(&f->out, &f->run, EXPORT_GITHUB_SUMMARY_BYTES);
        assert_plain(&f->out);
        assert_int_equal(count_of(&f->out, "|"), 6 * 5); /* two tables of four columns and one row each */
        assert_null(strstr(f->out.data, "\n::"));
        assert_null(strstr(f->out.data, "##["));
    }
}

static void a_summary_has_the_verdict_counts_causes_and_failures(void **state)
{
    struct fixture *f = *state;
    fails(f, 0, "cart › adds", "no basket", "tests/0.ts");
    fails(f, 1, "cart › adds", "no basket", "tests/0.ts");
    the_rest_passes(f, 2);
    export_github_add_summary(&f->out, &f->run, EXPORT_GITHUB_SUMMARY_BYTES);
    assert_string_equal(
        f->out.data,
        "## ✗ failed: 1 cause, 2 tests in 2 tasks\n\n"
        "<code>run&#45;1</code>: 250 tasks, 248 passed, 2 failed in 1m2s; tests: 0 passed, 2 failed, 0 skipped, "
        "0 flaky\n\n"
        "| cause | how many | where | the first of them |\n| --- | --- | --- | --- |\n"
        "| <code>no basket<br>expected 3<br>received 2</code> | 2 tests in 2 tasks | "
        "<code>tests&#47;0&#46;ts&#58;12</code> | "
        "<code>a&#124;b &#60;i&#62; › tests&#47;0&#46;ts &#91;desktop chrome&#93;</code><br>"
        "<code>a&#124;b &#60;i&#62; › tests&#47;1&#46;ts &#91;desktop chrome&#93;</code> |\n"
        "\n<details><summary>What failed</summary>\n\n| test | task | where | message |\n| --- | --- | --- | --- |\n"
        "| <code>cart › adds</code> | <code>a&#124;b &#60;i&#62; › tests&#47;0&#46;ts &#91;desktop "
        "chrome&#93;</code> | "
        "<code>tests&#47;0&#46;ts&#58;12</code> | <code>no basket</code> |\n"
        "| <code>cart › adds</code> | <code>a&#124;b &#60;i&#62; › tests&#47;1&#46;ts &#91;desktop "
        "chrome&#93;</code> | "
        "<code>tests&#47;0&#46;ts&#58;12</code> | <code>no basket</code> |\n"
        "\n</details>\n\n");
}

static void a_green_run_has_a_head_alone(void **state)
{
    struct fixture *f = *state;
    the_rest_passes(f, 0);
    export_github_add_summary(&f->out, &f->run, EXPORT_GITHUB_SUMMARY_BYTES);
    assert_string_equal(f->out.data, "## ✓ passed\n\n<code>run&#45;1</code>: 250 tasks, 250 passed in 1m2s; tests: 0 "
                                     "passed, 0 failed, 0 skipped, 0 flaky\n\n");
    buffer_clear(&f->out);
    export_github_add_annotations(&f->out, &f->run, &place);
    assert_int_equal(f->out.length, 0);
}

enum { TESTS = 80 };

/* 20,000 tests that failed, each in its own way: more than 2 MB. */
static void make_many(struct fixture *f)
{
    for (size_t task = 0; task < TASKS; task++) {
        struct board_error errors[TESTS];
        struct board_failure rows[TESTS];
        char messages[TESTS][64];
        for (size_t i = 0; i < TESTS; i++) {
            snprintf(messages[i], sizeof(messages[i]), "\"%zu-%zu\" <|> <|> <|> <|> <|> <|>", task, i);
            errors[i] = (struct board_error){.message = messages[i], .expected = "a|b|c|d|e", .received = "<<<<<"};
            rows[i] = (struct board_failure){.title = messages[i], .error = &errors[i], .file = "tests/x.ts"};
        }
        const struct board_failures failures = {.count = TESTS, .rows = rows};
        board_set_task(f->board, task, &(struct board_task){.state = BOARD_FAILED, .failures = &failures});
    }
}

static void whatever_failed_a_summary_fits(void **state)
{
    static const size_t rooms[] = {EXPORT_GITHUB_SUMMARY_BYTES, 100000, 20000, 3000, 500, 100, 0};
    struct fixture *f = *state;
    make_many(f);
    for (size_t i = 0; i < COUNT(rooms); i++) {
        buffer_clear(&f->out);
        buffer_text(&f->out, "");
        export_github_add_summary(&f->out, &f->run, rooms[i]);
        assert_true(f->out.length <= rooms[i]);
        if (rooms[i] < 500) {
            assert_int_equal(f->out.length, 0);
            continue;
        }
        size_t rows = count_of(&f->out, "\n| <code>"), left = 0;
        const char *told = NULL;
        for (const char *at = f->out.data; (at = strstr(at, "\nand ")) != NULL; at++)
            told = at;
        assert_non_null(told);
        assert_int_equal(sscanf(told, "\nand %zu more; the report's files have them\n", &left), 1);
        size_t causes = strstr(f->out.data, "<details>") ? 50 : rows;
        assert_int_equal(rows - causes + left, TASKS * TESTS);
        assert_int_equal(count_of(&f->out, "<details>"), count_of(&f->out, "</details>"));
        assert_true(rooms[i] < 1000 || f->out.length > rooms[i] - 2500);
    }
    buffer_clear(&f->out);
    export_github_add_annotations(&f->out, &f->run, &place);
    assert_int_equal(count_of(&f->out, "::error "), EXPORT_GITHUB_ANNOTATIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_annotation_is_at_the_line_that_failed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_task_that_failed_itself_is_annotated_at_its_spec, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths_are_those_of_the_repository, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nasty_titles_end_no_command, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nasty_titles_are_text_in_a_cell, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_summary_has_the_verdict_counts_causes_and_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_green_run_has_a_head_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whatever_failed_a_summary_fits, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
