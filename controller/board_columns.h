/*
 * The columns of the table of tasks: which there are, what they are called, what is in each cell. The snapshot has
 * all of them, a delta's rows have those that change, in this order, and the list can be sorted by any. The page has
 * the same lists (html/src/run.js), and a test compares them.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct board;

enum board_column_name {
    BOARD_COLUMN_GROUP,
    BOARD_COLUMN_NUMBER,
    BOARD_COLUMN_SPEC,
    BOARD_COLUMN_VIEWPORT,
    BOARD_COLUMN_BROWSER,
    BOARD_COLUMN_RUNNER,
    BOARD_COLUMN_STATUS,
    BOARD_COLUMN_ATTEMPT,
    BOARD_COLUMN_STARTED,
    BOARD_COLUMN_DURATION,
    BOARD_COLUMN_WORKER,
    BOARD_COLUMN_MESSAGE,
    BOARD_COLUMN_TESTS,
    BOARD_COLUMN_TESTS_FAILED,
    BOARD_COLUMN_COUNT
};

struct board_cells {
    const char *name;
    int64_t (*number)(const struct board *board, size_t index);   /* NULL: it is a text alone */
    const char *(*text)(const struct board *board, size_t index); /* NULL: it is a number alone; may return NULL */
    bool is_changing;                                             /* while the run goes on: deltas have it */
};
extern const struct board_cells board_columns[BOARD_COLUMN_COUNT];

/* NULL: there is none of that name. */
const struct board_cells *board_columns_find(const char *name);
