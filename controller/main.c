/* The controller's command line and exit status. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/audit.h"
#include "controller/controller.h"
#include "controller/discovery.h"
#include "controller/github.h"
#include "controller/plan.h"
#include "controller/plan_table.h"
#include "controller/source.h"
#include "shared/buffer.h"
#include "shared/file.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/options.h"
#include "shared/secrecy.h"

static int parse_plan(struct plan *plan, const char *place, const char *bytes, size_t length, struct error *err)
{
    return plan_parse(plan, bytes, length, err) < 0 ? error_wrap(err, "spec map %s", place) : 0;
}

/* Of a spec map, or what the configurations of a place list; then it has its own SPEC_ROOT. */
static int load_plan(struct plan *plan, struct options *options, struct discovery *found, struct error *err)
{
    const char *place = options->map_file;
    if (discovery_is_wanted(place)) {
        if (discovery_ask(found, options, err) < 0)
            return -1;
        options->spec_root = found->root;
        return parse_plan(plan, place, found->map, strlen(found->map), err);
    }
    const char *filter = options_filter(options);
    if (filter != NULL || options->init)
        return error_set(err, ERROR_CONFIG, "%s: found %s, wanted a folder or a runner's configuration",
                         filter ? filter : "init", place);
    size_t length;
    auto_free char *bytes = file_read(place, &length, err);
    return bytes ? parse_plan(plan, place, bytes, length, err) : error_wrap(err, "spec map");
}

static int write_map(const struct discovery *found, const struct plan *plan)
{
    struct error err;
    auto_free char *path = NULL;
    if (discovery_write(found, &path, &err) < 0) {
        log_say(stderr, "controller: %s", err.text);
        return EXIT_CONFIG;
    }
    log_say(stdout, "wrote %s: %zu tasks; SPEC_ROOT=%s ./run %s runs it", path, plan->task_count, found->root, path);
    return EXIT_PASSED;
}

static void print_table(const struct plan *plan)
{
    auto_buffer table = {0};
    plan_table_format(plan, &table);
    fputs(table.data, stdout);
}

static void log_exclusions(const struct plan *plan)
{
    for (size_t i = 0; i < plan->exclusion_count; i++) {
        const struct plan_exclusion *e = &plan->exclusions[i];
        log_info("task.excluded", LOG_TEXT("group", e->group), LOG_TEXT("spec", e->spec),
                 LOG_TEXT("viewport", e->viewport), LOG_TEXT("browser", e->browser), LOG_TEXT("reason", e->reason));
    }
}

static int run(const struct options *options, const struct plan *plan, const struct github *github)
{
    uv_loop_t loop;
    struct error err;
    struct source source;
    source_find(&source, options, plan);
    uv_loop_init(&loop);
    struct controller *controller = controller_start(&loop, options, plan, &source, github, &err);
    if (controller == NULL) {
        log_say(stderr, "controller: %s", err.text);
        uv_loop_close(&loop);
        return EXIT_CONFIG;
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    int status = controller_finish(controller);
    int open_handles = uv_loop_close(&loop);
    if (open_handles != 0)
        log_error("loop.open", LOG_TEXT("reason", uv_strerror(open_handles)));
    return status;
}

static int audit(const struct options *options)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    int status = audit_run(&loop, options);
    uv_loop_close(&loop);
    return status;
}

static int act(const struct options *options, const struct plan *plan, const struct discovery *found,
               const struct github *github)
{
    for (char **note = found->notes; note && *note; note++)
        log_say(stderr, "controller: %s", *note);
    if (options->dry_run)
        print_table(plan);
    else if (options->init)
        return write_map(found, plan);
    else
        log_exclusions(plan);
    if (plan->task_count == 0) {
        log_say(stderr, "controller: spec map %s: found no task, wanted at least one", options->map_file);
        return EXIT_NO_TASKS;
    }
    return options->dry_run ? EXIT_PASSED : run(options, plan, github);
}

int main(int argc, char **argv)
{
    struct options options;
    struct plan plan;
    struct discovery found = DISCOVERY_NONE;
    struct github github;
    struct error err;
    enum options_action action;
    if (options_load(&options, PROGRAM_CONTROLLER, argc, argv, &action, &err) < 0) {
        log_say(stderr, "controller: %s", err.text);
        return EXIT_CONFIG;
    }
    if (action == OPTIONS_HELP)
        return options_print_help(stdout, PROGRAM_CONTROLLER), 0;
    if (action == OPTIONS_VERSION)
        return printf("controller %s\n", FUNKYTOWN_VERSION), 0;
    if (action == OPTIONS_PRINT_CONFIG)
        return options_print_config(stdout, PROGRAM_CONTROLLER, argc, argv), 0;

    secrecy_begin();
    options_hide_secrets(&options, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    log_open("controller", (enum log_level)options.log_level, (enum log_format)options.log_format);
    if (options.audit)
        return audit(&options);
    if (load_plan(&plan, &options, &found, &err) < 0) {
        log_say(stderr, "controller: %s", err.text);
        discovery_close(&found);
        return EXIT_CONFIG;
    }
    github_open(&github);
    int status = act(&options, &plan, &found, &github);
    github_close(&github);
    plan_close(&plan);
    discovery_close(&found);
    return status;
}
