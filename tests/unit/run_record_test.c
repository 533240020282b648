#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/run_record.h"
#include "made_reply.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_text(const char *found, const char *wanted)
{
    if (found == NULL || wanted == NULL)
        assert_ptr_equal(found, wanted);
    else
        assert_string_equal(found, wanted);
}

static void a_run_is_read_whatever_it_holds(void **state)
{
    (void)state;
    static const struct {
        /*
         * state started_ms finished_ms reopened_ms idle_ms cancel cancel_kind reruns failed source branch source_url
         */
        const char *fields[RUN_RECORD_FIELDS];
        struct board_run wanted;
        const char *cancel;
    } rows[] = {
        {{"running", "1764000000000"}, {.state = BOARD_RUN_RUNNING, .started_ms = 1764000000000}, ""},
        {{"running", "1764000000000", "1764000000001", "1764000000009", "8", "enough", "failures", "2", "3"},
         {.state = BOARD_RUN_RUNNING,
          .started_ms = 1764000000000,
          .reopened_ms = 1764000000009,
          .idle_ms = 8,
          .reruns = 2,
          .failed = 3,
          .cancel_kind = CANCEL_FAILURES},
         "enough"},
        {{"running", NULL, NULL, NULL, NULL, "late", "deadline"}, {.cancel_kind = CANCEL_DEADLINE}, "late"},
        {{"running", NULL, NULL, NULL, NULL, "too many failures: 3", "nonsense"},
         {.cancel_kind = CANCEL_ASKED},
         "too many failures: 3"},
        {{"running", NULL, NULL, NULL, NULL, "enough"}, {.cancel_kind = CANCEL_ASKED}, "enough"},
        {{"running", NULL, NULL, NULL, NULL, NULL, "failures", "-1", "x"}, {.cancel_kind = CANCEL_NONE}, ""},
        {{"finished", "1764000000000", "1764000000001", "", "x", "", ""},
         {.state = BOARD_RUN_FINISHED, .started_ms = 1764000000000, .finished_ms = 1764000000001},
         ""},
        {{"finished", "-1", "9223372036854775807", "-9223372036854775808", "99999999999999999999", NULL, NULL,
          "99999999999999999999", "99999999999999999999"},
         {.state = BOARD_RUN_FINISHED,
          .finished_ms = INT64_C(1) << 42,
          .idle_ms = INT64_C(1) << 42,
          .reruns = 1000000000,
          .failed = 1000000000},
         ""},
        {{NULL}, {.state = BOARD_RUN_RUNNING}, ""},
        {{"running", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "abc", "main", "https://ci.example"},
         {.state = BOARD_RUN_RUNNING, .source = "abc", .branch = "main", .url = "https://ci.example"},
         ""},
        {{"running", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "", "", ""}, {.state = BOARD_RUN_RUNNING}, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct board_run run;
        struct redisReply *reply = made_reply(rows[i].fields, RUN_RECORD_FIELDS);
        assert_string_equal(run_record_from_hash(&run, reply), rows[i].cancel);
        const struct board_run *wanted = &rows[i].wanted;
        if (run.state != wanted->state || run.started_ms != wanted->started_ms ||
            run.finished_ms != wanted->finished_ms || run.reopened_ms != wanted->reopened_ms ||
            run.idle_ms != wanted->idle_ms || run.reruns != wanted->reruns || run.failed != wanted->failed ||
            run.cancel_kind != wanted->cancel_kind)
            fail_msg("row %zu", i);
        assert_text(run.source, wanted->source);
        assert_text(run.branch, wanted->branch);
        assert_text(run.url, wanted->url);
        made_reply_free(reply);
    }
}

static void slots_are_what_a_worker_can_have(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned slots;
    } rows[] = {{"1", 1},  {"8", 8}, {"1000", 1000}, {"1001", 1}, {"0", 1},
                {"-1", 1}, {"", 1},  {"8 ", 1},      {NULL, 1},   {"99999999999999999999", 1}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(run_record_slots(rows[i].text), rows[i].slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_read_whatever_it_holds),
        cmocka_unit_test(slots_are_what_a_worker_can_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
