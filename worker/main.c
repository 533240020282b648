/* The worker's command line and exit status. */
#include <signal.h>
#include <stdio.h>

#include "shared/log.h"
#include "shared/options.h"
#include "shared/secrecy.h"
#include "worker/parent.h"
#include "worker/worker.h"

static int run(const struct options *options, const struct parent *parent)
{
    uv_loop_t loop;
    struct error err;
    uv_loop_init(&loop);
    struct worker *worker = worker_start(&loop, options, parent, &err);
    if (worker == NULL) {
        log_say(stderr, "worker: %s", err.text);
        uv_loop_close(&loop);
        return 2;
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    int status = worker_finish(worker);
    int open_handles = uv_loop_close(&loop);
    if (open_handles != 0)
        log_error("loop.open", LOG_TEXT("reason", uv_strerror(open_handles)));
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    struct parent parent;
    struct error err;
    enum options_action action;
    if (options_load(&options, PROGRAM_WORKER, argc, argv, &action, &err) < 0) {
        log_say(stderr, "worker: %s", err.text);
        return 2;
    }
    if (action == OPTIONS_HELP)
        return options_print_help(stdout, PROGRAM_WORKER), 0;
    if (action == OPTIONS_VERSION)
        return printf("worker %s\n", FUNKYTOWN_VERSION), 0;
    if (action == OPTIONS_PRINT_CONFIG)
        return options_print_config(stdout, PROGRAM_WORKER, argc, argv), 0;

    secrecy_begin();
    options_hide_secrets(&options, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    log_open("worker", (enum log_level)options.log_level, (enum log_format)options.log_format);
    int status = 2;
    if (parent_open(&parent, &options, &err) < 0)
        log_say(stderr, "worker: %s", err.text);
    else
        status = run(&options, &parent);
    parent_close(&parent);
    return status;
}
