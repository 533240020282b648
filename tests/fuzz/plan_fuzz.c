/* plan_parse() with any bytes: no crash, no leak; and what it accepts keeps the promises of plan.h. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/plan.h"
#include "shared/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact)
        abort();
}

static void require_json(const char *text)
{
    cJSON *json = cJSON_Parse(text);
    require(cJSON_IsObject(json));
    cJSON_Delete(json);
}

static void require_promises(const struct plan *plan)
{
    require(plan->group_count > 0 && plan->task_count + plan->exclusion_count > 0);
    require_json(plan->runners);
    require_json(plan->viewports);
    for (size_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *task = &plan->tasks[i];
        const struct plan_group *group = &plan->groups[task->group];
        char key[TASK_KEY_SIZE];
        plan_key(plan, i, key);
        require(plan_find(plan, key) == (ptrdiff_t)i);
        require(group->first + task->number == i && task->number < group->count);
        require(task->spec[0] != '\0' && task->spec[0] != '/' && task->spec[0] != '-');
        if (task->overrides != NULL)
            require_json(task->overrides);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan plan, again;
    struct error err = {0};
    if (plan_parse(&plan, (const char *)data, size, &err) < 0) {
        require(err.code == ERROR_CONFIG && strstr(err.text, "found ") != NULL);
        return 0;
    }
    require(utf8_is_valid((const char *)data, size));
    require_promises(&plan);
    require(plan_parse(&again, (const char *)data, size, &err) == 0 && again.digest == plan.digest);
    plan_close(&again);
    plan_close(&plan);
    return 0;
}
