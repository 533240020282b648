/*
 * Why this is a file of its own: who changes the form of a spec map changes these tables and the schema, and nothing
 * that reads them. Only data is here.
 */
#include "controller/plan_form.h"

#include <assert.h>

#include "shared/run_policy.h"
#include "shared/task.h"

enum { NAME_MAX_BYTES = 128 };
static_assert(sizeof("task::4294967295") + NAME_MAX_BYTES <= TASK_KEY_SIZE, "every key must fit");

#define NAME(wanted)                                                                                                 \
    {                                                                                                                \
        FORM_NAME, wanted, 1, NAME_MAX_BYTES                                                                         \
    }

const struct form_rule plan_viewport_rule = NAME("a viewport's name");
const struct form_rule plan_browser_rule = NAME("a browser's name");
const struct form_rule plan_runner_rule = NAME("a runner's name");

const struct form_rule plan_project_rule = {FORM_LINE, "a project's name", 1, PLAN_PATH_MAX_BYTES};

const struct form_key plan_map_keys[MAP_COUNT] = {
    [MAP_SCHEMA] = {"$schema", false, {FORM_TEXT, "the schema's address", 1, 0}},
    [MAP_VIEWPORTS] = {"viewports", false, {FORM_OBJECT, "an object of viewports", 0, 0}},
    [MAP_EXCLUDE] = {"exclude", false, {FORM_LIST, "a list of rules", 0, 0}},
    [MAP_RUNNERS] = {"runners", false, {FORM_OBJECT, "an object of runners", 0, 0}},
    [MAP_PROJECTS] = {"projects", false, {FORM_OBJECT, "an object of projects' names", 0, 0}},
    [MAP_GROUPS] = {"groups", true, {FORM_LIST, "a list of groups", 1, 0}},
};

const struct form_key plan_rule_keys[RULE_COUNT] = {
    [RULE_VIEWPORT] = {"viewport", false, NAME("a viewport's name")},
    [RULE_BROWSER] = {"browser", false, NAME("a browser's name")},
    [RULE_RUNNER] = {"runner", false, NAME("a runner's name")},
    [RULE_SPEC] = {"spec", false, {FORM_LINE, "a pattern of specs' paths", 1, PLAN_PATH_MAX_BYTES}},
    [RULE_WITHOUT] = RUN_WITHOUT_KEY,
    [RULE_REASON] = RUN_REASON_KEY,
};

const struct form_key plan_group_keys[GROUP_COUNT] = {
    [GROUP_NAME] = {"name", true, NAME("a group's name")},
    [GROUP_RUNNER] = {"runner", false, NAME("a runner's name")},
    [GROUP_TASKS] = {"tasks", true, {FORM_LIST, "a list of tasks", 1, 0}},
};

const struct form_key plan_entry_keys[ENTRY_COUNT] = {
    [ENTRY_SPEC] = {"spec", true, {FORM_PATH, "a spec's path", 1, PLAN_PATH_MAX_BYTES}},
    [ENTRY_VIEWPORTS] = {"viewports", true, {FORM_LIST, "a list of viewports", 1, 0}},
    [ENTRY_BROWSERS] = {"browsers", true, {FORM_LIST, "a list of browsers", 1, 0}},
    [ENTRY_RUNNER] = {"runner", false, NAME("a runner's name")},
    [ENTRY_TIMEOUT] = RUN_TIMEOUT_KEY,
    [ENTRY_RETRIES] = RUN_RETRIES_KEY,
    [ENTRY_TAGS] = {"tags", false, {FORM_LATER, NULL, 0, 0}},
    [ENTRY_HEDGE] = {"hedge", false, {FORM_LATER, NULL, 0, 0}},
};
