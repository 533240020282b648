/* The list of tasks as scripts ask for it: filtered, sorted, a page at a time. */
#include <stdlib.h>
#include <string.h>

#include "controller/board_columns.h"
#include "controller/board_private.h"
#include "shared/json_writer.h"
#include "shared/memory.h"

/* What a task is sorted by: a text or a number. Equal ones stay in plan order. */
struct sort_key {
    const char *text;
    int64_t number;
    uint32_t index;
};

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

static bool cell_contains(const struct board *board, size_t index, enum board_column_name name, const char *part)
{
    return contains(board_columns[name].text(board, index), part);
}

static bool is_in_failures(const struct board *board, size_t index, const char *part)
{
    for (size_t n = 0; n < board_failure_count(board, index); n++) {
        struct board_failure failure = board_failure(board, index, n);
        if (contains(failure.title, part) || contains(failure.error->message, part) ||
            contains(failure.error->expected, part) || contains(failure.error->received, part) ||
            contains(failure.file, part))
            return true;
    }
    return false;
}

static bool matches(const struct board *board, size_t index, const struct board_query *query)
{
    char key[TASK_KEY_SIZE];
    if (query->states != 0 && (query->states >> board->entries[index].task.state & 1) == 0)
        return false;
    if (query->text == NULL || cell_contains(board, index, BOARD_COLUMN_SPEC, query->text) ||
        cell_contains(board, index, BOARD_COLUMN_WORKER, query->text) ||
        cell_contains(board, index, BOARD_COLUMN_MESSAGE, query->text) || is_in_failures(board, index, query->text))
        return true;
    /* The key holds the group's name. */
    plan_key(board->plan, index, key);
    return contains(key, query->text);
}

/* The tasks that match, in plan order; returns how many. `keys` has room for all. */
static size_t select_tasks(const struct board *board, const struct board_query *query,
                           const struct board_cells *column, struct sort_key *keys)
{
    size_t count = 0;
    for (size_t i = 0; i < board_total(board); i++) {
        if (!matches(board, i, query))
            continue;
        struct sort_key *key = &keys[count++];
        *key = (struct sort_key){.index = (uint32_t)i};
        if (column && column->text)
            key->text = column->text(board, i) ? column->text(board, i) : "";
        else if (column)
            key->number = column->number(board, i);
    }
    return count;
}

bool board_add_tasks(const struct board *board, const struct board_query *query, struct buffer *out)
{
    bool is_descending = query->sort && query->sort[0] == '-';
    const struct board_cells *column = query->sort ? board_columns_find(query->sort + is_descending) : NULL;
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
