#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "shared/memory.h"
#include "shared/utf8.h"
#include "worker/event_reader.h"
#include "worker/judge.h"
#include "worker/test_record.h"

#define PASSED  "{\"event\":\"test\",\"title\":[\"cart\",\"adds\"],\"status\":\"passed\"}\n"
#define SKIPPED "{\"event\":\"test\",\"title\":[\"cart\",\"later\"],\"status\":\"skipped\"}\n"
#define FLAKY   "{\"event\":\"test\",\"title\":[\"cart\",\"blinks\"],\"status\":\"flaky\"}\n"
#define FAILED                                                                                                       \
    "{\"event\":\"test\",\"title\":[\"cart\",\"empties\"],\"status\":\"failed\",\"file\":\"a.spec.ts\",\"line\":12," \
    "\"error\":{\"message\":\"two is not one\"}}\n"
#define FAILED_SILENTLY "{\"event\":\"test\",\"title\":[\"x\"],\"status\":\"failed\"}\n"
#define ERROR                                                                                                        \
    "{\"event\":\"error\",\"error\":{\"message\":\"SyntaxError: here\"},\"file\":\"b.spec.ts\",\"line\":3}\n"
#define NO_BROWSER                                                                                                   \
    "{\"event\":\"test\",\"title\":[\"x\"],\"status\":\"failed\",\"error\":{\"message\":\"no browser\"}}\n"          \
    "{\"event\":\"error\",\"spec\":\"a.spec.ts\",\"error\":{\"message\":\"no browser\"}}\n"
#define TIMED_OUT    "{\"event\":\"test\",\"status\":\"timedOut\"}\n"
#define SPEC_PASSED  "{\"event\":\"spec\",\"status\":\"passed\",\"duration_ms\":5}\n"
#define SPEC_SKIPPED "{\"event\":\"spec\",\"status\":\"skipped\",\"duration_ms\":5}\n"
#define SPEC_FAILED  "{\"event\":\"spec\",\"status\":\"failed\",\"duration_ms\":5}\n"

/* The test records, taken from the judge. */
static cJSON *take_tests(struct judge *j)
{
    auto_free char *text = judge_take_tests(j);
    cJSON *tests = cJSON_ParseWithOpts(text, NULL, true);
    assert_true(cJSON_IsArray(tests));
    return tests;
}

static struct runner usual_runner(void)
{
    struct runner runner = {0};
    for (int i = 0; i < 256; i++)
        runner.exit_results[i] = TASK_ERROR;
    runner.exit_results[0] = TASK_PASSED;
    runner.exit_results[1] = TASK_FAILED;
    return runner;
}

static void on_event(void *data, const struct cJSON *event, const char *text)
{
    judge_take(data, event, text);
}

/* What a runner writes until it ends, in pieces of so many bytes. */
static void feed_pieces(struct judge *j, const char *bytes, size_t length, size_t piece)
{
    struct event_reader reader;
    event_reader_init(&reader, on_event, j);
    for (size_t at = 0; at < length; at += piece)
        event_reader_feed(&reader, bytes + at, at + piece < length ? piece : length - at);
    event_reader_end(&reader);
    event_reader_close(&reader);
}

static void feed(struct judge *j, const char *text)
{
    feed_pieces(j, text, strlen(text), strlen(text));
}

