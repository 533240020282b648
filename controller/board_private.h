/* The inside of a board: for board.c, which keeps it, and the files that write it out. */
#pragma once
#include "controller/board.h"
#include "controller/error_pool.h"
#include "controller/text_pool.h"

struct cJSON;

#define BOARD_NOBODY UINT32_MAX /* no neighbour in the list of changes */

struct board_entry {
    struct board_task task;          /* its failures are one piece of memory with their rows */
    const struct board_error *error; /* what it failed with itself, NULL: its tests say it all */
    uint64_t seq;                    /* of its last change, 0: never changed, and then not in the list */
    uint32_t older, newer;
};

/* A column of the plan that holds few different texts: each task's index in `names`. */
struct board_column {
    const char **names;
    size_t count;
    uint32_t *index;
};

enum board_column_id { BOARD_SPEC, BOARD_VIEWPORT, BOARD_BROWSER, BOARD_RUNNER, BOARD_COLUMNS };

enum board_worker_state { BOARD_WORKER_LIVE, BOARD_WORKER_LEFT, BOARD_WORKER_LOST, BOARD_WORKER_STATES };

struct board_worker {
    enum board_worker_state state;
    unsigned slots;
};

/* Sums over all tasks. When a task changes, its old state is taken out of each and its new one added. */
struct board_sums {
    size_t counts[BOARD_STATES];
    uint64_t tests_passed, tests_failed, tests_skipped, tests_flaky;
    uint64_t compute_ms;
    size_t measured; /* tasks that ended with a duration */
    uint64_t duration_ms;
    __extension__ unsigned __int128 duration_squares; /* ms²: 64 bits would hold the squares of a few long days */
    size_t clocked;                                   /* running tasks whose start is known */
    int64_t started_ms;
};

struct board {
    const struct plan *plan;
    char *run_id;
    char *epoch;
    uint64_t seq;
    struct board_entry *entries;
    uint32_t newest; /* the task that changed last */
    struct board_column columns[BOARD_COLUMNS];
    struct board_sums sums;
    uint64_t longest_ms;

    struct text_pool workers;  /* names in tasks */
    struct text_pool messages; /* of tasks */
    struct text_pool titles;   /* of tests */
    struct text_pool files;
    struct error_pool errors;
    size_t failures_kept, failures_dropped;

    struct text_pool roster_names; /* every worker that ever came; its number is its index in `roster` */
    struct board_worker *roster;
    size_t roster_capacity;
    size_t workers_in[BOARD_WORKER_STATES];
    size_t slots, most_slots;

    struct board_run run; /* its texts are the three that follow */
    char *source, *branch, *url;
    struct cJSON *history; /* an array of objects, or NULL */
};

/* One task as in board_add_task(), without its attempts. */
void board_add_row(const struct board *board, size_t index, struct buffer *out);
