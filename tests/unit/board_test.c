#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "controller/board.h"
#include "controller/causes.h"
#include "shared/json.h"
#include "shared/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { START_MS = 1000000 };

static const char map[] =
    "{\"runners\":{\"smoke\":{\"argv\":[\"bash\",\"{spec}\"]}},\"groups\":["
    "{\"name\":\"search\",\"tasks\":[{\"spec\":\"tests/a.spec.ts\",\"viewports\":[\"desktop\",\"mobile\"],"
    "\"browsers\":[\"chrome\",\"firefox\"]}]},"
    "{\"name\":\"cart\",\"runner\":\"smoke\",\"tasks\":[{\"spec\":\"tests/b.spec.ts\",\"viewports\":[\"desktop\"],"
    "\"browsers\":[\"chrome\",\"firefox\",\"webkit\"]}]}]}";

/* search:0 chrome, :1 firefox, :2 mobile chrome (mobile firefox is left out), cart:0 chrome, :1 firefox, :2 webkit */
enum { TASKS = 6 };

struct fixture {
    struct plan plan;
    struct board *board;
};

static int open_board(void **state)
{
    struct fixture *f = memory_zeroed(1, sizeof(*f));
    struct error err = {0};
    plan_parse(&f->plan, map, strlen(map), &err);
    assert_string_equal(err.text, "");
    assert_int_equal(f->plan.task_count, TASKS);
    f->board = board_new(&f->plan, "run-1", "epoch-1");
    board_set_run(f->board, &(struct board_run){.state = BOARD_RUN_RUNNING, .started_ms = START_MS});
    *state = f;
    return 0;
}

static int close_board(void **state)
{
    struct fixture *f = *state;
    board_free(f->board);
    plan_close(&f->plan);
    free(f);
    return 0;
}

static struct board *board_of(void **state)
{
    return ((struct fixture *)*state)->board;
}

static cJSON *parsed(const struct buffer *text)
{
    struct error err;
    cJSON *root;
    if (json_parse(&root, text->data, text->length, &err) < 0)
        fail_msg("%s in %s", err.text, text->data);
    return root;
}

static void set_state(struct board *board, size_t index, enum board_state task_state)
{
    struct board_task task = {.state = task_state, .attempt = task_state != BOARD_QUEUED};
    board_set_task(board, index, &task);
}

static void assert_summary(struct board *board, int64_t now_ms, const char *wanted)
{
    auto_buffer out = {0};
    board_add_summary(board, now_ms, &out);
    assert_string_equal(out.data, wanted);
    cJSON_Delete(parsed(&out));
}

static void a_fresh_board_has_everything_queued(void **state)
{
    assert_summary(
        board_of(state), START_MS + 2500,
        "{\"run_id\":\"run-1\",\"state\":\"running\",\"verdict\":null,\"source\":null,\"counts\":{\"total\":6,"
        "\"queued\":6,"
        "\"running\":0,\"passed\":0,\"failed\":0,\"flaky\":0,\"error\":0,\"cancelled\":0,\"skipped\":0},\"excluded\":"
        "1,"
        "\"tests\":{\"passed\":0,\"failed\":0,\"skipped\":0,\"flaky\":0},"
        "\"started_at\":\"1970-01-01T00:16:40.000Z\",\"finished_at\":null,\"wall_s\":2.500,\"idle_s\":0.000,"
        "\"compute_s\":0.000,\"eta_s\":null,\"workers\":{\"live\":0,\"lost\":0},\"bound_s\":0.000,"
        "\"efficiency\":null}");
}

static void a_finished_board_sums_up(void **state)
{
    struct board *board = board_of(state);
    board_worker_joined(board, "w1", 2);
    for (size_t i = 0; i < TASKS; i++) {
        struct board_task task = {.state = BOARD_PASSED,
                                  .attempt = 1,
                                  .started_ms = START_MS,
                                  .duration_ms = 1000 * (i + 1),
                                  .worker = "w1",
                                  .tests = {.passed = 2, .skipped = 1}};
        if (i == 5)
            task = (struct board_task){.state = BOARD_FLAKY,
                                       .attempt = 2,
                                       .duration_ms = 6000,
                                       .earlier_ms = 1000,
                                       .tests = {.passed = 1, .failed = 0, .flaky = 1}};
        assert_true(board_set_task(board, i, &task));
    }
    board_set_run(board, &(struct board_run){
                             .state = BOARD_RUN_FINISHED, .started_ms = START_MS, .finished_ms = START_MS + 16000});
    assert_summary(
        board, START_MS + 999999,
        "{\"run_id\":\"run-1\",\"state\":\"finished\",\"verdict\":\"passed\",\"source\":null,\"counts\":{\"total\":6,"
        "\"queued\":0,\"running\":0,\"passed\":5,\"failed\":0,\"flaky\":1,\"error\":0,\"cancelled\":0,\"skipped\":0},"
        "\"excluded\":1,\"tests\":{\"passed\":11,\"failed\":0,\"skipped\":5,\"flaky\":1},"
        "\"started_at\":\"1970-01-01T00:16:40.000Z\",\"finished_at\":\"1970-01-01T00:16:56.000Z\","
        "\"wall_s\":16.000,\"idle_s\":0.000,\"compute_s\":22.000,\"eta_s\":null,\"workers\":{\"live\":1,\"lost\":0},"
        "\"bound_s\":11.000,\"efficiency\":0.688}");
}

