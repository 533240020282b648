/* What a worker must know of the run that it joined: read from the run's fields when it registers. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "shared/error.h"
#include "shared/ledger.h"
#include "shared/runner.h"

struct run_viewport {
    char *name;
    int width, height;
};

struct run_policy {
    char *run_id, *digest;
    unsigned lease_ms;
    unsigned task_timeout_s;
    unsigned retries;
    bool is_cancelled; /* nothing is taken any more */
    struct run_viewport *viewports;
    size_t viewport_count;
    struct runner *runners; /* those of the map, and the built-in ones that it leaves alone */
    size_t runner_count;
};

/* From the reply of ledger_register(). 0, or -1 with ERROR_PROTOCOL; then `policy` is empty. */
int run_policy_load(struct run_policy *policy, const struct ledger_reply *reply, struct error *err);

/* Whether both are of the same run. */
bool run_policy_equal(const struct run_policy *a, const struct run_policy *b);
void run_policy_close(struct run_policy *policy);

/* NULL: the run has none of that name. */
const struct runner *run_policy_runner(const struct run_policy *policy, const char *name);
const struct run_viewport *run_policy_viewport(const struct run_policy *policy, const char *name);
