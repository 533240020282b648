/*
 * What a worker takes over from a run's fields, and what it refuses: nothing that no controller would have written.
 * What a controller writes it reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "made_reply.h"
#include "shared/run_policy.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
    ID = 2,
    DIGEST = 4,
    LEASE = 6,
    TIMEOUT = 8,
    RETRIES = 10,
    VIEWPORTS = 12,
    RUNNERS = 14,
    PROJECTS = 16,
    FIELDS = 17
};

static const char *const good[FIELDS] = {
    "ok",
    "id",
    "run-1",
    "digest",
    "00ff",
    "lease_ms",
    "15000",
    "task_timeout_s",
    "600",
    "retries",
    "2",
    "viewports",
    ("{\"desktop\":{\"width\":1280,\"height\":720,\"mobile\":false},\"phone\":{\"width\":393,\"height\":851,"
     "\"mobile\":true}}"),
    "runners",
    "{\"smoke\":{\"argv\":[\"a\",\"{spec}\"]}}",
    "projects",
    "{\"desktop-chrome\":\"chromium\"}",
};

/* As the good one, but for one text. */
static int load(struct run_policy *policy, size_t place, const char *text, struct error *err)
{
    const char *fields[FIELDS];
    memcpy(fields, good, sizeof(fields));
    fields[place] = text;
    struct redisReply *raw = made_reply(fields, FIELDS);
    const struct ledger_reply reply = {.outcome = LEDGER_OK, .raw = raw};
    int result = run_policy_load(policy, &reply, NULL, err);
    made_reply_free(raw);
    return result;
}

