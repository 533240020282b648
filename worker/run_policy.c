#include "worker/run_policy.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/memory.h"
#include "shared/redis_reply.h"

/* The run's fields follow the outcome's word as name, value, … */
static const char *field(const struct ledger_reply *reply, const char *name)
{
    for (size_t i = 1; i + 1 < redis_reply_count(reply->raw); i += 2)
        if (strcmp(ledger_text(reply, i), name) == 0)
            return ledger_text(reply, i + 1);
    return "";
}

static int read_number(const struct ledger_reply *reply, const char *name, unsigned *value, struct error *err)
{
    char *end;
    const char *text = field(reply, name);
    unsigned long number = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0' || number > 4000000000u)
        return error_set(err, ERROR_PROTOCOL, "the run's %s: found \"%s\", wanted a number", name, text);
    *value = (unsigned)number;
    return 0;
}

static int add_runner(struct run_policy *policy, const char *name, const cJSON *definition, struct error *err)
{
    policy->runners = memory_resize(policy->runners, policy->runner_count + 1, sizeof(*policy->runners));
    if (runner_parse(&policy->runners[policy->runner_count], name, definition, NULL, err) < 0)
        return error_wrap(err, "the run's runner \"%s\"", name);
    policy->runner_count++;
    return 0;
}

static int read_runners(struct run_policy *policy, const char *text, struct error *err)
{
    cJSON *map = cJSON_Parse(text);
    const cJSON *definition;
    int failed = cJSON_IsObject(map) ? 0 : error_set(err, ERROR_PROTOCOL, "the run's runners are not JSON");
    cJSON_ArrayForEach(definition, map)
    {
        if (failed == 0)
            failed = add_runner(policy, definition->string, definition, err);
    }
    cJSON_Delete(map);
    const char *name;
    for (size_t i = 0; failed == 0 && (name = runner_builtin_name(i)); i++) {
        if (run_policy_runner(policy, name))
            continue;
        cJSON *builtin = cJSON_Parse(runner_builtin(name));
        failed = add_runner(policy, name, builtin, err);
        cJSON_Delete(builtin);
    }
    return failed;
}

static int read_viewports(struct run_policy *policy, const char *text, struct error *err)
{
    cJSON *map = cJSON_Parse(text);
    const cJSON *size;
    if (!cJSON_IsObject(map)) {
        cJSON_Delete(map);
        return error_set(err, ERROR_PROTOCOL, "the run's viewports are not JSON");
    }
    policy->viewports = memory_zeroed((size_t)cJSON_GetArraySize(map), sizeof(*policy->viewports));
    cJSON_ArrayForEach(size, map)
    {
        policy->viewports[policy->viewport_count++] = (struct run_viewport){
            .name = memory_text(size->string),
            .width = (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(size, "width")),
            .height = (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(size, "height")),
        };
    }
    cJSON_Delete(map);
    return 0;
}

int run_policy_load(struct run_policy *policy, const struct ledger_reply *reply, struct error *err)
{
    *policy = (struct run_policy){.run_id = memory_text(field(reply, "id")),
                                  .digest = memory_text(field(reply, "digest")),
                                  .is_cancelled = *field(reply, "cancel") != '\0'};
    if (read_number(reply, "lease_ms", &policy->lease_ms, err) < 0 ||
        read_number(reply, "task_timeout_s", &policy->task_timeout_s, err) < 0 ||
        read_number(reply, "retries", &policy->retries, err) < 0 ||
        read_viewports(policy, field(reply, "viewports"), err) < 0 ||
        read_runners(policy, field(reply, "runners"), err) < 0) {
        run_policy_close(policy);
        return -1;
    }
    return 0;
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
