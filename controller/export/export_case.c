/* Attempts are compared by their tests' titles: nothing else of a test is the same in two of them for sure. */
#include "controller/export/export_case.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/bounds.h"
#include "shared/buffer.h"
#include "shared/json.h"
#include "shared/memory.h"
#include "shared/utf8.h"

enum { TITLE_MAX = 400 }; /* Azure cuts names at 512, and viewport and browser have to fit as well */

const char *export_status_name(enum export_status status)
{
    static const char *const names[EXPORT_STATUSES] = {"passed",  "failed",    "error",  "flaky",
                                                       "skipped", "cancelled", "pending"};
    return names[status];
}

/* Makes room for one more element in a list of `count` that grows by doubling. */
static void *room_for_one(void *list, size_t count, size_t size)
{
    bool is_full = (count & (count - 1)) == 0; /* 0, 1, 2, 4, … */
    return is_full ? memory_resize(list, count ? 2 * count : 1, size) : list;
}

/* ---- reading ---- */

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text && *text ? text : NULL;
}

static uint64_t number_of(const cJSON *object, const char *name, uint64_t max)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item) || !(item->valuedouble > 0))
        return 0;
    return item->valuedouble < (double)max ? (uint64_t)item->valuedouble : max;
}

/* A test of an attempt, with a title that no other one of that attempt has. */
struct told {
    const char *title;
    const cJSON *test;
};

struct tests {
    struct told *items;
    size_t count;
};

static void add_title(struct buffer *out, const cJSON *test)
{
    const cJSON *part;
    cJSON_ArrayForEach(part, cJSON_GetObjectItemCaseSensitive(test, "title"))
    {
        if (!cJSON_IsString(part))
            continue;
        if (out->length > 0)
            buffer_text(out, " › ");
        buffer_text(out, part->valuestring);
    }
    if (out->length == 0)
        buffer_text(out, "(no title)");
}

/* The titles of an attempt so far. Thousands may be alike, so nobody counts from 1 again. */
struct seen {
    struct text_pool titles; /* as they came, and as they were made different; each has a number */
    unsigned *counts;        /* by that number: how many came so */
    size_t known;            /* numbers */
};

/* How often it has come by now. */
static unsigned count_title(struct seen *seen, const char *title)
{
    const char *stored = text_pool_find(&seen->titles, title);
    uint32_t number;
    if (stored == NULL)
        stored = text_pool_take(&seen->titles, title);
    text_pool_number(&seen->titles, stored, &number);
    if (number == seen->known) { /* it got it just now */
        seen->counts = room_for_one(seen->counts, seen->known, sizeof(*seen->counts));
        seen->counts[seen->known++] = 0;
    }
    return ++seen->counts[number];
}

/* "title", "title (2)", … whichever there isn't yet; the stored copy. */
static const char *unique_title(struct export_cases *cases, struct seen *seen, const cJSON *test)
{
    auto_buffer whole = {0}, title = {0};
    add_title(&whole, test);
    size_t cut = utf8_cut(whole.data, whole.length, TITLE_MAX);
    buffer_format(&title, "%.*s%s", (int)cut, whole.data, cut < whole.length ? "…" : "");
    size_t length = title.length;
    for (unsigned count = count_title(seen, title.data); count > 1;) {
        auto_buffer numbered = {0};
        buffer_format(&numbered, "%.*s (%u)", (int)length, title.data, count);
        if (count_title(seen, numbered.data) == 1)
            return text_pool_take(&cases->titles, numbered.data);
        count = count_title(seen, title.data); /* one of that very title had come before */
    }
    return text_pool_take(&cases->titles, title.data);
}

static struct tests read_tests(struct export_cases *cases, const struct record *record)
{
    struct tests tests = {0};
    struct seen seen = {0};
    struct error err;
    cJSON *tree = NULL;
    const cJSON *test;
    if (record->run == NULL || json_parse(&tree, record->run->tests, strlen(record->run->tests), &err) < 0)
        return tests;
    cases->trees = room_for_one(cases->trees, cases->tree_count, sizeof(cases->trees[0]));
    cases->trees[cases->tree_count++] = tree;
    int size = cJSON_GetArraySize(tree);
    text_pool_renumber(&seen.titles);
    tests.items = memory_zeroed(size > 0 ? (size_t)size : 1, sizeof(*tests.items));
    cJSON_ArrayForEach(test, tree)
    {
        tests.items[tests.count++] = (struct told){unique_title(cases, &seen, test), test};
    }
    text_pool_close(&seen.titles);
    free(seen.counts);
    return tests;
}

