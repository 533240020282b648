#include "shared/run_policy.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/json.h"
#include "shared/json_writer.h"
#include "shared/memory.h"

/* ---- a viewport ---- */

enum { VIEWPORT_WIDTH, VIEWPORT_HEIGHT, VIEWPORT_MOBILE, VIEWPORT_COUNT };
static const struct form_key viewport_keys[VIEWPORT_COUNT] = {
    [VIEWPORT_WIDTH] = {"width", true, {FORM_NUMBER, NULL, 1, TASK_VIEWPORT_MAX}},
    [VIEWPORT_HEIGHT] = {"height", true, {FORM_NUMBER, NULL, 1, TASK_VIEWPORT_MAX}},
    [VIEWPORT_MOBILE] = {"mobile", false, {FORM_FLAG, NULL, 0, 0}},
};

int run_viewport_parse(struct run_viewport *viewport, const cJSON *definition, const struct form_place *place,
                       struct error *err)
{
    const cJSON *members[VIEWPORT_COUNT];
    if (form_check_members(definition, viewport_keys, VIEWPORT_COUNT, members, place, err) < 0)
        return -1;
    *viewport = (struct run_viewport){
        .width = members[VIEWPORT_WIDTH]->valueint,
        .height = members[VIEWPORT_HEIGHT]->valueint,
        .is_mobile = cJSON_IsTrue(members[VIEWPORT_MOBILE]),
    };
    return 0;
}

cJSON *run_viewport_format(const struct run_viewport *viewport)
{
    cJSON *definition = cJSON_CreateObject();
    cJSON_AddNumberToObject(definition, viewport_keys[VIEWPORT_WIDTH].name, viewport->width);
    cJSON_AddNumberToObject(definition, viewport_keys[VIEWPORT_HEIGHT].name, viewport->height);
    cJSON_AddBoolToObject(definition, viewport_keys[VIEWPORT_MOBILE].name, viewport->is_mobile);
    return definition;
}

/* ---- the fields of the run ---- */

enum {
    FIELD_ID,
    FIELD_DIGEST,
    FIELD_TOTAL,
    FIELD_LEASE,
    FIELD_RETRIES,
    FIELD_MAX_CRASHES,
    FIELD_RUNNERS,
    FIELD_VIEWPORTS,
    FIELD_TIMEOUT,
    FIELD_MAX_RELEASES,
    FIELD_SOURCE,
    FIELD_BRANCH,
    FIELD_URL,
    FIELD_PROJECTS,
    FIELD_COUNT
};
static_assert((int)FIELD_COUNT == (int)RUN_FIELDS, "a row each");

static const struct {
    const char *name;
    unsigned min, max; /* of a number that a worker reads */
} fields[FIELD_COUNT] = {
    [FIELD_ID] = {"id", 0, 0},
    [FIELD_DIGEST] = {"digest", 0, 0},
    [FIELD_TOTAL] = {"total", 0, 0},
    [FIELD_LEASE] = {"lease_ms", 1000, TASK_LEASE_MAX_S * 1000},
    [FIELD_RETRIES] = {"retries", 0, TASK_RETRIES_MAX},
    [FIELD_MAX_CRASHES] = {"max_crashes", 0, 0},
    [FIELD_RUNNERS] = {"runners", 0, 0},
    [FIELD_VIEWPORTS] = {"viewports", 0, 0},
    [FIELD_TIMEOUT] = {"task_timeout_s", 1, TASK_TIMEOUT_MAX_S},
    [FIELD_MAX_RELEASES] = {"max_releases", 0, 0},
    [FIELD_SOURCE] = {"source", 0, 0},
    [FIELD_BRANCH] = {"branch", 0, 0},
    [FIELD_URL] = {"source_url", 0, 0},
    [FIELD_PROJECTS] = {"projects", 0, 0},
};

static const char *number_text(struct run_fields *out, size_t field, size_t number)
{
    snprintf(out->numbers[field], sizeof(out->numbers[field]), "%zu", number);
    return out->numbers[field];
}

