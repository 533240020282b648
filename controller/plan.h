/*
 * Spec map -> validated list of tasks. Pure: bytes in, a plan or an error out; no files, no clock, no Redis.
 *
 * The form is described by specs/spec_context_map.schema.json. Each spec x viewport x browser is a task, in file
 * order, numbered from 0 in its group after the excluded combinations are left out.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/text_pool.h"
#include "shared/error.h"
#include "shared/task.h"

/* Combinations in a map, excluded ones included: a guard against one that multiplies out. */
enum { PLAN_TASKS_MAX = 1000000 };

struct plan_group {
    const char *name;
    size_t first; /* index of its task number 0 in plan.tasks */
    size_t count;
};

struct plan_task {
    uint32_t group; /* index in plan.groups */
    uint32_t number;
    const char *spec; /* as in the map, without "./" and "//" */
    const char *viewport;
    const char *browser;
    const char *runner;
    /* JSON object of what the map says of this task alone: timeout_s, retries; without, reason. NULL: nothing. */
    const char *overrides;
};

struct plan_exclusion {
    const char *group, *spec, *viewport, *browser, *reason;
};

/* All texts are owned by the plan and stay until plan_close(); equal ones have the same address. */
struct plan {
    struct plan_group *groups;
    size_t group_count;
    struct plan_task *tasks;
    size_t task_count;
    struct plan_exclusion *exclusions;
    size_t exclusion_count;
    const char *runners;   /* JSON object name -> definition, those of the map, validated */
    const char *projects;  /* JSON object "<viewport>-<browser>" -> project of the runner's configuration */
    const char *viewports; /* JSON object name -> {"width","height","mobile"}, built-in ones included */
    /* Equal plans have equal digests: FNV-1a over all of the above. Guards against mistakes, not malice. */
    uint64_t digest;
    uint32_t *groups_by_name; /* private: indices of groups in the order of their names */
    struct text_pool texts;   /* private: storage */
};

/*
 * Parses and validates. 0, or -1 with ERROR_CONFIG whose text starts with the path of the place
 * ("groups[1].tasks[0].browsers[2]: …") or, for what isn't JSON, with "line L column C: …"; then `plan` is empty.
 * A plan without a task is valid: the caller decides what that means.
 */
int plan_parse(struct plan *plan, const char *bytes, size_t length, struct error *err);
void plan_close(struct plan *plan);

/* "task:<group>:<number>" of task `index`. */
void plan_key(const struct plan *plan, size_t index, char key[TASK_KEY_SIZE]);

/* The index of a key, or -1: no such task. Costs the logarithm of the number of groups. */
ptrdiff_t plan_find(const struct plan *plan, const char *key);