/* ---- failures ---- */

static void add_failure(struct export_cases *cases, struct export_case *item, const struct export_failure *failure)
{
    cases->failures = room_for_one(cases->failures, cases->failure_count, sizeof(cases->failures[0]));
    if (item->failure_count++ == 0)
        item->first_failure = cases->failure_count;
    cases->failures[cases->failure_count++] = *failure;
}

static void add_failure_of(struct export_cases *cases, struct export_case *item, const cJSON *test)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(test, "error");
    const struct export_failure failure = {
        .message = text_of(error, "message"),
        .expected = text_of(error, "expected"),
        .received = text_of(error, "received"),
        .stack = text_of(error, "stack"),
        .snippet = text_of(error, "snippet"),
    };
    add_failure(cases, item, &failure);
}

static bool has_failed(const cJSON *test)
{
    const char *status = text_of(test, "status");
    return status && strcmp(status, "failed") == 0;
}

/* Of an earlier attempt no more is needed. */
static void keep_failed(struct tests *tests)
{
    size_t kept = 0;
    for (size_t i = 0; i < tests->count; i++)
        if (has_failed(tests->items[i].test))
            tests->items[kept++] = tests->items[i];
    tests->count = kept;
}

static void add_earlier_failures(struct export_cases *cases, struct export_case *item, const struct tests *earlier,
                                 size_t count)
{
    for (size_t a = 0; a < count; a++)
        for (size_t i = 0; i < earlier[a].count; i++)
            if (strcmp(earlier[a].items[i].title, item->title) == 0)
                add_failure_of(cases, item, earlier[a].items[i].test);
}

/* ---- cases ---- */

