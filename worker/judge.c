#include "worker/judge.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/json_writer.h"
#include "shared/memory.h"
#include "worker/error_line.h"
#include "worker/message_lines.h"
#include "worker/one_line.h"
#include "worker/test_record.h"

void judge_init(struct judge *j)
{
    *j = (struct judge){0};
}

void judge_clear(struct judge *j)
{
    struct buffer tests = j->tests, failures = j->failures;
    buffer_clear(&tests);
    buffer_clear(&failures);
    judge_init(j);
    j->tests = tests;
    j->failures = failures;
}

void judge_close(struct judge *j)
{
    buffer_close(&j->tests);
    buffer_close(&j->failures);
    *j = (struct judge){0};
}

char *judge_take_tests(struct judge *j)
{
    struct buffer tests = {0};
    buffer_text(&tests, "[");
    if (j->tests.length > 0)
        buffer_text(&tests, j->tests.data);
    buffer_text(&tests, "]");
    buffer_clear(&j->tests);
    return buffer_take(&tests);
}

char *judge_details(const struct judge *j)
{
    const struct test_counts *c = &j->counts;
    if (c->passed + c->failed + c->skipped + c->flaky == 0 && j->message[0] == '\0')
        return NULL;
    struct buffer details = {0};
    buffer_text(&details, "{");
    json_add_key(&details, "tests");
    buffer_format(&details, "[%u,%u,%u,%u]", c->passed, c->failed, c->skipped, c->flaky);
    if (j->message[0])
        json_add_key(&details, "message"), json_add_text(&details, j->message);
    if (j->title[0])
        json_add_key(&details, "title"), json_add_text(&details, j->title);
    if (j->file[0]) {
        json_add_key(&details, "file"), json_add_text(&details, j->file);
        json_add_key(&details, "line"), json_add_int(&details, j->line_number);
    }
    if (j->failure_count > 0) {
        json_add_key(&details, "failures");
        buffer_format(&details, "[%s]", j->failures.data);
    }
    if (j->failures_dropped > 0)
        json_add_key(&details, "failures_dropped"), json_add_uint(&details, j->failures_dropped);
    buffer_text(&details, "}");
    return buffer_take(&details);
}

/* ---- members ---- */

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static double number_of(const cJSON *object, const char *name, double max)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item) || !(item->valuedouble > 0))
        return 0;
    return item->valuedouble < max ? item->valuedouble : max;
}

/* ---- names of specs ---- */

/* The length of the next part, without "." and empty ones, which mean nothing; 0: there is none. */
static size_t next_part(const char **path)
{
    for (;;) {
        *path += strspn(*path, "/");
        size_t length = strcspn(*path, "/");
        if (length != 1 || **path != '.')
            return length;
        *path += length;
    }
}

/* What follows in `path` after the parts of `prefix`, or NULL: it doesn't begin so. */
static const char *after_prefix(const char *path, const char *prefix)
{
    for (size_t length; (length = next_part(&prefix)) > 0; prefix += length, path += length)
        if (next_part(&path) != length || memcmp(path, prefix, length) != 0)
            return NULL;
    return path;
}

static bool same_path(const char *a, const char *b)
{
    const char *rest = after_prefix(a, b);
    return rest && next_part(&rest) == 0;
}

static bool is_own_name(const struct judge *j, const char *name)
{
    if (*name == '/') {
        const char *below = j->root ? after_prefix(name, j->root) : NULL;
        return below && same_path(below, j->spec);
    }
    const char *from_cwd = j->cwd ? after_prefix(j->spec, j->cwd) : NULL;
    return same_path(name, j->spec) || (from_cwd && same_path(name, from_cwd));
}

bool judge_is_named(const struct judge *j, const struct cJSON *event)
{
    const char *name = text_of(event, "spec");
    return j->spec && name && is_own_name(j, name);
}

/* Good news counts only if it is of this spec. Whose else it was is kept: it explains why this one had none. */
static bool is_own(struct judge *j, const cJSON *event)
{
    const char *name = text_of(event, "spec");
    if (j->spec == NULL || (name ? is_own_name(j, name) : !j->has_others))
        return true;
    if (j->other_spec[0] == '\0')
        one_line_set(j->other_spec, sizeof(j->other_spec), name);
    if (j->other_spec[0] == '\0') /* no name, or one that can't be shown */
        one_line_set(j->other_spec, sizeof(j->other_spec), "?");
    return false;
}

/* ---- events ---- */

/* Half of the room is for failed tests alone, so that thousands of passed ones don't leave out the one to look at. */
static void keep_record(struct judge *j, const cJSON *event, bool failed)
{
    auto_free char *text = test_record_format(event);
    size_t room = failed ? JUDGE_TESTS_MAX : JUDGE_TESTS_MAX / 2;
    if (j->tests.length + strlen(text) + 1 > room) {
        j->tests_dropped++;
        return;
    }
    json_add_item(&j->tests);
    buffer_text(&j->tests, text);
}

