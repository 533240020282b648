/*
 * A start with two attempts: one process of a runner, a shell script here, that says in the FIFO what became of two
 * specs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "made_reply.h"
#include "shared/memory.h"
#include "shared/record.h"
#include "worker/start.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { A, B, SPECS, WATCHDOG_MS = 60 * 1000 };

static const char *const specs[SPECS] = {"tests/a.sh", "tests/b.sh"};

/* "speaks" asks for {events}: its silence is an error. */
static const char runners[] = "{\"speaks\":{\"argv\":[\"sh\",\"run.sh\",\"{events}\",\"{specs...}\"]},"
                              "\"may speak\":{\"argv\":[\"sh\",\"run.sh\",\"-\",\"{specs...}\"]},"
                              "\"missing\":{\"argv\":[\"/missing\",\"{specs...}\"]}}";

/* What the scripts of the tests begin with. `pass` and `fail` a spec: a test of it, and its end. */
static const char prelude[] = "exec 3>\"$FUNKYTOWN_EVENTS\"; a=$2 b=$3\n"
                              "tell() { printf '{\"event\":\"%s\"%s,\"title\":[\"%s\"],\"status\":\"%s\"}\\n' "
                              "\"$1\" \"${2:+,\\\"spec\\\":\\\"$2\\\"}\" \"$2 $3\" \"$3\" >&3; }\n"
                              "pass() { tell test \"$1\" passed; tell spec \"$1\" passed; }\n"
                              "fail() { tell test \"$1\" failed; tell spec \"$1\" failed; }\n";

struct fixture {
    char root[64];
    uv_loop_t loop;
    uv_timer_t watchdog;
    struct run_policy policy;
    struct programs programs;
    struct projects_memory projects;
    struct scratch scratch;
    struct spec_finder finder;
    struct start_setup start_setup;
    struct attempt_setup attempt_setup;
    struct start start;
    struct attempt attempts[SPECS];
    int ends;
    bool is_closed;
};

/* ---- the slot ---- */

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing happened for %d s", WATCHDOG_MS / 1000);
}

static void on_end(void *data)
{
    struct fixture *f = data;
    f->ends++;
}