static void what_was_seen_decides(void **state)
{
    (void)state;
    enum { SILENT = false, SPEAKS = true };
    static const struct {
        bool expects_events;
        const char *events;
        enum runner_end_kind kind;
        int code;
        unsigned timeout_s;
        enum task_result result;
        const char *reason;
    } rows[] = {
        /* Runners without events: the exit status alone. */
        {SILENT, "", RUNNER_EXITED, 0, 0, TASK_PASSED, ""},
        {SILENT, "", RUNNER_EXITED, 1, 0, TASK_FAILED, "exit 1"},
        {SILENT, "", RUNNER_EXITED, 2, 0, TASK_ERROR, "exit 2"},
        {SILENT, "", RUNNER_EXITED, 255, 0, TASK_ERROR, "exit 255"},

        /* Whatever was said before: it didn't end by itself. */
        {SILENT, "", RUNNER_SIGNALED, 9, 0, TASK_ERROR, "signal 9"},
        {SPEAKS, PASSED SPEC_PASSED, RUNNER_SIGNALED, 11, 0, TASK_ERROR, "signal 11"},
        {SPEAKS, PASSED SPEC_PASSED, RUNNER_SIGNALED, 15, 120, TASK_ERROR, "timeout after 120 s"},
        {SPEAKS, FAILED, RUNNER_EXITED, 0, 600, TASK_ERROR, "timeout after 600 s"},
        {SILENT, "", RUNNER_NOT_STARTED, ENOENT, 0, TASK_ERROR,
         "exit 127: cannot start npx: it is not in the worker's PATH; install it there"},
        {SILENT, "", RUNNER_NOT_STARTED, EACCES, 0, TASK_ERROR, "exit 126: cannot start npx: Permission denied"},
        {SILENT, "", RUNNER_NO_FOLDER, ENOENT, 0, TASK_ERROR,
         "cannot enter the folder that npx is to start in: No such file or directory"},
        {SPEAKS, PASSED SPEC_PASSED, RUNNER_UNKNOWN, 0, 0, TASK_ERROR, "the supervisor of the runner was killed"},

        /* Passed takes everything. */
        {SPEAKS, PASSED SPEC_PASSED, RUNNER_EXITED, 0, 0, TASK_PASSED, ""},
        {SILENT, PASSED SPEC_PASSED, RUNNER_EXITED, 0, 0, TASK_PASSED, ""},
        {SPEAKS, FLAKY SKIPPED SPEC_PASSED, RUNNER_EXITED, 0, 0, TASK_PASSED, ""},
        {SPEAKS, PASSED SPEC_PASSED, RUNNER_EXITED, 1, 0, TASK_ERROR, "exit 1 though every test passed"},
        {SPEAKS, PASSED SPEC_PASSED, RUNNER_EXITED, 3, 0, TASK_ERROR, "exit 3 though every test passed"},
        {SPEAKS, PASSED, RUNNER_EXITED, 0, 0, TASK_ERROR, "exit 0 before the spec had ended"},
        {SPEAKS, PASSED, RUNNER_EXITED, 134, 0, TASK_ERROR, "exit 134 before the spec had ended"},

        /* No test, no pass. */
        {SPEAKS, "", RUNNER_EXITED, 0, 0, TASK_ERROR, "no test was run"},
        {SPEAKS, "", RUNNER_EXITED, 1, 0, TASK_ERROR, "exit 1 and no test was run"},
        {SPEAKS, SPEC_PASSED, RUNNER_EXITED, 0, 0, TASK_ERROR, "no test was run"},
        {SILENT, SPEC_PASSED, RUNNER_EXITED, 0, 0, TASK_ERROR, "no test was run"},
        {SPEAKS, SPEC_FAILED, RUNNER_EXITED, 1, 0, TASK_ERROR, "exit 1 and no test was run"},
        {SPEAKS, SKIPPED SKIPPED SPEC_PASSED, RUNNER_EXITED, 0, 0, TASK_ERROR, "no test was run (2 skipped)"},

        /* A failed test is a failure, unless the spec itself has an error. */
        {SPEAKS, PASSED FAILED SPEC_FAILED, RUNNER_EXITED, 1, 0, TASK_FAILED, ""},
        {SPEAKS, FAILED SPEC_PASSED, RUNNER_EXITED, 0, 0, TASK_FAILED, ""},
        {SPEAKS, FAILED, RUNNER_EXITED, 3, 0, TASK_FAILED, ""},
        {SPEAKS, ERROR FAILED, RUNNER_EXITED, 1, 0, TASK_FAILED, ""},
        {SPEAKS, FAILED_SILENTLY, RUNNER_EXITED, 1, 0, TASK_FAILED, "a test failed without a message"},
        {SPEAKS, PASSED SPEC_FAILED, RUNNER_EXITED, 1, 0, TASK_FAILED, "the runner says failed, but no test failed"},
        {SPEAKS, PASSED SPEC_FAILED SPEC_PASSED, RUNNER_EXITED, 0, 0, TASK_FAILED,
         "the runner says failed, but no test failed"},

        /* Errors outside of tests. */
        {SPEAKS, ERROR, RUNNER_EXITED, 1, 0, TASK_ERROR, "SyntaxError: here"},
        {SPEAKS, PASSED ERROR SPEC_PASSED, RUNNER_EXITED, 0, 0, TASK_ERROR, "SyntaxError: here"},
        {SPEAKS, NO_BROWSER, RUNNER_EXITED, 1, 0, TASK_ERROR, "no browser"},
        {SPEAKS, FAILED NO_BROWSER, RUNNER_EXITED, 1, 0, TASK_ERROR, "no browser"},
        {SILENT, "{\"event\":\"error\"}\n", RUNNER_EXITED, 0, 0, TASK_ERROR,
         "the runner reported an error without a message"},

        /* What is told last can only make it worse. */
        {SPEAKS, PASSED SPEC_PASSED FAILED, RUNNER_EXITED, 0, 0, TASK_FAILED, ""},
        {SPEAKS, PASSED SPEC_PASSED SPEC_FAILED, RUNNER_EXITED, 0, 0, TASK_FAILED,
         "the runner says failed, but no test failed"},
        {SPEAKS, PASSED SPEC_PASSED ERROR, RUNNER_EXITED, 0, 0, TASK_ERROR, "SyntaxError: here"},
        {SPEAKS, PASSED SPEC_PASSED PASSED, RUNNER_EXITED, 0, 0, TASK_PASSED, ""},

        /* What nobody could read may have been bad news: no pass; what is bad anyway stays as it is. */
        {SILENT, "no event\n", RUNNER_EXITED, 0, 0, TASK_ERROR, "1 event line can't be read: no event"},
        {SILENT, "no event\n", RUNNER_EXITED, 1, 0, TASK_FAILED, "exit 1"},
        {SPEAKS, "\x1b[31m a\nb\n" PASSED SPEC_PASSED, RUNNER_EXITED, 0, 0, TASK_ERROR,
         "2 event lines can't be read, the first: a"},
        {SPEAKS, PASSED SPEC_PASSED "\x01\n", RUNNER_EXITED, 0, 0, TASK_ERROR, "1 event line can't be read"},
        {SPEAKS, PASSED TIMED_OUT SPEC_PASSED, RUNNER_EXITED, 0, 0, TASK_ERROR,
         "1 event line can't be read: {\"event\":\"test\",\"status\":\"timedOut\"}"},
        {SPEAKS, FAILED "x\n" SPEC_PASSED, RUNNER_EXITED, 0, 0, TASK_FAILED, ""},
        {SPEAKS, PASSED "x\n" SPEC_FAILED, RUNNER_EXITED, 1, 0, TASK_FAILED,
         "the runner says failed; 1 event line can't be read: x"},
        {SPEAKS, "x\n" SPEC_FAILED, RUNNER_EXITED, 0, 0, TASK_FAILED,
         "the runner says failed; 1 event line can't be read: x"},
        {SPEAKS, "x\n", RUNNER_EXITED, 0, 0, TASK_ERROR, "no test was run; 1 event line can't be read: x"},
        {SPEAKS, "x\n" PASSED SPEC_PASSED, RUNNER_SIGNALED, 15, 9, TASK_ERROR, "timeout after 9 s"},

        /* Lines that aren't whole. */
        {SPEAKS, PASSED "{\"event\":\"spec\",\"status\":\"passed\"}", RUNNER_EXITED, 0, 0, TASK_PASSED, ""},
        {SPEAKS, PASSED "{\"event\":\"spec\",\"sta", RUNNER_EXITED, 0, 0, TASK_ERROR,
         "exit 0 before the spec had ended; 1 event line can't be read: {\"event\":\"spec\",\"sta"},
    };
    struct runner runner = usual_runner();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judge j;
        struct verdict verdict;
        const struct runner_end end = {.kind = rows[i].kind, .code = rows[i].code};
        judge_init(&j);
        j.expects_events = rows[i].expects_events;
        feed(&j, rows[i].events);
        judge_verdict(&j, &runner, &end, "npx", rows[i].timeout_s, &verdict);
        if (verdict.result != rows[i].result || strcmp(verdict.reason, rows[i].reason) != 0)
            fail_msg("row %zu: %s \"%s\", wanted %s \"%s\"", i, task_result_name(verdict.result), verdict.reason,
                     task_result_name(rows[i].result), rows[i].reason);
        judge_close(&j);
    }
}

