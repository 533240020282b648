/*
 * A runner that writes any bytes as its events, and its output: however they are cut into pieces the verdict is the
 * same, nothing but a pass in all respects passes, with a test of its own and no line that can't be read, nothing but
 * tests that all skipped themselves is skipped, and the board reads in the details what the worker wrote.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/task_record.h"
#include "shared/json.h"
#include "shared/memory.h"
#include "shared/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "worker/event_reader.h"
#include "worker/judge.h"
#include "worker/test_record.h"

static void require_line(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    require(length < size && utf8_is_valid(text, length));
    for (size_t i = 0; i < length; i++)
        require((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}

static unsigned seen(const struct judge *j)
{
    return j->counts.passed + j->counts.failed + j->counts.skipped + j->counts.flaky;
}

static void require_text(const cJSON *text, size_t max)
{
    require(text == NULL || (cJSON_IsString(text) && strlen(text->valuestring) <= max));
}

/* One that is there isn't empty. */
static void require_list(const cJSON *test, const char *name, int max, const char *text, size_t text_max)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(test, name), *element;
    require(list == NULL || (cJSON_IsArray(list) && cJSON_GetArraySize(list) > 0 && cJSON_GetArraySize(list) <= max));
    cJSON_ArrayForEach(element, list)
    {
        const cJSON *named = text ? cJSON_GetObjectItemCaseSensitive(element, text) : element;
        require(named != NULL);
        require_text(named, text_max);
    }
}

static void require_test(const cJSON *test)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(test, "error");
    require_text(cJSON_GetObjectItemCaseSensitive(error, "expected"), TEST_VALUE_MAX);
    require_text(cJSON_GetObjectItemCaseSensitive(error, "received"), TEST_VALUE_MAX);
    require_list(test, "steps", TEST_STEPS_MAX, "title", TEST_STEP_TITLE_MAX);
    require_list(test, "tags", TEST_WORDS_MAX, NULL, TEST_WORD_MAX);
    require_list(test, "annotations", TEST_WORDS_MAX, "type", TEST_WORD_MAX);
    const cJSON *title = cJSON_GetObjectItemCaseSensitive(test, "title");
    const cJSON *duration = cJSON_GetObjectItemCaseSensitive(test, "duration_ms");
    const cJSON *line = cJSON_GetObjectItemCaseSensitive(test, "line");
    const cJSON *part;
    require(cJSON_IsArray(title) && cJSON_GetArraySize(title) <= TEST_TITLE_PARTS_MAX);
    cJSON_ArrayForEach(part, title) require_text(part, TEST_TITLE_PART_MAX);
    require(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(test, "status")));
    require(cJSON_IsNumber(duration) && duration->valuedouble >= 0 && duration->valuedouble <= 1e12);
    require(line == NULL || (cJSON_IsNumber(line) && line->valueint > 0));
}

static void require_tests(struct judge *j)
{
    auto_free char *text = judge_take_tests(j);
    struct error err;
    cJSON *tests;
    require(strlen(text) <= JUDGE_TESTS_MAX + 2);
    require(json_parse(&tests, text, strlen(text), &err) == 0);
    require(cJSON_IsArray(tests) && (unsigned)cJSON_GetArraySize(tests) + j->tests_dropped == seen(j));
    const cJSON *test;
    cJSON_ArrayForEach(test, tests) require_test(test);
    cJSON_Delete(tests);
}

static bool is_text(const char *found, const char *wanted)
{
    return wanted[0] == '\0' ? found == NULL : found != NULL && strcmp(found, wanted) == 0;
}

/* Written by the worker, read by the controller. */
static void require_details(const struct judge *j)
{
    auto_free char *details = judge_details(j);
    if (details == NULL) {
        require(seen(j) == 0 && j->message[0] == '\0');
        return;
    }
    struct board_task task = {0};
    struct task_record_details borrowed;
    require(task_record_apply_details(&task, details, &borrowed));
    require(memcmp(&task.tests, &j->counts, sizeof(task.tests)) == 0);
    require(is_text(task.message, j->message));
    require(is_text(task.title, j->title));
    require(is_text(task.file, j->file));
    require(task.line == (j->file[0] ? j->line_number : 0));
    require((task.failures ? task.failures->count + task.failures->dropped : 0) == j->counts.failed);
    require(strlen(details) <= JUDGE_FAILURES_BYTES + 16 * 1024);
    task_record_close_details(&borrowed);
}

static void on_event(void *data, const cJSON *event, const char *text)
{
    judge_take(data, event, text);
}