static void the_time_between_an_end_and_a_rerun_is_nobodys(void **state)
{
    struct board *board = board_of(state);
    struct board_run run = {.state = BOARD_RUN_RUNNING, .started_ms = START_MS, .idle_ms = 80000};
    struct board_totals totals;
    uint64_t seq = board_seq(board);
    board_set_run(board, &run);
    assert_int_equal(board_seq(board), seq + 1);
    board_set_run(board, &run);
    assert_int_equal(board_seq(board), seq + 1);
    board_totals(board, START_MS + 90000, &totals);
    assert_int_equal(totals.wall_ms, 10000);
    assert_int_equal(totals.idle_ms, 80000);
    run.idle_ms = 100000; /* no clock of ours: it may say anything */
    board_set_run(board, &run);
    board_totals(board, START_MS + 90000, &totals);
    assert_int_equal(totals.wall_ms, 0);
    run.finished_ms = START_MS + 101000;
    board_set_run(board, &run);
    board_totals(board, START_MS + 900000, &totals);
    assert_int_equal(totals.wall_ms, 1000);
    run.reopened_ms = START_MS + 100000;
    seq = board_seq(board);
    board_set_run(board, &run);
    assert_int_equal(board_seq(board), seq + 1);
}

static void a_verdict_needs_every_task(void **state)
{
    static const struct {
        enum board_run_state run;
        enum board_state tasks[TASKS];
        enum board_verdict wanted;
    } rows[] = {
        {BOARD_RUN_RUNNING, {2, 2, 2, 2, 2, 2}, BOARD_NO_VERDICT},
        {BOARD_RUN_FINISHED, {2, 2, 2, 2, 2, 2}, BOARD_VERDICT_PASSED},
        {BOARD_RUN_FINISHED, {2, 4, 4, 2, 2, 2}, BOARD_VERDICT_PASSED},
        {BOARD_RUN_FINISHED, {4, 4, 4, 4, 4, 4}, BOARD_VERDICT_PASSED},
        {BOARD_RUN_FINISHED, {2, 3, 2, 2, 2, 2}, BOARD_VERDICT_FAILED},
        {BOARD_RUN_FINISHED, {2, 5, 2, 2, 2, 2}, BOARD_VERDICT_ERROR},
        {BOARD_RUN_FINISHED, {2, 5, 3, 2, 2, 2}, BOARD_VERDICT_FAILED},
        {BOARD_RUN_FINISHED, {2, 5, 6, 2, 2, 2}, BOARD_VERDICT_ERROR},
        {BOARD_RUN_FINISHED, {3, 6, 6, 6, 6, 6}, BOARD_VERDICT_FAILED},
        {BOARD_RUN_FINISHED, {2, 6, 2, 2, 2, 2}, BOARD_VERDICT_CANCELLED},
        {BOARD_RUN_FINISHED, {2, 7, 7, 7, 7, 7}, BOARD_VERDICT_PASSED},
        {BOARD_RUN_FINISHED, {4, 7, 7, 7, 7, 7}, BOARD_VERDICT_PASSED},
        {BOARD_RUN_FINISHED, {7, 7, 7, 7, 7, 7}, BOARD_VERDICT_SKIPPED},
        {BOARD_RUN_FINISHED, {3, 7, 7, 7, 7, 7}, BOARD_VERDICT_FAILED},
        {BOARD_RUN_FINISHED, {5, 7, 7, 7, 7, 7}, BOARD_VERDICT_ERROR},
        {BOARD_RUN_FINISHED, {6, 7, 7, 7, 7, 7}, BOARD_VERDICT_CANCELLED},
        {BOARD_RUN_FINISHED, {7, 7, 7, 7, 7, 0}, BOARD_VERDICT_ERROR},
        {BOARD_RUN_CANCELLED, {7, 7, 7, 7, 7, 7}, BOARD_VERDICT_CANCELLED},
        {BOARD_RUN_RUNNING, {7, 7, 7, 7, 7, 7}, BOARD_NO_VERDICT},
        {BOARD_RUN_FINISHED, {2, 2, 2, 2, 2, 0}, BOARD_VERDICT_ERROR},
        {BOARD_RUN_FINISHED, {2, 2, 2, 2, 2, 1}, BOARD_VERDICT_ERROR},
        {BOARD_RUN_CANCELLED, {3, 2, 6, 6, 6, 6}, BOARD_VERDICT_CANCELLED},
        {BOARD_RUN_CANCELLED, {2, 2, 2, 2, 2, 2}, BOARD_VERDICT_CANCELLED},
    };
    struct board *board = board_of(state);
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t t = 0; t < TASKS; t++)
            set_state(board, t, rows[i].tasks[t]);
        board_set_run(board, &(struct board_run){.state = rows[i].run, .started_ms = START_MS});
        if (board_verdict(board) != rows[i].wanted)
            fail_msg("row %zu", i);
    }
}

static void a_run_without_tasks_is_not_green(void **state)
{
    (void)state;
    struct plan plan = {0};
    struct board *board = board_new(&plan, "empty", "e");
    board_set_run(board,
                  &(struct board_run){.state = BOARD_RUN_FINISHED, .started_ms = START_MS, .finished_ms = START_MS});
    assert_int_equal(board_verdict(board), BOARD_VERDICT_ERROR);
    auto_buffer out = {0};
    board_add_snapshot(board, START_MS, &out);
    cJSON_Delete(parsed(&out));
    board_free(board);
}

static void the_same_again_changes_nothing(void **state)
{
    struct board *board = board_of(state);
    struct board_task task = {.state = BOARD_FAILED,
                              .attempt = 1,
                              .started_ms = START_MS,
                              .duration_ms = 700,
                              .worker = "w1",
                              .message = "expected 1, got 2",
                              .title = "adds",
                              .file = "a.spec.ts",
                              .line = 12,
                              .tests = {.passed = 3, .failed = 1}};
    assert_true(board_set_task(board, 2, &task));
    board_worker_joined(board, "w1", 2);
    auto_buffer before = {0}, after = {0};
    uint64_t seq = board_seq(board);
    board_add_snapshot(board, START_MS, &before);

    char message[] = "expected 1, got 2"; /* equal, elsewhere */
    task.message = message;
    assert_false(board_set_task(board, 2, &task));
    assert_false(board_set_task(board, 2, board_task(board, 2)));
    board_worker_joined(board, "w1", 2);
    board_set_run(board, &(struct board_run){.state = BOARD_RUN_RUNNING, .started_ms = START_MS});
    board_worker_left(board, "w9", false);
    assert_int_equal(board_seq(board), seq);
    board_add_snapshot(board, START_MS, &after);
    assert_string_equal(before.data, after.data);
}