static void skipped_is_what_the_runner_and_its_tests_say(void **state)
{
    (void)state;
    static const struct {
        const char *events;
        int code;
        enum task_result result;
        const char *reason;
    } rows[] = {
        {SKIPPED SPEC_SKIPPED, 0, TASK_SKIPPED, "its only test is skipped"},
        {SKIPPED SKIPPED SPEC_SKIPPED, 0, TASK_SKIPPED, "all 2 tests are skipped"},
        {SPEC_SKIPPED SKIPPED, 77, TASK_SKIPPED, "its only test is skipped"},

        /* Nothing was found, or nobody says that it is all. */
        {SPEC_SKIPPED, 0, TASK_ERROR, "no test was run"},
        {SPEC_SKIPPED, 77, TASK_ERROR, "exit 77 and no test was run"},
        {"", 77, TASK_ERROR, "exit 77 and no test was run"},
        {SKIPPED, 0, TASK_ERROR, "no test was run (1 skipped)"},
        {SKIPPED, 77, TASK_ERROR, "exit 77 and no test was run (1 skipped)"},
        {SKIPPED SPEC_PASSED, 0, TASK_ERROR, "no test was run (1 skipped)"},

        /* Something else says otherwise. */
        {PASSED SKIPPED SPEC_SKIPPED, 0, TASK_ERROR, "the runner says skipped, but a test passed"},
        {SKIPPED FLAKY SPEC_SKIPPED, 77, TASK_ERROR, "the runner says skipped, but a test passed"},
        {PASSED SPEC_PASSED SPEC_SKIPPED, 0, TASK_ERROR, "the runner says skipped, but a test passed"},
        {PASSED SPEC_SKIPPED SPEC_PASSED, 0, TASK_ERROR, "the runner says skipped, but a test passed"},
        {PASSED SPEC_PASSED, 77, TASK_ERROR, "exit 77 though every test passed"},
        {SKIPPED SPEC_SKIPPED, 1, TASK_ERROR, "exit 1 though every test was skipped"},
        {SKIPPED SPEC_SKIPPED, 3, TASK_ERROR, "exit 3 though every test was skipped"},
        {SKIPPED SPEC_SKIPPED SPEC_FAILED, 0, TASK_ERROR, "no test was run (1 skipped)"},
        {SKIPPED SPEC_FAILED SPEC_SKIPPED, 0, TASK_ERROR, "no test was run (1 skipped)"},
        {SKIPPED SPEC_SKIPPED FAILED, 0, TASK_FAILED, ""},
        {SKIPPED SPEC_SKIPPED ERROR, 0, TASK_ERROR, "SyntaxError: here"},
        {"x\n" SKIPPED SPEC_SKIPPED, 0, TASK_ERROR, "1 event line can't be read: x"},
    };
    struct runner runner = usual_runner();
    runner.exit_results[77] = TASK_SKIPPED;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judge j;
        struct verdict verdict;
        const struct runner_end end = {.kind = RUNNER_EXITED, .code = rows[i].code};
        judge_init(&j);
        j.expects_events = true;
        feed(&j, rows[i].events);
        judge_verdict(&j, &runner, &end, "npx", 0, &verdict);
        if (verdict.result != rows[i].result || strcmp(verdict.reason, rows[i].reason) != 0)
            fail_msg("row %zu: %s \"%s\", wanted %s \"%s\"", i, task_result_name(verdict.result), verdict.reason,
                     task_result_name(rows[i].result), rows[i].reason);
        judge_close(&j);
    }
}

static void who_told_nothing_has_last_words(void **state)
{
    (void)state;
    static const struct {
        const char *events, *output;
        int code;
        const char *reason;
    } rows[] = {
        {"", "starting\nError: no such project\n    at a:1\n", 1,
         "exit 1 and no test was run: Error: no such project"},
        {"", "only this\n", 2, "exit 2 and no test was run: only this"},
        {"", "", 1, "exit 1 and no test was run"},
        {"", "all is well\n", 0, "no test was run"},
        {ERROR, "Error: on the terminal\n", 1, "SyntaxError: here"},
        {"x\n", "Error: y\n", 1, "exit 1 and no test was run: Error: y; 1 event line can't be read: x"},
    };
    struct runner runner = usual_runner();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judge j;
        struct verdict verdict;
        struct runner_end end = {.kind = RUNNER_EXITED, .code = rows[i].code};
        judge_init(&j);
        j.expects_events = true;
        feed(&j, rows[i].events);
        judge_take_output(&j, rows[i].output);
        judge_verdict(&j, &runner, &end, "npx", 0, &verdict);
        assert_int_equal(verdict.result, TASK_ERROR);
        assert_string_equal(verdict.reason, rows[i].reason);
        judge_close(&j);
    }
}

