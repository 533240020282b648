#include "worker/run_policy.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/form.h"
#include "shared/json.h"
#include "shared/memory.h"

/* As the controller writes it: digits, and nothing else. */
static int read_number(const struct ledger_reply *reply, const char *name, unsigned min, unsigned max,
                       unsigned *value, struct error *err)
{
    const struct form_place place = {.key = name};
    const char *text = ledger_run_field(reply, name);
    size_t length = strspn(text, "0123456789");
    unsigned long number = length > 0 && length <= 10 && text[length] == '\0' ? strtoul(text, NULL, 10) : ULONG_MAX;
    if (number < min || number > max)
        return form_refuse_text(text, &place, err, "a whole number from %u to %u", min, max);
    *value = (unsigned)number;
    return 0;
}

static int read_text(const struct ledger_reply *reply, const char *name, char **text, struct error *err)
{
    static const struct form_rule rule = {FORM_TEXT, "a text", 1, 0};
    const struct form_place place = {.key = name};
    *text = memory_text(ledger_run_field(reply, name));
    return form_check_text(*text, &rule, &place, err);
}

/* An object of objects, their names being such as a map may give. The tree is the caller's; NULL: refused. */
static cJSON *read_object(const char *text, const struct form_place *place, struct error *err)
{
    static const struct form_rule object = {FORM_OBJECT, "an object", 0, 0}, name = {FORM_NAME, "a name", 1, 128};
    cJSON *map, *member;
    int failed = json_parse(&map, text, strlen(text), err);
    if (failed < 0)
        error_wrap(err, "%s", place->key);
    else
        failed = form_check(map, &object, place, err) < 0 ? -1 : form_check_all(map, &object, place, err);
    cJSON_ArrayForEach(member, map)
    {
        const struct form_place here = {.parent = place, .key = member->string};
        if (failed == 0)
            failed = form_check_text(member->string, &name, &here, err);
    }
    if (failed == 0)
        return map;
    cJSON_Delete(map);
    return NULL;
}

static int add_runner(struct run_policy *policy, const char *name, const cJSON *definition,
                      const struct form_place *all, struct error *err)
{
    const struct form_place here = {.parent = all, .key = name};
    policy->runners = memory_resize(policy->runners, policy->runner_count + 1, sizeof(*policy->runners));
    if (runner_parse(&policy->runners[policy->runner_count], name, definition, &here, err) < 0)
        return -1;
    policy->runner_count++;
    return 0;
}

static int read_runners(struct run_policy *policy, const char *text, struct error *err)
{
    const struct form_place place = {.key = "runners"};
    cJSON *map = read_object(text, &place, err);
    const cJSON *definition;
    int failed = map ? 0 : -1;
    cJSON_ArrayForEach(definition, map)
    {
        if (failed == 0)
            failed = add_runner(policy, definition->string, definition, &place, err);
    }
    cJSON_Delete(map);
    const char *name;
    for (size_t i = 0; failed == 0 && (name = runner_builtin_name(i)); i++) {
        if (run_policy_runner(policy, name))
            continue;
        cJSON *builtin = cJSON_Parse(runner_builtin(name));
        failed = add_runner(policy, name, builtin, &place, err);
        cJSON_Delete(builtin);
    }
    return failed;
}

enum { VIEWPORT_WIDTH, VIEWPORT_HEIGHT, VIEWPORT_MOBILE, VIEWPORT_COUNT };
static const struct form_key viewport_keys[VIEWPORT_COUNT] = {
    [VIEWPORT_WIDTH] = {"width", true, {FORM_NUMBER, NULL, 1, TASK_VIEWPORT_MAX}},
    [VIEWPORT_HEIGHT] = {"height", true, {FORM_NUMBER, NULL, 1, TASK_VIEWPORT_MAX}},
    [VIEWPORT_MOBILE] = {"mobile", false, {FORM_FLAG, NULL, 0, 0}},
};

static int add_viewport(struct run_policy *policy, const cJSON *definition, const struct form_place *all,
                        struct error *err)
{
    const struct form_place here = {.parent = all, .key = definition->string};
    const cJSON *members[VIEWPORT_COUNT];
    if (form_check_members(definition, viewport_keys, VIEWPORT_COUNT, members, &here, err) < 0)
        return -1;
    policy->viewports[policy->viewport_count++] = (struct run_viewport){
        .name = memory_text(definition->string),
        .width = members[VIEWPORT_WIDTH]->valueint,
        .height = members[VIEWPORT_HEIGHT]->valueint,
        .is_mobile = cJSON_IsTrue(members[VIEWPORT_MOBILE]),
    };
    return 0;
}

