/*
 * Spec x viewport x browser: which of them are tasks, which a rule of the map excludes, and that none is there twice.
 *
 * An entry of the map is multiplied out in file order: each combination becomes a task or an exclusion of the plan.
 * A rule with "without" excludes only where one of its programs is missing, which is the worker's to find out: it goes
 * along with the task.
 * Names are those of plan.texts, so they are compared by address. plan.c reads and checks what an entry is made of.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "shared/error.h"
#include "shared/form.h"
#include "shared/run_policy.h"

struct cJSON;
struct plan;
struct plan_rule;
struct plan_combination;

struct plan_names {
    const char **items;
    size_t count, capacity;
};

/* One entry of a group's "tasks", checked. */
struct plan_entry {
    const struct form_place *place;
    uint32_t group, index; /* in "groups", and in its "tasks" */
    const char *spec, *runner;
    const struct cJSON *overrides[RUN_OVERRIDES]; /* what it says of its tasks alone; NULL: nothing */
    const struct plan_names *viewports, *browsers;
};

struct plan_combinations {
    struct plan *plan; /* what they are added to */
    size_t task_capacity, exclusion_capacity;

    struct plan_rule *rules;
    size_t rule_count;
    struct plan_rule *applicable; /* those that may match the entry; has room for all */
    size_t applicable_count;

    struct plan_combination *items;
    size_t count, capacity;
    uint32_t *slots; /* open addressing: index in items plus 1; 0: free */
    size_t slot_count;
    struct buffer json; /* kept for its memory */
};

/* Before the first entry: the map's rules. NULL: the built-in one. 0, or -1 with ERROR_CONFIG. */
int plan_combinations_exclude(struct plan_combinations *combinations, const struct cJSON *list, struct error *err);

/* Multiplies the entry out. 0, or -1 with ERROR_CONFIG: one of them is there already, or there are too many. */
int plan_combinations_add(struct plan_combinations *combinations, const struct plan_entry *entry, struct error *err);

void plan_combinations_close(struct plan_combinations *combinations);
