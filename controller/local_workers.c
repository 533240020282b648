#include "controller/local_workers.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/log.h"
#include "shared/memory.h"

enum { QUICK_DEATH_MS = 2000, RESTART_WAIT_MS = 1000, STATUS_CONFIG = 2 };

struct local_worker {
    struct local_workers *all;
    struct child child;
    uv_timer_t restart;
    uint64_t started_ms;
    bool is_resting; /* its run is closed; another may come */
};

static int start_one(struct local_worker *w, struct error *err);

static void on_restart_closed(uv_handle_t *handle)
{
    struct local_worker *w = handle->data;
    struct local_workers *all = w->all;
    if (--all->running == 0 && all->on_stopped)
        all->on_stopped(all->data);
}

static void end_one(struct local_worker *w)
{
    uv_close((uv_handle_t *)&w->restart, on_restart_closed);
}

static void on_restart(uv_timer_t *timer)
{
    struct local_worker *w = timer->data;
    struct error err;
    w->is_resting = w->all->is_let_go && !w->all->is_stopping;
    if (!w->is_resting && (w->all->is_stopping || start_one(w, &err) < 0))
        end_one(w);
}

static void on_worker_exit(void *data, int status)
{
    struct local_worker *w = data;
    struct local_workers *all = w->all;
    if (status == STATUS_CONFIG && !all->is_stopping) {
        struct error err;
        error_set(&err, ERROR_CONFIG, "a worker could not start; its line above says why");
        all->on_failed(all->data, &err);
    }
    if (all->is_stopping || status == STATUS_CONFIG) {
        end_one(w);
        return;
    }
    /* It may have seen the end of a run that goes on meanwhile. */
    w->is_resting = all->is_let_go || (status == 0 && !all->has_gone_on);
    if (w->is_resting)
        return;
    if (status != 0)
        log_warn("worker.died", LOG_INT("pid", w->child.pid), LOG_INT("status", status));
    bool is_quick = clock_mono_ms() - w->started_ms < QUICK_DEATH_MS;
    uv_timer_start(&w->restart, on_restart, is_quick ? RESTART_WAIT_MS : 0, 0);
}

/* The worker that was built or installed beside us. */
static void find_program(char path[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(path, '/');
    size_t used = slash ? (size_t)(slash - path) + 1 : 0;
    snprintf(path + used, PATH_MAX - used, "worker");
}

static int start_one(struct local_worker *w, struct error *err)
{
    char program[PATH_MAX];
    find_program(program);
    const char *argv[] = {program, NULL};
    const struct child_command command = {.argv = argv, .env = (const char *const *)w->all->variables, .output = -1};
    w->started_ms = clock_mono_ms();
    return child_start(&w->child, w->all->loop, &command, on_worker_exit, w, err);
}

static char **make_variables(const struct options *options, const char *redis_host, int redis_port)
{
    char **variables = options_for_workers(options);
    size_t count = 0;
    while (variables[count])
        count++;
    variables = memory_resize(variables, count + 5, sizeof(*variables));
    variables[count++] = memory_format("REDIS_HOST=%s", redis_host);
    variables[count++] = memory_format("REDIS_PORT=%d", redis_port);
    /* What allows writes over HTTP is nothing that a process beside specs should hold. */
    variables[count++] = memory_text("FUNKYTOWN_TOKEN");
    /* The terminal is the run's: of its workers only what needs attention. */
    if (!options->is_log_level_given)
        variables[count++] = memory_text("FUNKYTOWN_LOG_LEVEL=warn");
    variables[count] = NULL;
    return variables;
}

int local_workers_start(struct local_workers *all, uv_loop_t *loop, const struct options *options,
                        const char *redis_host, int redis_port,
                        void (*on_failed)(void *data, const struct error *reason), void *data, struct error *err)
{
    *all = (struct local_workers){.loop = loop,
                                  .options = options,
                                  .variables = make_variables(options, redis_host, redis_port),
                                  .on_failed = on_failed,
                                  .data = data};
    all->list = memory_zeroed((size_t)options->workers, sizeof(*all->list));
    for (int i = 0; i < options->workers; i++) {
        struct local_worker *w = &all->list[i];
        w->all = all;
        uv_timer_init(loop, &w->restart);
        w->restart.data = w;
        all->count++;
        all->running++;
        if (start_one(w, err) < 0) {
            end_one(w);
            return -1;
        }
    }
    return 0;
}

void local_workers_let_go(struct local_workers *all)
{
    all->is_let_go = true;
}

void local_workers_go_on(struct local_workers *all)
{
    all->is_let_go = false;
    all->has_gone_on = true;
    for (int i = 0; i < all->count; i++)
        if (all->list[i].is_resting)
            uv_timer_start(&all->list[i].restart, on_restart, 0, 0);
}

static void signal_all(struct local_workers *all, int number)
{
    for (int i = 0; i < all->count; i++) {
        struct local_worker *w = &all->list[i];
        child_signal(&w->child, number);
        if (w->child.pid == 0 && uv_is_active((uv_handle_t *)&w->restart))
            uv_timer_start(&w->restart, on_restart, 0, 0);
    }
}

void local_workers_wait(struct local_workers *all, void (*stopped)(void *data))
{
    all->is_stopping = true;
    all->on_stopped = stopped;
    bool is_waited_for = all->running > 0;
    for (int i = 0; i < all->count; i++) {
        if (all->list[i].is_resting)
            end_one(&all->list[i]);
        all->list[i].is_resting = false;
    }
    if (!is_waited_for)
        stopped(all->data);
}

void local_workers_stop(struct local_workers *all, void (*stopped)(void *data))
{
    if (all->running > 0)
        signal_all(all, SIGTERM);
    local_workers_wait(all, stopped);
}

void local_workers_kill(struct local_workers *all)
{
    signal_all(all, SIGKILL);
}

void local_workers_free(struct local_workers *all)
{
    free(all->list);
    options_free_variables(all->variables);
    all->list = NULL;
    all->variables = NULL;
    all->count = 0;
}