static void each_field_of_a_task_is_a_change(void **state)
{
    struct board *board = board_of(state);
    struct board_task task = {0};
    assert_false(board_set_task(board, 0, &task));
#define CHANGE(assignment)                                                                                           \
    do {                                                                                                             \
        uint64_t seq_ = board_seq(board);                                                                            \
        task.assignment;                                                                                             \
        assert_true(board_set_task(board, 0, &task));                                                                \
        assert_int_equal(board_seq(board), seq_ + 1);                                                                \
        assert_false(board_set_task(board, 0, &task));                                                               \
    } while (0)
    CHANGE(state = BOARD_RUNNING);
    CHANGE(attempt = 1);
    CHANGE(started_ms = 5);
    CHANGE(duration_ms = 6);
    CHANGE(earlier_ms = 7);
    CHANGE(worker = "w");
    CHANGE(worker = NULL);
    CHANGE(message = "m");
    CHANGE(message = "n");
    CHANGE(title = "t");
    CHANGE(file = "f");
    CHANGE(line = 8);
    CHANGE(tests.passed = 1);
    CHANGE(tests.failed = 1);
    CHANGE(tests.skipped = 1);
    CHANGE(tests.flaky = 1);
    struct board_error errors[] = {{"e", "3", "2"}, {0}};
    struct board_failure rows[] = {{"a", &errors[0], "f", 1}, {"b", &errors[1], NULL, 0}};
    struct board_failures failures = {.count = 1, .rows = rows};
    CHANGE(failures = &failures);
    CHANGE(failures = (failures.count = 2, &failures));
    CHANGE(failures = (failures.dropped = 1, &failures));
    CHANGE(failures = (rows[1].title = "c", &failures));
    CHANGE(failures = (rows[1].file = "g", &failures));
    CHANGE(failures = (rows[1].line = 2, &failures));
    CHANGE(failures = (errors[1].message = "d", &failures));
    CHANGE(failures = (errors[1].expected = "4", &failures));
    CHANGE(failures = (errors[1].received = "5", &failures));
    CHANGE(failures = NULL);
#undef CHANGE
    const struct board_task *kept = board_task(board, 0);
    assert_string_equal(kept->message, "n");
    assert_string_equal(kept->title, "t");
    assert_string_equal(kept->file, "f");
    assert_null(kept->worker);
}

/* The indices in a delta, as a bit set. */
static unsigned delta_tasks(struct board *board, uint64_t since)
{
    auto_buffer out = {0};
    board_add_delta(board, since, START_MS, &out);
    cJSON *root = parsed(&out);
    assert_int_equal(cJSON_GetObjectItem(root, "seq")->valuedouble, board_seq(board));
    unsigned set = 0;
    const cJSON *row, *rows = cJSON_GetObjectItem(root, "tasks");
    cJSON_ArrayForEach(row, rows)
    {
        unsigned bit = 1u << cJSON_GetArrayItem(row, 0)->valueint;
        assert_int_equal(set & bit, 0);
        set |= bit;
    }
    assert_int_equal(board_changes(board, since, 100), cJSON_GetArraySize(rows));
    cJSON_Delete(root);
    return set;
}

static void a_delta_holds_what_changed_since_any_number(void **state)
{
    struct board *board = board_of(state);
    uint64_t changed_at[TASKS] = {0};
    uint32_t random = 1;
    assert_int_equal(delta_tasks(board, 0), 0);
    for (unsigned step = 1; step <= 60; step++) {
        random = random * 1664525u + 1013904223u;
        size_t index = random >> 16 & 7;
        if (index >= TASKS) {
            board_worker_joined(board, "w", step); /* a change of no task */
            continue;
        }
        struct board_task task = {.state = BOARD_RUNNING, .attempt = step};
        board_set_task(board, index, &task);
        changed_at[index] = board_seq(board);
        for (uint64_t since = 0; since <= board_seq(board) + 1; since++) {
            unsigned wanted = 0;
            for (size_t t = 0; t < TASKS; t++)
                wanted |= (unsigned)(changed_at[t] > since) << t;
            assert_int_equal(delta_tasks(board, since), wanted);
        }
    }
    assert_int_equal(board_changes(board, 0, 2), 2);
}

static void a_delta_row_is_the_task_as_it_is(void **state)
{
    struct board *board = board_of(state);
    uint64_t since = board_seq(board);
    struct board_task task = {.state = BOARD_FAILED,
                              .attempt = 2,
                              .started_ms = 1764000000000,
                              .duration_ms = 812,
                              .worker = "w1",
                              .message = "no",
                              .tests = {.passed = 3, .failed = 1, .skipped = 1, .flaky = 1}};
    board_set_task(board, 4, &task);
    task = (struct board_task){.state = BOARD_RUNNING, .attempt = 1};
    board_set_task(board, 0, &task);
    auto_buffer out = {0};
    board_add_delta(board, since, START_MS, &out);
    assert_non_null(strstr(out.data, "\"tasks\":[[0,1,1,0,0,null,null,0,0],"
                                     "[4,3,2,1764000000000,812,\"w1\",\"no\",6,1]],"
                                     "\"failures\":[[4,null,\"no\",null,null,\""));
    assert_non_null(strstr(out.data, "\",null,0]],\"failures_dropped\":0}"));
}

static void assert_failures(const struct board *board, size_t index, const char *wanted)
{
    auto_buffer found = {0};
    buffer_text(&found, "");
    for (size_t n = 0; n < board_failure_count(board, index); n++) {
        struct board_failure f = board_failure(board, index, n);
        buffer_format(&found, "%s%s|%s|%s|%s|%s:%d", n ? " " : "", f.title ? f.title : "-",
                      f.error->message ? f.error->message : "-", f.error->expected ? f.error->expected : "-",
                      f.error->received ? f.error->received : "-", f.file ? f.file : "-", f.line);
    }
    assert_string_equal(found.data, wanted);
}

