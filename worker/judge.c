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
#include "shared/utf8.h"

enum {
    TITLE_PARTS_MAX = 16,
    TITLE_PART_MAX = 512,
    FILE_MAX = 1024,
    MESSAGE_MAX = 16 * 1024,
    STACK_MAX = 32 * 1024,
    SNIPPET_MAX = 16 * 1024,
};

void judge_init(struct judge *j)
{
    *j = (struct judge){0};
}

void judge_clear(struct judge *j)
{
    struct buffer line = j->line, tests = j->tests;
    buffer_clear(&line);
    buffer_clear(&tests);
    judge_init(j);
    j->line = line;
    j->tests = tests;
}

void judge_close(struct judge *j)
{
    buffer_close(&j->line);
    buffer_close(&j->tests);
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
    buffer_text(&details, "}");
    return buffer_take(&details);
}

/* ---- texts ---- */

/* What follows an ESC (ECMA-48): a control sequence, a string (title, hyperlink), or a few bytes. */
static const char *skip_escape(const char *at)
{
    if (*at == '[') {
        at++;
        while (*at >= 0x20 && *at <= 0x3f)
            at++;
        return *at >= 0x40 && *at <= 0x7e ? at + 1 : at;
    }
    if (*at && strchr("]PX^_", *at)) {
        while (*at && *at != '\a' && *at != '\x1b')
            at++;
        if (*at == '\x1b' && at[1] == '\\')
            return at + 2;
        return *at == '\a' ? at + 1 : at;
    }
    while (*at >= 0x20 && *at <= 0x2f)
        at++;
    return *at >= 0x30 && *at <= 0x7e ? at + 1 : at;
}

/* U+0080 to U+009F */
static bool is_c1_control(const char *at)
{
    return at[0] == '\xc2' && (unsigned char)at[1] >= 0x80 && (unsigned char)at[1] <= 0x9f;
}

/* U+2028 and U+2029, which break lines */
static bool is_separator(const char *at)
{
    return at[0] == '\xe2' && at[1] == '\x80' && (at[2] == '\xa8' || at[2] == '\xa9');
}

/* Made one line of at most `size` bytes: no escape sequences, no control characters, runs of spaces as one. NULL: "".
 */
static void set_line(char *line, size_t size, const char *text)
{
    size_t used = 0;
    bool space = false;
    while (text && *text) {
        if (*text == '\x1b') {
            text = skip_escape(text + 1);
        } else if (is_c1_control(text)) {
            text += 2;
        } else if (is_separator(text)) {
            space = true;
            text += 3;
        } else if ((unsigned char)*text <= ' ' || *text == '\x7f') {
            space = space || strchr(" \t\n\v\f\r", *text);
            text++;
        } else {
            size_t length = utf8_sequence((const unsigned char *)text, strnlen(text, 4));
            bool gap = space && used > 0;
            if (length == 0 || used + gap + length >= size)
                break;
            if (gap)
                line[used++] = ' ';
            memcpy(line + used, text, length);
            used += length;
            text += length;
            space = false;
        }
    }
    line[used] = '\0';
}

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

/* ---- events ---- */

static void copy_text(cJSON *to, const cJSON *from, const char *name, size_t limit)
{
    const char *text = text_of(from, name);
    if (text == NULL)
        return;
    auto_free char *cut = memory_text_n(text, utf8_cut(text, strlen(text), limit));
    cJSON_AddStringToObject(to, name, cut);
}

static void copy_title(cJSON *record, const cJSON *event)
{
    cJSON *title = cJSON_AddArrayToObject(record, "title");
    const cJSON *part;
    cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(event, "title"))
    {
        if (!cJSON_IsString(part) || cJSON_GetArraySize(title) == TITLE_PARTS_MAX)
            continue;
        size_t length = utf8_cut(part->valuestring, strlen(part->valuestring), TITLE_PART_MAX);
        auto_free char *cut = memory_text_n(part->valuestring, length);
        cJSON_AddItemToArray(title, cJSON_CreateString(cut));
    }
}

