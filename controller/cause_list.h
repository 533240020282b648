/*
 * Why a run is red, in few words: its failures by their causes (controller/causes.h), those that cost most tasks first.
 * For all who tell of it at the end, so that they tell the same. Pure.
 *
 * Only tasks that failed or ended in error have causes: what waits to be tried again, or passed then, has none.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "controller/board.h"

enum { CAUSE_TASKS_NAMED = 3 };

struct cause {
    const char *id;             /* the API's */
    struct board_failure first; /* in the order of the tasks; its texts are the board's */
    size_t tests;               /* that failed so; 0: tasks themselves did */
    size_t tasks;
    size_t named[CAUSE_TASKS_NAMED]; /* the first of these tasks */
    size_t found, last;              /* private: its place among those found, the task that was counted last */
};

struct cause_list {
    struct cause *items;
    size_t count;
    size_t tests, tasks; /* of all causes, each once */
    size_t dropped;      /* failed tests of which the board knows no more than the number */
};

/* Borrows from the board, until one of its tasks is set. To be closed. */
void cause_list_make(struct cause_list *list, const struct board *board);
void cause_list_close(struct cause_list *list);

/* "12 tests in 7 tasks", "1 task". */
void cause_list_add_counts(struct buffer *out, size_t tests, size_t tasks);