static void a_runner_may_have_exit_codes_of_its_own(void **state)
{
    (void)state;
    struct runner runner = usual_runner();
    runner.exit_results[3] = TASK_PASSED;
    runner.exit_results[0] = TASK_FAILED;
    runner.exit_results[9] = TASK_UNKNOWN;
    runner.exit_results[77] = TASK_SKIPPED;
    static const struct {
        int code;
        enum task_result result;
    } rows[] = {{3, TASK_PASSED}, {0, TASK_FAILED}, {9, TASK_ERROR}, {77, TASK_SKIPPED}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judge j;
        struct verdict verdict;
        const struct runner_end end = {.kind = RUNNER_EXITED, .code = rows[i].code};
        judge_init(&j);
        judge_verdict(&j, &runner, &end, "x", 0, &verdict);
        assert_int_equal(verdict.result, rows[i].result);
        judge_close(&j);
    }
}

static void the_first_failure_is_told(void **state)
{
    (void)state;
    struct judge j;
    judge_init(&j);
    feed(&j, ERROR);
    assert_string_equal(j.message, "SyntaxError: here");
    assert_string_equal(j.file, "b.spec.ts");
    assert_int_equal(j.line_number, 3);
    assert_string_equal(j.title, "");
    feed(&j, PASSED FAILED FAILED_SILENTLY ERROR);
    assert_string_equal(j.message, "two is not one");
    assert_string_equal(j.file, "a.spec.ts");
    assert_int_equal(j.line_number, 12);
    assert_string_equal(j.title, "cart › empties");
    assert_int_equal(j.counts.passed, 1);
    assert_int_equal(j.counts.failed, 2);
    assert_true(j.runner_error);
    judge_close(&j);
}

static void messages_are_one_clean_line(void **state)
{
    (void)state;
    static const struct {
        const char *json; /* of the message */
        const char *wanted;
    } rows[] = {
        {"plain", "plain"},
        {"\\n  two\\n\\n lines\\r\\n", "two lines"},
        {"tab\\tand  spaces ", "tab and spaces"},
        {"\\u001b[31mred\\u001b[39m \\u001b[1;4mbold\\u001b[0m", "red bold"},
        {"\\u001b]8;;http://x\\u0007link\\u001b]8;;\\u001b\\\\ end", "link end"},
        {"\\u001b(Bcharset\\u001bc reset", "charset reset"},
        {"cut\\u001b[3", "cut"},
        {"cut\\u001b]never ends", "cut"},
        {"cut\\u001b", "cut"},
        {"bell\\u0007 del\\u007f c1\\u009b nul\\u0000!", "bell del c1 nul\xef\xbf\xbd!"},
        {"a\\u2028b\\u2029c", "a b c"},
        {"half \\ud83d of", "half \xef\xbf\xbd of"},
        {"other half \\udfb5", "other half \xef\xbf\xbd"},
        {"swapped \\udfb5\\ud83c", "swapped \xef\xbf\xbd\xef\xbf\xbd"},
        {"whole \\ud83c\\udfb5", "whole 🎵"},
        {"escaped \\\\ud83c", "escaped \\ud83c"},
        {"raw \xff byte", "raw \xef\xbf\xbd byte"},
        {"<b>&\\\"'", "<b>&\"'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judge j;
        judge_init(&j);
        auto_free char *line = memory_format(
            "{\"event\":\"test\",\"title\":[],\"status\":\"failed\",\"error\":{\"message\":\"%s\"}}\n", rows[i].json);
        feed(&j, line);
        assert_int_equal(j.counts.failed, 1);
        assert_string_equal(j.message, rows[i].wanted);
        judge_close(&j);
    }
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    struct judge j;
    judge_init(&j);
    auto_buffer line = {0};
    buffer_text(&line, "{\"event\":\"test\",\"status\":\"failed\",\"error\":{\"message\":\"a");
    for (int i = 0; i < 20000; i++)
        buffer_text(&line, "€");
    buffer_text(&line, "\"}}\n");
    feed_pieces(&j, line.data, line.length, line.length);
    assert_int_equal(strlen(j.message), 1 + 170 * 3); /* 511 bytes */
    assert_true(utf8_is_valid(j.message, strlen(j.message)));
    cJSON *tests = take_tests(&j);
    const cJSON *error = cJSON_GetObjectItem(cJSON_GetArrayItem(tests, 0), "error");
    const char *kept = cJSON_GetStringValue(cJSON_GetObjectItem(error, "message"));
    assert_int_equal(strlen(kept), 1 + 5461 * 3); /* 16 KiB */
    assert_true(utf8_is_valid(kept, strlen(kept)));
    cJSON_Delete(tests);
    judge_close(&j);
}

static void what_is_no_event_is_counted(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        unsigned bad;
    } rows[] = {
        {"\n", 0},
        {" \t\r\n", 0},
        {"hello\n", 1},
        {"{\"event\":\"test\"}\n", 1},
        {"{\"event\":\"test\",\"status\":\"timedOut\"}\n", 1},
        {"{\"event\":\"test\",\"status\":1}\n", 1},
        {"{\"event\":\"spec\"}\n", 1},
        {"{\"event\":\"spec\",\"status\":\"skipped\"}\n", 0},
        {"{\"event\":\"spec\",\"status\":\"error\"}\n", 1},
        {"{\"event\":\"begin\"}\n", 1},
        {"{\"event\":null}\n", 1},
        {"{}\n", 1},
        {"[]\n", 1},
        {"[{\"event\":\"spec\",\"status\":\"passed\"}]\n", 1},
        {"\"event\"\n", 1},
        {"null\n", 1},
        {SPEC_PASSED, 0},
        {"{\"event\":\"spec\",\"status\":\"passed\"} {}\n", 1},
        {"\xff\xfe\n", 1},
        {"{\"event\":\"test\",\"status\":\"passed\",\"title\":7,\"file\":[],\"line\":\"x\",\"error\":3}\n", 0},
        {"a\nb\n" SPEC_PASSED "c\n", 3},
        {"{\"event\":\"test\",\"status\":\"passed\",\"status\":\"failed\"}\n", 1},
        {"{\"event\":\"test\",\"event\":\"spec\",\"status\":\"passed\"}\n", 1},
        {"{\"spec\":\"a\",\"spec\":\"b\",\"event\":\"spec\",\"status\":\"passed\"}\n", 1},
        {"{\"spec\":1,\"event\":\"spec\",\"status\":\"passed\"}\n", 1},
        {"{\"spec\":[\"a\"],\"event\":\"error\"}\n", 1},
        {"{\"spec\":null,\"event\":\"spec\",\"status\":\"passed\",\"line\":1,\"line\":2}\n", 0},
        {"{\"event\":\"test\",\"Status\":\"failed\"}\n", 1},
        {"x" FAILED, 1},
        {"{\"event\":\"spec\",\"status\":\"passed\"}" FAILED, 1},
        {"{\"event\":\"test\",\"status\":\"failed\",\"duration_ms\":\"5\",\"attachments\":3}\n", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judge j;
        judge_init(&j);
        feed(&j, rows[i].line);
        if (j.unreadable_lines != rows[i].bad)
            fail_msg("row %zu: %u unreadable lines, wanted %u", i, j.unreadable_lines, rows[i].bad);
        judge_close(&j);
    }
}

static void bytes_after_a_nul_are_not_forgotten(void **state)
{
    (void)state;
    static const char text[] = "{\"event\":\"spec\",\"status\":\"passed\"}\0" FAILED "\0\n";
    struct judge j;
    judge_init(&j);
    feed_pieces(&j, text, sizeof(text) - 1, sizeof(text));
    assert_int_equal(j.unreadable_lines, 2);
    assert_int_equal(j.spec_status, TASK_UNKNOWN);
    judge_close(&j);
}

static void the_first_unreadable_line_is_kept_in_part(void **state)
{
    (void)state;
    struct judge j;
    auto_buffer line = {0};
    buffer_text(&line, "a");
    for (size_t i = 0; i < EVENT_LINE_MAX; i++)
        buffer_text(&line, "€");
    buffer_text(&line, "\nsecond\n");
    const size_t pieces[] = {1, 4096, line.length};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        size_t piece = pieces[i];
        judge_init(&j);
        feed_pieces(&j, line.data, line.length, piece);
        assert_int_equal(j.unreadable_lines, 2);
        assert_int_equal(strlen(j.unreadable_sample), 1 + 66 * 3);
        assert_true(utf8_is_valid(j.unreadable_sample, strlen(j.unreadable_sample)));
        judge_close(&j);
    }
}

