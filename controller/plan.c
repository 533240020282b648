/*
 * Reads a spec map from top to bottom and puts the plan together. What may stand where is in plan_form, what an entry
 * is multiplied out to in plan_combinations, a plan's number in plan_digest, keys in plan_lookup.
 */
#include "controller/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/plan_combinations.h"
#include "controller/plan_digest.h"
#include "controller/plan_form.h"
#include "controller/plan_lookup.h"
#include "shared/buffer.h"
#include "shared/form.h"
#include "shared/json.h"
#include "shared/memory.h"
#include "shared/run_policy.h"
#include "shared/runner.h"

static const char builtin_viewports[] = "{\"desktop\":{\"width\":1280,\"height\":720,\"mobile\":false},"
                                        "\"mobile\":{\"width\":393,\"height\":851,\"mobile\":true}}";

/* A plan in the making. */
struct loader {
    struct plan *plan;
    const char **runners; /* names of the map's and the built-in ones; ends with NULL */
    struct plan_combinations combinations;

    /* Of the entry that is being loaded; kept for their memory. */
    struct plan_names viewports, browsers;
};

static const char *intern(struct loader *l, const char *text)
{
    return text_pool_take(&l->plan->texts, text);
}

static const char *intern_json(struct loader *l, const struct cJSON *value)
{
    char *text = cJSON_PrintUnformatted(value);
    assert(text != NULL);
    const char *stored = intern(l, text);
    cJSON_free(text);
    return stored;
}

/* --- viewports --- */

static int load_viewport(struct cJSON *all, const struct cJSON *definition, const struct form_place *place,
                         struct error *err)
{
    const char *name = definition->string;
    struct run_viewport viewport;
    if (form_check_text(name, &plan_viewport_rule, place, err) < 0 ||
        run_viewport_parse(&viewport, definition, place, err) < 0)
        return -1;
    cJSON_AddItemToObject(all, name, run_viewport_format(&viewport));
    return 0;
}

static int load_viewports(struct loader *l, const struct cJSON *definitions, struct error *err)
{
    const struct form_rule rule = {FORM_OBJECT, "a viewport's \"width\" and \"height\"", 0, 0};
    struct form_place place = {.key = "viewports"};
    if (form_check_all(definitions, &rule, &place, err) < 0)
        return -1;

    struct cJSON *all = cJSON_Parse(builtin_viewports);
    const struct cJSON *definition;
    int result = 0;
    cJSON_ArrayForEach(definition, definitions)
    {
        /* Only a built-in one can be there already; the map's own names were checked to be different. */
        if (strcmp(definition->string, "desktop") == 0 || strcmp(definition->string, "mobile") == 0)
            cJSON_DeleteItemFromObjectCaseSensitive(all, definition->string);
        struct form_place here = {.parent = &place, .key = definition->string};
        if ((result = load_viewport(all, definition, &here, err)) < 0)
            break;
    }
    if (result == 0)
        l->plan->viewports = intern_json(l, all);
    cJSON_Delete(all);
    return result;
}

/* --- runners --- */

static int check_runner(const struct cJSON *definition, const struct form_place *place, struct error *err)
{
    struct runner runner;
    if (form_check_text(definition->string, &plan_runner_rule, place, err) < 0 ||
        runner_parse(&runner, definition->string, NULL, definition, place, err) < 0)
        return -1;
    runner_close(&runner);
    return 0;
}

static int load_runners(struct loader *l, const struct cJSON *definitions, struct error *err)
{
    const struct form_rule rule = {FORM_OBJECT, "a runner's definition", 0, 0};
    struct form_place place = {.key = "runners"};
    if (form_check_all(definitions, &rule, &place, err) < 0)
        return -1;

    size_t builtin_count = 0;
    while (runner_builtin_name(builtin_count) != NULL)
        builtin_count++;
    size_t count = 0;
    l->runners = memory_zeroed(builtin_count + (size_t)cJSON_GetArraySize(definitions) + 1, sizeof(*l->runners));
    for (size_t i = 0; i < builtin_count; i++)
        l->runners[count++] = intern(l, runner_builtin_name(i));
    const struct cJSON *definition;
    cJSON_ArrayForEach(definition, definitions)
    {
        struct form_place here = {.parent = &place, .key = definition->string};
        if (check_runner(definition, &here, err) < 0)
            return -1;
        if (runner_builtin(definition->string) == NULL)
            l->runners[count++] = intern(l, definition->string);
    }
    l->plan->runners = definitions ? intern_json(l, definitions) : intern(l, "{}");
    return 0;
}

