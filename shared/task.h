/* The words of a task's life, as they stand in Redis, in the API and on the page. */
#pragma once
#include <stddef.h>

enum { TASK_KEY_SIZE = 256 }; /* longest key with its zero; the plan refuses names that don't fit */

/* What the controller accepts and a worker can rely on. */
enum { TASK_TIMEOUT_MAX_S = 1000000, TASK_RETRIES_MAX = 100, TASK_LEASE_MAX_S = 3600, TASK_VIEWPORT_MAX = 100000 };

/* The `status` field of a task hash. */
enum task_status { TASK_WAITING, TASK_PROCESSING, TASK_COMPLETE };

/* The `result` field of a task hash. */
enum task_result { TASK_UNKNOWN, TASK_PASSED, TASK_FAILED, TASK_ERROR, TASK_SKIPPED };

const char *task_status_name(enum task_status status);
const char *task_result_name(enum task_result result);

/* Why a run is being cancelled: the run's field `cancel_kind`. */
enum cancel_kind { CANCEL_NONE, CANCEL_ASKED, CANCEL_DEADLINE, CANCEL_FAILURES };

/* "", "asked", "deadline", "failures" */
const char *cancel_kind_name(enum cancel_kind kind);

/* -1: no such word. */
int task_status_parse(const char *name);
int task_result_parse(const char *name);
int cancel_kind_parse(const char *name);

/* Of a run that is being cancelled, whatever Redis holds: ASKED for what is no word of ours, or NULL. */
enum cancel_kind cancel_kind_told(const char *name);

/* How many tests of an attempt ended how. */
struct test_counts {
    unsigned passed, failed, skipped, flaky;
};