/* A line may be as long as the limit, and not a byte longer. */
static void the_limit_of_a_line_is_exact(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct judge j;
        judge_init(&j);
        auto_buffer line = {0};
        buffer_text(&line, "{\"event\":\"test\",\"status\":\"passed\",\"x\":\"");
        while (line.length < EVENT_LINE_MAX - 2 + more)
            buffer_text(&line, "x");
        buffer_text(&line, "\"}\n");
        feed_pieces(&j, line.data, line.length, line.length);
        assert_int_equal(j.unreadable_lines, more);
        assert_int_equal(j.counts.passed, 1 - more);
        judge_close(&j);
    }
}

#define OF(spec, rest) "{\"spec\":\"" spec "\"," rest
#define TEST_PASSED    "\"event\":\"test\",\"status\":\"passed\"}\n"
#define TEST_FAILED    "\"event\":\"test\",\"status\":\"failed\",\"error\":{\"message\":\"no\"}}\n"
#define END_PASSED     "\"event\":\"spec\",\"status\":\"passed\"}\n"
#define END_FAILED     "\"event\":\"spec\",\"status\":\"failed\"}\n"
#define OUR_ERROR      "\"event\":\"error\",\"error\":{\"message\":\"broken\"}}\n"

static void good_news_of_another_spec_is_not_ours(void **state)
{
    (void)state;
    static const struct {
        const char *events, *cwd;
        enum task_result result;
        const char *reason;
    } rows[] = {
        /* Ways to name it. */
        {OF("sub/a.ts", TEST_PASSED) OF("sub/a.ts", END_PASSED), NULL, TASK_PASSED, ""},
        {OF("./sub//a.ts", TEST_PASSED) OF("sub/./a.ts", END_PASSED), NULL, TASK_PASSED, ""},
        {OF("/srv/sub/a.ts", TEST_PASSED) OF("/srv//sub/a.ts", END_PASSED), NULL, TASK_PASSED, ""},
        {OF("a.ts", TEST_PASSED) OF("a.ts", END_PASSED), "sub", TASK_PASSED, ""},
        {OF("a.ts", TEST_PASSED) OF("sub/a.ts", END_PASSED), "./sub/", TASK_PASSED, ""},
        {PASSED OF("sub/a.ts", END_PASSED), NULL, TASK_PASSED, ""},
        {OF("sub/a.ts", TEST_PASSED) SPEC_PASSED, NULL, TASK_PASSED, ""},

        /* Another one. */
        {OF("a.ts", TEST_PASSED) OF("a.ts", END_PASSED), NULL, TASK_ERROR,
         "no test of \"sub/a.ts\" was run: the events are of \"a.ts\""},
        {OF("sub/a.tsx", TEST_PASSED) OF("sub", END_PASSED), NULL, TASK_ERROR,
         "no test of \"sub/a.ts\" was run: the events are of \"sub/a.tsx\""},
        {OF("/sub/a.ts", TEST_PASSED) OF("/srv2/sub/a.ts", END_PASSED), NULL, TASK_ERROR,
         "no test of \"sub/a.ts\" was run: the events are of \"/sub/a.ts\""},
        {OF("", END_PASSED), NULL, TASK_ERROR, "no test of \"sub/a.ts\" was run: the events are of \"?\""},
        {OF("b.ts", END_PASSED), NULL, TASK_ERROR, "no test of \"sub/a.ts\" was run: the events are of \"b.ts\""},
        {PASSED OF("b.ts", END_PASSED), NULL, TASK_ERROR,
         "exit 0 before the spec had ended: the events are of \"b.ts\""},
        {OF("b.ts", TEST_PASSED) SPEC_PASSED, NULL, TASK_ERROR,
         "no test of \"sub/a.ts\" was run: the events are of \"b.ts\""},

        /* A set-up before it and a tear-down after it. */
        {OF("b.ts", TEST_PASSED) OF("b.ts", END_PASSED) PASSED SPEC_PASSED, NULL, TASK_PASSED, ""},
        {PASSED SPEC_PASSED OF("b.ts", TEST_FAILED) OF("b.ts", END_FAILED), NULL, TASK_FAILED, ""},
        {PASSED SPEC_PASSED OF("b.ts", END_FAILED), NULL, TASK_FAILED, "the runner says failed, but no test failed"},
        {PASSED SPEC_PASSED OF("b.ts", OUR_ERROR), NULL, TASK_ERROR, "broken"},
    };
    struct runner runner = usual_runner();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judge j;
        struct verdict verdict;
        const struct runner_end end = {.kind = RUNNER_EXITED};
        judge_init(&j);
        j.spec = "sub/a.ts";
        j.root = "/srv";
        j.cwd = rows[i].cwd;
        feed(&j, rows[i].events);
        judge_verdict(&j, &runner, &end, "npx", 0, &verdict);
        if (verdict.result != rows[i].result || strcmp(verdict.reason, rows[i].reason) != 0)
            fail_msg("row %zu: %s \"%s\", wanted %s \"%s\"", i, task_result_name(verdict.result), verdict.reason,
                     task_result_name(rows[i].result), rows[i].reason);
        judge_close(&j);
    }
}

