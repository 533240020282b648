/*
 * A map with a thousand specs has a hundred thousand combinations, so those that were there are kept in a hash table,
 * and the rules that may match a spec are selected once for its entry.
 */
#include "controller/plan_combinations.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/plan.h"
#include "controller/plan_form.h"
#include "shared/buffer.h"
#include "shared/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Without "exclude". */
static const char default_exclude[] =
    "[{\"viewport\":\"mobile\",\"browser\":\"firefox\",\"reason\":\"firefox has no mobile emulation\"}]";

/* NULL: matches anything. */
struct plan_rule {
    const char *viewport, *browser, *runner, *spec;
    const char *reason;
    const struct cJSON *without, *why; /* borrowed from the map: only where one of these programs is missing */
};

/* One spec x viewport x browser of the map, excluded or not. */
struct plan_combination {
    const char *spec, *viewport, *browser;
    uint32_t group; /* index in "groups" */
    uint32_t entry; /* index in its "tasks" */
};

/* Makes room for one more element. */
static void *with_room(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : 16;
    return memory_resize(items, *capacity, size);
}

/* --- exclusion rules --- */

/* The text of a member that may be missing. */
static const char *take_text(struct plan_combinations *all, const struct cJSON *member)
{
    return member ? text_pool_take(&all->plan->texts, member->valuestring) : NULL;
}

/* Whoever finds a program missing should be told how to get it. */
static int check_without(const struct plan_rule *rule, const struct form_place *place, struct error *err)
{
    const struct form_place list = {.parent = place, .key = "without"}, reason = {.parent = place, .key = "reason"};
    if (run_without_check(rule->without, &list, err) < 0)
        return -1;
    return rule->why ? 0 : form_refuse(NULL, &reason, err, "a reason: it is shown where a program is missing");
}

static int load_rule(struct plan_combinations *all, const struct cJSON *item, const struct form_place *place,
                     struct plan_rule *rule, struct error *err)
{
    const struct cJSON *members[RULE_COUNT];
    if (form_check_members(item, plan_rule_keys, RULE_COUNT, members, place, err) < 0)
        return -1;
    *rule = (struct plan_rule){
        .viewport = take_text(all, members[RULE_VIEWPORT]),
        .browser = take_text(all, members[RULE_BROWSER]),
        .runner = take_text(all, members[RULE_RUNNER]),
        .spec = take_text(all, members[RULE_SPEC]),
        .reason = members[RULE_REASON] ? members[RULE_REASON]->valuestring : "excluded by the map",
        .without = members[RULE_WITHOUT],
        .why = members[RULE_REASON],
    };
    rule->reason = text_pool_take(&all->plan->texts, rule->reason);
    if (!rule->viewport && !rule->browser && !rule->runner && !rule->spec)
        return form_refuse_as("no condition", place, err, "at least one of viewport, browser, runner, spec");
    return rule->without ? check_without(rule, place, err) : 0;
}

static int load_rules(struct plan_combinations *all, const struct cJSON *list, struct error *err)
{
    size_t capacity = (size_t)cJSON_GetArraySize(list);
    all->rules = memory_zeroed(capacity, sizeof(*all->rules));
    all->applicable = memory_zeroed(capacity, sizeof(*all->applicable));
    struct form_place place = {.key = "exclude"}, here = {.parent = &place};
    const struct cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        here.index = all->rule_count;
        if (load_rule(all, item, &here, &all->rules[all->rule_count], err) < 0)
            return -1;
        all->rule_count++;
    }
    return 0;
}

int plan_combinations_exclude(struct plan_combinations *all, const struct cJSON *list, struct error *err)
{
    if (list != NULL)
        return load_rules(all, list, err);
    struct cJSON *fallback = cJSON_Parse(default_exclude);
    int result = load_rules(all, fallback, err);
    cJSON_Delete(fallback);
    return result;
}

/* Those that may match tasks of this spec. Without FNM_PATHNAME: a star matches slashes as well. */
static void select_rules(struct plan_combinations *all, const char *spec, const char *runner)
{
    all->applicable_count = 0;
    for (size_t i = 0; i < all->rule_count; i++) {
        const struct plan_rule *rule = &all->rules[i];
        if ((rule->runner == NULL || rule->runner == runner) &&
            (rule->spec == NULL || fnmatch(rule->spec, spec, 0) == 0))
            all->applicable[all->applicable_count++] = *rule;
    }
}

/* The first rule that leaves this combination of the entry out, everywhere or somewhere; or NULL. */
static const struct plan_rule *matching_rule(const struct plan_combinations *all, const char *viewport,
                                             const char *browser, bool everywhere)
{
    for (const struct plan_rule *rule = all->applicable; rule < all->applicable + all->applicable_count; rule++)
        if ((rule->viewport == NULL || rule->viewport == viewport) &&
            (rule->browser == NULL || rule->browser == browser) && (rule->without == NULL) == everywhere)
            return rule;
    return NULL;
}

/* --- combinations --- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value ^ hash >> 29) * 0x9e3779b97f4a7c15u;
}

static size_t combination_hash(const struct plan_combination *c)
{
    uint64_t hash = mix(mix(c->group + 1, (uintptr_t)c->spec), mix((uintptr_t)c->viewport, (uintptr_t)c->browser));
    return (size_t)(hash ^ hash >> 32);
}

static bool is_same(const struct plan_combination *a, const struct plan_combination *b)
{
    return a->group == b->group && a->spec == b->spec && a->viewport == b->viewport && a->browser == b->browser;
}

/* Where the combination is, or the free slot where it belongs. */
static uint32_t *combination_slot(const struct plan_combinations *all, const struct plan_combination *c)
{
    for (size_t i = combination_hash(c);; i++) {
        uint32_t *slot = &all->slots[i & (all->slot_count - 1)];
        if (*slot == 0 || is_same(&all->items[*slot - 1], c))
            return slot;
    }
}