static enum export_status status_of(const cJSON *test)
{
    static const enum export_status statuses[] = {EXPORT_PASSED, EXPORT_FAILED, EXPORT_FLAKY, EXPORT_SKIPPED};
    const char *status = text_of(test, "status");
    for (size_t i = 0; status && i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (strcmp(status, export_status_name(statuses[i])) == 0)
            return statuses[i];
    return EXPORT_FAILED; /* no word of ours: the judge has let nothing else through */
}

/* Why it was skipped: what the runner calls skip or fixme. */
static const char *reason_of(const cJSON *test)
{
    const cJSON *annotation;
    cJSON_ArrayForEach(annotation, cJSON_GetObjectItemCaseSensitive(test, "annotations"))
    {
        const char *type = text_of(annotation, "type");
        if (type && (strcmp(type, "skip") == 0 || strcmp(type, "fixme") == 0))
            return text_of(annotation, "description");
    }
    return NULL;
}

static struct export_case *add_case(struct export_cases *cases)
{
    cases->items = room_for_one(cases->items, cases->count, sizeof(cases->items[0]));
    struct export_case *item = &cases->items[cases->count++];
    *item = (struct export_case){0};
    return item;
}

static void add_test(struct export_cases *cases, const struct told *told)
{
    struct export_case *item = add_case(cases);
    item->title = told->title;
    item->status = status_of(told->test);
    item->file = text_of(told->test, "file");
    item->line = item->file ? (unsigned)number_of(told->test, "line", BOUNDS_COUNT_MAX) : 0;
    item->duration_ms = number_of(told->test, "duration_ms", BOUNDS_DURATION_MAX_MS);
    item->retries = (unsigned)number_of(told->test, "retry", BOUNDS_COUNT_MAX);
    if (item->status == EXPORT_SKIPPED)
        item->reason = reason_of(told->test);
    else if (item->status != EXPORT_PASSED)
        add_failure_of(cases, item, told->test);
}

static bool has_case(const struct export_cases *cases, enum export_status status)
{
    for (size_t i = 0; i < cases->count; i++)
        if (cases->items[i].status == status)
            return true;
    return false;
}

static enum export_status status_of_task(enum board_state state)
{
    static const enum export_status statuses[BOARD_STATES] = {
        [BOARD_QUEUED] = EXPORT_PENDING,      [BOARD_RUNNING] = EXPORT_PENDING, [BOARD_PASSED] = EXPORT_PASSED,
        [BOARD_FAILED] = EXPORT_FAILED,       [BOARD_FLAKY] = EXPORT_FLAKY,     [BOARD_ERROR] = EXPORT_ERROR,
        [BOARD_CANCELLED] = EXPORT_CANCELLED, [BOARD_SKIPPED] = EXPORT_SKIPPED,
    };
    return statuses[state];
}

/* Whether no test says how the task ended. */
static bool is_unexplained(const struct export_cases *cases, enum export_status status)
{
    if (status == EXPORT_PASSED || status == EXPORT_SKIPPED)
        return cases->count == 0;
    return !has_case(cases, status);
}

static void add_task(struct export_cases *cases, const struct export_task *task, enum export_status status)
{
    struct export_case *item = add_case(cases);
    const struct plan_task *planned = &task->plan->tasks[task->index];
    item->is_task = true;
    item->title = planned->spec;
    item->file = planned->spec;
    item->status = status;
    item->duration_ms = task->state->duration_ms;
    if (status == EXPORT_SKIPPED || status == EXPORT_CANCELLED) {
        item->reason = task->state->message;
        return;
    }
    for (size_t i = 0; status == EXPORT_FLAKY && i < task->attempt_count; i++) {
        const struct record *record = &task->attempts[i].record;
        if (record->outcome == RECORD_FAILED)
            add_failure(cases, item, &(struct export_failure){.message = *record->reason ? record->reason : NULL});
    }
    if (status == EXPORT_FAILED || status == EXPORT_ERROR)
        add_failure(cases, item, &(struct export_failure){.message = task->state->message});
}

/* Neither waits nor runs, and has been tried: then its last attempt tells of its tests. */
static bool has_ended(const struct export_task *task)
{
    return task->state->state != BOARD_QUEUED && task->state->state != BOARD_RUNNING &&
           task->state->state != BOARD_CANCELLED && task->attempt_count > 0;
}

void export_cases_make(struct export_cases *cases, const struct export_task *task)
{
    enum export_status status = status_of_task(task->state->state);
    size_t earlier = has_ended(task) ? task->attempt_count - 1 : 0;
    struct tests *tests = memory_zeroed(task->attempt_count + 1, sizeof(*tests));
    *cases = (struct export_cases){0};
    if (has_ended(task)) {
        for (size_t a = 0; a < task->attempt_count; a++)
            tests[a] = read_tests(cases, &task->attempts[a].record);
        for (size_t a = 0; a < earlier; a++)
            keep_failed(&tests[a]);
        for (size_t i = 0; i < tests[earlier].count; i++)
            add_test(cases, &tests[earlier].items[i]);
    }
    for (size_t i = 0; status == EXPORT_FLAKY && i < cases->count; i++) {
        struct export_case *item = &cases->items[i];
        if (item->status != EXPORT_PASSED)
            continue;
        add_earlier_failures(cases, item, tests, earlier);
        item->status = item->failure_count > 0 ? EXPORT_FLAKY : EXPORT_PASSED;
    }
    if (is_unexplained(cases, status))
        add_task(cases, task, status);
    for (size_t a = 0; a < task->attempt_count; a++)
        free(tests[a].items);
    free(tests);
}

void export_cases_close(struct export_cases *cases)
{
    for (size_t i = 0; i < cases->tree_count; i++)
        cJSON_Delete(cases->trees[i]);
    free(cases->trees);
    free(cases->items);
    free(cases->failures);
    text_pool_close(&cases->titles);
    *cases = (struct export_cases){0};
}

void export_add_where(struct buffer *out, const struct export_task *task)
{
    const struct plan_task *planned = &task->plan->tasks[task->index];
    buffer_format(out, "[%s %s]", planned->viewport, planned->browser);
}