static void attachments_are_counted(void **state)
{
    (void)state;
    struct judge j;
    judge_init(&j);
    feed(&j, "{\"event\":\"test\",\"status\":\"failed\",\"attachments\":[{\"name\":\"a\"},7]}\n" PASSED
             "{\"event\":\"test\",\"status\":\"passed\",\"attachments\":[{}]}\n");
    assert_int_equal(j.attachments_dropped, 3);
    judge_close(&j);
}

static void pieces_make_no_difference(void **state)
{
    (void)state;
    const char *text = PASSED "noise\n" FAILED SPEC_FAILED;
    for (size_t piece = 1; piece < strlen(text); piece++) {
        struct judge j;
        judge_init(&j);
        feed_pieces(&j, text, strlen(text), piece);
        assert_int_equal(j.counts.passed, 1);
        assert_int_equal(j.counts.failed, 1);
        assert_int_equal(j.unreadable_lines, 1);
        assert_int_equal(j.spec_status, TASK_FAILED);
        judge_close(&j);
    }
}

static void a_line_that_is_too_long_is_skipped(void **state)
{
    (void)state;
    struct judge j;
    struct event_reader reader;
    judge_init(&j);
    event_reader_init(&reader, on_event, &j);
    const char begin[] = "{\"event\":\"test\",\"status\":\"passed\",\"title\":[\"", end[] = "\"]}\n" FAILED;
    char piece[4096];
    memset(piece, 'x', sizeof(piece));
    event_reader_feed(&reader, begin, sizeof(begin) - 1);
    for (int i = 0; i < 1000; i++)
        event_reader_feed(&reader, piece, sizeof(piece));
    assert_true(reader.line.capacity <= 2 * EVENT_LINE_MAX);
    event_reader_feed(&reader, end, sizeof(end) - 1);
    event_reader_close(&reader);
    assert_int_equal(j.unreadable_lines, 1);
    assert_int_equal(j.counts.passed, 0);
    assert_int_equal(j.counts.failed, 1);
    judge_close(&j);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    struct judge j;
    judge_init(&j);
    auto_buffer line = {0};
    buffer_text(&line, "{\"event\":\"spec\",\"status\":\"passed\",\"x\":");
    for (int i = 0; i < 100000; i++)
        buffer_text(&line, "[");
    buffer_text(&line, "\n");
    feed_pieces(&j, line.data, line.length, line.length);
    assert_int_equal(j.unreadable_lines, 1);
    assert_int_equal(j.spec_status, TASK_UNKNOWN);
    judge_close(&j);
}

static void assert_record(const char *event, const char *wanted)
{
    struct judge j;
    judge_init(&j);
    feed(&j, event);
    auto_free char *text = judge_take_tests(&j);
    assert_string_equal(text, wanted);
    judge_close(&j);
}

static void records_hold_what_is_known(void **state)
{
    (void)state;
    assert_record("", "[]");
    assert_record(SPEC_PASSED ERROR, "[]");
    assert_record(
        "{\"event\":\"test\",\"spec\":\"a\",\"title\":[\"cart\",\"adds\"],\"status\":\"failed\","
        "\"duration_ms\":812.7,\"file\":\"a.ts\",\"line\":12,\"other\":1,\"error\":{\"message\":\"m\\u001b[0m\","
        "\"stack\":\"s\\n t\",\"snippet\":\"x\",\"more\":{}},\"attachments\":[]}\n",
        "[{\"title\":[\"cart\",\"adds\"],\"status\":\"failed\",\"duration_ms\":812,\"file\":\"a.ts\",\"line\":12,"
        "\"error\":{\"message\":\"m\\u001b[0m\",\"stack\":\"s\\n t\",\"snippet\":\"x\"}}]");
    assert_record("{\"event\":\"test\",\"title\":[1,\"a\",null],\"status\":\"passed\",\"duration_ms\":-5,\"line\":-1,"
                  "\"file\":null,\"error\":\"text\"}\n",
                  "[{\"title\":[\"a\"],\"status\":\"passed\",\"duration_ms\":0}]");
    assert_record("{\"event\":\"test\",\"status\":\"skipped\",\"duration_ms\":1e999,\"line\":1e30}\n",
                  "[{\"title\":[],\"status\":\"skipped\",\"duration_ms\":1000000000000,\"line\":2147483647}]");
}

