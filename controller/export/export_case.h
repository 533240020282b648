/*
 * What a report counts: each test of a task once, as its last attempt has it, and the task itself where no test says
 * how it ended. Every format is written from these cases, so all of them agree. Pure.
 *
 *     the task                      its cases
 *     --------------------------    ------------------------------------------------------------------------
 *     passed                        its tests; the task itself if it told of none
 *     failed                        the same; the task itself, too, if none of them failed
 *     flaky                         a test that failed in an earlier attempt is flaky; the task itself if none is
 *     error                         its tests, and the task itself, with the reason
 *     skipped                       its tests; the task itself if it told of none
 *     cancelled, queued, running    the task itself
 *
 * What failed before a passed task was run again is told by nobody: that was mended.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/board.h"
#include "controller/plan.h"
#include "shared/buffer.h"
#include "shared/record.h"

enum export_status {
    EXPORT_PASSED,
    EXPORT_FAILED,
    EXPORT_ERROR, /* of a task alone: infrastructure */
    EXPORT_FLAKY,
    EXPORT_SKIPPED,
    EXPORT_CANCELLED, /* these two of a task alone */
    EXPORT_PENDING,
    EXPORT_STATUSES,
};

/* "passed", "failed", "error", … */
const char *export_status_name(enum export_status status);

/* What is known of a task; borrowed. */
struct export_task {
    const struct plan *plan;
    size_t index;
    const struct board_task *state;
    const struct record_source *attempts; /* oldest first */
    size_t attempt_count;
    const char *log; /* of its last attempt; NULL: not asked for, or none */
    size_t log_length;
};

/* A text is NULL where nothing is known. */
struct export_failure {
    const char *message, *expected, *received, *stack, *snippet;
};

struct export_case {
    const char *title; /* of at most 420 bytes, no two of a task alike */
    bool is_task;
    enum export_status status;
    const char *file; /* NULL: unknown, then the line is 0 */
    unsigned line;
    uint64_t duration_ms;
    unsigned retries;     /* of the runner's own */
    const char *reason;   /* of a skip or a cancellation; NULL: none was given */
    size_t first_failure; /* in the cases' failures: its own, or of FLAKY those that came before it passed */
    size_t failure_count;
};

struct export_cases {
    struct export_case *items;
    size_t count;
    struct export_failure *failures;
    size_t failure_count;
    struct cJSON **trees; /* private: what the texts borrow from */
    size_t tree_count;
    struct text_pool titles; /* private */
};

/* The texts borrow from the task, which must stay. To be closed. */
void export_cases_make(struct export_cases *cases, const struct export_task *task);
void export_cases_close(struct export_cases *cases);

/* "[desktop chrome]": what tells the cases of one spec apart; as the map has it, not escaped. */
void export_add_where(struct buffer *out, const struct export_task *task);
