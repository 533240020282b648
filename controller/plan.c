#include "controller/plan.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/buffer.h"
#include "shared/form.h"
#include "shared/json.h"
#include "shared/json_writer.h"
#include "shared/memory.h"
#include "shared/runner.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- the form: what may stand where --- */

enum { NAME_MAX_BYTES = 128, PATH_MAX_BYTES = 1024 };
static_assert(sizeof("task::4294967295") + NAME_MAX_BYTES <= TASK_KEY_SIZE, "every key must fit");

#define NAME(wanted)                                                                                                 \
    {                                                                                                                \
        FORM_NAME, wanted, 1, NAME_MAX_BYTES                                                                         \
    }

static const struct form_rule viewport_rule = NAME("a viewport's name");
static const struct form_rule browser_rule = NAME("a browser's name");
static const struct form_rule runner_rule = NAME("a runner's name");

enum { MAP_SCHEMA, MAP_VIEWPORTS, MAP_EXCLUDE, MAP_RUNNERS, MAP_GROUPS, MAP_COUNT };
static const struct form_key map_keys[MAP_COUNT] = {
    [MAP_SCHEMA] = {"$schema", false, {FORM_TEXT, "the schema's address", 1, 0}},
    [MAP_VIEWPORTS] = {"viewports", false, {FORM_OBJECT, "an object of viewports", 0, 0}},
    [MAP_EXCLUDE] = {"exclude", false, {FORM_LIST, "a list of rules", 0, 0}},
    [MAP_RUNNERS] = {"runners", false, {FORM_OBJECT, "an object of runners", 0, 0}},
    [MAP_GROUPS] = {"groups", true, {FORM_LIST, "a list of groups", 1, 0}},
};

enum { VIEWPORT_WIDTH, VIEWPORT_HEIGHT, VIEWPORT_MOBILE, VIEWPORT_COUNT };
static const struct form_key viewport_keys[VIEWPORT_COUNT] = {
    [VIEWPORT_WIDTH] = {"width", true, {FORM_NUMBER, NULL, 1, TASK_VIEWPORT_MAX}},
    [VIEWPORT_HEIGHT] = {"height", true, {FORM_NUMBER, NULL, 1, TASK_VIEWPORT_MAX}},
    [VIEWPORT_MOBILE] = {"mobile", false, {FORM_FLAG, NULL, 0, 0}},
};

enum { RULE_VIEWPORT, RULE_BROWSER, RULE_RUNNER, RULE_SPEC, RULE_REASON, RULE_COUNT };
static const struct form_key rule_keys[RULE_COUNT] = {
    [RULE_VIEWPORT] = {"viewport", false, NAME("a viewport's name")},
    [RULE_BROWSER] = {"browser", false, NAME("a browser's name")},
    [RULE_RUNNER] = {"runner", false, NAME("a runner's name")},
    [RULE_SPEC] = {"spec", false, {FORM_LINE, "a pattern of specs' paths", 1, PATH_MAX_BYTES}},
    [RULE_REASON] = {"reason", false, {FORM_LINE, "a reason", 1, PATH_MAX_BYTES}},
};

enum { GROUP_NAME, GROUP_RUNNER, GROUP_TASKS, GROUP_COUNT };
static const struct form_key group_keys[GROUP_COUNT] = {
    [GROUP_NAME] = {"name", true, NAME("a group's name")},
    [GROUP_RUNNER] = {"runner", false, NAME("a runner's name")},
    [GROUP_TASKS] = {"tasks", true, {FORM_LIST, "a list of tasks", 1, 0}},
};

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
static const struct form_key entry_keys[ENTRY_COUNT] = {
    [ENTRY_SPEC] = {"spec", true, {FORM_PATH, "a spec's path", 1, PATH_MAX_BYTES}},
    [ENTRY_VIEWPORTS] = {"viewports", true, {FORM_LIST, "a list of viewports", 1, 0}},
    [ENTRY_BROWSERS] = {"browsers", true, {FORM_LIST, "a list of browsers", 1, 0}},
    [ENTRY_RUNNER] = {"runner", false, NAME("a runner's name")},
    [ENTRY_TIMEOUT] = {"timeout_s", false, {FORM_NUMBER, NULL, 1, TASK_TIMEOUT_MAX_S}},
    [ENTRY_RETRIES] = {"retries", false, {FORM_NUMBER, NULL, 0, TASK_RETRIES_MAX}},
    [ENTRY_TAGS] = {"tags", false, {FORM_LATER, NULL, 0, 0}},
    [ENTRY_HEDGE] = {"hedge", false, {FORM_LATER, NULL, 0, 0}},
};

