/*
 * The run as people see it: every task's state, the counters, the workers. Pure: no I/O, no clock of its own.
 *
 * The monitor writes, the reporter and the terminal read. Each change gets the next sequence number, and the tasks
 * hang in a list by their last change, so "what changed since n" costs as much as its answer, for any n. Sums are
 * kept up to date, so a change and the summary cost the same for ten tasks as for a hundred thousand.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/plan.h"
#include "shared/buffer.h"
#include "shared/task.h"

/* The numbers are those of the API (ARCHITECTURE.md). */
enum board_state {
    BOARD_QUEUED,
    BOARD_RUNNING,
    BOARD_PASSED,
    BOARD_FAILED,
    BOARD_FLAKY,
    BOARD_ERROR,
    BOARD_CANCELLED,
    BOARD_SKIPPED,
    BOARD_STATES,
};

enum board_run_state { BOARD_RUN_RUNNING, BOARD_RUN_FINISHED, BOARD_RUN_CANCELLED, BOARD_RUN_STATES };
enum board_verdict {
    BOARD_NO_VERDICT,
    BOARD_VERDICT_PASSED,
    BOARD_VERDICT_FAILED,
    BOARD_VERDICT_ERROR,
    BOARD_VERDICT_CANCELLED,
    BOARD_VERDICT_SKIPPED,
    BOARD_VERDICTS,
};

/* The words of the API: "queued", …; "running", …; "passed", …, NULL for BOARD_NO_VERDICT. */
const char *board_state_name(enum board_state state);
const char *board_run_state_name(enum board_run_state state);
const char *board_verdict_name(enum board_verdict verdict);

/* What went wrong, in words; NULL: not told. */
struct board_error {
    const char *message;             /* up to three lines */
    const char *expected, *received; /* one line each */
};

/* A test that failed in the last attempt of a task, or, without a title, what kept the task itself from passing. */
struct board_failure {
    const char *title; /* its path as one line, NULL: none */
    const struct board_error *error;
    const char *file; /* where it failed; NULL: unknown */
    int line;
};

struct board_failures {
    size_t count;
    size_t dropped; /* more that failed and aren't told of */
    const struct board_failure *rows;
};

/*
 * At most so many are kept of all tasks together: with texts as long as they come, 20 MB. What doesn't fit counts as
 * dropped.
 */
enum { BOARD_FAILURES_MAX = 20000 };

/*
 * All that is known of one task. The texts are borrowed when handed in and owned by the board when handed out;
 * by then every byte that isn't UTF-8 has become U+FFFD.
 */
struct board_task {
    enum board_state state;
    unsigned attempt;     /* the last one's number, 0 before the first */
    int64_t started_ms;   /* Unix time of the last attempt's start, 0 before */
    uint64_t duration_ms; /* of the last attempt, when it has ended */
    uint64_t earlier_ms;  /* what the attempts before the last one took together */
    const char *worker;   /* NULL: none yet */
    const char *message;  /* one line: first error, or the reason; NULL: none */
    const char *title;    /* of the first failed test; NULL: none */
    const char *file;     /* where it failed; NULL: unknown */
    int line;
    struct test_counts tests;              /* of the last attempt */
    const struct board_failures *failures; /* its failed tests, one by one; NULL: none told */
};

struct board;

/* The plan is borrowed and must stay. `epoch` names this life of the sequence numbers; copied. */
struct board *board_new(const struct plan *plan, const char *run_id, const char *epoch);
void board_free(struct board *board);

/* All of task `index` as it is now; what is the same as before changes nothing. Returns whether anything changed. */
bool board_set_task(struct board *board, size_t index, const struct board_task *task);

/* Its texts stay until the task is set again. */
const struct board_task *board_task(const struct board *board, size_t index);

/*
 * What is wrong with task `index`, one by one: what it failed with itself, if it ended in error or if nothing is told
 * of its tests, then its failed tests. A task that failed or ended in error has one at least; one that will be tried
 * again, or passed, has those of its last attempt. The texts stay until the task is set again.
 */
size_t board_failure_count(const struct board *board, size_t index);
struct board_failure board_failure(const struct board *board, size_t index, size_t number);

/* Failed tests of all tasks that aren't told of. */
size_t board_failures_dropped(const struct board *board);

/* A worker has come or gone; `lost`: its lease ran out. One that comes back is no longer lost. */
void board_worker_joined(struct board *board, const char *worker, unsigned slots);
void board_worker_left(struct board *board, const char *worker, bool lost);

/*
 * Times are Unix times in ms, 0: not yet. The texts are borrowed when handed in and owned by the board when handed
 * out, cut to what people can be shown.
 */
