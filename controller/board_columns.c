#include "controller/board_columns.h"

#include <string.h>

#include "controller/board_private.h"

/* ---- numbers; for a text of the plan, its index in the plan's string table ---- */

static int64_t number_cell(const struct board *board, size_t i)
{
    return board->plan->tasks[i].number;
}

static int64_t group_cell(const struct board *board, size_t i)
{
    return board->plan->tasks[i].group;
}

static int64_t spec_cell(const struct board *board, size_t i)
{
    return board->columns[BOARD_SPEC].index[i];
}

static int64_t viewport_cell(const struct board *board, size_t i)
{
    return board->columns[BOARD_VIEWPORT].index[i];
}

static int64_t browser_cell(const struct board *board, size_t i)
{
    return board->columns[BOARD_BROWSER].index[i];
}

static int64_t runner_cell(const struct board *board, size_t i)
{
    return board->columns[BOARD_RUNNER].index[i];
}

static int64_t status_cell(const struct board *board, size_t i)
{
    return board->entries[i].task.state;
}

static int64_t attempt_cell(const struct board *board, size_t i)
{
    return board->entries[i].task.attempt;
}

static int64_t started_cell(const struct board *board, size_t i)
{
    return board->entries[i].task.started_ms;
}

static int64_t duration_cell(const struct board *board, size_t i)
{
    return (int64_t)board->entries[i].task.duration_ms;
}

static int64_t tests_cell(const struct board *board, size_t i)
{
    const struct test_counts *tests = &board->entries[i].task.tests;
    return (int64_t)tests->passed + tests->failed + tests->skipped + tests->flaky;
}

static int64_t tests_failed_cell(const struct board *board, size_t i)
{
    return board->entries[i].task.tests.failed;
}

/* ---- texts ---- */

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

/* ---- the table ---- */

const struct board_cells board_columns[BOARD_COLUMN_COUNT] = {
    [BOARD_COLUMN_GROUP] = {"group", group_cell, group_text, false},
    [BOARD_COLUMN_NUMBER] = {"number", number_cell, NULL, false},
    [BOARD_COLUMN_SPEC] = {"spec", spec_cell, spec_text, false},
    [BOARD_COLUMN_VIEWPORT] = {"viewport", viewport_cell, viewport_text, false},
    [BOARD_COLUMN_BROWSER] = {"browser", browser_cell, browser_text, false},
    [BOARD_COLUMN_RUNNER] = {"runner", runner_cell, runner_text, false},
    [BOARD_COLUMN_STATUS] = {"status", status_cell, NULL, true},
    [BOARD_COLUMN_ATTEMPT] = {"attempt", attempt_cell, NULL, true},
    [BOARD_COLUMN_STARTED] = {"started_ms", started_cell, NULL, true},
    [BOARD_COLUMN_DURATION] = {"duration_ms", duration_cell, NULL, true},
    [BOARD_COLUMN_WORKER] = {"worker", NULL, worker_text, true},
    [BOARD_COLUMN_MESSAGE] = {"message", NULL, message_text, true},
    [BOARD_COLUMN_TESTS] = {"tests", tests_cell, NULL, true},
    [BOARD_COLUMN_TESTS_FAILED] = {"tests_failed", tests_failed_cell, NULL, true},
};

const struct board_cells *board_columns_find(const char *name)
{
    for (size_t i = 0; i < BOARD_COLUMN_COUNT; i++)
        if (strcmp(board_columns[i].name, name) == 0)
            return &board_columns[i];
    return NULL;
}
