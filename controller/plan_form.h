/*
 * What may stand where in a spec map: one table for each kind of object, as specs/spec_context_map.schema.json says
 * it for editors. A test holds the two together. What a table can't say (a name used twice, a runner that nobody
 * defined) is refused by whoever reads that place: plan.c, plan_combinations.c, plan_lookup.c.
 */
#pragma once
#include "shared/form.h"

enum { PLAN_PATH_MAX_BYTES = 1024 };

extern const struct form_rule plan_viewport_rule, plan_browser_rule, plan_runner_rule;
extern const struct form_rule plan_project_rule;

enum { MAP_SCHEMA, MAP_VIEWPORTS, MAP_EXCLUDE, MAP_RUNNERS, MAP_PROJECTS, MAP_GROUPS, MAP_COUNT };
extern const struct form_key plan_map_keys[MAP_COUNT];

enum { RULE_VIEWPORT, RULE_BROWSER, RULE_RUNNER, RULE_SPEC, RULE_WITHOUT, RULE_REASON, RULE_COUNT };
extern const struct form_key plan_rule_keys[RULE_COUNT];

enum { GROUP_NAME, GROUP_RUNNER, GROUP_TASKS, GROUP_COUNT };
extern const struct form_key plan_group_keys[GROUP_COUNT];

enum {
    ENTRY_SPEC,
    ENTRY_VIEWPORTS,
    ENTRY_BROWSERS,
    ENTRY_RUNNER,
    ENTRY_TIMEOUT,
    ENTRY_RETRIES,
    ENTRY_TAGS,
    ENTRY_HEDGE,
    ENTRY_COUNT
};
extern const struct form_key plan_entry_keys[ENTRY_COUNT];