/* Without "exclude". */
static const char default_exclude[] =
    "[{\"viewport\":\"mobile\",\"browser\":\"firefox\",\"reason\":\"firefox has no mobile emulation\"}]";

static const char builtin_viewports[] = "{\"desktop\":{\"width\":1280,\"height\":720,\"mobile\":false},"
                                        "\"mobile\":{\"width\":393,\"height\":851,\"mobile\":true}}";

/* --- loading: a plan in the making --- */

/* Texts are those of plan.texts, so they are compared by address. NULL: matches anything. */
struct rule {
    const char *viewport, *browser, *runner, *spec;
    const char *reason;
};

/* One spec x viewport x browser of the map, excluded or not. */
struct combination {
    const char *spec, *viewport, *browser;
    uint32_t group; /* index in "groups" */
    uint32_t entry; /* index in its "tasks" */
};

struct loader {
    struct plan *plan;
    size_t task_capacity, exclusion_capacity;

    struct rule *rules;
    size_t rule_count;

    const char **runners; /* names of the map's and the built-in ones; ends with NULL */

    struct combination *combinations;
    size_t combination_count, combination_capacity;
    uint32_t *slots; /* open addressing: index in combinations plus 1; 0: free */
    size_t slot_count;

    /* Of the entry that is being loaded; kept for their memory. */
    const char **viewports, **browsers;
    size_t viewport_capacity, browser_capacity;
    struct buffer json;
    struct rule *applicable; /* those rules that may match it; has room for all */
};

/* One entry of a group's "tasks", checked. */
struct entry {
    const struct form_place *place;
    uint32_t group, index;
    const char *spec, *runner, *overrides;
    size_t viewport_count, browser_count; /* of loader.viewports and loader.browsers */
    size_t rule_count;                    /* of loader.applicable */
};

/* Makes room for one more element. */
static void *with_room(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : 16;
    return memory_resize(items, *capacity, size);
}

static const char *intern(struct loader *l, const char *text)
{
    return text_pool_take(&l->plan->texts, text);
}

/* The text of a member that may be missing. */
static const char *intern_member(struct loader *l, const struct cJSON *member)
{
    return member ? intern(l, member->valuestring) : NULL;
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
    const struct cJSON *members[VIEWPORT_COUNT];
    if (form_check_text(name, &viewport_rule, place, err) < 0 ||
        form_check_members(definition, viewport_keys, VIEWPORT_COUNT, members, place, err) < 0)
        return -1;
    struct cJSON *viewport = cJSON_CreateObject();
    cJSON_AddNumberToObject(viewport, "width", members[VIEWPORT_WIDTH]->valuedouble);
    cJSON_AddNumberToObject(viewport, "height", members[VIEWPORT_HEIGHT]->valuedouble);
    cJSON_AddBoolToObject(viewport, "mobile", cJSON_IsTrue(members[VIEWPORT_MOBILE]));
    cJSON_AddItemToObject(all, name, viewport);
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
    if (form_check_text(definition->string, &runner_rule, place, err) < 0 ||
        runner_parse(&runner, definition->string, definition, place, err) < 0)
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
    *name = intern_member(l, member);
    if (*name == NULL || is_known_runner(l, *name))
        return 0;
    struct form_place here = {.parent = parent, .key = "runner"};
    auto_free char *known = known_runners(l);
    return form_refuse(member, &here, err, "one of %s", known);
}

static int load_runner_for_spec(struct loader *l, const char *spec, const struct form_place *parent,
                                const char **name, struct error *err)
{
    *name = intern(l, runner_for_spec(spec));
    if (is_known_runner(l, *name))
        return 0;
    struct form_place here = {.parent = parent, .key = "spec"};
    auto_free char *known = known_runners(l);
    return form_refuse_text(
        spec, &here, err,
        "\"%s\", which runs specs of such a name, defined in \"runners\", or a \"runner\" named for "
        "this task or its group (known: %s)",
        *name, known);
}

/* --- exclusion rules --- */