static void feed(struct judge *j, const char *bytes, size_t length, size_t piece)
{
    struct event_reader reader;
    judge_init(j);
    event_reader_init(&reader, on_event, j);
    j->spec = "sub/a.spec.ts";
    j->root = "/srv";
    j->cwd = "sub";
    for (size_t at = 0; at < length; at += piece)
        event_reader_feed(&reader, bytes + at, at + piece < length ? piece : length - at);
    event_reader_end(&reader);
    event_reader_close(&reader);
}

static bool is_silent(const struct judge *j)
{
    return seen(j) == 0 && !j->runner_error && j->spec_status == TASK_UNKNOWN && j->other_spec[0] == '\0';
}

static void require_verdict(const struct judge *j, const struct runner_end *end, unsigned timeout_s,
                            const struct verdict *verdict)
{
    require_line(verdict->reason, sizeof(verdict->reason));
    require(verdict->result != TASK_UNKNOWN);
    if (verdict->result == TASK_SKIPPED) {
        require(end->kind == RUNNER_EXITED && (end->code == 0 || end->code == 77) && timeout_s == 0);
        require(!is_silent(j) || (!j->expects_events && end->code == 77));
        require(j->unreadable_lines == 0);
        require(is_silent(j) || (j->spec_status == TASK_SKIPPED && j->counts.failed == 0 && !j->runner_error &&
                                 j->own_passed == 0 && j->own_skipped > 0));
    }
    if (verdict->result == TASK_PASSED) {
        require(end->kind == RUNNER_EXITED && end->code == 0 && timeout_s == 0 && verdict->reason[0] == '\0');
        require(!is_silent(j) || !j->expects_events);
        require(j->unreadable_lines == 0);
        require(is_silent(j) || (j->spec_status == TASK_PASSED && j->counts.failed == 0 && !j->runner_error &&
                                 j->own_passed > 0 && j->own_passed <= j->counts.passed + j->counts.flaky));
    } else {
        require(verdict->reason[0] != '\0' || j->message[0] != '\0');
    }
}

static void judge_ends(struct judge *whole, struct judge *pieces)
{
    static const struct {
        struct runner_end end;
        unsigned timeout_s;
        bool expects_events;
    } rows[] = {
        {{.kind = RUNNER_EXITED}, 0, false},
        {{.kind = RUNNER_EXITED}, 0, true},
        {{.kind = RUNNER_EXITED, .code = 1}, 0, false},
        {{.kind = RUNNER_EXITED, .code = 255}, 0, true},
        {{.kind = RUNNER_EXITED, .code = 77}, 0, false},
        {{.kind = RUNNER_EXITED, .code = 77}, 0, true},
        {{.kind = RUNNER_SIGNALED, .code = 9}, 0, false},
        {{.kind = RUNNER_NOT_STARTED, .code = ENOENT}, 0, true},
        {{.kind = RUNNER_EXITED}, 7, false},
    };
    struct runner runner = {0};
    memset(runner.exit_results, TASK_ERROR, sizeof(runner.exit_results));
    runner.exit_results[0] = TASK_PASSED;
    runner.exit_results[1] = TASK_FAILED;
    runner.exit_results[77] = TASK_SKIPPED;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct verdict verdict, same;
        whole->expects_events = pieces->expects_events = rows[i].expects_events;
        judge_verdict(whole, &runner, &rows[i].end, "runner", rows[i].timeout_s, &verdict);
        judge_verdict(pieces, &runner, &rows[i].end, "runner", rows[i].timeout_s, &same);
        require(verdict.result == same.result && strcmp(verdict.reason, same.reason) == 0);
        require_verdict(whole, &rows[i].end, rows[i].timeout_s, &verdict);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct judge whole, pieces;
    feed(&whole, (const char *)data, size, size + 1);
    feed(&pieces, (const char *)data, size, 7);
    judge_ends(&whole, &pieces);
    require(whole.unreadable_lines == pieces.unreadable_lines);
    require(strcmp(whole.unreadable_sample, pieces.unreadable_sample) == 0);
    require_line(whole.unreadable_sample, sizeof(whole.unreadable_sample));
    require_line(whole.other_spec, sizeof(whole.other_spec));
    require(memcmp(&whole.counts, &pieces.counts, sizeof(whole.counts)) == 0);
    require_line(whole.message, sizeof(whole.message));
    require_line(whole.file, sizeof(whole.file));
    require_line(whole.title, sizeof(whole.title));
    require(whole.line_number >= 0);
    require_details(&whole);
    require_tests(&whole);
    judge_clear(&whole);
    require(is_silent(&whole) && whole.tests.length == 0 && whole.message[0] == '\0');
    judge_close(&whole);
    judge_close(&pieces);
    return 0;
}
