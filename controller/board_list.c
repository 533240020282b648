/* The list of tasks as scripts ask for it: filtered, sorted, a page at a time. */
#include <stdlib.h>
#include <string.h>

#include "controller/board_private.h"
#include "shared/json_writer.h"
#include "shared/memory.h"

/* What a task is sorted by: a text or a number. Equal ones stay in plan order. */
struct sort_key {
    const char *text;
    uint64_t number;
    uint32_t index;
};

static const char *spec_text(const struct board *board, size_t i)
{
    return board->plan->tasks[i].spec;
}

static const char *viewport_text(const struct board *board, size_t i)
{
    return board->plan->tasks[i].viewport;
}

static const char *browser_text(const struct board *board, size_t i)
{
    return board->plan->tasks[i].browser;
}

static const char *runner_text(const struct board *board, size_t i)
{
    return board->plan->tasks[i].runner;
}

static const char *group_text(const struct board *board, size_t i)
{
    return board->plan->groups[board->plan->tasks[i].group].name;
}

static const char *worker_text(const struct board *board, size_t i)
{
    return board->entries[i].task.worker;
}

static const char *message_text(const struct board *board, size_t i)
{
    return board->entries[i].task.message;
}

static uint64_t number_of(const struct board *board, size_t i)
{
    return board->plan->tasks[i].number;
}

static uint64_t status_of(const struct board *board, size_t i)
{
    return board->entries[i].task.state;
}

static uint64_t attempt_of(const struct board *board, size_t i)
{
    return board->entries[i].task.attempt;
}

static uint64_t started_of(const struct board *board, size_t i)
{
    return (uint64_t)board->entries[i].task.started_ms;
}

static uint64_t duration_of(const struct board *board, size_t i)
{
    return board->entries[i].task.duration_ms;
}

static uint64_t tests_of(const struct board *board, size_t i)
{
    const struct test_counts *tests = &board->entries[i].task.tests;
    return (uint64_t)tests->passed + tests->failed + tests->skipped + tests->flaky;
}

static uint64_t tests_failed_of(const struct board *board, size_t i)
{
    return board->entries[i].task.tests.failed;
}

struct sort_column {
    const char *name;
    const char *(*text)(const struct board *board, size_t index);
    uint64_t (*number)(const struct board *board, size_t index);
};

static const struct sort_column sort_columns[] = {
    {"group", group_text, NULL},      {"number", NULL, number_of},
    {"spec", spec_text, NULL},        {"viewport", viewport_text, NULL},
    {"browser", browser_text, NULL},  {"runner", runner_text, NULL},
    {"status", NULL, status_of},      {"attempt", NULL, attempt_of},
    {"started_ms", NULL, started_of}, {"duration_ms", NULL, duration_of},
    {"worker", worker_text, NULL},    {"message", message_text, NULL},
    {"tests", NULL, tests_of},        {"tests_failed", NULL, tests_failed_of},
};

static const struct sort_column *find_column(const char *name)
{
    for (size_t i = 0; i < sizeof(sort_columns) / sizeof(sort_columns[0]); i++)
        if (strcmp(sort_columns[i].name, name) == 0)
            return &sort_columns[i];
    return NULL;
}

static int compare(const struct sort_key *a, const struct sort_key *b)
{
    int order = a->text && b->text ? strcmp(a->text, b->text) : 0;
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static int by_index(const struct sort_key *a, const struct sort_key *b)
{
    return (a->index > b->index) - (a->index < b->index);
}

static int ascending(const void *a, const void *b)
{
    int order = compare(a, b);
    return order != 0 ? order : by_index(a, b);
}

static int descending(const void *a, const void *b)
{
    int order = compare(b, a);
    return order != 0 ? order : by_index(a, b);
}

static bool contains(const char *text, const char *part)
{
    return text != NULL && strcasestr(text, part) != NULL;
}

static bool matches(const struct board *board, size_t index, const struct board_query *query)
{
    char key[TASK_KEY_SIZE];
    if (query->states != 0 && (query->states >> board->entries[index].task.state & 1) == 0)
        return false;
    if (query->text == NULL || contains(spec_text(board, index), query->text) ||
        contains(worker_text(board, index), query->text) || contains(message_text(board, index), query->text))
        return true;
    /* The key holds the group's name. */
    plan_key(board->plan, index, key);
    return contains(key, query->text);
}

/* The tasks that match, in plan order; returns how many. `keys` has room for all. */
static size_t select_tasks(const struct board *board, const struct board_query *query,
                           const struct sort_column *column, struct sort_key *keys)
{
    size_t count = 0;
    for (size_t i = 0; i < board_total(board); i++) {
        if (!matches(board, i, query))
            continue;
        struct sort_key *key = &keys[count++];
        *key = (struct sort_key){.index = (uint32_t)i};
        if (column && column->text)
            key->text = column->text(board, i) ? column->text(board, i) : "";
        if (column && column->number)
            key->number = column->number(board, i);
    }
    return count;
}

bool board_add_tasks(const struct board *board, const struct board_query *query, struct buffer *out)
{
    bool is_descending = query->sort && query->sort[0] == '-';
    const struct sort_column *column = query->sort ? find_column(query->sort + is_descending) : NULL;
    if (query->sort && column == NULL)
        return false;
    auto_free struct sort_key *keys = memory_zeroed(board_total(board), sizeof(*keys));
    size_t total = select_tasks(board, query, column, keys);
    if (column)
        qsort(keys, total, sizeof(*keys), is_descending ? descending : ascending);

    size_t first = query->offset < total ? query->offset : total;
    size_t end = query->limit < total - first ? first + query->limit : total;
    buffer_text(out, "{\"tasks\":[");
    for (size_t i = first; i < end; i++) {
        json_add_item(out);
        board_add_row(board, keys[i].index, out);
    }
    buffer_text(out, "],\"total\":");
    json_add_uint(out, total);
    buffer_text(out, ",\"next\":");
    if (end < total)
        buffer_format(out, "\"%zu\"", end);
    else
        json_add_text(out, NULL);
    buffer_text(out, "}");
    return true;
}
