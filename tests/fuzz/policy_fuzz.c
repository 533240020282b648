/*
 * What Redis tells a worker of its run and of a task, any bytes in every field: taken over only with numbers in
 * bounds and whole runners, refused at its place otherwise; and no value becomes an option of the runner's command.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/buffer.h"
#include "shared/json_writer.h"
#include "shared/memory.h"
#include "shared/runner_template.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/made_reply.h"
#include "shared/run_policy.h"

/* The input: of the task, then the outcome's word, then names and values of the run. */
enum { SPEC, SECOND_SPEC, VIEWPORT, BROWSER, RUNNER, OVERRIDES, RUN };

static int load(struct run_policy *policy, const char *const *texts, size_t count, struct error *err)
{
    struct redisReply *raw = made_reply(texts, count);
    const struct ledger_reply reply = {.outcome = LEDGER_OK, .raw = raw};
    int result = run_policy_load(policy, &reply, NULL, err);
    made_reply_free(raw);
    return result;
}

static void require_limits(const struct run_limits *limits)
{
    require(limits->timeout_s >= 1 && limits->timeout_s <= TASK_TIMEOUT_MAX_S);
    require(limits->retries <= TASK_RETRIES_MAX);
}

static void require_name(const char *name)
{
    require(name[0] != '\0' && name[0] != '-' && strlen(name) <= 128 && fuzz_is_line(name));
}

static void require_runner(const struct run_policy *policy, const struct runner *runner)
{
    require_name(runner->name);
    require(run_policy_runner(policy, runner->name) == runner); /* no name twice */
    require(runner->argv != NULL && runner->argv[0] != NULL && runner->env != NULL);
    for (char **variable = runner->env; *variable; variable++)
        require(strchr(*variable, '=') > *variable && strncmp(*variable, "FUNKYTOWN_", 10) != 0);
    require(runner->cwd == NULL || (runner->cwd[0] != '/' && runner->cwd[0] != '-' && runner->cwd[0] != '\0'));
    for (size_t i = 0; i < sizeof(runner->exit_results); i++)
        require(runner->exit_results[i] >= TASK_PASSED && runner->exit_results[i] <= TASK_ERROR);
}

/* The viewports, written as the controller writes them, are the same again. */
static void require_same(const struct run_policy *policy)
{
    auto_buffer viewports = {0};
    struct run_policy same;
    struct error err;
    buffer_text(&viewports, "{");
    for (size_t i = 0; i < policy->viewport_count; i++) {
        const struct run_viewport *v = &policy->viewports[i];
        if (i > 0)
            buffer_text(&viewports, ",");
        json_add_text(&viewports, v->name);
        buffer_format(&viewports, ":{\"width\":%d,\"height\":%d,\"mobile\":%s}", v->width, v->height,
                      v->is_mobile ? "true" : "false");
    }
    buffer_text(&viewports, "}");
    auto_free char *lease = memory_format("%u", policy->lease_ms);
    auto_free char *timeout = memory_format("%u", policy->limits.timeout_s);
    auto_free char *retries = memory_format("%u", policy->limits.retries);
    const char *const fields[] = {
        "ok",    "id",      policy->run_id, "digest",    policy->digest, "lease_ms", lease, "task_timeout_s",
        timeout, "retries", retries,        "viewports", viewports.data, "runners",  "{}",
    };
    require(load(&same, fields, sizeof(fields) / sizeof(fields[0]), &err) == 0);
    require(run_policy_equal(policy, &same) && same.lease_ms == policy->lease_ms);
    require(memcmp(&same.limits, &policy->limits, sizeof(same.limits)) == 0);
    require(same.viewport_count == policy->viewport_count);
    for (size_t i = 0; i < same.viewport_count; i++)
        require(strcmp(same.viewports[i].name, policy->viewports[i].name) == 0 &&
                same.viewports[i].is_mobile == policy->viewports[i].is_mobile &&
                same.viewports[i].width == policy->viewports[i].width &&
                same.viewports[i].height == policy->viewports[i].height);
    run_policy_close(&same);
}

static void require_policy(const struct run_policy *policy)
{
    require(policy->run_id[0] != '\0' && policy->digest[0] != '\0');
    require(policy->lease_ms >= 1000 && policy->lease_ms <= TASK_LEASE_MAX_S * 1000);
    require_limits(&policy->limits);
    for (size_t i = 0; i < policy->viewport_count; i++) {
        const struct run_viewport *v = &policy->viewports[i];
        require_name(v->name);
        require(run_policy_viewport(policy, v->name) == v);
        require(v->width >= 1 && v->width <= TASK_VIEWPORT_MAX && v->height >= 1 && v->height <= TASK_VIEWPORT_MAX);
    }
    for (size_t i = 0; i < policy->runner_count; i++)
        require_runner(policy, &policy->runners[i]);
    require(run_policy_runner(policy, "playwright") != NULL);
    require_same(policy);
}

static void require_command(const struct runner *runner, const struct runner_command *command, size_t specs)
{
    char **arg = command->argv;
    for (char **template = runner->argv; *template; template ++) {
        size_t count = strcmp(*template, "{specs...}") == 0 ? specs : 1;
        for (; count > 0; count--, arg++)
            require(*arg != NULL && ((*arg)[0] != '-' || (*template)[0] == '-'));
    }
    require(*arg == NULL && command->argv[0] != NULL);
}

static void start(const struct run_policy *policy, const struct fuzz_fields *f)
{
    const struct runner *runner = run_policy_runner(policy, fuzz_field(f, RUNNER));
    struct error err = {0};
    struct run_limits limits;
    if (run_policy_limits(policy, fuzz_field(f, OVERRIDES), &limits, &err) < 0)
        fuzz_require_refusal(&err, ERROR_PROTOCOL);
    require_limits(&limits);
    if (runner == NULL)
        return;
    const struct run_viewport *viewport = run_policy_viewport(policy, fuzz_field(f, VIEWPORT));
    const char *specs[] = {fuzz_field(f, SPEC), f->texts[SECOND_SPEC], NULL};
    const struct runner_values values = {
        .specs = specs,
        .root = "/srv",
        .viewport = fuzz_field(f, VIEWPORT),
        .browser = fuzz_field(f, BROWSER),
        .width = viewport ? viewport->width : 0,
        .height = viewport ? viewport->height : 0,
        .events = "/run/events",
        .artifacts = "/run/artifacts",
        .output = "/run/output",
        .reporter = "/srv/reporter.mjs",
    };
    struct runner_command command;
    if (runner_expand(runner, &values, &command, &err) < 0) {
        require(err.code == ERROR_CONFIG && fuzz_is_line(err.text) && command.argv == NULL);
        return;
    }
    require_command(runner, &command, specs[1] ? 2 : 1);
    runner_command_close(&command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_fields f;
    struct run_policy policy;
    struct error err = {0};
    fuzz_fields_init(&f, data, size);
    if (load(&policy, (const char *const *)f.texts + RUN, f.count > RUN ? f.count - RUN : 0, &err) < 0) {
        fuzz_require_refusal(&err, ERROR_PROTOCOL);
        require(strncmp(err.text, "the run: ", 9) == 0);
        require(policy.run_id == NULL && policy.runners == NULL && policy.viewports == NULL);
    } else {
        require_policy(&policy);
        start(&policy, &f);
        run_policy_close(&policy);
    }
    fuzz_fields_close(&f);
    return 0;
}