static void take_place(struct judge *j, const cJSON *event)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(event, "error");
    one_line_set(j->message, sizeof(j->message), text_of(error, "message"));
    one_line_set(j->file, sizeof(j->file), text_of(event, "file"));
    j->line_number = (int)number_of(event, "line", INT_MAX);
}

static void set_title(char *title, size_t size, const cJSON *event)
{
    auto_buffer whole = {0};
    const cJSON *part;
    cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(event, "title"))
    {
        if (!cJSON_IsString(part))
            continue;
        buffer_text(&whole, whole.length > 0 ? " › " : "");
        buffer_text(&whole, part->valuestring);
    }
    one_line_set(title, size, whole.data);
}

static void add_known(struct buffer *out, const char *name, const char *text)
{
    if (*text)
        json_add_key(out, name), json_add_text(out, text);
}

static void add_failure(struct buffer *out, const cJSON *event)
{
    enum { TITLE_SIZE = 401, VALUE_SIZE = 201, FILE_SIZE = 401 };
    char title[TITLE_SIZE], message[MESSAGE_LINES_SIZE], expected[VALUE_SIZE], received[VALUE_SIZE], file[FILE_SIZE];
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(event, "error");
    set_title(title, sizeof(title), event);
    one_line_set(expected, sizeof(expected), text_of(error, "expected"));
    one_line_set(received, sizeof(received), text_of(error, "received"));
    message_lines_set(message, text_of(error, "message"), *expected && *received);
    one_line_set(file, sizeof(file), text_of(event, "file"));
    buffer_text(out, "{");
    json_add_key(out, "title"), json_add_text(out, title);
    add_known(out, "message", message);
    add_known(out, "expected", expected);
    add_known(out, "received", received);
    add_known(out, "file", file);
    if (*file)
        json_add_key(out, "line"), json_add_int(out, (int)number_of(event, "line", INT_MAX));
    buffer_text(out, "}");
}

static void keep_failure(struct judge *j, const cJSON *event)
{
    auto_buffer failure = {0};
    add_failure(&failure, event);
    if (j->failure_count == JUDGE_FAILURES_MAX || j->failures.length + failure.length + 1 > JUDGE_FAILURES_BYTES) {
        j->failures_dropped++;
        return;
    }
    json_add_item(&j->failures);
    buffer_text(&j->failures, failure.data);
    j->failure_count++;
}

static unsigned count_attachments(const cJSON *event)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(event, "attachments");
    return cJSON_IsArray(list) ? (unsigned)cJSON_GetArraySize(list) : 0;
}

static bool on_test(struct judge *j, const cJSON *event)
{
    const struct {
        const char *status;
        unsigned *count;
        bool is_pass;
    } statuses[] = {
        {"passed", &j->counts.passed, true},
        {"failed", &j->counts.failed, false},
        {"skipped", &j->counts.skipped, false},
        {"flaky", &j->counts.flaky, true},
    };
    const char *status = text_of(event, "status");
    for (size_t i = 0; status && i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (strcmp(status, statuses[i].status) != 0)
            continue;
        bool failed = statuses[i].count == &j->counts.failed;
        if (failed && j->counts.failed == 0) {
            take_place(j, event);
            set_title(j->title, sizeof(j->title), event);
        }
        if (failed)
            keep_failure(j, event);
        ++*statuses[i].count;
        if (!failed && is_own(j, event))
            ++*(statuses[i].is_pass ? &j->own_passed : &j->own_skipped);
        j->attachments_dropped += count_attachments(event);
        keep_record(j, event, failed);
        return true;
    }
    return false;
}

static bool on_spec(struct judge *j, const cJSON *event)
{
    const char *status = text_of(event, "status");
    switch (task_result_parse(status ? status : "")) {
    case TASK_FAILED:
        j->spec_status = TASK_FAILED;
        return true;
    case TASK_SKIPPED:
        if (j->spec_status != TASK_FAILED && is_own(j, event))
            j->spec_status = TASK_SKIPPED;
        return true;
    case TASK_PASSED:
        if (j->spec_status == TASK_UNKNOWN && is_own(j, event))
            j->spec_status = TASK_PASSED;
        return true;
    default:
        return false;
    }
}

static bool on_error(struct judge *j, const cJSON *event)
{
    bool of_spec = text_of(event, "spec") && !j->spec_error;
    if (of_spec || (!j->runner_error && j->counts.failed == 0)) {
        take_place(j, event);
        j->title[0] = '\0';
    }
    j->runner_error = true;
    j->spec_error = j->spec_error || of_spec;
    return true;
}