void run_policy_format(const struct run_terms *terms, struct run_fields *out)
{
    const char *const values[FIELD_COUNT] = {
        [FIELD_ID] = terms->run_id,
        [FIELD_DIGEST] = terms->digest,
        [FIELD_TOTAL] = number_text(out, FIELD_TOTAL, terms->total),
        [FIELD_LEASE] = number_text(out, FIELD_LEASE, terms->lease_ms),
        [FIELD_RETRIES] = number_text(out, FIELD_RETRIES, terms->retries),
        [FIELD_MAX_CRASHES] = number_text(out, FIELD_MAX_CRASHES, terms->max_crashes),
        [FIELD_RUNNERS] = terms->runners,
        [FIELD_VIEWPORTS] = terms->viewports,
        [FIELD_TIMEOUT] = number_text(out, FIELD_TIMEOUT, terms->task_timeout_s),
        [FIELD_MAX_RELEASES] = number_text(out, FIELD_MAX_RELEASES, terms->max_releases),
        [FIELD_SOURCE] = terms->source,
        [FIELD_BRANCH] = terms->branch,
        [FIELD_URL] = terms->source_url,
        [FIELD_PROJECTS] = terms->projects,
    };
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        out->texts[2 * i] = fields[i].name;
        out->texts[2 * i + 1] = values[i];
    }
}

/* As the controller writes it: digits, and nothing else. */
static int read_number(const struct ledger_reply *reply, size_t field, unsigned *value, struct error *err)
{
    const struct form_place place = {.key = fields[field].name};
    const char *text = ledger_run_field(reply, fields[field].name);
    unsigned min = fields[field].min, max = fields[field].max;
    size_t length = strspn(text, "0123456789");
    unsigned long number = length > 0 && length <= 10 && text[length] == '\0' ? strtoul(text, NULL, 10) : ULONG_MAX;
    if (number < min || number > max)
        return form_refuse_text(text, &place, err, "a whole number from %u to %u", min, max);
    *value = (unsigned)number;
    return 0;
}

static int read_text(const struct ledger_reply *reply, size_t field, char **text, struct error *err)
{
    static const struct form_rule rule = {FORM_TEXT, "a text", 1, 0};
    const struct form_place place = {.key = fields[field].name};
    *text = memory_text(ledger_run_field(reply, fields[field].name));
    return form_check_text(*text, &rule, &place, err);
}

enum { NAME_BYTES = 128 };
static const struct form_rule object = {FORM_OBJECT, "an object", 0, 0};

