/*
 * A spec map of any bytes: what the plan refuses is refused at its place, and what it accepts keeps the promises of
 * plan.h, is understood by the worker that gets it, and makes no option of an argument.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/plan.h"
#include "shared/memory.h"
#include "shared/run_policy.h"
#include "shared/runner_builtins.h"
#include "shared/runner_template.h"
#include "shared/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/made_reply.h"

enum { EXPANDED_MAX = 16, COMPARED_MAX = 4096, BUILTINS_MAX = 16 };

/* "groups[1].name: found …", "line 1 column 2: found …"; the map itself has no place. */
static void require_place(const char *text)
{
    require(text[0] != ':' && text[0] != ' ');
    const char *colon = strstr(text, ": found ");
    require(colon != NULL || strstr(text, ": not supported yet") != NULL || strncmp(text, "found ", 6) == 0);
}

static bool is_plain_path(const char *path)
{
    if (path[0] == '\0' || path[0] == '-' || path[0] == '/')
        return false;
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        size_t length = strcspn(part, "/");
        if (length == 0 || (length == 1 && part[0] == '.') || (length == 2 && strncmp(part, "..", 2) == 0))
            return false;
    }
    return true;
}

static void require_task(const struct plan *plan, size_t index)
{
    const struct plan_task *task = &plan->tasks[index];
    require(task->group < plan->group_count);
    const struct plan_group *group = &plan->groups[task->group];
    char key[TASK_KEY_SIZE];
    plan_key(plan, index, key);
    require(plan_find(plan, key) == (ptrdiff_t)index); /* so no two have the same */
    require(fuzz_is_line(key) && strrchr(key, ':') > key + 4);
    require(group->first + task->number == index && task->number < group->count);
    require(is_plain_path(task->spec) && fuzz_is_line(task->spec) && strlen(task->spec) <= 1024);
    require(task->viewport[0] != '-' && task->viewport[0] != '\0' && fuzz_is_line(task->viewport));
    require(task->browser[0] != '-' && task->browser[0] != '\0' && fuzz_is_line(task->browser));
}

static int by_combination(const void *a, const void *b)
{
    const struct plan_task *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->spec != y->spec)
        return x->spec < y->spec ? -1 : 1;
    if (x->viewport != y->viewport)
        return x->viewport < y->viewport ? -1 : 1;
    return x->browser == y->browser ? 0 : x->browser < y->browser ? -1 : 1;
}

static void require_no_combination_twice(const struct plan *plan)
{
    size_t count = plan->task_count < COMPARED_MAX ? plan->task_count : COMPARED_MAX;
    auto_free struct plan_task *sorted = memory_zeroed(count, sizeof(*sorted));
    if (count > 0)
        memcpy(sorted, plan->tasks, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), by_combination);
    for (size_t i = 1; i < count; i++)
        require(by_combination(&sorted[i - 1], &sorted[i]) != 0);
}

static void require_exclusion(const struct plan_exclusion *x)
{
    require(fuzz_is_line(x->group) && is_plain_path(x->spec) && fuzz_is_line(x->reason) && x->reason[0] != '\0');
}

static void load_policy(struct run_policy *policy, const struct plan *plan)
{
    struct error err;
    const struct run_terms terms = {
        .run_id = "run-1",
        .digest = "00",
        .total = plan->task_count,
        .lease_ms = 15000,
        .task_timeout_s = 600,
        .retries = 100,
        .viewports = plan->viewports,
        .runners = plan->runners,
        .projects = plan->projects,
        .source = "",
        .branch = "",
        .source_url = "",
    };
    struct run_fields fields;
    const char *texts[1 + 2 * RUN_FIELDS] = {"ok"};
    run_policy_format(&terms, &fields);
    memcpy(texts + 1, fields.texts, sizeof(fields.texts));
    struct redisReply *raw = made_reply(texts, sizeof(texts) / sizeof(texts[0]));
    const struct ledger_reply reply = {.outcome = LEDGER_OK, .raw = raw};
    if (run_policy_load(policy, &reply, NULL, &err) < 0)
        fuzz_broken(err.text, "the worker refuses what the plan accepted", 0);
    made_reply_free(raw);
}

static void require_no_option(const struct runner *runner, const struct runner_command *command)
{
    size_t i = 0;
    for (; runner->argv[i]; i++)
        require(command->argv[i] && (command->argv[i][0] != '-' || runner->argv[i][0] == '-'));
    require(command->argv[i] == NULL);
}