/* Whether it could be read. */
static bool take_event(struct judge *j, const cJSON *event)
{
    static const struct {
        const char *name;
        bool (*on_event)(struct judge *j, const cJSON *event);
    } rows[] = {{"test", on_test}, {"spec", on_spec}, {"error", on_error}};
    const char *name = event ? text_of(event, "event") : NULL;
    for (size_t i = 0; name && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(name, rows[i].name) == 0)
            return rows[i].on_event(j, event);
    return false;
}

void judge_add_unreadable(struct judge *j, const char *sample)
{
    if (j->unreadable_lines++ == 0)
        one_line_set(j->unreadable_sample, sizeof(j->unreadable_sample), sample);
}

void judge_take(struct judge *j, const struct cJSON *event, const char *text)
{
    if (!take_event(j, event))
        judge_add_unreadable(j, text);
}

static bool is_text(const cJSON *object, const char *name, const char *wanted)
{
    const char *text = text_of(object, name);
    return text && strcmp(text, wanted) == 0;
}

void judge_take_others(struct judge *j, const struct cJSON *event)
{
    j->others_spoke = true;
    if (is_text(event, "event", "error") || is_text(event, "status", "failed"))
        j->others_failed = true;
}

/* ---- verdict ---- */

__attribute__((format(printf, 3, 4))) static void decide(struct verdict *v, enum task_result result,
                                                         const char *reason, ...)
{
    va_list args;
    va_start(args, reason);
    v->result = result;
    char text[1024];
    vsnprintf(text, sizeof(text), reason, args);
    va_end(args);
    one_line_set(v->reason, sizeof(v->reason), text);
}

/* With the exit status that a shell would give. */
static void decide_unstarted(int code, const char *program, struct verdict *v)
{
    if (code == ENOENT && strchr(program, '/') == NULL)
        decide(v, TASK_ERROR, "exit 127: cannot start %s: it is not in the worker's PATH; install it there", program);
    else
        decide(v, TASK_ERROR, "exit %d: cannot start %s: %s", code == ENOENT ? 127 : 126, program, strerror(code));
}

/* A runner that ended otherwise than by itself is an error, whatever it had said before. */
static bool decide_by_end(const struct runner_end *end, const char *program, unsigned timeout_s, struct verdict *v)
{
    if (timeout_s > 0) {
        decide(v, TASK_ERROR, "timeout after %u s", timeout_s);
        return true;
    }
    switch (end->kind) {
    case RUNNER_EXITED:
        return false;
    case RUNNER_SIGNALED:
        decide(v, TASK_ERROR, "signal %d", end->code);
        return true;
    case RUNNER_NOT_STARTED:
        decide_unstarted(end->code, program, v);
        return true;
    case RUNNER_NO_FOLDER:
        decide(v, TASK_ERROR, "cannot enter the folder that %s is to start in: %s", program, strerror(end->code));
        return true;
    case RUNNER_UNKNOWN:
        break;
    }
    decide(v, TASK_ERROR, "the supervisor of the runner was killed");
    return true;
}

static bool saw_tests(const struct judge *j)
{
    const struct test_counts *c = &j->counts;
    return c->passed + c->failed + c->skipped + c->flaky > 0 || j->spec_status != TASK_UNKNOWN ||
           j->other_spec[0] != '\0' || j->others_spoke;
}

static bool saw_events(const struct judge *j)
{
    return saw_tests(j) || j->runner_error;
}

bool judge_is_untouched(const struct judge *j)
{
    return !saw_tests(j) && !j->spec_error && j->unreadable_lines == 0;
}

void judge_lacks_file(struct judge *j, const char *name)
{
    j->lacks_file = name;
}

void judge_take_output(struct judge *j, const char *output)
{
    if (!saw_events(j))
        error_line_find(j->last_words, sizeof(j->last_words), output);
}

static void add_unreadable(struct buffer *out, const struct judge *j)
{
    const char *sample = j->unreadable_sample;
    if (j->unreadable_lines == 1)
        buffer_format(out, "1 event line can't be read%s%s", *sample ? ": " : "", sample);
    else
        buffer_format(out, "%u event lines can't be read%s%s", j->unreadable_lines, *sample ? ", the first: " : "",
                      sample);
}

/* What may be the cause of it: the events are another spec's, or nobody could read them. */
static void decide_missing(const struct judge *j, struct buffer *what, struct verdict *v)
{
    if (j->other_spec[0])
        buffer_format(what, ": the events are of \"%s\"", j->other_spec);
    if (j->unreadable_lines > 0) {
        buffer_text(what, "; ");
        add_unreadable(what, j);
    }
    decide(v, TASK_ERROR, "%s", what->data);
}