static cJSON *test_record(const cJSON *event)
{
    cJSON *record = cJSON_CreateObject();
    copy_title(record, event);
    copy_text(record, event, "status", 16);
    cJSON_AddNumberToObject(record, "duration_ms", (double)(int64_t)number_of(event, "duration_ms", 1e12));
    copy_text(record, event, "file", FILE_MAX);
    int line = (int)number_of(event, "line", INT_MAX);
    if (line > 0)
        cJSON_AddNumberToObject(record, "line", line);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(event, "error");
    if (cJSON_IsObject(error)) {
        cJSON *copy = cJSON_AddObjectToObject(record, "error");
        copy_text(copy, error, "message", MESSAGE_MAX);
        copy_text(copy, error, "stack", STACK_MAX);
        copy_text(copy, error, "snippet", SNIPPET_MAX);
    }
    return record;
}

/* Half of the room is for failed tests alone, so that thousands of passed ones don't leave out the one to look at. */
static void keep_record(struct judge *j, const cJSON *event, bool failed)
{
    cJSON *record = test_record(event);
    auto_free char *text = cJSON_PrintUnformatted(record);
    cJSON_Delete(record);
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
    set_line(j->message, sizeof(j->message), text_of(error, "message"));
    set_line(j->file, sizeof(j->file), text_of(event, "file"));
    j->line_number = (int)number_of(event, "line", INT_MAX);
}

static void take_title(struct judge *j, const cJSON *event)
{
    auto_buffer title = {0};
    const cJSON *part;
    cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(event, "title"))
    {
        if (!cJSON_IsString(part))
            continue;
        buffer_text(&title, title.length > 0 ? " › " : "");
        buffer_text(&title, part->valuestring);
    }
    set_line(j->title, sizeof(j->title), title.data);
}

static bool on_test(struct judge *j, const cJSON *event)
{
    const struct {
        const char *status;
        unsigned *count;
    } rows[] = {
        {"passed", &j->counts.passed},
        {"failed", &j->counts.failed},
        {"skipped", &j->counts.skipped},
        {"flaky", &j->counts.flaky},
    };
    const char *status = text_of(event, "status");
    for (size_t i = 0; status && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(status, rows[i].status) != 0)
            continue;
        bool failed = rows[i].count == &j->counts.failed;
        if (failed && j->counts.failed == 0) {
            take_place(j, event);
            take_title(j, event);
        }
        ++*rows[i].count;
        keep_record(j, event, failed);
        return true;
    }
    return false;
}

static bool on_spec(struct judge *j, const cJSON *event)
{
    const char *status = text_of(event, "status");
    if (status && strcmp(status, "failed") == 0)
        j->spec_status = TASK_FAILED;
    else if (status && strcmp(status, "passed") == 0)
        j->spec_status = j->spec_status == TASK_FAILED ? TASK_FAILED : TASK_PASSED;
    else
        return false;
    return true;
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

static bool take_event(struct judge *j, const cJSON *event)
{
    static const struct {
        const char *name;
        bool (*on_event)(struct judge *j, const cJSON *event);
    } rows[] = {{"test", on_test}, {"spec", on_spec}, {"error", on_error}};
    const char *name = text_of(event, "event");
    for (size_t i = 0; name && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(name, rows[i].name) == 0)
            return rows[i].on_event(j, event);
    return false;
}

/* ---- lines ---- */

/* The code unit of a "\uXXXX" at `at`, or -1. */
static long unicode_escape(const char *at)
{
    if (at[0] != '\\' || at[1] != 'u' || strspn(at + 2, "0123456789abcdefABCDEF") < 4)
        return -1;
    char digits[5] = {at[2], at[3], at[4], at[5], '\0'};
    return strtol(digits, NULL, 16);
}

/*
 * JavaScript cuts strings within a character, and says so as half a pair of surrogates. That makes the line no JSON,
 * and a NUL would end the text: both become U+FFFD instead of losing the event.
 */
static void repair_escapes(char *json)
{
    for (char *at = json; (at = strchr(at, '\\')) != NULL;) {
        long unit = unicode_escape(at);
        if (unit < 0) {
            at += at[1] ? 2 : 1;
            continue;
        }
        long next = unicode_escape(at + 6);
        bool high = unit >= 0xd800 && unit <= 0xdbff, low = unit >= 0xdc00 && unit <= 0xdfff;
        bool pair = high && next >= 0xdc00 && next <= 0xdfff;
        if (unit == 0 || low || (high && !pair))
            memcpy(at + 2, "fffd", 4);
        at += pair ? 12 : 6;
    }
}

static void read_line(struct judge *j)
{
    auto_buffer text = {0};
    buffer_add_utf8(&text, j->line.data, j->line.length);
    if (text.data[strspn(text.data, " \t\r")] == '\0')
        return;
    repair_escapes(text.data);
    cJSON *event = cJSON_ParseWithOpts(text.data, NULL, true);
    if (!take_event(j, event))
        j->bad_lines++;
    cJSON_Delete(event);
}

static void end_line(struct judge *j)
{
    if (!j->skipping && j->line.length > 0)
        read_line(j);
    j->skipping = false;
    buffer_clear(&j->line);
}

static void add_piece(struct judge *j, const char *bytes, size_t length)
{
    if (j->skipping)
        return;
    if (j->line.length + length > JUDGE_LINE_MAX) {
        j->skipping = true;
        j->bad_lines++;
        buffer_clear(&j->line);
        return;
    }
    buffer_add(&j->line, bytes, length);
}

void judge_feed(struct judge *j, const char *bytes, size_t length)
{
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t piece = end ? (size_t)(end - bytes) : length;
        add_piece(j, bytes, piece);
        if (end) {
            end_line(j);
            piece++;
        }
        bytes += piece;
        length -= piece;
    }
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
    set_line(v->reason, sizeof(v->reason), text);
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
    case RUNNER_NOT_STARTED: /* with the exit status that a shell would give */
        decide(v, TASK_ERROR, "exit %d: cannot start %s: %s", end->code == ENOENT ? 127 : 126, program,
               strerror(end->code));
        return true;
    case RUNNER_NO_FOLDER:
        decide(v, TASK_ERROR, "cannot enter the folder to start %s in: %s", program, strerror(end->code));
        return true;
    case RUNNER_UNKNOWN:
        break;
    }
    decide(v, TASK_ERROR, "its supervisor was killed");
    return true;
}