static bool is_known_runner(const struct loader *l, const char *name)
{
    for (const char **known = l->runners; *known != NULL; known++)
        if (*known == name)
            return true;
    return false;
}

static char *known_runners(const struct loader *l)
{
    auto_buffer names = {0};
    for (const char **known = l->runners; *known != NULL; known++)
        buffer_format(&names, "%s%s", known == l->runners ? "" : ", ", *known);
    return buffer_take(&names);
}

/* The runner that a group or entry names, or NULL in *name if it names none. */
static int load_named_runner(struct loader *l, const struct cJSON *member, const struct form_place *parent,
                             const char **name, struct error *err)
{
    *name = member ? intern(l, member->valuestring) : NULL;
    if (*name == NULL || is_known_runner(l, *name))
        return 0;
    struct form_place here = {.parent = parent, .key = "runner"};
    auto_free char *known = known_runners(l);
    return form_refuse(member, &here, err, "one of %s", known);
}

/* --- entries and groups --- */

/* The path without "." and empty parts, so that one file has one name. */
static int load_spec(struct loader *l, const char *path, const struct form_place *parent, const char **spec,
                     struct error *err)
{
    struct form_place here = {.parent = parent, .key = "spec"};
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    if (file[0] == '\0' || strcmp(file, ".") == 0)
        return form_refuse_text(path, &here, err, "the path of a file");

    char plain[PLAN_PATH_MAX_BYTES + 1];
    size_t length = 0, part_length;
    for (const char *part = path; *part != '\0'; part += part_length + (part[part_length] == '/')) {
        part_length = strcspn(part, "/");
        if (part_length == 0 || (part_length == 1 && part[0] == '.'))
            continue;
        if (length > 0)
            plain[length++] = '/';
        memcpy(plain + length, part, part_length);
        length += part_length;
    }
    plain[length] = '\0';
    if (plain[0] == '-')
        return form_refuse_text(path, &here, err, "a path that doesn't start with '-' behind its \"./\"");
    *spec = intern(l, plain);
    return 0;
}

static int load_names(struct loader *l, const struct cJSON *list, const struct form_rule *rule,
                      const struct form_place *place, struct plan_names *names, struct error *err)
{
    if (form_check_all(list, rule, place, err) < 0)
        return -1;
    size_t count = (size_t)cJSON_GetArraySize(list);
    if (count > names->capacity)
        names->items = memory_resize(names->items, names->capacity = count, sizeof(*names->items));
    names->count = 0;
    const struct cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        names->items[names->count++] = intern(l, item->valuestring);
    }
    return 0;
}

static int load_entry(struct loader *l, const struct cJSON *item, const char *group_runner, struct plan_entry *e,
                      struct error *err)
{
    const struct cJSON *members[ENTRY_COUNT];
    if (form_check_members(item, plan_entry_keys, ENTRY_COUNT, members, e->place, err) < 0 ||
        load_spec(l, members[ENTRY_SPEC]->valuestring, e->place, &e->spec, err) < 0 ||
        load_named_runner(l, members[ENTRY_RUNNER], e->place, &e->runner, err) < 0)
        return -1;
    if (e->runner == NULL)
        e->runner = group_runner;
    if (e->runner == NULL)
        e->runner = intern(l, runner_for_spec(e->spec));

    struct form_place viewports = {.parent = e->place, .key = "viewports"};
    struct form_place browsers = {.parent = e->place, .key = "browsers"};
    if (load_names(l, members[ENTRY_VIEWPORTS], &plan_viewport_rule, &viewports, &l->viewports, err) < 0 ||
        load_names(l, members[ENTRY_BROWSERS], &plan_browser_rule, &browsers, &l->browsers, err) < 0)
        return -1;
    e->viewports = &l->viewports;
    e->browsers = &l->browsers;
    e->overrides[RUN_OVERRIDE_TIMEOUT] = members[ENTRY_TIMEOUT];
    e->overrides[RUN_OVERRIDE_RETRIES] = members[ENTRY_RETRIES];
    return plan_combinations_add(&l->combinations, e, err);
}

static int load_group_name(struct loader *l, const struct cJSON *member, const struct form_place *parent,
                           const char **name, struct error *err)
{
    struct form_place here = {.parent = parent, .key = "name"};
    if (strchr(member->valuestring, ':') != NULL)
        return form_refuse(member, &here, err, "a name without ':' (it becomes part of task:<group>:<number>)");
    *name = intern(l, member->valuestring);
    return 0;
}

