/*
 * Keys come back from Redis and from people, one at a time and as any bytes: they are found by a binary search over
 * the groups' names, and what isn't written as plan_key() writes it is no key.
 */
#include "controller/plan_lookup.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/plan.h"
#include "shared/buffer.h"
#include "shared/form.h"
#include "shared/memory.h"

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

int plan_lookup_build(struct plan *plan, struct error *err)
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