static int load_rule(struct loader *l, const struct cJSON *item, const struct form_place *place, struct rule *rule,
                     struct error *err)
{
    const struct cJSON *members[RULE_COUNT];
    if (form_check_members(item, rule_keys, RULE_COUNT, members, place, err) < 0)
        return -1;
    *rule = (struct rule){
        .viewport = intern_member(l, members[RULE_VIEWPORT]),
        .browser = intern_member(l, members[RULE_BROWSER]),
        .runner = intern_member(l, members[RULE_RUNNER]),
        .spec = intern_member(l, members[RULE_SPEC]),
        .reason = members[RULE_REASON] ? members[RULE_REASON]->valuestring : "excluded by the map",
    };
    rule->reason = intern(l, rule->reason);
    if (!rule->viewport && !rule->browser && !rule->runner && !rule->spec)
        return form_refuse_as("no condition", place, err, "at least one of viewport, browser, runner, spec");
    return 0;
}

static int load_rules(struct loader *l, const struct cJSON *list, struct error *err)
{
    size_t capacity = (size_t)cJSON_GetArraySize(list);
    l->rules = memory_zeroed(capacity, sizeof(*l->rules));
    l->applicable = memory_zeroed(capacity, sizeof(*l->applicable));
    struct form_place place = {.key = "exclude"}, here = {.parent = &place};
    const struct cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        here.index = l->rule_count;
        if (load_rule(l, item, &here, &l->rules[l->rule_count], err) < 0)
            return -1;
        l->rule_count++;
    }
    return 0;
}

static int load_exclude(struct loader *l, const struct cJSON *list, struct error *err)
{
    if (list != NULL)
        return load_rules(l, list, err);
    struct cJSON *fallback = cJSON_Parse(default_exclude);
    int result = load_rules(l, fallback, err);
    cJSON_Delete(fallback);
    return result;
}

/* Those that may match tasks of this spec. Without FNM_PATHNAME: a star matches slashes as well. */
static size_t select_rules(struct loader *l, const char *spec, const char *runner)
{
    size_t count = 0;
    for (size_t i = 0; i < l->rule_count; i++) {
        const struct rule *rule = &l->rules[i];
        if ((rule->runner == NULL || rule->runner == runner) &&
            (rule->spec == NULL || fnmatch(rule->spec, spec, 0) == 0))
            l->applicable[count++] = *rule;
    }
    return count;
}

/* Why this combination of the entry is left out, or NULL: it isn't. */
static const char *exclusion_reason(const struct loader *l, const struct entry *e, const char *viewport,
                                    const char *browser)
{
    for (const struct rule *rule = l->applicable; rule < l->applicable + e->rule_count; rule++)
        if ((rule->viewport == NULL || rule->viewport == viewport) &&
            (rule->browser == NULL || rule->browser == browser))
            return rule->reason;
    return NULL;
}

/* --- combinations --- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value ^ hash >> 29) * 0x9e3779b97f4a7c15u;
}

static size_t combination_hash(const struct combination *c)
{
    uint64_t hash = mix(mix(c->group + 1, (uintptr_t)c->spec), mix((uintptr_t)c->viewport, (uintptr_t)c->browser));
    return (size_t)(hash ^ hash >> 32);
}

static bool is_same(const struct combination *a, const struct combination *b)
{
    return a->group == b->group && a->spec == b->spec && a->viewport == b->viewport && a->browser == b->browser;
}

/* Where the combination is, or the free slot where it belongs. */
static uint32_t *combination_slot(const struct loader *l, const struct combination *c)
{
    for (size_t i = combination_hash(c);; i++) {
        uint32_t *slot = &l->slots[i & (l->slot_count - 1)];
        if (*slot == 0 || is_same(&l->combinations[*slot - 1], c))
            return slot;
    }
}

static void grow_slots(struct loader *l)
{
    l->slot_count = l->slot_count ? l->slot_count * 2 : 256;
    free(l->slots);
    l->slots = memory_zeroed(l->slot_count, sizeof(*l->slots));
    for (size_t i = 0; i < l->combination_count; i++)
        *combination_slot(l, &l->combinations[i]) = (uint32_t)i + 1;
}

/* Remembers the combination. NULL, or the one that is the same and came before. */
static const struct combination *add_combination(struct loader *l, struct combination c)
{
    if (l->combination_count >= l->slot_count / 2)
        grow_slots(l);
    uint32_t *slot = combination_slot(l, &c);
    if (*slot != 0)
        return &l->combinations[*slot - 1];
    l->combinations =
        with_room(l->combinations, l->combination_count, &l->combination_capacity, sizeof(*l->combinations));
    l->combinations[l->combination_count++] = c;
    *slot = (uint32_t)l->combination_count;
    return NULL;
}