static void a_run_is_taken_over(void **state)
{
    (void)state;
    struct run_policy policy;
    struct error err = {0};
    if (load(&policy, 0, "ok", &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(policy.run_id, "run-1");
    assert_string_equal(policy.digest, "00ff");
    assert_int_equal(policy.lease_ms, 15000);
    assert_int_equal(policy.limits.timeout_s, 600);
    assert_int_equal(policy.limits.retries, 2);
    assert_false(policy.is_cancelled);
    assert_int_equal(run_policy_viewport(&policy, "desktop")->width, 1280);
    assert_int_equal(run_policy_viewport(&policy, "desktop")->height, 720);
    assert_false(run_policy_viewport(&policy, "desktop")->is_mobile);
    assert_true(run_policy_viewport(&policy, "phone")->is_mobile);
    assert_null(run_policy_viewport(&policy, "mobile"));
    assert_string_equal(run_policy_runner(&policy, "smoke")->argv[1], "{spec}");
    assert_string_equal(run_policy_runner(&policy, "playwright")->argv[0], "node");
    assert_null(run_policy_runner(&policy, "nobody"));
    run_policy_close(&policy);
}

static void what_no_controller_writes_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t place;
        const char *text, *error;
    } rows[] = {
        {ID, NULL, "the run: id: found an empty text, wanted a text"},
        {DIGEST, "", "the run: digest: found an empty text, wanted a text"},
        {LEASE, NULL, "the run: lease_ms: found \"\", wanted a whole number from 1000 to 3600000"},
        {LEASE, "0", "the run: lease_ms: found \"0\", wanted a whole number from 1000 to 3600000"},
        {LEASE, "-5", "the run: lease_ms: found \"-5\", wanted a whole number from 1000 to 3600000"},
        {LEASE, " 15000", "the run: lease_ms: found \" 15000\", wanted a whole number from 1000 to 3600000"},
        {LEASE, "3600001", "the run: lease_ms: found \"3600001\", wanted a whole number from 1000 to 3600000"},
        {TIMEOUT, "0", "the run: task_timeout_s: found \"0\", wanted a whole number from 1 to 1000000"},
        {TIMEOUT, "+600", "the run: task_timeout_s: found \"+600\", wanted a whole number from 1 to 1000000"},
        {TIMEOUT, "6e2", "the run: task_timeout_s: found \"6e2\", wanted a whole number from 1 to 1000000"},
        {TIMEOUT, "18446744073709552216",
         "the run: task_timeout_s: found \"18446744073709552216\", wanted a whole number from 1 to 1000000"},
        {RETRIES, "101", "the run: retries: found \"101\", wanted a whole number from 0 to 100"},
        {RETRIES, "\x1b", "the run: retries: found \"\\u001b\", wanted a whole number from 0 to 100"},
        {PROJECTS, "[]", "the run: projects: found an empty list, wanted an object"},
        {PROJECTS, "{\"a-b\":1}", "the run: projects.a-b: found 1, wanted a project's name"},
        {VIEWPORTS, "", "the run: viewports: line 1 column 1: found the end, wanted a value"},
        {VIEWPORTS, "[]", "the run: viewports: found an empty list, wanted an object"},
        {VIEWPORTS, "{\"v\":7}", "the run: viewports.v: found 7, wanted an object"},
        {VIEWPORTS, "{\"v\":{\"width\":1}}",
         "the run: viewports.v.height: found nothing, wanted a whole number from 1 to 100000"},
        {VIEWPORTS, "{\"v\":{\"width\":-1,\"height\":1}}",
         "the run: viewports.v.width: found -1, wanted a whole number from 1 to 100000"},
        {VIEWPORTS, "{\"v\":{\"width\":1e300,\"height\":1}}",
         "the run: viewports.v.width: found 1e+300, wanted a whole number from 1 to 100000"},
        {VIEWPORTS, "{\"v\":{\"width\":1,\"height\":1},\"v\":{\"width\":2,\"height\":2}}",
         "the run: viewports.v: found the key a second time, wanted it once"},
        {VIEWPORTS, "{\"-v\":{\"width\":1,\"height\":1}}",
         "the run: viewports.-v: found \"-v\", wanted a text that doesn't start with '-'"},
        {RUNNERS, "{} {}", "the run: runners: line 1 column 4: found '{', wanted the end"},
        {RUNNERS, "{\"r\":{}}",
         "the run: runners.r.argv: found nothing, wanted a list: the program and its arguments"},
        {RUNNERS, "{\"r\":{\"argv\":[1]}}", "the run: runners.r.argv[0]: found 1, wanted an argument"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct run_policy policy;
        struct error err = {0};
        assert_int_equal(load(&policy, rows[i].place, rows[i].text, &err), -1);
        assert_string_equal(err.text, rows[i].error);
        assert_int_equal(err.code, ERROR_PROTOCOL);
        assert_null(policy.run_id);
        assert_null(policy.runners);
        assert_null(policy.viewports);
    }
}

static void a_task_may_have_limits_of_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *overrides;
        unsigned timeout_s, retries;
        const char *error; /* NULL: it is in order */
    } rows[] = {
        {"", 600, 2, NULL},
        {"{}", 600, 2, NULL},
        {"{\"timeout_s\":7,\"retries\":0}", 7, 0, NULL},
        {"{\"retries\":3}", 600, 3, NULL},
        {"{\"timeout_s\":-1}", 600, 2, "timeout_s: found -1, wanted a whole number from 1 to 1000000"},
        {"{\"timeout_s\":1e300}", 600, 2, "timeout_s: found 1e+300, wanted a whole number from 1 to 1000000"},
        {"{\"timeout_s\":7,\"retries\":0.5}", 600, 2, "retries: found 0.5, wanted a whole number from 0 to 100"},
        {"{\"retry\":1}", 600, 2, "retry: found an unknown key, wanted one of timeout_s, retries, without, reason"},
        {"{\"without\":[\"a\",\"b\"],\"reason\":\"r\"}", 600, 2, NULL},
        {"{\"without\":[\"a/b\"]}", 600, 2,
         "without[0]: found \"a/b\", wanted a program's name without '/': it is looked for in PATH"},
        {"{\"without\":[]}", 600, 2, "without: found an empty list, wanted a list of programs"},
        {"{", 600, 2, "line 1 column 2: found the end, wanted a key in double quotes"},
        {"null", 600, 2, "found null, wanted an object"},
    };
    struct run_policy policy;
    struct error err = {0};
    assert_int_equal(load(&policy, 0, "ok", &err), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        static const char prefix[] = "what the map says of the task: ";
        struct run_limits limits;
        assert_int_equal(run_policy_limits(&policy, rows[i].overrides, &limits, &err), rows[i].error ? -1 : 0);
        assert_int_equal(limits.timeout_s, rows[i].timeout_s);
        assert_int_equal(limits.retries, rows[i].retries);
        if (rows[i].error == NULL)
            continue;
        assert_memory_equal(err.text, prefix, strlen(prefix));
        assert_string_equal(err.text + strlen(prefix), rows[i].error);
        assert_int_equal(err.code, ERROR_PROTOCOL);
    }
    run_policy_close(&policy);
}

static bool is_tool(const char *program)
{
    return strcmp(program, "tool") == 0;
}