static void a_red_task_says_why(void **state)
{
    struct board *board = board_of(state);
    static const struct board_error boom = {"boom", "3", "2"}, silent = {0};
    static const struct board_failure rows[] = {{"a", &boom, "a.ts", 7}, {"b", &silent, NULL, 0}};
    static const struct board_failures two = {.count = 2, .dropped = 5, .rows = rows}, none = {.dropped = 4};
    const struct {
        struct board_task task;
        const char *wanted;
    } cases[] = {
        {{.state = BOARD_PASSED, .message = "m"}, ""},
        {{.state = BOARD_SKIPPED, .message = "m"}, ""},
        {{.state = BOARD_CANCELLED, .message = "m"}, ""},
        {{.state = BOARD_FAILED}, "-|-|-|-|-:0"},
        {{.state = BOARD_FAILED, .message = "exit 1"}, "-|exit 1|-|-|-:0"},
        {{.state = BOARD_FAILED, .message = "m", .title = "t", .file = "f", .line = 3}, "t|m|-|-|f:3"},
        {{.state = BOARD_FAILED, .message = "m", .failures = &none}, "-|m|-|-|-:0"},
        {{.state = BOARD_FAILED, .message = "m", .failures = &two}, "a|boom|3|2|a.ts:7 b|-|-|-|-:0"},
        {{.state = BOARD_ERROR, .message = "timeout", .failures = &two},
         "-|timeout|-|-|-:0 a|boom|3|2|a.ts:7 b|-|-|-|-:0"},
        {{.state = BOARD_QUEUED, .message = "m", .failures = &two}, "a|boom|3|2|a.ts:7 b|-|-|-|-:0"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        board_set_task(board, 1, &cases[i].task);
        assert_failures(board, 1, cases[i].wanted);
        assert_int_equal(board_failures_dropped(board), cases[i].task.failures ? cases[i].task.failures->dropped : 0);
    }
    board_set_task(board, 1, &(struct board_task){.state = BOARD_FAILED, .message = "\xff", .failures = &two});
    assert_int_equal(board_changes(board, 0, 100), 2);
    assert_int_equal(board_changes(board, 0, 1), 1);
}

static void failures_are_kept_up_to_a_limit(void **state)
{
    struct board *board = board_of(state);
    static const struct board_error boom = {.message = "boom"};
    auto_free struct board_failure *rows = memory_zeroed(BOARD_FAILURES_MAX, sizeof(*rows));
    for (size_t i = 0; i < BOARD_FAILURES_MAX; i++)
        rows[i] = (struct board_failure){.title = "t", .error = &boom};
    const struct board_failures most = {.count = BOARD_FAILURES_MAX - 3, .rows = rows};
    const struct board_failures more = {.count = 10, .dropped = 1, .rows = rows};
    const struct board_task first = {.state = BOARD_FAILED, .failures = &most};
    const struct board_task second = {.state = BOARD_FAILED, .failures = &more};
    board_set_task(board, 0, &first);
    board_set_task(board, 1, &second);
    assert_int_equal(board_failure_count(board, 1), 3);
    assert_int_equal(board_failures_dropped(board), 8);
    assert_false(board_set_task(board, 1, &second));
    board_set_task(board, 2, &second);
    assert_int_equal(board_failure_count(board, 2), 1); /* the task itself */
    board_set_task(board, 0, &(struct board_task){.state = BOARD_PASSED});
    assert_true(board_set_task(board, 1, &second));
    assert_int_equal(board_failure_count(board, 1), 10);
    assert_int_equal(board_failures_dropped(board), 1 + 11);
}

static void assert_column(const cJSON *snapshot, const char *name, const int *wanted)
{
    const cJSON *column = cJSON_GetObjectItem(cJSON_GetObjectItem(snapshot, "tasks"), name);
    assert_int_equal(cJSON_GetArraySize(column), TASKS);
    for (int i = 0; i < TASKS; i++)
        if (cJSON_GetArrayItem(column, i)->valueint != wanted[i])
            fail_msg("%s[%d] is %d, wanted %d", name, i, cJSON_GetArrayItem(column, i)->valueint, wanted[i]);
}

static void assert_list(const cJSON *snapshot, const char *name, const char *wanted)
{
    char *text = cJSON_PrintUnformatted(cJSON_GetObjectItem(snapshot, name));
    assert_string_equal(text, wanted);
    free(text);
}

static void a_snapshot_is_columns_and_string_tables(void **state)
{
    struct board *board = board_of(state);
    static const char *const workers[TASKS] = {NULL, "w2", "w1", "w2", NULL, "w3"};
    static const char *const messages[TASKS] = {"", NULL, "boom", NULL, "boom", "bang"};
    for (size_t i = 0; i < TASKS; i++) {
        struct board_task task = {
            .state = (enum board_state)i, .worker = workers[i], .message = messages[i], .title = "not in it"};
        board_set_task(board, i, &task);
    }
    static const struct board_error error = {.message = "bo\nom", .expected = "3"};
    static const struct board_failure rows[] = {{"a", &error, "a.ts", 7}, {"b", &error, "a.ts", 9}};
    static const struct board_failures failures = {.count = 2, .dropped = 1, .rows = rows};
    char causes[2][CAUSES_ID_SIZE];
    causes_format_id(causes_number(error.message, error.expected, NULL), causes[0]);
    causes_format_id(causes_number(NULL, NULL, NULL), causes[1]);
    struct board_task red = {.state = BOARD_FAILED, .worker = "w2", .failures = &failures};
    board_set_task(board, 3, &red);
    /* A text that nobody has any more is not in the tables. */
    struct board_task task = {.state = BOARD_ERROR, .attempt = 3, .worker = "w1", .tests = {.failed = 2, .flaky = 1}};
    board_set_task(board, 5, &task);

    for (int round = 0; round < 2; round++) {
        auto_buffer out = {0};
        board_add_snapshot(board, START_MS, &out);
        cJSON *root = parsed(&out);
        assert_list(root, "epoch", "\"epoch-1\"");
        assert_list(root, "groups", "[\"search\",\"cart\"]");
        assert_list(root, "specs", "[\"tests/a.spec.ts\",\"tests/b.spec.ts\"]");
        assert_list(root, "viewports", "[\"desktop\",\"mobile\"]");
        assert_list(root, "browsers", "[\"chrome\",\"firefox\",\"webkit\"]");
        assert_list(root, "runners", "[\"playwright\",\"smoke\"]");
        assert_list(root, "workers", "[\"w2\",\"w1\"]");
        assert_list(root, "messages", "[\"\",\"boom\"]");
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(root, "excluded")), 1);
        assert_int_equal(cJSON_GetObjectItem(root, "seq")->valuedouble, board_seq(board));
        assert_column(root, "group", (int[]){0, 0, 0, 1, 1, 1});
        assert_column(root, "number", (int[]){0, 1, 2, 0, 1, 2});
        assert_column(root, "spec", (int[]){0, 0, 0, 1, 1, 1});
        assert_column(root, "viewport", (int[]){0, 0, 1, 0, 0, 0});
        assert_column(root, "browser", (int[]){0, 1, 0, 0, 1, 2});
        assert_column(root, "runner", (int[]){0, 0, 0, 1, 1, 1});
        assert_column(root, "status", (int[]){0, 1, 2, 3, 4, 5});
        assert_column(root, "attempt", (int[]){0, 0, 0, 0, 0, 3});
        assert_column(root, "worker", (int[]){-1, 0, 1, 0, -1, 1});
        assert_column(root, "message", (int[]){0, -1, 1, -1, 1, -1});
        assert_column(root, "tests", (int[]){0, 0, 0, 0, 0, 3});
        assert_column(root, "tests_failed", (int[]){0, 0, 0, 0, 0, 2});
        assert_list(root, "failures",
                    "{\"task\":[3,3,5],\"title\":[0,1,-1],\"error\":[0,0,1],\"file\":[0,0,-1],\"line\":[7,9,0]}");
        auto_free char *errors =
            memory_format("{\"message\":[\"bo\\nom\",null],\"expected\":[\"3\",null],\"received\":[null,null],"
                          "\"cause\":[\"%s\",\"%s\"]}",
                          causes[0], causes[1]);
        assert_list(root, "errors", errors);
        assert_list(root, "titles", "[\"a\",\"b\"]");
        assert_list(root, "files", "[\"a.ts\"]");
        assert_list(root, "failures_dropped", "1");
        cJSON_Delete(root);
    }
}