static void on_closed(void *data)
{
    struct fixture *f = data;
    f->is_closed = true;
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
    auto_free char *path = memory_format("%s/%s", f->root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void load_policy(struct run_policy *policy)
{
    const char *const fields[] = {"ok",  "id",      "run-1", "digest",    "00", "lease_ms", "15000", "task_timeout_s",
                                  "600", "retries", "0",     "viewports", "{}", "runners",  runners};
    struct redisReply *raw = made_reply(fields, COUNT(fields));
    struct error err = {0};
    if (run_policy_load(policy, &(struct ledger_reply){.outcome = LEDGER_OK, .raw = raw}, NULL, &err) < 0)
        fail_msg("%s", err.text);
    made_reply_free(raw);
}

static void make_folders(struct fixture *f)
{
    struct error err;
    memory_copy_text(f->root, sizeof(f->root), "/tmp/start_test.XXXXXX");
    assert_non_null(mkdtemp(f->root));
    setenv("TMPDIR", f->root, 1);
    auto_free char *tests = memory_format("%s/tests", f->root);
    assert_int_equal(mkdir(tests, 0700), 0);
    for (size_t i = 0; i < SPECS; i++)
        write_file(f, specs[i], "");
    assert_int_equal(scratch_open(&f->scratch, &err), 0);
    spec_finder_init(&f->finder, f->root);
    programs_find(&f->programs, f->root, NULL);
}

static int set_up(void **state)
{
    struct fixture *f = memory_zeroed(1, sizeof(*f));
    struct error err;
    *state = f;
    make_folders(f);
    load_policy(&f->policy);
    uv_loop_init(&f->loop);
    uv_timer_init(&f->loop, &f->watchdog);
    uv_timer_start(&f->watchdog, on_watchdog, WATCHDOG_MS, 0);
    f->start_setup = (struct start_setup){&f->loop, f->root, &f->programs, &f->scratch, &f->projects};
    f->attempt_setup = (struct attempt_setup){"worker-1", f->root, &f->finder};
    for (size_t i = 0; i < SPECS; i++)
        attempt_init(&f->attempts[i], &f->attempt_setup);
    return start_open(&f->start, &f->start_setup, 0, on_end, f, &err);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    start_close(&f->start, on_closed);
    while (!f->is_closed)
        uv_run(&f->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&f->watchdog, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    for (size_t i = 0; i < SPECS; i++)
        attempt_close(&f->attempts[i]);
    run_policy_close(&f->policy);
    programs_close(&f->programs);
    projects_forget(&f->projects);
    spec_finder_close(&f->finder);
    assert_true(scratch_close(&f->scratch));
    int failed = nftw(f->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(f);
    return failed;
}

/* ---- running both ---- */

/* The attempts have different numbers, so that each is seen to have its own. */
static void load_attempt(struct fixture *f, size_t i, const char *runner, const char *overrides)
{
    struct attempt *a = &f->attempts[i];
    auto_free char *number = memory_format("%zu", i + 1);
    const char *const fields[] = {"ok", number, specs[i], "desktop", "chrome", runner, overrides};
    struct redisReply *raw = made_reply(fields, COUNT(fields));
    snprintf(a->task.key, sizeof(a->task.key), "task:group:%zu", i);
    snprintf(a->task.token, sizeof(a->task.token), "token-%zu", i);
    attempt_load(a, &(struct ledger_reply){.outcome = LEDGER_OK, .raw = raw}, &f->policy);
    made_reply_free(raw);
}

static void run_both(struct fixture *f, const char *runner, const char *overrides, const char *script)
{
    auto_free char *whole = memory_format("%s%s\n", prelude, script);
    struct error err = {0};
    write_file(f, "run.sh", whole);
    for (size_t i = 0; i < SPECS; i++)
        load_attempt(f, i, runner, overrides);
    f->ends = 0;
    if (start_run(&f->start, &f->policy, f->attempts, SPECS, &err) < 0)
        fail_msg("%s", err.text);
    while (f->ends == 0)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static void clear_both(struct fixture *f)
{
    assert_int_equal(f->ends, 1);
    start_clear(&f->start);
    for (size_t i = 0; i < SPECS; i++)
        attempt_clear(&f->attempts[i]);
}

/* ---- the tests ---- */

#define SILENT_TEST   "a test failed without a message"
#define SILENT_ERROR  "the runner reported an error without a message"
#define NOBODYS(spec) "no test of \"" spec "\" was run: the events are of \"?\""

static void each_is_judged_by_itself(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *runner, *script;
        struct {
            enum task_result result;
            const char *reason;
        } wanted[SPECS];
    } rows[] = {
        /* What names a spec is of that one. */
        {"speaks", "pass $a; pass $b", {{TASK_PASSED, ""}, {TASK_PASSED, ""}}},
        {"speaks", "pass \"$PWD/$b\"; pass ./$a", {{TASK_PASSED, ""}, {TASK_PASSED, ""}}},
        {"speaks", "fail $a; fail $b; exit 1", {{TASK_FAILED, SILENT_TEST}, {TASK_FAILED, SILENT_TEST}}},
        {"speaks", "pass $a", {{TASK_PASSED, ""}, {TASK_ERROR, "no test was run"}}},
        {"speaks",
         "pass $a; tell test $b passed",
         {{TASK_PASSED, ""}, {TASK_ERROR, "exit 0 before the spec had ended"}}},
        {"speaks",
         "tell test $a passed; tell spec $b passed",
         {{TASK_ERROR, "exit 0 before the spec had ended"}, {TASK_ERROR, "no test was run"}}},
        {"speaks",
         "tell test $a later; tell spec $a passed; pass $b",
         {{TASK_ERROR, "no test was run; 1 event line can't be read: {\"event\":\"test\",\"spec\":\"tests/a.sh\","
                       "\"title\":[\"tests/a.sh later\"],\"status\":\"later\"}"},
          {TASK_PASSED, ""}}},

        /* An exit status that says "failed" is explained by who failed, and no other is. */
        {"speaks", "pass $a; fail $b; exit 1", {{TASK_PASSED, ""}, {TASK_FAILED, SILENT_TEST}}},
        {"speaks", "fail $a; pass $b; exit 1", {{TASK_FAILED, SILENT_TEST}, {TASK_PASSED, ""}}},
        {"speaks", "pass $a; tell error $b; exit 1", {{TASK_PASSED, ""}, {TASK_ERROR, SILENT_ERROR}}},
        {"speaks",
         "pass $a; fail $b; exit 3",
         {{TASK_ERROR, "exit 3 though every test passed"}, {TASK_FAILED, SILENT_TEST}}},
        {"speaks",
         "pass $a; pass $b; exit 1",
         {{TASK_ERROR, "exit 1 though every test passed"}, {TASK_ERROR, "exit 1 though every test passed"}}},

        /* What names neither is bad news for both, and good news for none. */
        {"speaks", "tell error; pass $a; pass $b", {{TASK_ERROR, SILENT_ERROR}, {TASK_ERROR, SILENT_ERROR}}},
        {"speaks",
         "pass $a; pass $b; fail set-up.sh; exit 1",
         {{TASK_FAILED, SILENT_TEST}, {TASK_FAILED, SILENT_TEST}}},
        {"speaks", "pass $a; pass $b; pass set-up.sh", {{TASK_PASSED, ""}, {TASK_PASSED, ""}}},
        {"speaks",
         "pass $a; pass $b; echo oops >&3",
         {{TASK_ERROR, "1 event line can't be read: oops"}, {TASK_ERROR, "1 event line can't be read: oops"}}},
        {"speaks", "pass", {{TASK_ERROR, NOBODYS("tests/a.sh")}, {TASK_ERROR, NOBODYS("tests/b.sh")}}},
        {"speaks",
         "tell test $a passed; tell test $b passed; tell spec '' passed",
         {{TASK_ERROR, "exit 0 before the spec had ended: the events are of \"?\""},
          {TASK_ERROR, "exit 0 before the spec had ended: the events are of \"?\""}}},

        /* Who never speaks is judged by its exit status; who speaks of one spec has to speak of both. */
        {"may speak", "exit 0", {{TASK_PASSED, ""}, {TASK_PASSED, ""}}},
        {"may speak", "exit 1", {{TASK_FAILED, "exit 1"}, {TASK_FAILED, "exit 1"}}},
        {"may speak", "pass $a", {{TASK_PASSED, ""}, {TASK_ERROR, "no test was run"}}},

        /* The end of the process is that of both, whatever was said. */
        {"speaks", "pass $a; kill -9 $$", {{TASK_ERROR, "signal 9"}, {TASK_ERROR, "signal 9"}}},
        {"missing",
         "",
         {{TASK_ERROR, "exit 127: cannot start /missing: No such file or directory"},
          {TASK_ERROR, "exit 127: cannot start /missing: No such file or directory"}}},
    };
    for (size_t row = 0; row < COUNT(rows); row++) {
        run_both(f, rows[row].runner, "", rows[row].script);
        for (size_t i = 0; i < SPECS; i++) {
            const struct verdict *found = &f->attempts[i].verdict;
            const char *reason = rows[row].wanted[i].reason;
            if (found->result != rows[row].wanted[i].result || strcmp(found->reason, reason) != 0)
                fail_msg("%s: %s: %s \"%s\", wanted %s \"%s\"", rows[row].script, specs[i],
                         task_result_name(found->result), found->reason, task_result_name(rows[row].wanted[i].result),
                         reason);
        }
        clear_both(f);
    }
}

static void each_has_its_own_record(void **state)
{
    static const struct {
        enum record_outcome outcome;
        const char *tests, *details;
    } wanted[SPECS] = {
        {RECORD_PASSED,
         "[{\"title\":[\"tests/a.sh passed\"],\"status\":\"passed\",\"duration_ms\":0},"
         "{\"title\":[\"tests/a.sh skipped\"],\"status\":\"skipped\",\"duration_ms\":0}]",
         "{\"tests\":[1,0,1,0]}"},
        {RECORD_FAILED, "[{\"title\":[\"tests/b.sh failed\"],\"status\":\"failed\",\"duration_ms\":0}]",
         "{\"tests\":[0,1,0,0],\"title\":\"tests/b.sh failed\",\"failures\":[{\"title\":\"tests/b.sh failed\"}]}"},
    };
    struct fixture *f = *state;
    run_both(f, "speaks", "",
             "echo output; tell test $a passed; tell test $b failed; tell test $a skipped; tell spec $b failed; "
             "tell spec $a passed; exit 1");
    for (size_t i = 0; i < SPECS; i++) {
        const struct attempt *a = &f->attempts[i];
        struct record_source source;
        struct error err = {0};
        if (record_parse(&source, a->record, strlen(a->record), &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(source.record.attempt, i + 1);
        assert_int_equal(source.record.outcome, wanted[i].outcome);
        assert_string_equal(source.run.tests, wanted[i].tests);
        assert_string_equal(a->details, wanted[i].details);
        assert_memory_equal(a->log.data, "output\n", a->log.length);
        record_close(&source);
    }
    clear_both(f);
}

static void the_time_limit_is_the_sum_and_ends_both(void **state)
{
    struct fixture *f = *state;
    run_both(f, "speaks", "{\"timeout_s\":1}", "pass $a; sleep 1000");
    for (size_t i = 0; i < SPECS; i++) {
        assert_int_equal(f->attempts[i].verdict.result, TASK_ERROR);
        assert_string_equal(f->attempts[i].verdict.reason, "timeout after 2 s");
    }
    assert_int_equal(f->attempts[A].judge.counts.passed, 1);
    assert_int_equal(f->attempts[B].judge.counts.passed, 0);
    clear_both(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_is_judged_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_has_its_own_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_time_limit_is_the_sum_and_ends_both, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