static void a_task_may_be_left_out_where_a_program_is_missing(void **state)
{
    (void)state;
    static const struct {
        const char *overrides, *reason; /* NULL: it runs */
    } rows[] = {
        {"", NULL},
        {"{\"retries\":1}", NULL},
        {"{\"without\":[\"tool\"],\"reason\":\"get it\"}", NULL},
        {"{\"without\":[\"tool\",\"saw\",\"axe\"],\"reason\":\"get it\"}", "saw isn't in PATH: get it"},
        {"{\"without\":[\"saw\"]}", "saw isn't in PATH"},
        {"{\"without\":[7],\"reason\":\"get it\"}", NULL},
        {"{\"without\":", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        auto_buffer reason = {0};
        assert_int_equal(run_overrides_leave_out(rows[i].overrides, is_tool, &reason), rows[i].reason != NULL);
        if (rows[i].reason)
            assert_string_equal(reason.data, rows[i].reason);
    }
}

/* ---- both ways ---- */

/* The bounds, and nothing that a worker doesn't read left out. */
static const struct run_terms terms = {
    .run_id = "run-1",
    .digest = "00ff",
    .total = 1000000,
    .lease_ms = TASK_LEASE_MAX_S * 1000,
    .task_timeout_s = TASK_TIMEOUT_MAX_S,
    .retries = TASK_RETRIES_MAX,
    .max_crashes = 3,
    .max_releases = 20,
    .viewports = "{}",
    .runners = "{\"smoke\":{\"argv\":[\"a\"]}}",
    .projects = "{\"desktop-chrome\":\"Desktop Chrome\"}",
    .source = "0123abcd",
    .branch = "main",
    .source_url = "",
};

static void what_the_controller_writes_the_worker_reads(void **state)
{
    (void)state;
    struct run_fields fields;
    struct run_policy policy;
    struct error err = {0};
    const char *texts[1 + 2 * RUN_FIELDS] = {"ok"};
    run_policy_format(&terms, &fields);
    memcpy(texts + 1, fields.texts, sizeof(fields.texts));
    struct redisReply *raw = made_reply(texts, COUNT(texts));
    const struct ledger_reply reply = {.outcome = LEDGER_OK, .raw = raw};
    if (run_policy_load(&policy, &reply, NULL, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(policy.run_id, terms.run_id);
    assert_string_equal(policy.digest, terms.digest);
    assert_int_equal(policy.lease_ms, terms.lease_ms);
    assert_int_equal(policy.limits.timeout_s, terms.task_timeout_s);
    assert_int_equal(policy.limits.retries, terms.retries);
    assert_int_equal(policy.viewport_count, 0);
    assert_non_null(run_policy_runner(&policy, "smoke"));
    assert_string_equal(run_policy_project(&policy, "desktop-chrome"), "Desktop Chrome");
    assert_null(run_policy_project(&policy, "desktop-chrom"));
    assert_string_equal(ledger_run_field(&reply, "total"), "1000000");
    assert_string_equal(ledger_run_field(&reply, "max_crashes"), "3");
    assert_string_equal(ledger_run_field(&reply, "max_releases"), "20");
    assert_string_equal(ledger_run_field(&reply, "source"), "0123abcd");
    assert_string_equal(ledger_run_field(&reply, "branch"), "main");
    assert_string_equal(ledger_run_field(&reply, "source_url"), "");
    run_policy_close(&policy);
    made_reply_free(raw);
}

static void a_viewport_is_read_as_it_was_written(void **state)
{
    (void)state;
    static const struct run_viewport all[] = {{NULL, 1, TASK_VIEWPORT_MAX, true}, {NULL, 1280, 720, false}};
    static const char *const texts[] = {"{\"width\":1,\"height\":100000,\"mobile\":true}",
                                        "{\"width\":1280,\"height\":720,\"mobile\":false}"};
    for (size_t i = 0; i < COUNT(all); i++) {
        struct run_viewport read;
        struct error err;
        cJSON *tree = run_viewport_format(&all[i]);
        char *text = cJSON_PrintUnformatted(tree);
        assert_string_equal(text, texts[i]);
        assert_int_equal(run_viewport_parse(&read, tree, NULL, &err), 0);
        assert_int_equal(read.width, all[i].width);
        assert_int_equal(read.height, all[i].height);
        assert_int_equal(read.is_mobile, all[i].is_mobile);
        cJSON_free(text);
        cJSON_Delete(tree);
    }
}

static void overrides_are_read_as_they_were_written(void **state)
{
    (void)state;
    static const struct {
        double timeout_s, retries; /* -1: not said */
        const char *text;
    } rows[] = {
        {-1, -1, ""},
        {7, -1, "{\"timeout_s\":7}"},
        {-1, 0, "{\"retries\":0}"},
        {TASK_TIMEOUT_MAX_S, TASK_RETRIES_MAX, "{\"timeout_s\":1000000,\"retries\":100}"},
    };
    const struct run_policy policy = {.limits = {600, 2}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        auto_buffer text = {0};
        struct run_limits limits;
        struct error err;
        const cJSON timeout = {.type = cJSON_Number, .valuedouble = rows[i].timeout_s};
        const cJSON retries = {.type = cJSON_Number, .valuedouble = rows[i].retries};
        const cJSON *const members[RUN_OVERRIDES] = {
            [RUN_OVERRIDE_TIMEOUT] = rows[i].timeout_s < 0 ? NULL : &timeout,
            [RUN_OVERRIDE_RETRIES] = rows[i].retries < 0 ? NULL : &retries,
        };
        run_overrides_format(members, &text);
        assert_string_equal(text.data ? text.data : "", rows[i].text);
        assert_int_equal(run_policy_limits(&policy, rows[i].text, &limits, &err), 0);
        assert_int_equal(limits.timeout_s, rows[i].timeout_s < 0 ? 600 : (unsigned)rows[i].timeout_s);
        assert_int_equal(limits.retries, rows[i].retries < 0 ? 2 : (unsigned)rows[i].retries);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_taken_over),
        cmocka_unit_test(what_no_controller_writes_is_refused),
        cmocka_unit_test(a_task_may_have_limits_of_its_own),
        cmocka_unit_test(a_task_may_be_left_out_where_a_program_is_missing),
        cmocka_unit_test(what_the_controller_writes_the_worker_reads),
        cmocka_unit_test(a_viewport_is_read_as_it_was_written),
        cmocka_unit_test(overrides_are_read_as_they_were_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
