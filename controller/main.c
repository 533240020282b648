/* The controller's command line and exit status. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/audit.h"
#include "controller/controller.h"
#include "controller/plan.h"
#include "controller/source.h"
#include "shared/file.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/options.h"
#include "shared/secrecy.h"

static int load_plan(struct plan *plan, const char *path, struct error *err)
{
    size_t length;
    auto_free char *bytes = file_read(path, &length, err);
    if (bytes == NULL)
        return error_wrap(err, "spec map");
    if (plan_parse(plan, bytes, length, err) < 0)
        return error_wrap(err, "spec map %s", path);
    return 0;
}

static void log_exclusions(const struct plan *plan)
{
    for (size_t i = 0; i < plan->exclusion_count; i++) {
        const struct plan_exclusion *e = &plan->exclusions[i];
        log_info("task.excluded", LOG_TEXT("group", e->group), LOG_TEXT("spec", e->spec),
                 LOG_TEXT("viewport", e->viewport), LOG_TEXT("browser", e->browser), LOG_TEXT("reason", e->reason));
    }
}

static int run(const struct options *options, const struct plan *plan)
{
    uv_loop_t loop;
    struct error err;
    struct source source;
    source_find(&source, options, plan);
    uv_loop_init(&loop);
    struct controller *controller = controller_start(&loop, options, plan, &source, &err);
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

int main(int argc, char **argv)
{
    struct options options;
    struct plan plan;
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
    if (load_plan(&plan, options.map_file, &err) < 0) {
        log_say(stderr, "controller: %s", err.text);
        return EXIT_CONFIG;
    }
    int status = EXIT_NO_TASKS;
    log_exclusions(&plan);
    if (plan.task_count > 0)
        status = run(&options, &plan);
    else
        log_say(stderr, "controller: spec map %s: found no task, wanted at least one", options.map_file);
    plan_close(&plan);
    return status;
}