static bool saw_events(const struct judge *j)
{
    const struct test_counts *c = &j->counts;
    return c->passed + c->failed + c->skipped + c->flaky > 0 || j->spec_status != TASK_UNKNOWN || j->runner_error;
}

static void decide_no_test(const struct judge *j, int code, struct verdict *v)
{
    char skipped[32] = "";
    if (j->counts.skipped > 0)
        snprintf(skipped, sizeof(skipped), " (%u skipped)", j->counts.skipped);
    if (code == 0)
        decide(v, TASK_ERROR, "no test was run%s", skipped);
    else
        decide(v, TASK_ERROR, "exit %d and no test was run%s", code, skipped);
}

static void decide_by_events(const struct judge *j, int code, enum task_result by_exit, struct verdict *v)
{
    if (j->counts.failed > 0 && !j->spec_error)
        decide(v, TASK_FAILED, "%s", j->message[0] ? "" : "a test failed without a message");
    else if (j->runner_error)
        decide(v, TASK_ERROR, "%s", j->message[0] ? j->message : "the runner reported an error without a message");
    else if (j->counts.passed + j->counts.flaky == 0)
        decide_no_test(j, code, v);
    else if (j->spec_status == TASK_FAILED)
        decide(v, TASK_FAILED, "the runner says failed though no test did");
    else if (j->spec_status == TASK_UNKNOWN)
        decide(v, TASK_ERROR, "exit %d before the spec had ended", code);
    else if (by_exit != TASK_PASSED)
        decide(v, TASK_ERROR, "exit %d though every test passed", code);
    else
        decide(v, TASK_PASSED, "%s", "");
}

void judge_verdict(struct judge *j, const struct runner *runner, const struct runner_end *end, const char *program,
                   unsigned timeout_s, struct verdict *verdict)
{
    end_line(j); /* a last line without its end */
    if (decide_by_end(end, program, timeout_s, verdict))
        return;
    enum task_result by_exit = (enum task_result)runner->exit_results[end->code & 0xff];
    if (j->expects_events || saw_events(j))
        decide_by_events(j, end->code, by_exit, verdict);
    else if (by_exit == TASK_PASSED)
        decide(verdict, TASK_PASSED, "%s", "");
    else
        decide(verdict, by_exit == TASK_FAILED ? TASK_FAILED : TASK_ERROR, "exit %d", end->code);
}