static void workers_are_counted_by_what_they_are_now(void **state)
{
    struct board *board = board_of(state);
    struct board_totals totals;
    char name[16];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "w%u", i);
        board_worker_joined(board, name, 2);
    }
    board_worker_left(board, "w1", true);
    board_worker_left(board, "w1", true);
    board_worker_left(board, "w2", false);
    board_worker_left(board, "w3", true);
    board_worker_joined(board, "w3", 2);
    board_totals(board, START_MS, &totals);
    assert_int_equal(totals.workers_live, 98);
    assert_int_equal(totals.workers_lost, 1);
}

static void the_bound_is_the_longest_task_or_the_share_of_a_slot(void **state)
{
    struct board *board = board_of(state);
    assert_int_equal(board_bound_ms(board), 0);
    struct board_task task = {.state = BOARD_FAILED, .attempt = 1, .duration_ms = 9000};
    board_set_task(board, 0, &task);
    assert_int_equal(board_bound_ms(board), 9000);
    for (size_t i = 1; i < 5; i++)
        board_set_task(board, i, &task);
    board_worker_joined(board, "w1", 1);
    board_worker_joined(board, "w2", 2);
    assert_int_equal(board_bound_ms(board), 15000);
    board_worker_left(board, "w2", false); /* the most slots at a time count */
    assert_int_equal(board_bound_ms(board), 15000);
    task = (struct board_task){.state = BOARD_PASSED, .attempt = 2, .duration_ms = 11000, .earlier_ms = 9000};
    board_set_task(board, 0, &task);
    assert_int_equal(board_bound_ms(board), 20000);
}

static void an_estimate_needs_five_tasks_and_a_slot(void **state)
{
    struct board *board = board_of(state);
    struct board_totals totals;
    struct board_task task = {.state = BOARD_PASSED, .attempt = 1, .duration_ms = 4000};
    board_worker_joined(board, "w1", 1);
    for (size_t i = 0; i < 4; i++)
        board_set_task(board, i, &task);
    board_totals(board, START_MS, &totals);
    assert_false(totals.has_eta);

    board_set_task(board, 4, &task);
    board_totals(board, START_MS, &totals);
    assert_true(totals.has_eta);
    assert_int_equal(totals.eta_low_ms, 4000); /* equal durations leave no doubt */
    assert_int_equal(totals.eta_high_ms, 4000);

    struct board_task running = {.state = BOARD_RUNNING, .attempt = 1, .started_ms = START_MS};
    board_set_task(board, 5, &running);
    board_totals(board, START_MS + 1000, &totals);
    assert_int_equal(totals.eta_low_ms, 3000);
    board_totals(board, START_MS + 60000, &totals); /* longer than any: due any moment */
    assert_int_equal(totals.eta_high_ms, 0);

    board_worker_left(board, "w1", true);
    board_totals(board, START_MS, &totals);
    assert_false(totals.has_eta);
    board_worker_joined(board, "w1", 1);
    board_set_run(
        board, &(struct board_run){.state = BOARD_RUN_FINISHED, .started_ms = START_MS, .finished_ms = START_MS + 9});
    board_totals(board, START_MS, &totals);
    assert_false(totals.has_eta);
}

