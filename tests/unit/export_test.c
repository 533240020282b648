#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "controller/export/export_format.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "shared/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char map[] = "{\"groups\":[{\"name\":\"the shop.eu\",\"tasks\":[{\"spec\":\"tests/a.spec.ts\","
                          "\"viewports\":[\"desktop\"],\"browsers\":[\"chrome\",\"firefox\"]}]}]}";

enum { ATTEMPTS = 4 };

struct fixture {
    struct plan plan;
    struct board *board;
    struct record_source attempts[ATTEMPTS];
    struct export_task task;
    struct export_cases cases;
};

static int set_up(void **state)
{
    struct fixture *f = memory_zeroed(1, sizeof(*f));
    struct error err = {0};
    plan_parse(&f->plan, map, strlen(map), &err);
    assert_string_equal(err.text, "");
    f->board = board_new(&f->plan, "run-1", "epoch-1");
    board_set_run(f->board,
                  &(struct board_run){.state = BOARD_RUN_FINISHED, .started_ms = 1000, .finished_ms = 9000});
    f->task = (struct export_task){.plan = &f->plan, .attempts = f->attempts};
    *state = f;
    return 0;
}

static void clear(struct fixture *f)
{
    export_cases_close(&f->cases);
    for (size_t i = 0; i < f->task.attempt_count; i++)
        record_close(&f->attempts[i]);
    f->task.attempt_count = 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    clear(f);
    board_free(f->board);
    plan_close(&f->plan);
    free(f);
    return 0;
}

/* An attempt at the first task; `tests` is the inside of its list. */
static void attempt(struct fixture *f, const char *outcome, const char *reason, const char *tests)
{
    struct error err = {0};
    auto_free char *json = memory_format(
        "{\"version\":1,\"attempt\":%zu,\"outcome\":\"%s\",\"reason\":\"%s\",\"worker\":\"w1\",\"tests\":[%s]}",
        f->task.attempt_count + 1, outcome, reason, tests);
    assert_true(f->task.attempt_count < ATTEMPTS);
    record_parse(&f->attempts[f->task.attempt_count++], json, strlen(json), &err);
    assert_string_equal(err.text, "");
}

/* How the first task stands, and the cases that this makes. */
static void stands(struct fixture *f, enum board_state state, const char *message)
{
    const struct board_task task = {.state = state,
                                    .attempt = (unsigned)f->task.attempt_count,
                                    .started_ms = 2000,
                                    .duration_ms = 1234,
                                    .worker = "w1",
                                    .message = message};
    board_set_task(f->board, 0, &task);
    f->task.state = board_task(f->board, 0);
    export_cases_make(&f->cases, &f->task);
}

/* "status title|…": `#` before what is the task itself. */
static void expect_cases(const struct fixture *f, const char *wanted)
{
    auto_buffer out = {0};
    buffer_text(&out, "");
    for (size_t i = 0; i < f->cases.count; i++) {
        const struct export_case *item = &f->cases.items[i];
        buffer_format(&out, "%s%s%s %s", i ? "|" : "", item->is_task ? "#" : "", export_status_name(item->status),
                      item->title);
        for (size_t k = 0; k < item->failure_count; k++) {
            const char *message = f->cases.failures[item->first_failure + k].message;
            buffer_format(&out, " (%s)", message ? message : "-");
        }
    }
    assert_string_equal(out.data, wanted);
}

#define TEST_OF(title, status) "{\"title\":[\"" title "\"],\"status\":\"" status "\",\"duration_ms\":5}"
#define FAILED(title, message)                                                                                       \
    "{\"title\":[\"cart\",\"" title "\"],\"status\":\"failed\",\"duration_ms\":7,\"file\":\"tests/"                  \
    "a.spec.ts\",\"line\":12,\"error\":{\"message\":\"" message "\"}}"

static void a_task_that_told_of_tests_is_its_tests(void **state)
{
    struct fixture *f = *state;
    attempt(f, "failed", "exit 1",
            TEST_OF("a", "passed") "," FAILED("b", "no") "," TEST_OF("c", "skipped") "," TEST_OF("d", "flaky"));
    stands(f, BOARD_FAILED, "no");
    expect_cases(f, "passed a|failed cart › b (no)|skipped c|flaky d (-)");
    assert_string_equal(f->cases.items[1].file, "tests/a.spec.ts");
    assert_int_equal(f->cases.items[1].line, 12);
}