static void records_have_the_whole_vocabulary(void **state)
{
    (void)state;
    assert_record(
        "{\"event\":\"test\",\"title\":[\"a\"],\"status\":\"failed\",\"duration_ms\":5,\"retry\":2,\"line\":3,"
        "\"column\":7,"
        "\"error\":{\"message\":\"m\",\"expected\":\"1\",\"received\":\"2\"},"
        "\"steps\":[{\"title\":\"open\",\"duration_ms\":4.5},{\"title\":\"click\",\"depth\":1,\"duration_ms\":0,"
        "\"failed\":true}],"
        "\"tags\":[\"@smoke\"],\"annotations\":[{\"type\":\"skip\",\"description\":\"why\"},{\"type\":\"slow\"}]}\n",
        "[{\"title\":[\"a\"],\"status\":\"failed\",\"duration_ms\":5,\"retry\":2,\"line\":3,\"column\":7,"
        "\"error\":{\"message\":\"m\",\"expected\":\"1\",\"received\":\"2\"},"
        "\"steps\":[{\"title\":\"open\",\"duration_ms\":4},{\"title\":\"click\",\"depth\":1,\"duration_ms\":0,"
        "\"failed\":true}],"
        "\"tags\":[\"@smoke\"],\"annotations\":[{\"type\":\"skip\",\"description\":\"why\"},{\"type\":\"slow\"}]}]");
    assert_record(
        "{\"event\":\"test\",\"status\":\"passed\",\"retry\":-1,\"column\":\"7\",\"steps\":{\"title\":\"a\"},"
        "\"tags\":[7,null],\"annotations\":[\"skip\",{\"description\":\"d\"},{\"type\":1}]}\n",
        "[{\"title\":[],\"status\":\"passed\",\"duration_ms\":0}]");
    assert_record(
        "{\"event\":\"test\",\"status\":\"passed\",\"steps\":[1,{\"title\":2},{\"title\":\"t\",\"failed\":1,"
        "\"depth\":0.5}]}\n",
        "[{\"title\":[],\"status\":\"passed\",\"duration_ms\":0,\"steps\":[{\"title\":\"t\",\"duration_ms\":0}]}]");
}

/* Whatever an event holds: no list of a record is longer than its limit. */
static void lists_of_records_have_their_limits(void **state)
{
    (void)state;
    static const struct {
        const char *name, *element;
        int max;
    } rows[] = {{"title", "\"t\"", TEST_TITLE_PARTS_MAX},
                {"steps", "{\"title\":\"s\"}", TEST_STEPS_MAX},
                {"tags", "\"@t\"", TEST_WORDS_MAX},
                {"annotations", "{\"type\":\"a\"}", TEST_WORDS_MAX}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judge j;
        judge_init(&j);
        auto_buffer event = {0};
        buffer_format(&event, "{\"event\":\"test\",\"status\":\"passed\",\"%s\":[%s", rows[i].name, rows[i].element);
        for (int n = 1; n < 200; n++)
            buffer_format(&event, ",%s", rows[i].element);
        buffer_text(&event, "]}\n");
        feed(&j, event.data);
        cJSON *tests = take_tests(&j);
        const cJSON *list = cJSON_GetObjectItem(cJSON_GetArrayItem(tests, 0), rows[i].name);
        assert_int_equal(cJSON_GetArraySize(list), rows[i].max);
        cJSON_Delete(tests);
        judge_close(&j);
    }
}

static void failed_tests_have_room_of_their_own(void **state)
{
    (void)state;
    struct judge j;
    judge_init(&j);
    for (int i = 0; i < 20000; i++)
        feed(&j, PASSED);
    assert_int_equal(j.counts.passed, 20000);
    assert_true(j.tests.length <= JUDGE_TESTS_MAX / 2 && j.tests.length > JUDGE_TESTS_MAX / 2 - 100);
    unsigned dropped = j.tests_dropped;
    size_t before = j.tests.length;
    feed(&j, FAILED);
    assert_int_equal(j.tests_dropped, dropped);
    assert_true(j.tests.length > before);
    for (int i = 0; i < 20000; i++)
        feed(&j, FAILED);
    assert_int_equal(j.counts.failed, 20001);
    assert_true(j.tests.length <= JUDGE_TESTS_MAX);
    unsigned in_all = 40001 - j.tests_dropped;
    cJSON *tests = take_tests(&j);
    assert_int_equal(cJSON_GetArraySize(tests), in_all);
    cJSON_Delete(tests);
    judge_close(&j);
}

/* By this a start knows to which of its attempts an event goes. */
static void an_event_names_its_spec(void **state)
{
    (void)state;
    static const struct {
        const char *event;
        bool is_named;
    } rows[] = {
        {"{\"spec\":\"sub/a.spec.ts\"}", true},
        {"{\"spec\":\"a.spec.ts\"}", true},
        {"{\"spec\":\"/srv/sub/a.spec.ts\"}", true},
        {"{\"spec\":\"sub/b.spec.ts\"}", false},
        {"{\"spec\":null}", false},
        {"{\"event\":\"error\"}", false},
        {"not JSON", false},
    };
    struct judge j;
    judge_init(&j);
    j.spec = "sub/a.spec.ts";
    j.root = "/srv";
    j.cwd = "sub";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cJSON *event = cJSON_Parse(rows[i].event);
        assert_int_equal(judge_is_named(&j, event), rows[i].is_named);
        cJSON_Delete(event);
    }
    judge_close(&j);
}