static void an_estimate_says_how_unsure_it_is(void **state)
{
    struct board *board = board_of(state);
    struct board_totals totals;
    for (size_t i = 0; i < 5; i++) {
        struct board_task task = {.state = BOARD_PASSED, .attempt = 1, .duration_ms = 1000 * (i + 1)};
        board_set_task(board, i, &task);
    }
    board_worker_joined(board, "w1", 4);
    board_totals(board, START_MS, &totals);
    /* m = 3, s = sqrt(2.5), k = 1, n = 5, one slot, as one task uses no more: 3 - 2 s sqrt(1.2) < 0, 3 + … = 6.464 */
    assert_int_equal(totals.eta_low_ms, 0);
    assert_int_equal(totals.eta_high_ms, 6464);
}

static cJSON *listed(struct board *board, struct board_query query)
{
    auto_buffer out = {0};
    query.limit = query.limit ? query.limit : 100;
    assert_true(board_add_tasks(board, &query, &out));
    return parsed(&out);
}

/* "search:0 cart:1", in the order of the answer. */
static void assert_tasks(struct board *board, struct board_query query, const char *wanted)
{
    auto_buffer found = {0};
    cJSON *root = listed(board, query);
    const cJSON *task;
    buffer_text(&found, "");
    cJSON_ArrayForEach(task, cJSON_GetObjectItem(root, "tasks"))
    {
        const char *key = cJSON_GetStringValue(cJSON_GetObjectItem(task, "key"));
        buffer_format(&found, "%s%s", found.length ? " " : "", key + strlen("task:"));
    }
    cJSON_Delete(root);
    assert_string_equal(found.data, wanted);
}

static void a_query_filters_and_sorts(void **state)
{
    struct board *board = board_of(state);
    static const unsigned durations[TASKS] = {50, 20, 20, 10, 0, 40};
    static const enum board_state states[TASKS] = {2, 3, 2, 5, 0, 3};
    for (size_t i = 0; i < TASKS; i++) {
        struct board_task task = {.state = states[i],
                                  .attempt = 1,
                                  .duration_ms = durations[i],
                                  .worker = i < 2 ? "Host-9" : NULL,
                                  .message = i == 3 ? "exit 127" : NULL,
                                  .tests = {.failed = (unsigned)i % 2}};
        board_set_task(board, i, &task);
    }
    static const struct board_error error = {"first\nsecond line", "three", "two"};
    static const struct board_failure rest[] = {{"cart › pays", &error, NULL, 0},
                                                {"cart › adds an item", &error, "a.ts", 1}};
    static const struct board_failures failures = {.count = 2, .rows = rest};
    struct board_task red = *board_task(board, 5);
    red.failures = &failures;
    board_set_task(board, 5, &red);
    const unsigned bad = 1u << BOARD_FAILED | 1u << BOARD_ERROR;
    const struct {
        struct board_query query;
        const char *wanted;
    } rows[] = {
        {{0}, "search:0 search:1 search:2 cart:0 cart:1 cart:2"},
        {{.states = bad}, "search:1 cart:0 cart:2"},
        {{.states = 1u << BOARD_CANCELLED}, ""},
        {{.text = "SEARCH"}, "search:0 search:1 search:2"},
        {{.text = "b.spec"}, "cart:0 cart:1 cart:2"},
        {{.text = "host-9"}, "search:0 search:1"},
        {{.text = "127"}, "cart:0"},
        {{.text = "cart:2"}, "cart:2"},
        {{.text = "firefox"}, ""},
        {{.text = "\xff%s"}, ""},
        {{.text = "Adds an"}, "cart:2"},
        {{.text = "second line"}, "cart:2"},
        {{.text = "a.ts"}, "cart:2"},
        {{.text = "three"}, "cart:2"},
        {{.text = "two"}, "cart:2"},
        {{.text = "cart", .states = 1u << BOARD_FAILED}, "cart:2"},
        {{.sort = "duration_ms"}, "cart:1 cart:0 search:1 search:2 cart:2 search:0"},
        {{.sort = "-duration_ms"}, "search:0 cart:2 search:1 search:2 cart:0 cart:1"},
        {{.sort = "-duration_ms", .limit = 2, .offset = 1}, "cart:2 search:1"},
        {{.sort = "status"}, "cart:1 search:0 search:2 search:1 cart:2 cart:0"},
        {{.sort = "-worker", .limit = 3}, "search:0 search:1 search:2"},
        {{.sort = "-message", .limit = 1}, "cart:0"},
        {{.sort = "group"}, "cart:0 cart:1 cart:2 search:0 search:1 search:2"},
        {{.sort = "-number", .limit = 2}, "search:2 cart:2"},
        {{.sort = "browser", .limit = 4}, "search:0 search:2 cart:0 search:1"},
        {{.sort = "-viewport", .limit = 1}, "search:2"},
        {{.sort = "-runner", .limit = 1}, "cart:0"},
        {{.sort = "-spec", .limit = 1}, "cart:0"},
        {{.sort = "-tests_failed", .limit = 1}, "search:1"},
        {{.sort = "-tests", .limit = 1}, "search:1"},
        {{.sort = "attempt", .limit = 1}, "search:0"},
        {{.sort = "started_ms", .limit = 1}, "search:0"},
        {{.offset = 6}, ""},
        {{.offset = SIZE_MAX, .limit = SIZE_MAX}, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_tasks(board, rows[i].query, rows[i].wanted);

    auto_buffer out = {0};
    assert_false(board_add_tasks(board, &(struct board_query){.sort = "colour", .limit = 1}, &out));
    assert_false(board_add_tasks(board, &(struct board_query){.sort = "--spec", .limit = 1}, &out));
    assert_false(board_add_tasks(board, &(struct board_query){.sort = "", .limit = 1}, &out));
    assert_int_equal(out.length, 0);
}

static void a_cursor_leads_through_all_of_them(void **state)
{
    struct board *board = board_of(state);
    struct board_query query = {.limit = 4};
    cJSON *page = listed(board, query);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(page, "tasks")), 4);
    assert_int_equal(cJSON_GetObjectItem(page, "total")->valueint, 6);
    query.offset = strtoul(cJSON_GetStringValue(cJSON_GetObjectItem(page, "next")), NULL, 10);
    cJSON_Delete(page);
    page = listed(board, query);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(page, "tasks")), 2);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(page, "next")));
    cJSON_Delete(page);
}

