/* Thousands of failures may have as many causes, so each finds its own by a number and not by a search. */
#include "controller/cause_list.h"

#include <stdlib.h>

#include "controller/error_pool.h"
#include "controller/text_pool.h"
#include "shared/memory.h"

/* The list while it is made. */
struct making {
    struct cause_list *list;
    struct text_pool ids;
    size_t capacity;
};

static struct cause *cause_of(struct making *m, const struct board_failure *failure)
{
    struct cause_list *list = m->list;
    const char *id = error_pool_cause(failure->error);
    uint32_t number;
    if (!text_pool_number(&m->ids, text_pool_take(&m->ids, id), &number))
        return &list->items[number];
    if (list->count == m->capacity) {
        m->capacity = m->capacity ? 2 * m->capacity : 16;
        list->items = memory_resize(list->items, m->capacity, sizeof(list->items[0]));
    }
    list->items[list->count] = (struct cause){.id = id, .first = *failure, .found = list->count};
    return &list->items[list->count++];
}

/* Tasks come in their order, so one that has been counted already came last. */
static void count_task(struct cause *cause, size_t task)
{
    if (cause->tasks > 0 && cause->last == task)
        return;
    cause->last = task;
    if (cause->tasks < CAUSE_TASKS_NAMED)
        cause->named[cause->tasks] = task;
    cause->tasks++;
}

static bool is_red(const struct board_task *task)
{
    return task->state == BOARD_FAILED || task->state == BOARD_ERROR;
}

static void add_task(struct making *m, const struct board *board, size_t index)
{
    const struct board_failures *tests = board_task(board, index)->failures;
    size_t count = board_failure_count(board, index), own = count - (tests ? tests->count : 0);
    for (size_t i = 0; i < count; i++) {
        struct board_failure failure = board_failure(board, index, i);
        struct cause *cause = cause_of(m, &failure);
        count_task(cause, index);
        cause->tests += i >= own;
        m->list->tests += i >= own;
    }
    m->list->dropped += tests ? tests->dropped : 0;
    m->list->tasks++;
}

/* Where all else is equal, the one that came first in the plan. */
static int compare(const void *left, const void *right)
{
    const struct cause *a = left, *b = right;
    if (a->tasks != b->tasks)
        return a->tasks < b->tasks ? 1 : -1;
    if (a->tests != b->tests)
        return a->tests < b->tests ? 1 : -1;
    return a->found < b->found ? -1 : 1;
}

void cause_list_make(struct cause_list *list, const struct board *board)
{
    struct making m = {.list = list};
    *list = (struct cause_list){0};
    text_pool_renumber(&m.ids);
    for (size_t i = 0; i < board_total(board); i++)
        if (is_red(board_task(board, i)))
            add_task(&m, board, i);
    if (list->count > 0)
        qsort(list->items, list->count, sizeof(list->items[0]), compare);
    text_pool_close(&m.ids);
}

void cause_list_close(struct cause_list *list)
{
    free(list->items);
    *list = (struct cause_list){0};
}

void cause_list_add_counts(struct buffer *out, size_t tests, size_t tasks)
{
    if (tests > 0)
        buffer_format(out, "%zu test%s in ", tests, tests == 1 ? "" : "s");
    buffer_format(out, "%zu task%s", tasks, tasks == 1 ? "" : "s");
}