static int load_group(struct loader *l, const struct cJSON *item, const struct form_place *place, struct error *err)
{
    struct plan_group *group = &l->plan->groups[l->plan->group_count];
    const struct cJSON *members[GROUP_COUNT];
    const char *runner;
    if (form_check_members(item, plan_group_keys, GROUP_COUNT, members, place, err) < 0 ||
        load_group_name(l, members[GROUP_NAME], place, &group->name, err) < 0 ||
        load_named_runner(l, members[GROUP_RUNNER], place, &runner, err) < 0)
        return -1;
    group->first = l->plan->task_count;

    struct form_place tasks = {.parent = place, .key = "tasks"}, here = {.parent = &tasks};
    const struct cJSON *task;
    cJSON_ArrayForEach(task, members[GROUP_TASKS])
    {
        struct plan_entry e = {
            .place = &here, .group = (uint32_t)l->plan->group_count, .index = (uint32_t)here.index};
        if (load_entry(l, task, runner, &e, err) < 0)
            return -1;
        here.index++;
    }
    l->plan->group_count++;
    return 0;
}

static int load_groups(struct loader *l, const struct cJSON *list, struct error *err)
{
    l->plan->groups = memory_zeroed((size_t)cJSON_GetArraySize(list), sizeof(*l->plan->groups));
    struct form_place place = {.key = "groups"}, here = {.parent = &place};
    const struct cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (load_group(l, item, &here, err) < 0)
            return -1;
        here.index++;
    }
    return plan_lookup_build(l->plan, err);
}

/* --- projects --- */

static bool is_combination(const char *text, const char *viewport, const char *browser)
{
    size_t length = strlen(viewport);
    return strncmp(text, viewport, length) == 0 && text[length] == '-' && strcmp(text + length + 1, browser) == 0;
}

/* Also one that is excluded: an exclusion may come and go. */
static bool is_in_plan(const struct plan *plan, const char *combination)
{
    for (size_t i = 0; i < plan->task_count; i++)
        if (is_combination(combination, plan->tasks[i].viewport, plan->tasks[i].browser))
            return true;
    for (size_t i = 0; i < plan->exclusion_count; i++)
        if (is_combination(combination, plan->exclusions[i].viewport, plan->exclusions[i].browser))
            return true;
    return false;
}

static int load_projects(struct loader *l, const struct cJSON *names, struct error *err)
{
    struct form_place place = {.key = "projects"};
    if (form_check_all(names, &plan_project_rule, &place, err) < 0)
        return -1;
    const struct cJSON *name;
    cJSON_ArrayForEach(name, names)
    {
        struct form_place here = {.parent = &place, .key = name->string};
        if (!is_in_plan(l->plan, name->string))
            return form_refuse_text(name->string, &here, err,
                                    "a viewport and a browser of this map with '-' between them");
    }
    l->plan->projects = names ? intern_json(l, names) : intern(l, "{}");
    return 0;
}

/* --- the plan --- */

static int load_map(struct loader *l, const struct cJSON *root, struct error *err)
{
    const struct cJSON *members[MAP_COUNT];
    if (form_check_members(root, plan_map_keys, MAP_COUNT, members, NULL, err) < 0 ||
        load_viewports(l, members[MAP_VIEWPORTS], err) < 0 || load_runners(l, members[MAP_RUNNERS], err) < 0 ||
        plan_combinations_exclude(&l->combinations, members[MAP_EXCLUDE], err) < 0 ||
        load_groups(l, members[MAP_GROUPS], err) < 0 || load_projects(l, members[MAP_PROJECTS], err) < 0)
        return -1;
    l->plan->digest = plan_digest(l->plan);
    return 0;
}

static void close_loader(struct loader *l)
{
    plan_combinations_close(&l->combinations);
    free(l->runners);
    free(l->viewports.items);
    free(l->browsers.items);
}

int plan_parse(struct plan *plan, const char *bytes, size_t length, struct error *err)
{
    *plan = (struct plan){0};
    struct cJSON *root;
    if (json_parse(&root, bytes, length, err) < 0)
        return -1;
    struct loader loader = {.plan = plan, .combinations = {.plan = plan}};
    int result = load_map(&loader, root, err);
    close_loader(&loader);
    cJSON_Delete(root);
    if (result < 0)
        plan_close(plan);
    return result;
}

void plan_close(struct plan *plan)
{
    free(plan->groups);
    free(plan->tasks);
    free(plan->exclusions);
    free(plan->groups_by_name);
    text_pool_close(&plan->texts);
    *plan = (struct plan){0};
}