/* An object of such members, their names being such as a map may give. The tree is the caller's; NULL: refused. */
static cJSON *read_object(const char *text, const struct form_rule *rule, long name_bytes,
                          const struct form_place *place, struct error *err)
{
    const struct form_rule name = {FORM_NAME, "a name", 1, name_bytes};
    cJSON *map, *member;
    int failed = json_parse(&map, text, strlen(text), err);
    if (failed < 0)
        error_wrap(err, "%s", place->key);
    else
        failed = form_check(map, &object, place, err) < 0 ? -1 : form_check_all(map, rule, place, err);
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

static int add_runner(struct run_policy *policy, const char *name, const char *const *versions,
                      const cJSON *definition, const struct form_place *all, struct error *err)
{
    const struct form_place here = {.parent = all, .key = name};
    policy->runners = memory_resize(policy->runners, policy->runner_count + 1, sizeof(*policy->runners));
    if (runner_parse(&policy->runners[policy->runner_count], name, versions, definition, &here, err) < 0)
        return -1;
    policy->runner_count++;
    return 0;
}

static int read_runners(struct run_policy *policy, const struct ledger_reply *reply, const char *const *versions,
                        struct error *err)
{
    const struct form_place place = {.key = fields[FIELD_RUNNERS].name};
    cJSON *map = read_object(ledger_run_field(reply, place.key), &object, NAME_BYTES, &place, err);
    const cJSON *definition;
    int failed = map ? 0 : -1;
    cJSON_ArrayForEach(definition, map)
    {
        if (failed == 0)
            failed = add_runner(policy, definition->string, versions, definition, &place, err);
    }
    cJSON_Delete(map);
    const char *name;
    for (size_t i = 0; failed == 0 && (name = runner_builtin_name(i)); i++) {
        if (run_policy_runner(policy, name))
            continue;
        cJSON *builtin = cJSON_CreateObject(); /* nothing is changed in it */
        failed = add_runner(policy, name, versions, builtin, &place, err);
        cJSON_Delete(builtin);
    }
    return failed;
}

static int add_viewport(struct run_policy *policy, const cJSON *definition, const struct form_place *all,
                        struct error *err)
{
    const struct form_place here = {.parent = all, .key = definition->string};
    struct run_viewport *viewport = &policy->viewports[policy->viewport_count];
    if (run_viewport_parse(viewport, definition, &here, err) < 0)
        return -1;
    viewport->name = memory_text(definition->string);
    policy->viewport_count++;
    return 0;
}

static int read_viewports(struct run_policy *policy, const struct ledger_reply *reply, struct error *err)
{
    const struct form_place place = {.key = fields[FIELD_VIEWPORTS].name};
    cJSON *map = read_object(ledger_run_field(reply, place.key), &object, NAME_BYTES, &place, err);
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

/* A run that was begun before there were any has no such field. */
static int read_projects(struct run_policy *policy, const struct ledger_reply *reply, struct error *err)
{
    static const struct form_rule rule = {FORM_LINE, "a project's name", 1, 1024};
    const struct form_place place = {.key = fields[FIELD_PROJECTS].name};
    const char *text = ledger_run_field(reply, place.key);
    cJSON *map = read_object(*text ? text : "{}", &rule, 2 * NAME_BYTES + 1, &place, err);
    const cJSON *name;
    policy->projects = memory_zeroed((size_t)cJSON_GetArraySize(map), sizeof(*policy->projects));
    cJSON_ArrayForEach(name, map)
    {
        policy->projects[policy->project_count++] =
            (struct run_project){memory_text(name->string), memory_text(name->valuestring)};
    }
    int failed = map ? 0 : -1;
    cJSON_Delete(map);
    return failed;
}

static int read_all(struct run_policy *policy, const struct ledger_reply *reply, const char *const *versions,
                    struct error *err)
{
    if (read_text(reply, FIELD_ID, &policy->run_id, err) < 0 ||
        read_text(reply, FIELD_DIGEST, &policy->digest, err) < 0 ||
        read_number(reply, FIELD_LEASE, &policy->lease_ms, err) < 0 ||
        read_number(reply, FIELD_TIMEOUT, &policy->limits.timeout_s, err) < 0 ||
        read_number(reply, FIELD_RETRIES, &policy->limits.retries, err) < 0 ||
        read_viewports(policy, reply, err) < 0 || read_projects(policy, reply, err) < 0 ||
        read_runners(policy, reply, versions, err) < 0)
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

int run_policy_load(struct run_policy *policy, const struct ledger_reply *reply, const char *const *versions,
                    struct error *err)
{
    *policy = (struct run_policy){.is_cancelled = *ledger_run_field(reply, "cancel") != '\0'};
    if (read_all(policy, reply, versions, err) == 0)
        return 0;
    run_policy_close(policy);
    return refuse_as_protocol("the run", err);
}

/* ---- one task ---- */

static const struct form_key override_keys[RUN_OVERRIDES] = {
    [RUN_OVERRIDE_TIMEOUT] = RUN_TIMEOUT_KEY,
    [RUN_OVERRIDE_RETRIES] = RUN_RETRIES_KEY,
    [RUN_OVERRIDE_WITHOUT] = RUN_WITHOUT_KEY,
    [RUN_OVERRIDE_REASON] = RUN_REASON_KEY,
};

int run_without_check(const cJSON *list, const struct form_place *place, struct error *err)
{
    static const struct form_rule rule = {FORM_NAME, "a program's name", 1, NAME_BYTES};
    struct form_place here = {.parent = place};
    if (form_check_all(list, &rule, place, err) < 0)
        return -1;
    const cJSON *program;
    cJSON_ArrayForEach(program, list)
    {
        if (strchr(program->valuestring, '/'))
            return form_refuse(program, &here, err, "a program's name without '/': it is looked for in PATH");
        here.index++;
    }
    return 0;
}

static void add_member(struct buffer *out, const cJSON *member)
{
    if (cJSON_IsNumber(member)) {
        json_add_uint(out, (uint64_t)member->valuedouble);
        return;
    }
    auto_free char *text = cJSON_PrintUnformatted(member);
    buffer_text(out, text);
}

void run_overrides_format(const cJSON *const members[RUN_OVERRIDES], struct buffer *out)
{
    size_t start = out->length;
    for (size_t i = 0; i < RUN_OVERRIDES; i++) {
        if (members[i] == NULL)
            continue;
        if (out->length == start)
            buffer_text(out, "{");
        json_add_key(out, override_keys[i].name);
        add_member(out, members[i]);
    }
    if (out->length > start)
        buffer_text(out, "}");
}

/* The tree that `members` borrow from; NULL: refused. */
static cJSON *parse_overrides(const char *text, const cJSON *members[RUN_OVERRIDES], struct error *err)
{
    static const struct form_place without = {.key = "without"};
    cJSON *root;
    if (json_parse(&root, text, strlen(text), err) < 0)
        return NULL;
    if (form_check_members(root, override_keys, RUN_OVERRIDES, members, NULL, err) == 0 &&
        (!members[RUN_OVERRIDE_WITHOUT] || run_without_check(members[RUN_OVERRIDE_WITHOUT], &without, err) == 0))
        return root;
    cJSON_Delete(root);
    return NULL;
}

static int read_overrides(struct run_limits *limits, const char *text, struct error *err)
{
    const cJSON *members[RUN_OVERRIDES];
    cJSON *root = parse_overrides(text, members, err);
    if (root == NULL)
        return -1;
    if (members[RUN_OVERRIDE_TIMEOUT])
        limits->timeout_s = (unsigned)members[RUN_OVERRIDE_TIMEOUT]->valueint;
    if (members[RUN_OVERRIDE_RETRIES])
        limits->retries = (unsigned)members[RUN_OVERRIDE_RETRIES]->valueint;
    cJSON_Delete(root);
    return 0;
}

int run_policy_limits(const struct run_policy *policy, const char *overrides, struct run_limits *limits,
                      struct error *err)
{
    *limits = policy->limits;
    if (*overrides == '\0' || read_overrides(limits, overrides, err) == 0)
        return 0;
    return refuse_as_protocol("what the map says of the task", err);
}

bool run_overrides_leave_out(const char *overrides, bool (*is_there)(const char *program), struct buffer *reason)
{
    struct error err;
    const cJSON *members[RUN_OVERRIDES], *program, *missing = NULL;
    cJSON *root = *overrides ? parse_overrides(overrides, members, &err) : NULL;
    if (root == NULL)
        return false;
    cJSON_ArrayForEach(program, members[RUN_OVERRIDE_WITHOUT])
    {
        if (missing == NULL && !is_there(program->valuestring))
            missing = program;
    }
    const cJSON *why = members[RUN_OVERRIDE_REASON];
    if (missing)
        buffer_format(reason, "%s isn't in PATH%s%s", missing->valuestring, why ? ": " : "",
                      why ? why->valuestring : "");
    cJSON_Delete(root);
    return missing != NULL;
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
    for (size_t i = 0; i < policy->project_count; i++) {
        free(policy->projects[i].combination);
        free(policy->projects[i].name);
    }
    free(policy->projects);
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

const char *run_policy_project(const struct run_policy *policy, const char *combination)
{
    for (size_t i = 0; i < policy->project_count; i++)
        if (strcmp(policy->projects[i].combination, combination) == 0)
            return policy->projects[i].name;
    return NULL;
}