static void hostile_texts_stay_texts(void **state)
{
    static const char hostile[] = "</script><img src=x onerror=alert(1)>\"\\\n\t\x01\x1b[31m\xe2\x80\xa8{\"a\":1}";
    struct board *board = board_of(state);
    struct board_task task = {
        .state = BOARD_FAILED, .attempt = 1, .worker = hostile, .message = hostile, .title = hostile};
    board_set_task(board, 1, &task);

    auto_buffer out = {0};
    board_add_snapshot(board, START_MS, &out);
    cJSON *root = parsed(&out);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(cJSON_GetObjectItem(root, "messages"), 0)), hostile);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(cJSON_GetObjectItem(root, "workers"), 0)), hostile);
    cJSON_Delete(root);
    assert_null(strpbrk(out.data, "\n\t\x01\x1b")); /* a frame of the stream is one line */

    buffer_clear(&out);
    board_add_delta(board, 0, START_MS, &out);
    root = parsed(&out);
    const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "tasks"), 0);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(row, 6)), hostile);
    cJSON_Delete(root);
    assert_null(strpbrk(out.data, "\n\t\x01\x1b"));
}

static void a_task_comes_with_its_attempts(void **state)
{
    struct board *board = board_of(state);
    struct board_task task = {.state = BOARD_ERROR, .attempt = 2, .worker = "w1", .message = "exit 127"};
    ptrdiff_t index = board_find(board, "task:cart:1");
    assert_int_equal(index, 4);
    assert_int_equal(board_find(board, "task:cart:3"), -1);
    board_set_task(board, (size_t)index, &task);
    auto_buffer out = {0};
    board_add_task(board, (size_t)index, "[{\"attempt\":1}]", &out);
    assert_string_equal(
        out.data, "{\"key\":\"task:cart:1\",\"group\":\"cart\",\"spec\":\"tests/b.spec.ts\",\"viewport\":\"desktop\","
                  "\"browser\":\"firefox\",\"runner\":\"smoke\",\"status\":\"error\",\"attempt\":2,"
                  "\"started_ms\":0,\"duration_ms\":0,\"worker\":\"w1\",\"message\":\"exit 127\",\"tests\":0,"
                  "\"tests_failed\":0,\"failures\":[{\"title\":null,\"message\":\"exit 127\",\"expected\":null,"
                  "\"received\":null,\"cause\":\"3f049e8c055be3cf\",\"file\":null,\"line\":0}],\"failures_dropped\":"
                  "0,\"attempts\":[{\"attempt\":1}]}");
}

static void earlier_runs_follow_this_one(void **state)
{
    struct board *board = board_of(state);
    auto_buffer out = {0};
    board_set_history(board, "[{\"run_id\":\"run-0\",\"verdict\":\"failed\"},{\"run_id\":\"run-1\"},{\"x\":1}]");
    board_add_runs(board, START_MS, &out);
    cJSON *root = parsed(&out);
    assert_int_equal(cJSON_GetArraySize(root), 3);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetArrayItem(root, 0), "run_id")), "run-1");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetArrayItem(root, 1), "run_id")), "run-0");
    cJSON_Delete(root);

    buffer_clear(&out);
    assert_true(board_add_run(board, "run-0", START_MS, &out));
    assert_string_equal(out.data, "{\"run_id\":\"run-0\",\"verdict\":\"failed\"}");
    buffer_clear(&out);
    assert_true(board_add_run(board, "run-1", START_MS, &out));
    assert_non_null(strstr(out.data, "\"counts\""));
    buffer_clear(&out);
    assert_false(board_add_run(board, "run-9", START_MS, &out));
    assert_int_equal(out.length, 0);

    static const char *const useless[] = {"", "[", "{}", "[1]", "null"};
    for (size_t i = 0; i < COUNT(useless); i++) {
        board_set_history(board, useless[i]);
        assert_false(board_add_run(board, "run-0", START_MS, &out));
    }
}

/* A given id can have had a run of other code before. */
static void an_earlier_run_of_the_same_id_is_listed(void **state)
{
    struct board *board = board_of(state);
    auto_buffer out = {0};
    board_set_history(board, "[{\"run_id\":\"run-1\",\"started_at\":\"1970-01-01T00:16:40.000Z\"},"
                             "{\"run_id\":\"run-1\",\"started_at\":\"1970-01-01T00:00:00.000Z\"}]");
    board_add_runs(board, START_MS, &out);
    cJSON *root = parsed(&out);
    assert_int_equal(cJSON_GetArraySize(root), 2);
    cJSON_Delete(root);
}

static void assert_source(const struct board *board, const char *wanted)
{
    auto_buffer out = {0};
    board_add_summary(board, START_MS, &out);
    const char *found = strstr(out.data, "\"source\":");
    assert_non_null(found);
    if (strncmp(found, wanted, strlen(wanted)) != 0)
        fail_msg("found %.200s, wanted %s", found, wanted);
}

static void what_is_tested_stands_in_the_summary(void **state)
{
    struct board *board = board_of(state);
    struct board_run run = {.state = BOARD_RUN_RUNNING, .started_ms = START_MS, .branch = "main"};
    char long_text[5000];
    board_set_run(board, &run);
    assert_source(board, "\"source\":null,");
    run.source = "abc";
    uint64_t seq = board_seq(board);
    board_set_run(board, &run);
    assert_int_equal(board_seq(board), seq + 1);
    board_set_run(board, board_run(board));
    assert_int_equal(board_seq(board), seq + 1);
    assert_source(board, "\"source\":{\"id\":\"abc\",\"branch\":\"main\",\"url\":null},");
    run.branch = NULL;
    run.url = "https://ci.example/1";
    board_set_run(board, &run);
    assert_source(board, "\"source\":{\"id\":\"abc\",\"branch\":null,\"url\":\"https://ci.example/1\"},");
    run.url = "javascript:alert(1)";
    board_set_run(board, &run);
    assert_source(board, "\"source\":{\"id\":\"abc\",\"branch\":null,\"url\":null},");
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    run.source = long_text;
    run.branch = "\xff\"";
    board_set_run(board, &run);
    assert_int_equal(strlen(board_run(board)->source), 1024);
    assert_string_equal(board_run(board)->branch, "\xef\xbf\xbd\"");
}