static void a_task_without_tests_counts_itself(void **state)
{
    static const struct {
        enum board_state state;
        const char *outcome, *message, *cases;
    } rows[] = {
        {BOARD_PASSED, "passed", NULL, "#passed tests/a.spec.ts"},
        {BOARD_FAILED, "failed", "exit 1", "#failed tests/a.spec.ts (exit 1)"},
        {BOARD_ERROR, "error", "signal 9", "#error tests/a.spec.ts (signal 9)"},
        {BOARD_SKIPPED, "skipped", "exit 77", "#skipped tests/a.spec.ts"},
        {BOARD_CANCELLED, NULL, "cancelled over HTTP", "#cancelled tests/a.spec.ts"},
        {BOARD_QUEUED, NULL, NULL, "#pending tests/a.spec.ts"},
        {BOARD_RUNNING, "failed", NULL, "#pending tests/a.spec.ts"},
        {BOARD_ERROR, "lost", "3 workers were lost", "#error tests/a.spec.ts (3 workers were lost)"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        clear(f);
        if (rows[i].outcome)
            attempt(f, rows[i].outcome, "", "");
        stands(f, rows[i].state, rows[i].message);
        expect_cases(f, rows[i].cases);
    }
}

static void what_no_test_explains_is_the_tasks(void **state)
{
    struct fixture *f = *state;
    attempt(f, "error", "timeout", TEST_OF("a", "passed") "," FAILED("b", "no"));
    stands(f, BOARD_ERROR, "timeout");
    expect_cases(f, "passed a|failed cart › b (no)|#error tests/a.spec.ts (timeout)");
    clear(f);
    attempt(f, "failed", "exit 1", TEST_OF("a", "passed"));
    stands(f, BOARD_FAILED, "exit 1");
    expect_cases(f, "passed a|#failed tests/a.spec.ts (exit 1)");
}

static void a_test_that_failed_before_is_flaky(void **state)
{
    struct fixture *f = *state;
    attempt(f, "failed", "exit 1", FAILED("b", "first") "," FAILED("c", "other"));
    attempt(f, "released", "SIGTERM", "");
    attempt(f, "failed", "exit 1", FAILED("b", "second"));
    attempt(f, "passed", "",
            "{\"title\":[\"cart\",\"b\"],\"status\":\"passed\"},{\"title\":[\"cart\",\"d\"],\"status\":\"passed\"}");
    stands(f, BOARD_FLAKY, NULL);
    expect_cases(f, "flaky cart › b (first) (second)|passed cart › d");
    clear(f);
    attempt(f, "failed", "exit 1", "");
    attempt(f, "passed", "", TEST_OF("a", "passed"));
    stands(f, BOARD_FLAKY, NULL);
    expect_cases(f, "passed a|#flaky tests/a.spec.ts (exit 1)");
    clear(f); /* it was run again because it had failed, and has passed at once then */
    attempt(f, "failed", "exit 1", FAILED("b", "first"));
    attempt(f, "passed", "", "{\"title\":[\"cart\",\"b\"],\"status\":\"passed\"}");
    stands(f, BOARD_PASSED, NULL);
    expect_cases(f, "passed cart › b");
}

static void no_two_titles_of_a_task_are_alike(void **state)
{
    struct fixture *f = *state;
    char tests[3000] = "";
    for (int i = 0; i < 2; i++) {
        strcat(tests, i ? ",{\"title\":[\"" : "{\"title\":[\"");
        for (int k = 0; k < 50; k++)
            strcat(tests, "äöüß-äöüß");
        strcat(tests, "\"],\"status\":\"passed\"}");
    }
    attempt(
        f, "passed", "",
        TEST_OF("a", "passed") "," TEST_OF("a", "passed") "," TEST_OF("a (2)", "passed") ",{\"status\":\"passed\"}");
    stands(f, BOARD_PASSED, NULL);
    expect_cases(f, "passed a|passed a (2)|passed a (2) (2)|passed (no title)");
    clear(f);
    attempt(f, "passed", "", tests);
    stands(f, BOARD_PASSED, NULL);
    assert_true(strlen(f->cases.items[1].title) <= 420);
    assert_non_null(strstr(f->cases.items[1].title, "… (2)"));
    assert_string_not_equal(f->cases.items[0].title, f->cases.items[1].title);
}

static void thousands_of_one_title_cost_their_number(void **state)
{
    enum { ALIKE = 20000 };
    struct fixture *f = *state;
    auto_buffer tests = {0};
    for (int i = 0; i < ALIKE; i++)
        buffer_format(&tests, "%s{\"title\":[\"a\"],\"status\":\"passed\"}", i ? "," : "");
    attempt(f, "passed", "", tests.data);
    uint64_t start_ms = clock_mono_ms();
    stands(f, BOARD_PASSED, NULL);
    assert_true(clock_mono_ms() - start_ms < 5000); /* the square of them takes a minute */
    assert_int_equal(f->cases.count, ALIKE);
    assert_string_equal(f->cases.items[ALIKE - 1].title, "a (20000)");
}

/* ---- formats ---- */

static char *written(struct fixture *f, enum export_name name)
{
    struct export_writer writer;
    const struct export_run run = {f->board, &f->plan, 10000};
    export_writer_begin(&writer, name, &run);
    export_writer_task(&writer, &f->task, &f->cases);
    export_writer_end(&writer);
    char *text = buffer_take(&writer.out);
    export_writer_close(&writer);
    return text;
}

static const char *attribute_of(const xmlNode *node, const char *name)
{
    const xmlAttr *found = xmlHasProp(node, (const xmlChar *)name);
    return found && found->children ? (const char *)found->children->content : NULL;
}

static xmlNode *child(xmlNode *node, const char *name, int number)
{
    for (xmlNode *at = node->children; at; at = at->next)
        if (at->type == XML_ELEMENT_NODE && strcmp((const char *)at->name, name) == 0 && number-- == 0)
            return at;
    return NULL;
}

static void junit_has_a_case_for_each(void **state)
{
    struct fixture *f = *state;
    attempt(
        f, "error", "timeout",
        TEST_OF("<a> & \\\"b\\\"", "passed") "," FAILED("b", "no\\u001b[31m <red>\\u0007") "," TEST_OF("c", "flaky"));
    stands(f, BOARD_ERROR, "timeout");
    static const char log[] = "\033[1mbold\033[0m\0\xff]]>";
    f->task.log = log;
    f->task.log_length = sizeof(log) - 1;
    auto_free char *text = written(f, EXPORT_JUNIT);
    xmlDoc *document = xmlReadMemory(text, (int)strlen(text), "junit.xml", NULL, XML_PARSE_NONET);
    assert_non_null(document);
    xmlNode *suite = child(xmlDocGetRootElement(document), "testsuite", 0);
    assert_string_equal(attribute_of(suite, "name"), "the shop.eu › tests/a.spec.ts [desktop chrome]");
    assert_string_equal(attribute_of(suite, "tests"), "4");
    assert_string_equal(attribute_of(suite, "failures"), "1");
    assert_string_equal(attribute_of(suite, "errors"), "1");
    assert_string_equal(attribute_of(suite, "time"), "1.234");
    assert_string_equal(attribute_of(suite, "timestamp"), "1970-01-01T00:00:02.000Z");
    xmlNode *first = child(suite, "testcase", 0), *second = child(suite, "testcase", 1);
    assert_string_equal(attribute_of(first, "name"), "<a> & \"b\" [desktop chrome]");
    assert_string_equal(attribute_of(first, "classname"), "the shop_eu.tests/a_spec_ts");
    assert_null(first->children);
    assert_string_equal(attribute_of(second, "file"), "tests/a.spec.ts");
    assert_string_equal(attribute_of(second, "line"), "12");
    assert_string_equal(attribute_of(child(second, "failure", 0), "message"), "no <red>");
    xmlChar *told = xmlNodeGetContent(child(second, "system-out", 0));
    assert_string_equal(told, "bold\xEF\xBF\xBD\xEF\xBF\xBD]]>");
    xmlFree(told);
    assert_non_null(child(child(suite, "testcase", 2), "flakyFailure", 0));
    xmlNode *task = child(suite, "testcase", 3);
    assert_string_equal(attribute_of(task, "name"), "tests/a.spec.ts [desktop chrome]");
    assert_string_equal(attribute_of(child(task, "error", 0), "message"), "timeout");
    assert_null(child(task, "system-out", 0));
    xmlFreeDoc(document);
}

static void junit_leaves_out_what_is_to_come(void **state)
{
    struct fixture *f = *state;
    stands(f, BOARD_QUEUED, NULL);
    auto_free char *text = written(f, EXPORT_JUNIT);
    assert_string_equal(
        text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"funkytown run-1\">\n</testsuites>\n");
}

static void the_log_is_cut_at_a_line(void **state)
{
    struct fixture *f = *state;
    auto_buffer log = {0};
    attempt(f, "failed", "exit 1", "");
    stands(f, BOARD_FAILED, "exit 1");
    for (int i = 0; i < 20000; i++)
        buffer_format(&log, "line %d\n", i);
    f->task.log = log.data;
    f->task.log_length = log.length;
    auto_free char *text = written(f, EXPORT_JUNIT);
    assert_true(strlen(text) < 70 * 1024);
    assert_non_null(strstr(text, "bytes before this are in the report)\nline "));
    assert_non_null(strstr(text, "line 19999"));
}

static void ctrf_counts_what_it_lists(void **state)
{
    struct fixture *f = *state;
    struct error err;
    cJSON *tree;
    attempt(f, "error", "timeout",
            TEST_OF("a", "passed") "," FAILED("b", "no") "," TEST_OF("c", "flaky") "," TEST_OF("d", "skipped"));
    stands(f, BOARD_ERROR, "timeout");
    auto_free char *text = written(f, EXPORT_RESULTS);
    if (json_parse(&tree, text, strlen(text), &err) < 0)
        fail_msg("%s", err.text);
    const cJSON *results = cJSON_GetObjectItem(tree, "results"), *summary = cJSON_GetObjectItem(results, "summary");
    static const struct {
        const char *name;
        int count;
    } counts[] = {{"tests", 5},   {"passed", 2}, {"failed", 2}, {"skipped", 1},
                  {"pending", 0}, {"other", 0},  {"flaky", 1}};
    for (size_t i = 0; i < COUNT(counts); i++)
        assert_int_equal(cJSON_GetObjectItem(summary, counts[i].name)->valueint, counts[i].count);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(results, "tests")), 5);
    const cJSON *last = cJSON_GetArrayItem(cJSON_GetObjectItem(results, "tests"), 4);
    assert_string_equal(cJSON_GetObjectItem(last, "rawStatus")->valuestring, "error");
    assert_string_equal(cJSON_GetObjectItem(last, "message")->valuestring, "timeout");
    cJSON_Delete(tree);
}

