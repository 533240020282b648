#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/bounds.h"
#include "shared/record.h"

#define OUTCOMES     "passed, failed, error, skipped, released or lost"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct record_source parsed(const char *json)
{
    struct record_source source;
    struct error err;
    if (record_parse(&source, json, strlen(json), &err) < 0)
        fail_msg("%s", err.text);
    return source;
}

static void assert_written(const struct record *record, const char *wanted)
{
    auto_buffer out = {0};
    record_format(record, &out);
    assert_string_equal(out.data, wanted);
}

static void a_record_is_read_as_it_was_written(void **state)
{
    (void)state;
    static const char json[] =
        "{\"version\":1,\"attempt\":2,\"outcome\":\"failed\",\"reason\":\"exit 1\",\"worker\":\"w1\","
        "\"started_ms\":1764000000123,\"duration_ms\":812,\"max_rss_bytes\":210000000,\"cpu_ms\":9,\"strays\":1,"
        "\"log_bytes\":5,\"log_dropped_bytes\":6,\"unreadable_lines\":1,\"unreadable_sample\":\"no \\\"JSON\\\"\","
        "\"attachments_dropped\":2,\"tests_dropped\":3,\"tests\":[{\"title\":[\"cart\",\"adds\"]}]}";
    const struct record_run run = {
        210000000, 9, 1, 5, 6, 1, "no \"JSON\"", 2, 3, "[{\"title\":[\"cart\",\"adds\"]}]"};
    const struct record record = {2, RECORD_FAILED, "exit 1", "w1", 1764000000123, 812, &run};
    assert_written(&record, json);
    struct record_source source = parsed(json);
    assert_written(&source.record, json);
    assert_int_equal(source.record.attempt, 2);
    assert_int_equal(source.record.outcome, RECORD_FAILED);
    assert_string_equal(source.record.worker, "w1");
    assert_int_equal(source.run.log_dropped_bytes, 6);
    assert_string_equal(source.run.unreadable_sample, "no \"JSON\"");
    record_close(&source);
}

static void what_was_handed_back_has_no_run(void **state)
{
    (void)state;
    static const char json[] = "{\"version\":1,\"attempt\":1,\"outcome\":\"released\",\"reason\":\"the run was "
                               "cancelled\",\"worker\":\"w1\",\"started_ms\":5,\"duration_ms\":0}";
    const struct record record = {1, RECORD_RELEASED, "the run was cancelled", "w1", 5, 0, NULL};
    assert_written(&record, json);
    struct record_source source = parsed(json);
    assert_null(source.record.run);
    assert_written(&source.record, json);
    record_close(&source);
}

static void every_outcome_has_its_word(void **state)
{
    (void)state;
    static const char *const words[] = {"passed", "failed", "error", "skipped", "released", "lost"};
    for (size_t i = 0; i < COUNT(words); i++) {
        assert_string_equal(record_outcome_name((enum record_outcome)i), words[i]);
        assert_int_equal(record_outcome_parse(words[i]), i);
    }
    assert_int_equal(record_outcome_parse("green"), -1);
}

/* As it was written before records had a version, and with what a later release may add. */
static void what_is_missing_or_unknown_is_no_fault(void **state)
{
    (void)state;
    struct record_source source = parsed("{\"outcome\":\"passed\",\"retries\":[1]}");
    assert_int_equal(source.record.attempt, 0);
    assert_string_equal(source.record.reason, "");
    assert_string_equal(source.record.worker, "");
    assert_string_equal(source.run.tests, "[]");
    assert_null(source.run.unreadable_sample);
    record_close(&source);
}

static void numbers_stay_in_bounds(void **state)
{
    (void)state;
    struct record_source source =
        parsed("{\"outcome\":\"passed\",\"attempt\":-1,\"started_ms\":1e300,\"duration_ms\":1e30,\"strays\":\"9\","
               "\"cpu_ms\":0.9,\"tests_dropped\":1e12,\"tests\":{}}");
    assert_int_equal(source.record.attempt, 0);
    assert_int_equal(source.record.started_ms, BOUNDS_TIME_MAX_MS);
    assert_int_equal(source.record.duration_ms, BOUNDS_DURATION_MAX_MS);
    assert_int_equal(source.run.strays, 0);
    assert_int_equal(source.run.cpu_ms, 0);
    assert_int_equal(source.run.tests_dropped, BOUNDS_COUNT_MAX);
    assert_string_equal(source.run.tests, "[]");
    record_close(&source);
}

static void what_is_no_record_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
    } rows[] = {
        {"[]", "record: found an empty list, wanted an object"},
        {"{}", "record: outcome: found nothing, wanted " OUTCOMES},
        {"{\"outcome\":\"green\"}", "record: outcome: found \"green\", wanted " OUTCOMES},
        {"{\"outcome\":5}", "record: outcome: found 5, wanted " OUTCOMES},
        {"{\"version\":2,\"outcome\":\"passed\"}", "record: version: found 2, wanted 1"},
        {"{\"version\":\"1\",\"outcome\":\"passed\"}", "record: version: found \"1\", wanted 1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct record_source source;
        struct error err;
        assert_int_equal(record_parse(&source, rows[i].json, strlen(rows[i].json), &err), -1);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_string_equal(err.text, rows[i].text);
    }
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
    (void)state;
    struct record_source source;
    struct error err;
    assert_int_equal(record_parse(&source, "{\"outcome\"", 10, &err), -1);
    assert_int_equal(strncmp(err.text, "record: line 1 column ", 22), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(what_was_handed_back_has_no_run),
        cmocka_unit_test(every_outcome_has_its_word),
        cmocka_unit_test(what_is_missing_or_unknown_is_no_fault),
        cmocka_unit_test(numbers_stay_in_bounds),
        cmocka_unit_test(what_is_no_record_is_refused),
        cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