static int read_viewports(struct run_policy *policy, const char *text, struct error *err)
{
    const struct form_place place = {.key = "viewports"};
    cJSON *map = read_object(text, &place, err);
    const cJSON *definition;
    int failed = map ? 0 : -1;
    policy->viewports = memory_zeroed((size_t)cJSON_GetArraySize(map), sizeof(*policy->viewports));
    cJSON_ArrayForEach(definition, map)
    {
        if (failed == 0)
            failed = add_viewport(policy, definition, &place, err);
    }
    cJSON_Delete(map);
    return failed;
}

static int read_all(struct run_policy *policy, const struct ledger_reply *reply, struct error *err)
{
    if (read_text(reply, "id", &policy->run_id, err) < 0 || read_text(reply, "digest", &policy->digest, err) < 0 ||
        read_number(reply, "lease_ms", 1000, TASK_LEASE_MAX_S * 1000, &policy->lease_ms, err) < 0 ||
        read_number(reply, "task_timeout_s", 1, TASK_TIMEOUT_MAX_S, &policy->limits.timeout_s, err) < 0 ||
        read_number(reply, "retries", 0, TASK_RETRIES_MAX, &policy->limits.retries, err) < 0 ||
        read_viewports(policy, ledger_run_field(reply, "viewports"), err) < 0 ||
        read_runners(policy, ledger_run_field(reply, "runners"), err) < 0)
        return -1;
    return 0;
}

/* It came from Redis: no mistake in the configuration of whoever runs this worker. */
static int refuse_as_protocol(const char *what, struct error *err)
{
    error_wrap(err, "%s", what);
    err->code = ERROR_PROTOCOL;
    return -1;
}

int run_policy_load(struct run_policy *policy, const struct ledger_reply *reply, struct error *err)
{
    *policy = (struct run_policy){.is_cancelled = *ledger_run_field(reply, "cancel") != '\0'};
    if (read_all(policy, reply, err) == 0)
        return 0;
    run_policy_close(policy);
    return refuse_as_protocol("the run", err);
}

/* ---- one task ---- */

enum { OVERRIDE_TIMEOUT, OVERRIDE_RETRIES, OVERRIDE_COUNT };
static const struct form_key override_keys[OVERRIDE_COUNT] = {
    [OVERRIDE_TIMEOUT] = {"timeout_s", false, {FORM_NUMBER, NULL, 1, TASK_TIMEOUT_MAX_S}},
    [OVERRIDE_RETRIES] = {"retries", false, {FORM_NUMBER, NULL, 0, TASK_RETRIES_MAX}},
};

static int read_overrides(struct run_limits *limits, const char *text, struct error *err)
{
    cJSON *root;
    const cJSON *members[OVERRIDE_COUNT];
    if (json_parse(&root, text, strlen(text), err) < 0)
        return -1;
    int failed = form_check_members(root, override_keys, OVERRIDE_COUNT, members, NULL, err);
    if (failed == 0 && members[OVERRIDE_TIMEOUT])
        limits->timeout_s = (unsigned)members[OVERRIDE_TIMEOUT]->valueint;
    if (failed == 0 && members[OVERRIDE_RETRIES])
        limits->retries = (unsigned)members[OVERRIDE_RETRIES]->valueint;
    cJSON_Delete(root);
    return failed;
}

int run_policy_limits(const struct run_policy *policy, const char *overrides, struct run_limits *limits,
                      struct error *err)
{
    *limits = policy->limits;
    if (*overrides == '\0' || read_overrides(limits, overrides, err) == 0)
        return 0;
    return refuse_as_protocol("what the map says of the task", err);
}

bool run_policy_equal(const struct run_policy *a, const struct run_policy *b)
{
    return strcmp(a->run_id, b->run_id) == 0 && strcmp(a->digest, b->digest) == 0;
}

void run_policy_close(struct run_policy *policy)
{
    for (size_t i = 0; i < policy->runner_count; i++)
        runner_close(&policy->runners[i]);
    for (size_t i = 0; i < policy->viewport_count; i++)
        free(policy->viewports[i].name);
    free(policy->runners);
    free(policy->viewports);
    free(policy->run_id);
    free(policy->digest);
    *policy = (struct run_policy){0};
}

const struct runner *run_policy_runner(const struct run_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->runner_count; i++)
        if (strcmp(policy->runners[i].name, name) == 0)
            return &policy->runners[i];
    return NULL;
}

const struct run_viewport *run_policy_viewport(const struct run_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->viewport_count; i++)
        if (strcmp(policy->viewports[i].name, name) == 0)
            return &policy->viewports[i];
    return NULL;
}
