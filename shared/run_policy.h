/*
 * What a run asks of its workers: the fields of its hash that its controller writes when it begins, and that a worker
 * reads when it joins; and the little that a map says of one task alone. What one side writes the other understands,
 * as both go by the same tables. Pure. What workers don't read of the fields is for the scripts and for the board.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/buffer.h"
#include "shared/error.h"
#include "shared/form.h"
#include "shared/ledger.h"
#include "shared/runner.h"
#include "shared/task.h"

/* ---- a viewport, and what a map says of one task ---- */

struct run_viewport {
    char *name;
    int width, height;
    bool is_mobile;
};

/* {"width","height","mobile"}; its name is the caller's to set. -1 names the place. */
int run_viewport_parse(struct run_viewport *viewport, const struct cJSON *definition, const struct form_place *place,
                       struct error *err);

/* The tree is the caller's. */
struct cJSON *run_viewport_format(const struct run_viewport *viewport);

/* The rows of the overrides, for a form that has more rows than these. */
enum { RUN_OVERRIDE_TIMEOUT, RUN_OVERRIDE_RETRIES, RUN_OVERRIDE_WITHOUT, RUN_OVERRIDE_REASON, RUN_OVERRIDES };
#define RUN_TIMEOUT_KEY                                                                                              \
    {                                                                                                                \
        "timeout_s", false,                                                                                          \
        {                                                                                                            \
            FORM_NUMBER, NULL, 1, TASK_TIMEOUT_MAX_S                                                                 \
        }                                                                                                            \
    }
#define RUN_RETRIES_KEY                                                                                              \
    {                                                                                                                \
        "retries", false,                                                                                            \
        {                                                                                                            \
            FORM_NUMBER, NULL, 0, TASK_RETRIES_MAX                                                                   \
        }                                                                                                            \
    }

#define RUN_WITHOUT_KEY                                                                                              \
    {                                                                                                                \
        "without", false,                                                                                            \
        {                                                                                                            \
            FORM_LIST, "a list of programs", 1, 0                                                                    \
        }                                                                                                            \
    }
#define RUN_REASON_KEY                                                                                               \
    {                                                                                                                \
        "reason", false,                                                                                             \
        {                                                                                                            \
            FORM_LINE, "a reason", 1, 1024                                                                           \
        }                                                                                                            \
    }

/* The elements of a list of programs: names, as they are looked for in PATH. 0, or -1 naming the place. */
int run_without_check(const struct cJSON *list, const struct form_place *place, struct error *err);

/* As compact JSON; adds nothing when the map says nothing. `members`: checked by the rows above, NULL: not said. */
void run_overrides_format(const struct cJSON *const members[RUN_OVERRIDES], struct buffer *out);

/* ---- what the controller writes ---- */

struct run_terms {
    const char *run_id;
    const char *digest; /* of the plan */
    size_t total;       /* tasks */
    unsigned lease_ms, task_timeout_s, retries, max_crashes, max_releases;
    const char *viewports, *runners;          /* JSON objects name -> definition */
    const char *projects;                     /* JSON object "<viewport>-<browser>" -> project's name */
    const char *source, *branch, *source_url; /* "": unknown */
};

enum { RUN_FIELDS = 14 };
struct run_fields {
    const char *texts[2 * RUN_FIELDS]; /* name, value, …: borrowed from the terms, or of `numbers` */
    char numbers[RUN_FIELDS][24];
};
void run_policy_format(const struct run_terms *terms, struct run_fields *fields);

/* ---- what a worker reads ---- */

/* Of one task. */
struct run_limits {
    unsigned timeout_s;
    unsigned retries;
};

/* What the map calls the project of a viewport and a browser. */
struct run_project {
    char *combination; /* "<viewport>-<browser>" */
    char *name;
};

struct run_policy {
    char *run_id, *digest;
    unsigned lease_ms;
    struct run_limits limits;
    bool is_cancelled; /* nothing is taken any more */
    struct run_viewport *viewports;
    size_t viewport_count;
    struct run_project *projects;
    size_t project_count;
    struct runner *runners; /* those of the map, and the built-in ones that it leaves alone */
    size_t runner_count;
};

/*
 * From the reply of ledger_register(). What no controller would have written (shared/task.h has the bounds) is
 * refused whole. `versions`: of the built-in runners' packages, as runner_parse() takes them. 0, or -1 with
 * ERROR_PROTOCOL naming the place; then `policy` is empty.
 */
int run_policy_load(struct run_policy *policy, const struct ledger_reply *reply, const char *const *versions,
                    struct error *err);

/*
 * The run's limits with what the map says of this task alone: `overrides`, the JSON that came with its claim; "":
 * nothing. 0, or -1 with ERROR_PROTOCOL naming the place; then `limits` are the run's.
 */
int run_policy_limits(const struct run_policy *policy, const char *overrides, struct run_limits *limits,
                      struct error *err);

/*
 * Whether the map leaves the task out where it is asked, as one of the programs that it names is missing: `is_there`
 * knows. Then `reason` is set to one line for people. `overrides` as above; what can't be read leaves nothing out.
 */
bool run_overrides_leave_out(const char *overrides, bool (*is_there)(const char *program), struct buffer *reason);

/* Whether both are of the same run. */
bool run_policy_equal(const struct run_policy *a, const struct run_policy *b);
void run_policy_close(struct run_policy *policy);

/* NULL: the run has none of that name. */
const struct runner *run_policy_runner(const struct run_policy *policy, const char *name);
const struct run_viewport *run_policy_viewport(const struct run_policy *policy, const char *name);

/* The project that the map names for "<viewport>-<browser>"; NULL: none. */
const char *run_policy_project(const struct run_policy *policy, const char *combination);