static void cleared_it_starts_anew(void **state)
{
    (void)state;
    struct judge j;
    struct verdict verdict;
    struct runner runner = usual_runner();
    const struct runner_end end = {.kind = RUNNER_EXITED};
    judge_init(&j);
    j.expects_events = true;
    feed(&j, FAILED ERROR "noise\n{\"event\":\"spec\",");
    judge_clear(&j);
    judge_verdict(&j, &runner, &end, "x", 0, &verdict);
    assert_int_equal(verdict.result, TASK_PASSED);
    assert_string_equal(j.message, "");
    assert_int_equal(j.unreadable_lines, 0);
    assert_int_equal(j.tests.length, 0);
    judge_close(&j);
}

static void the_board_is_told_what_matters(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *details; /* NULL: nothing to tell */
    } rows[] = {
        {"", NULL},
        {"{\"event\":\"spec\",\"status\":\"passed\"}\n", NULL},
        {"{\"event\":\"test\",\"title\":[\"a\"],\"status\":\"passed\"}\n", "{\"tests\":[1,0,0,0]}"},
        {"{\"event\":\"error\",\"error\":{\"message\":\"no \\\"browser\\\"\"}}\n",
         "{\"tests\":[0,0,0,0],\"message\":\"no \\\"browser\\\"\"}"},
        {"{\"event\":\"test\",\"title\":[\"a\",\"b\"],\"status\":\"failed\",\"file\":\"x.ts\",\"line\":7,"
         "\"error\":{\"message\":\"boom\"}}\n",
         "{\"tests\":[0,1,0,0],\"message\":\"boom\",\"title\":\"a › b\",\"file\":\"x.ts\",\"line\":7,\"failures\":["
         "{\"title\":\"a › b\",\"message\":\"boom\",\"file\":\"x.ts\",\"line\":7}]}"},
        {"{\"event\":\"test\",\"title\":[\"a\"],\"status\":\"failed\",\"error\":{\"message\":\"not "
         "equal\\n\\nExpected: 3\\n"
         "Received: 2\\nat 5\",\"expected\":\"3\",\"received\":\"2\"}}\n" FAILED_SILENTLY PASSED FLAKY SKIPPED,
         "{\"tests\":[1,2,1,1],\"message\":\"not equal Expected: 3 Received: 2 at 5\",\"title\":\"a\",\"failures\":["
         "{\"title\":\"a\",\"message\":\"not equal\\nat "
         "5\",\"expected\":\"3\",\"received\":\"2\"},{\"title\":\"x\"}]}"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judge j;
        judge_init(&j);
        feed(&j, rows[i].lines);
        auto_free char *details = judge_details(&j);
        assert_int_equal(details == NULL, rows[i].details == NULL);
        if (details)
            assert_string_equal(details, rows[i].details);
        judge_close(&j);
    }
}

/* Of a thousand failed tests the first ones, and how many there are more. */
static void the_board_is_not_told_without_end(void **state)
{
    (void)state;
    static const struct {
        int tests;
        size_t title; /* bytes */
        size_t kept;
    } rows[] = {
        {JUDGE_FAILURES_MAX, 10, JUDGE_FAILURES_MAX},
        {1000, 10, JUDGE_FAILURES_MAX},
        {90, 1000, JUDGE_FAILURES_BYTES / 413},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judge j;
        judge_init(&j);
        char title[1001] = {0};
        memset(title, 't', rows[i].title);
        auto_free char *event =
            memory_format("{\"event\":\"test\",\"title\":[\"%s\"],\"status\":\"failed\"}\n", title);
        for (int test = 0; test < rows[i].tests; test++)
            feed(&j, event);
        assert_int_equal(j.failure_count, rows[i].kept);
        assert_int_equal(j.failures_dropped, (size_t)rows[i].tests - rows[i].kept);
        assert_int_equal(j.counts.failed, rows[i].tests);
        auto_free char *details = judge_details(&j);
        auto_free char *dropped = memory_format("],\"failures_dropped\":%u}", j.failures_dropped);
        assert_true(strlen(details) < JUDGE_FAILURES_BYTES + 2048);
        assert_true((strstr(details, dropped) != NULL) == (j.failures_dropped > 0));
        judge_close(&j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_seen_decides),
        cmocka_unit_test(skipped_is_what_the_runner_and_its_tests_say),
        cmocka_unit_test(who_told_nothing_has_last_words),
        cmocka_unit_test(a_runner_may_have_exit_codes_of_its_own),
        cmocka_unit_test(the_first_failure_is_told),
        cmocka_unit_test(messages_are_one_clean_line),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(what_is_no_event_is_counted),
        cmocka_unit_test(bytes_after_a_nul_are_not_forgotten),
        cmocka_unit_test(the_first_unreadable_line_is_kept_in_part),
        cmocka_unit_test(the_limit_of_a_line_is_exact),
        cmocka_unit_test(good_news_of_another_spec_is_not_ours),
        cmocka_unit_test(attachments_are_counted),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(a_line_that_is_too_long_is_skipped),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(records_hold_what_is_known),
        cmocka_unit_test(records_have_the_whole_vocabulary),
        cmocka_unit_test(lists_of_records_have_their_limits),
        cmocka_unit_test(failed_tests_have_room_of_their_own),
        cmocka_unit_test(an_event_names_its_spec),
        cmocka_unit_test(cleared_it_starts_anew),
        cmocka_unit_test(the_board_is_told_what_matters),
        cmocka_unit_test(the_board_is_not_told_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