static void decide_no_test(const struct judge *j, int code, struct verdict *v)
{
    auto_buffer what = {0};
    if (code != 0)
        buffer_format(&what, "exit %d and ", code);
    if (j->other_spec[0])
        buffer_format(&what, "no test of \"%s\" was run", j->spec);
    else
        buffer_text(&what, "no test was run");
    if (j->counts.skipped > 0)
        buffer_format(&what, " (%u skipped)", j->counts.skipped);
    if (code != 0 && j->last_words[0])
        buffer_format(&what, ": %s", j->last_words);
    else if (j->lacks_file)
        buffer_format(&what, ": %s was not written", j->lacks_file);
    decide_missing(j, &what, v);
}

static void decide_no_end(const struct judge *j, int code, struct verdict *v)
{
    auto_buffer what = {0};
    buffer_format(&what, "exit %d before the spec had ended", code);
    decide_missing(j, &what, v);
}

/* The test that failed may be on a line that nobody could read. */
static void decide_says_failed(const struct judge *j, struct verdict *v)
{
    auto_buffer what = {0};
    buffer_text(&what, "the runner says failed");
    if (j->unreadable_lines == 0)
        buffer_text(&what, ", but no test failed");
    else
        buffer_text(&what, "; "), add_unreadable(&what, j);
    decide(v, TASK_FAILED, "%s", what.data);
}

/* Whether the exit status says what the events say, or something bad that another spec's events explain. */
static bool is_exit_explained(const struct judge *j, enum task_result by_exit, enum task_result result)
{
    return by_exit == TASK_PASSED || by_exit == result || (by_exit == TASK_FAILED && j->others_failed);
}

static void decide_says_skipped(const struct judge *j, int code, enum task_result by_exit, struct verdict *v)
{
    if (j->own_passed > 0)
        decide(v, TASK_ERROR, "the runner says skipped, but a test passed");
    else if (!is_exit_explained(j, by_exit, TASK_SKIPPED))
        decide(v, TASK_ERROR, "exit %d though every test was skipped", code);
    else if (j->own_skipped == 1)
        decide(v, TASK_SKIPPED, "its only test is skipped");
    else
        decide(v, TASK_SKIPPED, "all %u tests are skipped", j->own_skipped);
}

static void decide_by_events(const struct judge *j, int code, enum task_result by_exit, struct verdict *v)
{
    if (j->counts.failed > 0 && !j->spec_error)
        decide(v, TASK_FAILED, "%s", j->message[0] ? "" : "a test failed without a message");
    else if (j->runner_error)
        decide(v, TASK_ERROR, "%s", j->message[0] ? j->message : "the runner reported an error without a message");
    else if (j->spec_status == TASK_FAILED && (j->own_passed > 0 || j->unreadable_lines > 0))
        decide_says_failed(j, v);
    else if (j->spec_status == TASK_SKIPPED && j->own_passed + j->own_skipped > 0)
        decide_says_skipped(j, code, by_exit, v);
    else if (j->own_passed == 0)
        decide_no_test(j, code, v);
    else if (j->spec_status == TASK_UNKNOWN)
        decide_no_end(j, code, v);
    else if (!is_exit_explained(j, by_exit, TASK_PASSED))
        decide(v, TASK_ERROR, "exit %d though every test passed", code);
    else
        decide(v, TASK_PASSED, "%s", "");
}

static void decide_by_exit(int code, enum task_result by_exit, struct verdict *v)
{
    if (by_exit == TASK_PASSED)
        decide(v, TASK_PASSED, "%s", "");
    else
        decide(v, by_exit == TASK_UNKNOWN ? TASK_ERROR : by_exit, "exit %d", code);
}

/* What was said there may have been bad news. */
static void decide_unreadable(const struct judge *j, struct verdict *v)
{
    auto_buffer what = {0};
    add_unreadable(&what, j);
    decide(v, TASK_ERROR, "%s", what.data);
}

void judge_verdict(const struct judge *j, const struct runner *runner, const struct runner_end *end,
                   const char *program, unsigned timeout_s, struct verdict *verdict)
{
    if (decide_by_end(end, program, timeout_s, verdict))
        return;
    enum task_result by_exit = (enum task_result)runner->exit_results[end->code & 0xff];
    if (j->expects_events || saw_events(j))
        decide_by_events(j, end->code, by_exit, verdict);
    else
        decide_by_exit(end->code, by_exit, verdict);
    bool is_good = verdict->result == TASK_PASSED || verdict->result == TASK_SKIPPED;
    if (is_good && j->unreadable_lines > 0)
        decide_unreadable(j, verdict);
}