static void what_is_no_utf8_is_shown_all_the_same(void **state)
{
    struct board *board = board_of(state);
    const struct board_task task = {.state = BOARD_FAILED,
                                    .attempt = 1,
                                    .worker = "w\xff",
                                    .message = "boom \xc3 \xe2\x82\xac",
                                    .title = "\xed\xa0\x80",
                                    .file = "\xf8"};
    auto_buffer out = {0};
    assert_true(board_set_task(board, 0, &task));
    assert_false(board_set_task(board, 0, &task)); /* it is what it was */
    assert_string_equal(board_task(board, 0)->worker, "w\xef\xbf\xbd");
    assert_string_equal(board_task(board, 0)->message, "boom \xef\xbf\xbd \xe2\x82\xac");
    board_add_snapshot(board, START_MS, &out);
    cJSON_Delete(parsed(&out));
    buffer_clear(&out);
    board_add_delta(board, 0, START_MS, &out);
    cJSON_Delete(parsed(&out));
    buffer_clear(&out);
    board_add_task(board, 0, "[]", &out);
    cJSON_Delete(parsed(&out));
}

static void the_slowest_come_first(void **state)
{
    struct board *board = board_of(state);
    static const unsigned durations[TASKS] = {5, 9, 1, 9, 7, 100};
    size_t indices[4];
    assert_int_equal(board_slowest(board, indices, 4), 0);
    for (size_t i = 0; i < TASKS; i++) {
        struct board_task task = {.state = i == 5 ? BOARD_RUNNING : BOARD_PASSED, .duration_ms = durations[i]};
        board_set_task(board, i, &task);
    }
    assert_int_equal(board_slowest(board, indices, 4), 4);
    assert_memory_equal(indices, ((size_t[]){1, 3, 4, 0}), sizeof(indices));
    assert_int_equal(board_slowest(board, indices, 1), 1);
    assert_int_equal(indices[0], 1);
    assert_int_equal(board_slowest(board, indices, 0), 0);
}

static void sums_hold_through_a_long_history(void **state)
{
    struct board *board = board_of(state);
    uint32_t random = 7;
    for (unsigned step = 0; step < 5000; step++) {
        random = random * 1664525u + 1013904223u;
        struct board_task task = {.state = (enum board_state)((random >> 8) % BOARD_STATES),
                                  .attempt = step,
                                  .started_ms = random >> 20,
                                  .duration_ms = random >> 3,
                                  .earlier_ms = random >> 9,
                                  .tests = {random >> 28, random >> 29, random >> 30, random >> 31}};
        board_set_task(board, (random >> 16) % TASKS, &task);
    }
    struct board_totals totals;
    size_t counts[BOARD_STATES] = {0};
    uint64_t compute_ms = 0, tests = 0;
    board_totals(board, START_MS, &totals);
    for (size_t i = 0; i < TASKS; i++) {
        const struct board_task *task = board_task(board, i);
        counts[task->state]++;
        compute_ms += task->duration_ms + task->earlier_ms;
        tests += task->tests.passed;
    }
    assert_memory_equal(totals.counts, counts, sizeof(counts));
    assert_int_equal(totals.compute_ms, compute_ms);
    assert_int_equal(totals.tests_passed, tests);

    for (size_t i = 0; i < TASKS; i++)
        board_set_task(board, i, &(struct board_task){0});
    board_totals(board, START_MS, &totals);
    assert_int_equal(totals.compute_ms, 0);
    assert_int_equal(totals.counts[BOARD_QUEUED], TASKS);
}

#define BOARD_TEST(name) cmocka_unit_test_setup_teardown(name, open_board, close_board)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOARD_TEST(a_fresh_board_has_everything_queued),
        BOARD_TEST(a_finished_board_sums_up),
        BOARD_TEST(the_time_between_an_end_and_a_rerun_is_nobodys),
        BOARD_TEST(a_verdict_needs_every_task),
        cmocka_unit_test(a_run_without_tasks_is_not_green),
        BOARD_TEST(the_same_again_changes_nothing),
        BOARD_TEST(each_field_of_a_task_is_a_change),
        BOARD_TEST(a_delta_holds_what_changed_since_any_number),
        BOARD_TEST(a_delta_row_is_the_task_as_it_is),
        BOARD_TEST(a_red_task_says_why),
        BOARD_TEST(failures_are_kept_up_to_a_limit),
        BOARD_TEST(a_snapshot_is_columns_and_string_tables),
        BOARD_TEST(workers_are_counted_by_what_they_are_now),
        BOARD_TEST(the_bound_is_the_longest_task_or_the_share_of_a_slot),
        BOARD_TEST(an_estimate_needs_five_tasks_and_a_slot),
        BOARD_TEST(an_estimate_says_how_unsure_it_is),
        BOARD_TEST(a_query_filters_and_sorts),
        BOARD_TEST(a_cursor_leads_through_all_of_them),
        BOARD_TEST(hostile_texts_stay_texts),
        BOARD_TEST(a_task_comes_with_its_attempts),
        BOARD_TEST(earlier_runs_follow_this_one),
        BOARD_TEST(an_earlier_run_of_the_same_id_is_listed),
        BOARD_TEST(what_is_tested_stands_in_the_summary),
        BOARD_TEST(what_is_no_utf8_is_shown_all_the_same),
        BOARD_TEST(the_slowest_come_first),
        BOARD_TEST(sums_hold_through_a_long_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