static size_t index_of(const char *const *names, const char *name)
{
    size_t i = 0;
    while (names[i] != name)
        i++;
    return i;
}

static int refuse_repeated_name(const struct entry *e, const char *list, const char *const *names, size_t index,
                                struct error *err)
{
    struct form_place place = {.parent = e->place, .key = list}, here = {.parent = &place, .index = index};
    auto_buffer found = {0};
    form_add_quoted(&found, names[index]);
    buffer_text(&found, " a second time");
    return form_refuse_as(found.data, &here, err, "it once (first: %s[%zu])", list, index_of(names, names[index]));
}

/* `v` and `b`: the places of the combination's second appearance in the entry's two lists. */
static int refuse_repeated(const struct loader *l, const struct entry *e, const struct combination *first, size_t v,
                           size_t b, struct error *err)
{
    if (first->entry == e->index && index_of(l->viewports, first->viewport) < v)
        return refuse_repeated_name(e, "viewports", l->viewports, v, err);
    if (first->entry == e->index)
        return refuse_repeated_name(e, "browsers", l->browsers, b, err);

    const char *const parts[] = {first->spec, first->viewport, first->browser};
    auto_buffer found = {0};
    for (size_t i = 0; i < COUNT(parts); i++) {
        buffer_text(&found, i > 0 ? " x " : "");
        form_add_quoted(&found, parts[i]);
    }
    buffer_text(&found, " a second time");
    return form_refuse_as(found.data, e->place, err, "each combination once in a group (first: groups[%u].tasks[%u])",
                          first->group, first->entry);
}

static void add_task(struct loader *l, const struct entry *e, const char *viewport, const char *browser)
{
    struct plan *plan = l->plan;
    plan->tasks = with_room(plan->tasks, plan->task_count, &l->task_capacity, sizeof(*plan->tasks));
    plan->tasks[plan->task_count++] = (struct plan_task){
        .group = e->group,
        .number = (uint32_t)plan->groups[e->group].count++,
        .spec = e->spec,
        .viewport = viewport,
        .browser = browser,
        .runner = e->runner,
        .overrides = e->overrides,
    };
}

static void add_exclusion(struct loader *l, const struct entry *e, const char *viewport, const char *browser,
                          const char *reason)
{
    struct plan *plan = l->plan;
    plan->exclusions =
        with_room(plan->exclusions, plan->exclusion_count, &l->exclusion_capacity, sizeof(*plan->exclusions));
    plan->exclusions[plan->exclusion_count++] = (struct plan_exclusion){
        .group = plan->groups[e->group].name,
        .spec = e->spec,
        .viewport = viewport,
        .browser = browser,
        .reason = reason,
    };
}

static int multiply_out(struct loader *l, const struct entry *e, struct error *err)
{
    if (l->combination_count + e->viewport_count * e->browser_count > PLAN_TASKS_MAX)
        return form_refuse_as("one combination too many", e->place, err, "at most %d in a map", PLAN_TASKS_MAX);
    for (size_t v = 0; v < e->viewport_count; v++) {
        for (size_t b = 0; b < e->browser_count; b++) {
            const char *viewport = l->viewports[v], *browser = l->browsers[b];
            const struct combination *first =
                add_combination(l, (struct combination){e->spec, viewport, browser, e->group, e->index});
            if (first != NULL)
                return refuse_repeated(l, e, first, v, b, err);
            const char *reason = exclusion_reason(l, e, viewport, browser);
            if (reason != NULL)
                add_exclusion(l, e, viewport, browser, reason);
            else
                add_task(l, e, viewport, browser);
        }
    }
    return 0;
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

    char plain[PATH_MAX_BYTES + 1];
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
                      const struct form_place *place, const char ***names, size_t *count, size_t *capacity,
                      struct error *err)
{
    if (form_check_all(list, rule, place, err) < 0)
        return -1;
    *count = 0;
    const struct cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        *names = with_room(*names, *count, capacity, sizeof(**names));
        (*names)[(*count)++] = intern(l, item->valuestring);
    }
    return 0;
}