struct board_run {
    enum board_run_state state;
    int64_t started_ms, finished_ms;
    int64_t reopened_ms;          /* when a finished run was last begun again */
    int64_t idle_ms;              /* for how long it was finished in between, in all */
    int64_t reruns;               /* how often tasks were put back */
    size_t failed;                /* tasks that have failed since it was opened, or since tasks were last put back */
    enum cancel_kind cancel_kind; /* NONE: it isn't being cancelled */
    const char *source;           /* what is tested; NULL: unknown, and then the other two aren't shown */
    const char *branch;           /* NULL: unknown */
    const char *url;              /* of the CI's job, a link; NULL: none */
};

void board_set_run(struct board *board, const struct board_run *run);
const struct board_run *board_run(const struct board *board);

/* Summaries of earlier runs, newest first, as a JSON array of objects (copied); what isn't one counts as empty. */
void board_set_history(struct board *board, const char *json);

const char *board_run_id(const struct board *board);
const char *board_epoch(const struct board *board);
uint64_t board_seq(const struct board *board);
size_t board_count(const struct board *board, enum board_state state);
size_t board_total(const struct board *board);

/* The index of the task with this key, -1: none. */
ptrdiff_t board_find(const struct board *board, const char *key);

/*
 * NO_VERDICT while the run goes on. A cancelled run is cancelled, whatever was found before. A finished one is failed
 * if a task failed, else error if one ended in error, else cancelled if one was cancelled, else skipped if every one
 * was. Passed means that there were tasks and every one ended passed, flaky or skipped; what is left is an error.
 */
enum board_verdict board_verdict(const struct board *board);

/*
 * The shortest time that the run could have taken, in ms: max(time of all attempts / slots, longest task), with the
 * most slots that there were at a time; 0 before anything ended.
 */
uint64_t board_bound_ms(const struct board *board);

/* The summary as numbers. */
struct board_totals {
    enum board_run_state state;
    enum board_verdict verdict;
    size_t total;
    size_t counts[BOARD_STATES];
    size_t excluded;
    uint64_t tests_passed, tests_failed, tests_skipped, tests_flaky;
    int64_t started_ms, finished_ms;
    uint64_t wall_ms;    /* since the start, to the end or `now`, without `idle` */
    uint64_t idle_ms;    /* between an end and being begun again */
    uint64_t compute_ms; /* of all attempts that ended */
    uint64_t bound_ms;
    double efficiency; /* bound / wall, at most 1; negative: not known yet */
    bool has_eta;
    uint64_t eta_low_ms, eta_high_ms;
    size_t workers_live, workers_lost;
};

/*
 * `now_ms` is Unix time. The estimate is known while the run goes on, five tasks have ended and a slot is live. With
 * mean m and deviation s of the n durations so far, k tasks to go (queued and running) on p slots (at most k of
 * them):
 *
 *     work = k m - what the running ones have done (each at most its share)
 *     wide = 2 s sqrt(k + k k / n)          two standard errors of a sum of k, given that m is known from n only
 *     low  = (work - wide) / p              not below 0
 *     high = (work + wide) / p + (1 - 1/p) min(m + 2 s, longest)      the last task runs alone
 */
void board_totals(const struct board *board, int64_t now_ms, struct board_totals *totals);

/* Indices of the `limit` slowest finished tasks, slowest first; returns how many. */
size_t board_slowest(const struct board *board, size_t *indices, size_t limit);

/* How many tasks have changed since `since`, or rather what there is to tell of them: one with n failures counts as n. Up to `limit`. */
size_t board_changes(const struct board *board, uint64_t since, size_t limit);

/* The JSON texts of ARCHITECTURE.md, appended. `now_ms` is Unix time. */
void board_add_summary(const struct board *board, int64_t now_ms, struct buffer *out);
void board_add_runs(const struct board *board, int64_t now_ms, struct buffer *out);
void board_add_snapshot(struct board *board, int64_t now_ms, struct buffer *out);
void board_add_delta(const struct board *board, uint64_t since, int64_t now_ms, struct buffer *out);

/* `attempts_json` is a valid JSON array. */
void board_add_task(const struct board *board, size_t index, const char *attempts_json, struct buffer *out);

/* The summary of this run or of one of the history. false: there is no run of that id. */
bool board_add_run(const struct board *board, const char *run_id, int64_t now_ms, struct buffer *out);

struct board_query {
    unsigned states; /* bit set of enum board_state; 0: all */
    const char *
        text; /* NULL, or what spec, group, worker, message, key or a failure must contain (ASCII case-insensitive) */
    const char *sort; /* NULL: plan order; else a column of the snapshot, with '-' before it for descending */
    size_t limit;     /* at most so many, from the one numbered `offset` among those that match */
    size_t offset;
};

/*
 * {"tasks":[…],"total":n,"next":"…"|null}: tasks as in board_add_task() without attempts, how many match, and the
 * offset to go on from. false: the sort column is unknown; then nothing is appended.
 */
bool board_add_tasks(const struct board *board, const struct board_query *query, struct buffer *out);