static bool is_there(const char *program)
{
    require(program[0] != '\0' && program[0] != '-' && strchr(program, '/') == NULL && fuzz_is_line(program));
    return false;
}

/* A missing program is told in a line. */
static void require_left_out(const char *overrides)
{
    auto_buffer reason = {0};
    bool is_left_out = overrides && run_overrides_leave_out(overrides, is_there, &reason);
    require(is_left_out == (overrides && strstr(overrides, "\"without\":[") != NULL));
    require(!is_left_out || fuzz_is_line(reason.data));
}

/* What the worker makes of a task. */
static void require_start(const struct run_policy *policy, const struct plan_task *task)
{
    struct error err;
    struct run_limits limits;
    require(run_policy_limits(policy, task->overrides ? task->overrides : "", &limits, &err) == 0);
    require(limits.timeout_s >= 1 && limits.timeout_s <= TASK_TIMEOUT_MAX_S && limits.retries <= TASK_RETRIES_MAX);
    require_left_out(task->overrides);
    const struct runner *runner = run_policy_runner(policy, task->runner);
    require(runner != NULL);
    const struct run_viewport *viewport = run_policy_viewport(policy, task->viewport);
    const char *specs[] = {task->spec, NULL};
    const char *programs[BUILTINS_MAX];
    for (size_t i = 0; runner_builtin_name(i) != NULL; i++) {
        require(i < BUILTINS_MAX);
        programs[i] = "/srv/cli.js";
    }
    const struct runner_values values = {
        .specs = specs,
        .root = "/srv",
        .viewport = task->viewport,
        .browser = task->browser,
        .width = viewport ? viewport->width : 0,
        .height = viewport ? viewport->height : 0,
        .events = "/run/events",
        .artifacts = "/run/artifacts",
        .output = "/run/output",
        .project = "desktop-chrome",
        .programs = programs,
        .reporter = "/srv/reporter.mjs",
    };
    struct runner_command command;
    if (runner_expand(runner, &values, &command, &err) < 0) {
        require(err.code == ERROR_CONFIG && fuzz_is_line(err.text));
        return;
    }
    require_no_option(runner, &command);
    runner_command_close(&command);
}

/* Nothing is accepted that nothing acts upon. */
static void require_members(const char *json, const char *const *known)
{
    cJSON *object = cJSON_Parse(json);
    const cJSON *member;
    require(cJSON_IsObject(object));
    cJSON_ArrayForEach(member, object)
    {
        size_t i = 0;
        while (known[i] && strcmp(known[i], member->string) != 0)
            i++;
        require(known[i] != NULL);
    }
    cJSON_Delete(object);
}

static void require_runners(const char *json)
{
    static const char *const known[] = {"argv", "env", "cwd", "exit", "junit", NULL};
    cJSON *runners = cJSON_Parse(json);
    const cJSON *runner;
    cJSON_ArrayForEach(runner, runners)
    {
        char *text = cJSON_PrintUnformatted(runner);
        require_members(text, known);
        cJSON_free(text);
    }
    cJSON_Delete(runners);
}

static void require_promises(const struct plan *plan)
{
    static const char *const overrides[] = {"timeout_s", "retries", "without", "reason", NULL};
    require_runners(plan->runners);
    require(plan->group_count > 0 && plan->task_count + plan->exclusion_count > 0);
    require(plan->task_count + plan->exclusion_count <= PLAN_TASKS_MAX);
    struct run_policy policy;
    load_policy(&policy, plan);
    for (size_t i = 0; i < plan->task_count; i++) {
        require_task(plan, i);
        if (i < EXPANDED_MAX && plan->tasks[i].overrides)
            require_members(plan->tasks[i].overrides, overrides);
        if (i < EXPANDED_MAX)
            require_start(&policy, &plan->tasks[i]);
    }
    for (size_t i = 0; i < plan->exclusion_count; i++)
        require_exclusion(&plan->exclusions[i]);
    require_no_combination_twice(plan);
    run_policy_close(&policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan plan, again;
    struct error err = {0};
    if (plan_parse(&plan, (const char *)data, size, &err) < 0) {
        fuzz_require_refusal(&err, ERROR_CONFIG);
        require_place(err.text);
        require(plan.tasks == NULL && plan.texts.buckets == NULL);
        return 0;
    }
    require(utf8_is_valid((const char *)data, size));
    require_promises(&plan);
    require(plan_parse(&again, (const char *)data, size, &err) == 0 && again.digest == plan.digest);
    plan_close(&again);
    plan_close(&plan);
    return 0;
}
