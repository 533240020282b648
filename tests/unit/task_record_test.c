#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/task_record.h"
#include "made_reply.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_text(const char *found, const char *wanted)
{
    if (found == NULL || wanted == NULL)
        assert_ptr_equal(found, wanted);
    else
        assert_string_equal(found, wanted);
}

static void a_hash_is_read_whatever_it_holds(void **state)
{
    (void)state;
    static const struct {
        const char *fields[TASK_RECORD_FIELDS]; /* status result starttime duration attempt worker flaky reason */
        struct board_task wanted;
    } rows[] = {
        {{"waiting", "unknown", "0", "0", "0", "", "0", ""}, {.state = BOARD_QUEUED}},
        {{"waiting", "unknown", "1764000000", "5000000", "1", "w1", "0", "exit 1"},
         {.state = BOARD_QUEUED,
          .attempt = 1,
          .started_ms = 1764000000000,
          .duration_ms = 5,
          .worker = NULL,
          .message = "exit 1"}},
        {{"processing", "unknown", "1764000000", "0", "2", "w1", "0", ""},
         {.state = BOARD_RUNNING, .attempt = 2, .started_ms = 1764000000000, .worker = "w1"}},
        {{"complete", "passed", "1764000000", "72000000000", "1", "w1", "0", ""},
         {.state = BOARD_PASSED, .attempt = 1, .started_ms = 1764000000000, .duration_ms = 72000, .worker = "w1"}},
        {{"complete", "passed", "0", "0", "2", "w1", "1", ""}, {.state = BOARD_FLAKY, .attempt = 2, .worker = "w1"}},
        {{"complete", "failed", "0", "0", "1", "w1", "0", "exit 1"},
         {.state = BOARD_FAILED, .attempt = 1, .worker = "w1", .message = "exit 1"}},
        {{"complete", "error", "0", "0", "1", "w1", "0", "timeout"},
         {.state = BOARD_ERROR, .attempt = 1, .worker = "w1", .message = "timeout"}},
        {{"complete", "skipped", "0", "0", "1", "w1", "0", "exit 77"},
         {.state = BOARD_SKIPPED, .attempt = 1, .worker = "w1", .message = "exit 77"}},
        {{"complete", "unknown", "0", "0", "0", "", "0", "the deadline"},
         {.state = BOARD_CANCELLED, .message = "the deadline"}},
        {{"complete", "green", "0", "0", "1", "w1", "0", ""}, {.state = BOARD_ERROR, .attempt = 1, .worker = "w1"}},
        {{"complete", "Passed", "0", "0", "1", "w1", "0", ""}, {.state = BOARD_ERROR, .attempt = 1, .worker = "w1"}},
        {{"complete", "passed", "0", "0", "1", "w1", "yes", ""},
         {.state = BOARD_PASSED, .attempt = 1, .worker = "w1"}},
        {{"Complete", "passed", "0", "0", "1", "w1", "0", ""}, {.state = BOARD_QUEUED, .attempt = 1}},
        {{NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL}, {.state = BOARD_QUEUED}},
        {{"complete", NULL, "-5", "-1", "-1", "w1", "0", ""}, {.state = BOARD_ERROR, .worker = "w1"}},
        {{"complete", "failed", "1e9", "0x10", " 1", "w1", "0", ""}, {.state = BOARD_FAILED, .worker = "w1"}},
        {{"complete", "failed", "9223372036854775807", "99999999999999999999", "18446744073709551615", "w1", "0", ""},
         {.state = BOARD_FAILED,
          .attempt = 1000000000,
          .started_ms = (INT64_C(1) << 42) / 1000 * 1000,
          .duration_ms = UINT64_C(1) << 40,
          .worker = "w1"}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct board_task before = {.attempt = 99};
        struct board_task task;
        struct redisReply *hash = made_reply(rows[i].fields, TASK_RECORD_FIELDS);
        task_record_from_hash(&task, hash, &before);
        const struct board_task *wanted = &rows[i].wanted;
        if (task.state != wanted->state || task.attempt != wanted->attempt || task.started_ms != wanted->started_ms ||
            task.duration_ms != wanted->duration_ms || task.earlier_ms != 0)
            fail_msg("row %zu: state %d attempt %u started %jd duration %ju", i, task.state, task.attempt,
                     (intmax_t)task.started_ms, (uintmax_t)task.duration_ms);
        assert_text(task.worker, wanted->worker);
        assert_text(task.message, wanted->message);
        made_reply_free(hash);
    }
}

static void what_the_stream_told_more_exactly_stays(void **state)
{
    (void)state;
    static const char *const fields[] = {"processing", "unknown", "1764000000", "0", "2", "w1", "0", ""};
    struct board_task task, before = {.attempt = 2, .started_ms = 1764000000123, .earlier_ms = 7};
    struct redisReply *hash = made_reply(fields, COUNT(fields));
    task_record_from_hash(&task, hash, &before);
    assert_int_equal(task.started_ms, 1764000000123);
    assert_int_equal(task.earlier_ms, 7);
    before.started_ms = 1764000001000;
    task_record_from_hash(&task, hash, &before);
    assert_int_equal(task.started_ms, 1764000000000);
    before.attempt = 1;
    task_record_from_hash(&task, hash, &before);
    assert_int_equal(task.earlier_ms, 0);
    made_reply_free(hash);
    hash = made_reply(NULL, 0);
    task_record_from_hash(&task, hash, &before);
    assert_int_equal(task.state, BOARD_QUEUED);
    made_reply_free(hash);
}

/* A task that failed once and took 5 ms; each row is an event that comes then. */
static void an_event_changes_what_it_tells_of(void **state)
{
    (void)state;
    static const struct {
        const char *event[16]; /* names and values */
        struct board_task wanted;
        const char *details;
    } rows[] = {
        {{"event", "claimed", "attempt", "2", "worker", "w2", "at_ms", "1764000000123"},
         {.state = BOARD_RUNNING, .attempt = 2, .started_ms = 1764000000123, .earlier_ms = 5, .worker = "w2"},
         NULL},
        {{"event", "settled", "attempt", "2", "result", "passed", "flaky", "1", "duration_ns", "9000000", "details",
          "{\"a\":1}"},
         {.state = BOARD_FLAKY, .attempt = 2, .duration_ms = 9, .worker = "w1"},
         "{\"a\":1}"},
        {{"event", "settled", "result", "failed", "reason", "exit 1", "details", ""},
         {.state = BOARD_FAILED, .attempt = 1, .duration_ms = 5, .worker = "w1", .message = "exit 1"},
         NULL},
        {{"event", "settled", "result", "skipped", "flaky", "0", "reason", "exit 77", "details", ""},
         {.state = BOARD_SKIPPED, .attempt = 1, .duration_ms = 5, .worker = "w1", .message = "exit 77"},
         NULL},
        {{"event", "retried", "result", "failed", "reason", "exit 1"},
         {.state = BOARD_QUEUED, .attempt = 1, .duration_ms = 5, .worker = "w1", .message = "exit 1"},
         NULL},
        {{"event", "lost", "result", "unknown", "reason", "its worker was lost"},
         {.state = BOARD_QUEUED, .attempt = 1, .duration_ms = 5, .worker = "w1", .message = "its worker was lost"},
         NULL},
        {{"event", "lost", "result", "error", "reason", "3 workers were lost"},
         {.state = BOARD_ERROR, .attempt = 1, .duration_ms = 5, .worker = "w1", .message = "3 workers were lost"},
         NULL},
        {{"event", "released", "result", "error", "reason", "too often"},
         {.state = BOARD_ERROR, .attempt = 1, .duration_ms = 5, .worker = "w1", .message = "too often"},
         NULL},
        {{"event", "released", "result", "unknown", "reason", ""},
         {.state = BOARD_QUEUED, .attempt = 1, .earlier_ms = 5},
         NULL},
        {{"event", "rerun"}, {.state = BOARD_QUEUED, .attempt = 1, .earlier_ms = 5}, NULL},
        {{"event", "cancelled", "reason", "the deadline"},
         {.state = BOARD_CANCELLED, .attempt = 1, .duration_ms = 5, .worker = "w1", .message = "the deadline"},
         NULL},
        {{"event", "something else", "result", "error"},
         {.state = BOARD_FAILED, .attempt = 1, .duration_ms = 5, .worker = "w1", .message = "boom"},
         NULL},
        {{"result", "passed"},
         {.state = BOARD_FAILED, .attempt = 1, .duration_ms = 5, .worker = "w1", .message = "boom"},
         NULL},
        {{"event", "claimed", "attempt", "-2", "at_ms", "-1"}, {.state = BOARD_RUNNING, .earlier_ms = 5}, NULL},
        {{"event", "claimed", "at_ms", "99999999999999999999", "worker", ""},
         {.state = BOARD_RUNNING, .attempt = 1, .started_ms = INT64_C(1) << 42, .earlier_ms = 5},
         NULL},
        {{"event", "settled", "result", "passed", "duration_ns", "99999999999999999999"},
         {.state = BOARD_PASSED, .attempt = 1, .duration_ms = UINT64_C(1) << 40, .worker = "w1"},
         NULL},
        {{"event", "settled"}, {.state = BOARD_ERROR, .attempt = 1, .duration_ms = 5, .worker = "w1"}, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct board_task task = {.state = BOARD_FAILED,
                                  .attempt = 1,
                                  .duration_ms = 5,
                                  .worker = "w1",
                                  .message = "boom",
                                  .title = "a test",
                                  .line = 3,
                                  .tests = {.failed = 1}};
        struct redisReply *pairs = made_reply(rows[i].event, COUNT(rows[i].event));
        struct event event;
        event_parse(&event, pairs);
        const char *details = task_record_apply_event(&task, &event);
        const struct board_task *wanted = &rows[i].wanted;
        if (task.state != wanted->state || task.attempt != wanted->attempt ||
            task.duration_ms != wanted->duration_ms || task.earlier_ms != wanted->earlier_ms ||
            task.started_ms != wanted->started_ms)
            fail_msg("row %zu: state %d attempt %u started %jd duration %ju earlier %ju", i, task.state, task.attempt,
                     (intmax_t)task.started_ms, (uintmax_t)task.duration_ms, (uintmax_t)task.earlier_ms);
        assert_text(task.worker, wanted->worker);
        assert_text(task.message, wanted->message);
        assert_text(details, rows[i].details);
        made_reply_free(pairs);
    }
}

static void details_are_taken_or_left(void **state)
{
    (void)state;
    static const struct {
        const char *details;
        struct board_task wanted; /* of a task whose message was "exit 1" */
    } rows[] = {
        {"{\"tests\":[1,2,3,4],\"message\":\"boom\",\"title\":\"cart\",\"file\":\"a.ts\",\"line\":7}",
         {.message = "boom", .title = "cart", .file = "a.ts", .line = 7, .tests = {1, 2, 3, 4}}},
        {"{\"tests\":[1]}", {.message = "exit 1", .tests = {.passed = 1}}},
        {"{\"tests\":[-1,\"2\",3.9,1e300],\"line\":-7,\"message\":5,\"title\":null,\"file\":\"\"}",
         {.message = "exit 1", .tests = {0, 0, 3, 1000000000}}},
        {"{\"tests\":{\"0\":1},\"line\":\"7\"}", {.message = "exit 1", .tests = {1, 0, 0, 0}}},
        {"{}", {.message = "exit 1"}},
        {"[]", {.message = "exit 1", .tests = {.failed = 9}}},
        {"", {.message = "exit 1", .tests = {.failed = 9}}},
        {"{\"message\":\"\xff\"}", {.message = "exit 1", .tests = {.failed = 9}}},
        {"{\"message\":\"boom\"", {.message = "exit 1", .tests = {.failed = 9}}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct board_task task = {.message = "exit 1", .tests = {.failed = 9}};
        struct task_record_details borrowed;
        task_record_apply_details(&task, rows[i].details, &borrowed);
        const struct board_task *wanted = &rows[i].wanted;
        if (memcmp(&task.tests, &wanted->tests, sizeof(task.tests)) != 0 || task.line != wanted->line)
            fail_msg("%s: [%u,%u,%u,%u] line %d", rows[i].details, task.tests.passed, task.tests.failed,
                     task.tests.skipped, task.tests.flaky, task.line);
        assert_text(task.message, wanted->message);
        assert_text(task.title, wanted->title);
        assert_text(task.file, wanted->file);
        task_record_close_details(&borrowed);
    }
}

/* title|message|expected|received|file:line, and what was dropped */
static void assert_failures(const struct board_failures *failures, const char *wanted)
{
    auto_buffer found = {0};
    buffer_text(&found, "");
    for (size_t i = 0; failures && i < failures->count; i++) {
        const struct board_failure *f = &failures->rows[i];
        buffer_format(&found, "%s|%s|%s|%s|%s:%d ", f->title, f->error->message ? f->error->message : "-",
                      f->error->expected ? f->error->expected : "-", f->error->received ? f->error->received : "-",
                      f->file ? f->file : "-", f->line);
    }
    if (failures)
        buffer_format(&found, "+%zu", failures->dropped);
    assert_string_equal(found.data, wanted);
}

static void failed_tests_are_taken_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *details, *wanted;
    } rows[] = {
        {"{}", ""},
        {"{\"failures\":[]}", ""},
        {"{\"failures\":{\"0\":{\"title\":\"a\"}}}", ""},
        {"{\"failures\":[1,null,\"a\",[]]}", ""},
        {"{\"failures_dropped\":-1}", ""},
        {"{\"failures_dropped\":1e30}", "+1000000000"},
        {"{\"failures\":[{}],\"failures_dropped\":\"3\"}", "?|-|-|-|-:0 +0"},
        {"{\"failures\":[{\"title\":\"a › "
         "b\",\"message\":\"no\\nway\",\"expected\":\"3\",\"received\":\"2\",\"file\":\"a.ts\","
         "\"line\":7},{\"title\":\"c\",\"message\":5,\"file\":\"\",\"line\":9}],\"failures_dropped\":4}",
         "a › b|no\nway|3|2|a.ts:7 c|-|-|-|-:0 +4"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct board_task task = {.state = BOARD_FAILED};
        struct task_record_details borrowed;
        assert_true(task_record_apply_details(&task, rows[i].details, &borrowed));
        assert_failures(task.failures, rows[i].wanted);
        task_record_close_details(&borrowed);
    }
}

/* Of what a worker may send that isn't ours. */
static void too_many_failed_tests_are_counted(void **state)
{
    (void)state;
    static const struct {
        size_t failures, bytes, kept;
    } rows[] = {{150, 3, TASK_RECORD_FAILURES_MAX}, {50, 10000, TASK_RECORD_FAILURES_BYTES / 10000}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        auto_buffer details = {0};
        char title[10001] = {0};
        memset(title, 't', rows[i].bytes);
        buffer_text(&details, "{\"failures\":[");
        for (size_t n = 0; n < rows[i].failures; n++)
            buffer_format(&details, "%s{\"title\":\"%s\"}", n ? "," : "", title);
        buffer_text(&details, "]}");
        struct board_task task = {.state = BOARD_FAILED};
        struct task_record_details borrowed;
        task_record_apply_details(&task, details.data, &borrowed);
        assert_int_equal(task.failures->count, rows[i].kept);
        assert_int_equal(task.failures->dropped, rows[i].failures - rows[i].kept);
        task_record_close_details(&borrowed);
    }
}

/* The reason of an error is what it is, whatever failed before. */
static void an_error_keeps_its_reason(void **state)
{
    (void)state;
    static const char details[] =
        "{\"tests\":[0,1,0,0],\"message\":\"boom\",\"title\":\"cart\",\"file\":\"a.ts\",\"line\":7}";
    static const char own[] = "{\"message\":\"no browser\",\"file\":\"b.ts\",\"line\":2}";
    struct task_record_details borrowed;
    struct board_task task = {.state = BOARD_ERROR, .message = "timeout after 5 s"};
    task_record_apply_details(&task, details, &borrowed);
    assert_string_equal(task.message, "timeout after 5 s");
    assert_null(task.title);
    assert_null(task.file);
    assert_int_equal(task.tests.failed, 1);
    task_record_close_details(&borrowed);
    task.message = "no browser";
    task_record_apply_details(&task, own, &borrowed);
    assert_string_equal(task.file, "b.ts");
    assert_int_equal(task.line, 2);
    task_record_close_details(&borrowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_is_read_whatever_it_holds),
        cmocka_unit_test(what_the_stream_told_more_exactly_stays),
        cmocka_unit_test(an_event_changes_what_it_tells_of),
        cmocka_unit_test(details_are_taken_or_left),
        cmocka_unit_test(failed_tests_are_taken_one_by_one),
        cmocka_unit_test(too_many_failed_tests_are_counted),
        cmocka_unit_test(an_error_keeps_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