static void the_list_of_failures_begins_with_the_place(void **state)
{
    struct fixture *f = *state;
    attempt(f, "error", "timeout", TEST_OF("a", "passed") "," FAILED("b", "first\\nsecond\\u001b[2J"));
    stands(f, BOARD_ERROR, "timeout");
    auto_free char *text = written(f, EXPORT_FAILED_LIST);
    assert_string_equal(text, "tests/a.spec.ts:12: cart › b [desktop chrome] (task:the shop.eu:0): first\n"
                              "tests/a.spec.ts:1: tests/a.spec.ts [desktop chrome] (task:the shop.eu:0): timeout\n");
    clear(f);
    stands(f, BOARD_PASSED, NULL);
    auto_free char *none = written(f, EXPORT_FAILED_LIST);
    assert_string_equal(none, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_task_that_told_of_tests_is_its_tests),
        TEST(a_task_without_tests_counts_itself),
        TEST(what_no_test_explains_is_the_tasks),
        TEST(a_test_that_failed_before_is_flaky),
        TEST(no_two_titles_of_a_task_are_alike),
        TEST(thousands_of_one_title_cost_their_number),
        TEST(junit_has_a_case_for_each),
        TEST(junit_leaves_out_what_is_to_come),
        TEST(the_log_is_cut_at_a_line),
        TEST(ctrf_counts_what_it_lists),
        TEST(the_list_of_failures_begins_with_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