/* What the entry says of its tasks alone, as compact JSON; NULL: nothing. */
static const char *load_overrides(struct loader *l, const struct cJSON *const members[ENTRY_COUNT])
{
    buffer_clear(&l->json);
    for (size_t i = ENTRY_TIMEOUT; i <= ENTRY_RETRIES; i++) {
        if (members[i] == NULL)
            continue;
        if (l->json.length == 0)
            buffer_text(&l->json, "{");
        json_add_key(&l->json, entry_keys[i].name);
        json_add_uint(&l->json, (uint64_t)members[i]->valuedouble);
    }
    if (l->json.length == 0)
        return NULL;
    buffer_text(&l->json, "}");
    return intern(l, l->json.data);
}

static int load_entry(struct loader *l, const struct cJSON *item, const char *group_runner, struct entry *e,
                      struct error *err)
{
    const struct cJSON *members[ENTRY_COUNT];
    if (form_check_members(item, entry_keys, ENTRY_COUNT, members, e->place, err) < 0 ||
        load_spec(l, members[ENTRY_SPEC]->valuestring, e->place, &e->spec, err) < 0 ||
        load_named_runner(l, members[ENTRY_RUNNER], e->place, &e->runner, err) < 0)
        return -1;
    if (e->runner == NULL)
        e->runner = group_runner;
    if (e->runner == NULL && load_runner_for_spec(l, e->spec, e->place, &e->runner, err) < 0)
        return -1;

    struct form_place viewports = {.parent = e->place, .key = "viewports"};
    struct form_place browsers = {.parent = e->place, .key = "browsers"};
    if (load_names(l, members[ENTRY_VIEWPORTS], &viewport_rule, &viewports, &l->viewports, &e->viewport_count,
                   &l->viewport_capacity, err) < 0 ||
        load_names(l, members[ENTRY_BROWSERS], &browser_rule, &browsers, &l->browsers, &e->browser_count,
                   &l->browser_capacity, err) < 0)
        return -1;
    e->overrides = load_overrides(l, members);
    e->rule_count = select_rules(l, e->spec, e->runner);
    return multiply_out(l, e, err);
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
    if (form_check_members(item, group_keys, GROUP_COUNT, members, place, err) < 0 ||
        load_group_name(l, members[GROUP_NAME], place, &group->name, err) < 0 ||
        load_named_runner(l, members[GROUP_RUNNER], place, &runner, err) < 0)
        return -1;
    group->first = l->plan->task_count;

    struct form_place tasks = {.parent = place, .key = "tasks"}, here = {.parent = &tasks};
    const struct cJSON *task;
    cJSON_ArrayForEach(task, members[GROUP_TASKS])
    {
        struct entry e = {.place = &here, .group = (uint32_t)l->plan->group_count, .index = (uint32_t)here.index};
        if (load_entry(l, task, runner, &e, err) < 0)
            return -1;
        here.index++;
    }
    l->plan->group_count++;
    return 0;
}

/* qsort() has no argument for the plan, so that the elements carry the name with them. */
struct named_group {
    const char *name;
    uint32_t index;
};

static int by_name(const void *a, const void *b)
{
    const struct named_group *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : x->index < y->index ? -1 : 1;
}

static int refuse_group(const struct named_group *first, const struct named_group *second, struct error *err)
{
    struct form_place list = {.key = "groups"}, group = {.parent = &list, .index = second->index};
    struct form_place here = {.parent = &group, .key = "name"};
    auto_buffer found = {0};
    form_add_quoted(&found, second->name);
    buffer_text(&found, " a second time");
    return form_refuse_as(found.data, &here, err, "each name once (first: groups[%u].name)", first->index);
}

static int index_groups(struct plan *plan, struct error *err)
{
    auto_free struct named_group *groups = memory_zeroed(plan->group_count, sizeof(*groups));
    for (size_t i = 0; i < plan->group_count; i++)
        groups[i] = (struct named_group){plan->groups[i].name, (uint32_t)i};
    qsort(groups, plan->group_count, sizeof(*groups), by_name);
    plan->groups_by_name = memory_zeroed(plan->group_count, sizeof(*plan->groups_by_name));
    for (size_t i = 0; i < plan->group_count; i++) {
        if (i > 0 && groups[i - 1].name == groups[i].name)
            return refuse_group(&groups[i - 1], &groups[i], err);
        plan->groups_by_name[i] = groups[i].index;
    }
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
    return index_groups(l->plan, err);
}

/* --- digest --- */