static void grow_slots(struct plan_combinations *all)
{
    all->slot_count = all->slot_count ? all->slot_count * 2 : 256;
    free(all->slots);
    all->slots = memory_zeroed(all->slot_count, sizeof(*all->slots));
    for (size_t i = 0; i < all->count; i++)
        *combination_slot(all, &all->items[i]) = (uint32_t)i + 1;
}

/* Remembers the combination. NULL, or the one that is the same and came before. */
static const struct plan_combination *add_combination(struct plan_combinations *all, struct plan_combination c)
{
    if (all->count >= all->slot_count / 2)
        grow_slots(all);
    uint32_t *slot = combination_slot(all, &c);
    if (*slot != 0)
        return &all->items[*slot - 1];
    all->items = with_room(all->items, all->count, &all->capacity, sizeof(*all->items));
    all->items[all->count++] = c;
    *slot = (uint32_t)all->count;
    return NULL;
}

static size_t index_of(const char *const *names, const char *name)
{
    size_t i = 0;
    while (names[i] != name)
        i++;
    return i;
}

static int refuse_repeated_name(const struct plan_entry *e, const char *list, const char *const *names, size_t index,
                                struct error *err)
{
    struct form_place place = {.parent = e->place, .key = list}, here = {.parent = &place, .index = index};
    auto_buffer found = {0};
    form_add_quoted(&found, names[index]);
    buffer_text(&found, " a second time");
    return form_refuse_as(found.data, &here, err, "it once (first: %s[%zu])", list, index_of(names, names[index]));
}

/* `v` and `b`: the places of the combination's second appearance in the entry's two lists. */
static int refuse_repeated(const struct plan_entry *e, const struct plan_combination *first, size_t v, size_t b,
                           struct error *err)
{
    if (first->entry == e->index && index_of(e->viewports->items, first->viewport) < v)
        return refuse_repeated_name(e, "viewports", e->viewports->items, v, err);
    if (first->entry == e->index)
        return refuse_repeated_name(e, "browsers", e->browsers->items, b, err);

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

/* What the map says of this combination alone, as compact JSON; NULL: nothing. */
static const char *format_overrides(struct plan_combinations *all, const struct plan_entry *e,
                                    const struct plan_rule *rule)
{
    const struct cJSON *members[RUN_OVERRIDES];
    memcpy(members, e->overrides, sizeof(members));
    members[RUN_OVERRIDE_WITHOUT] = rule ? rule->without : NULL;
    members[RUN_OVERRIDE_REASON] = rule ? rule->why : NULL;
    buffer_clear(&all->json);
    run_overrides_format(members, &all->json);
    return all->json.length ? text_pool_take(&all->plan->texts, all->json.data) : NULL;
}

static void add_task(struct plan_combinations *all, const struct plan_entry *e, const char *viewport,
                     const char *browser)
{
    struct plan *plan = all->plan;
    const char *overrides = format_overrides(all, e, matching_rule(all, viewport, browser, false));
    plan->tasks = with_room(plan->tasks, plan->task_count, &all->task_capacity, sizeof(*plan->tasks));
    plan->tasks[plan->task_count++] = (struct plan_task){
        .group = e->group,
        .number = (uint32_t)plan->groups[e->group].count++,
        .spec = e->spec,
        .viewport = viewport,
        .browser = browser,
        .runner = e->runner,
        .overrides = overrides,
    };
}

static void add_exclusion(struct plan_combinations *all, const struct plan_entry *e, const char *viewport,
                          const char *browser, const char *reason)
{
    struct plan *plan = all->plan;
    plan->exclusions =
        with_room(plan->exclusions, plan->exclusion_count, &all->exclusion_capacity, sizeof(*plan->exclusions));
    plan->exclusions[plan->exclusion_count++] = (struct plan_exclusion){
        .group = plan->groups[e->group].name,
        .spec = e->spec,
        .viewport = viewport,
        .browser = browser,
        .reason = reason,
    };
}

int plan_combinations_add(struct plan_combinations *all, const struct plan_entry *e, struct error *err)
{
    if (all->count + e->viewports->count * e->browsers->count > PLAN_TASKS_MAX)
        return form_refuse_as("one combination too many", e->place, err, "at most %d in a map", PLAN_TASKS_MAX);
    select_rules(all, e->spec, e->runner);
    for (size_t v = 0; v < e->viewports->count; v++) {
        for (size_t b = 0; b < e->browsers->count; b++) {
            const char *viewport = e->viewports->items[v], *browser = e->browsers->items[b];
            const struct plan_combination *first =
                add_combination(all, (struct plan_combination){e->spec, viewport, browser, e->group, e->index});
            if (first != NULL)
                return refuse_repeated(e, first, v, b, err);
            const struct plan_rule *rule = matching_rule(all, viewport, browser, true);
            if (rule != NULL)
                add_exclusion(all, e, viewport, browser, rule->reason);
            else
                add_task(all, e, viewport, browser);
        }
    }
    return 0;
}

void plan_combinations_close(struct plan_combinations *all)
{
    free(all->rules);
    free(all->applicable);
    free(all->items);
    free(all->slots);
    buffer_close(&all->json);
}
