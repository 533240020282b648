/* What a worker must know of the run that it joined: read from the run's fields when it registers. */
#pragma once
#include <stdbool.h>
#include "shared/error.h"
#include "shared/ledger.h"
#include "shared/runner.h"

struct run_viewport {
    char *name;
    int width, height;
    bool is_mobile;
};

/* Of one task. */
struct run_limits {
    unsigned timeout_s;
    unsigned retries;
};

struct run_policy {
    char *run_id, *digest;
    unsigned lease_ms;
    struct run_limits limits;
    bool is_cancelled; /* nothing is taken any more */
    struct run_viewport *viewports;
    size_t viewport_count;
    struct runner *runners; /* those of the map, and the built-in ones that it leaves alone */
    size_t runner_count;
};

/*
 * From the reply of ledger_register(). What no controller would have written (shared/task.h has the bounds) is
 * refused whole. 0, or -1 with ERROR_PROTOCOL naming the place; then `policy` is empty.
 */
int run_policy_load(struct run_policy *policy, const struct ledger_reply *reply, struct error *err);

/*
 * The run's limits with what the map says of this task alone: `overrides`, the JSON that came with its claim; "":
 * nothing. 0, or -1 with ERROR_PROTOCOL naming the place; then `limits` are the run's.
 */
int run_policy_limits(const struct run_policy *policy, const char *overrides, struct run_limits *limits,
                      struct error *err);

/* Whether both are of the same run. */
bool run_policy_equal(const struct run_policy *a, const struct run_policy *b);
void run_policy_close(struct run_policy *policy);

/* NULL: the run has none of that name. */
const struct runner *run_policy_runner(const struct run_policy *policy, const char *name);
const struct run_viewport *run_policy_viewport(const struct run_policy *policy, const char *name);