static uint64_t digest_bytes(uint64_t hash, const void *bytes, size_t length)
{
    for (const unsigned char *p = bytes; length > 0; p++, length--)
        hash = (hash ^ *p) * 0x100000001b3u;
    return hash;
}

/* With the terminating zero, so that "a","bc" isn't "ab","c". */
static uint64_t digest_text(uint64_t hash, const char *text)
{
    return text ? digest_bytes(hash, text, strlen(text) + 1) : digest_bytes(hash, "\xff", 2);
}

static uint64_t digest_count(uint64_t hash, size_t count)
{
    char text[32];
    snprintf(text, sizeof(text), "%zu", count);
    return digest_text(hash, text);
}

static uint64_t digest_texts(uint64_t hash, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = digest_text(hash, texts[i]);
    return hash;
}

static uint64_t digest(const struct plan *plan)
{
    uint64_t hash = 0xcbf29ce484222325u;
    hash = digest_texts(hash, (const char *const[]){plan->runners, plan->viewports}, 2);
    hash = digest_count(hash, plan->group_count);
    for (size_t i = 0; i < plan->group_count; i++)
        hash = digest_count(digest_text(hash, plan->groups[i].name), plan->groups[i].count);
    for (size_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *t = &plan->tasks[i];
        const char *const texts[] = {t->spec, t->viewport, t->browser, t->runner, t->overrides};
        hash = digest_texts(hash, texts, COUNT(texts));
    }
    hash = digest_count(hash, plan->exclusion_count);
    for (size_t i = 0; i < plan->exclusion_count; i++) {
        const struct plan_exclusion *x = &plan->exclusions[i];
        const char *const texts[] = {x->group, x->spec, x->viewport, x->browser, x->reason};
        hash = digest_texts(hash, texts, COUNT(texts));
    }
    return hash;
}

/* --- the plan --- */

static int load_map(struct loader *l, const struct cJSON *root, struct error *err)
{
    const struct cJSON *members[MAP_COUNT];
    if (form_check_members(root, map_keys, MAP_COUNT, members, NULL, err) < 0 ||
        load_viewports(l, members[MAP_VIEWPORTS], err) < 0 || load_runners(l, members[MAP_RUNNERS], err) < 0 ||
        load_exclude(l, members[MAP_EXCLUDE], err) < 0 || load_groups(l, members[MAP_GROUPS], err) < 0)
        return -1;
    l->plan->digest = digest(l->plan);
    return 0;
}

static void close_loader(struct loader *l)
{
    free(l->rules);
    free(l->runners);
    free(l->combinations);
    free(l->slots);
    free(l->viewports);
    free(l->browsers);
    free(l->applicable);
    buffer_close(&l->json);
}

int plan_parse(struct plan *plan, const char *bytes, size_t length, struct error *err)
{
    *plan = (struct plan){0};
    struct cJSON *root;
    if (json_parse(&root, bytes, length, err) < 0)
        return -1;
    struct loader loader = {.plan = plan};
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

void plan_key(const struct plan *plan, size_t index, char key[TASK_KEY_SIZE])
{
    const struct plan_task *task = &plan->tasks[index];
    int length = snprintf(key, TASK_KEY_SIZE, "task:%s:%u", plan->groups[task->group].name, task->number);
    assert(length > 0 && length < TASK_KEY_SIZE);
}

/* A number as plan_key() writes it: no sign, no leading zero. -1: it isn't one. */
static int parse_number(const char *text, size_t *number)
{
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > 10 || text[length] != '\0' || (text[0] == '0' && length > 1))
        return -1;
    *number = strtoul(text, NULL, 10);
    return 0;
}

/* The group whose name are these bytes, or NULL. */
static const struct plan_group *find_group(const struct plan *plan, const char *name, size_t length)
{
    size_t low = 0, high = plan->group_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct plan_group *group = &plan->groups[plan->groups_by_name[middle]];
        int order = strncmp(name, group->name, length);
        if (order == 0 && group->name[length] == '\0')
            return group;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

ptrdiff_t plan_find(const struct plan *plan, const char *key)
{
    const char *colon = strrchr(key, ':');
    size_t number;
    if (strncmp(key, "task:", 5) != 0 || colon < key + 5 || parse_number(colon + 1, &number) < 0)
        return -1;
    const struct plan_group *group = find_group(plan, key + 5, (size_t)(colon - key) - 5);
    return group != NULL && number < group->count ? (ptrdiff_t)(group->first + number) : -1;
}
