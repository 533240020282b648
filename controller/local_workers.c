#include "controller/local_workers.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/child.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/memory.h"

enum {
    QUICK_DEATH_MS = 2000,
    RESTART_WAIT_MS = 1000, /* after a quick death; twice as long after each failure to come up */
    RETURN_WAIT_MS = 100,   /* after the run has ended and gone on again */
    FAILURES_MAX = 4,       /* so many in a row, by then a folder or a full disk had time to come back */
    STATUS_CONFIG = 2,
};

struct local_worker {
    struct local_workers *all;
    struct child child;
    uv_timer_t restart;
    uint64_t started_ms;
    bool has_worked; /* it, or one before it in its place, has joined a run */
    int failures;    /* to come up, since then */
    bool is_resting; /* its run is closed; another may come */
};

static void on_restart(uv_timer_t *timer);
static int start_one(struct local_worker *w, struct error *err);

static void on_orphans_closed(void *data)
{
    struct local_workers *all = data;
    all->on_stopped(all->data);
}

/* A worker has ended, or nothing is left of it. */
static void check_stopped(void *data)
{
    struct local_workers *all = data;
    if (all->running > 0 || !all->on_stopped || !all->has_orphans || !orphans_are_swept(&all->orphans))
        return;
    all->has_orphans = false;
    orphans_close(&all->orphans, on_orphans_closed);
}

static void on_restart_closed(uv_handle_t *handle)
{
    struct local_worker *w = handle->data;
    w->all->running--;
    check_stopped(w->all);
}

static void end_one(struct local_worker *w)
{
    uv_close((uv_handle_t *)&w->restart, on_restart_closed);
}

static void restart_later(struct local_worker *w)
{
    bool is_quick = clock_mono_ms() - w->started_ms < QUICK_DEATH_MS;
    int doublings = w->failures < FAILURES_MAX ? w->failures : FAILURES_MAX;
    uint64_t wait_ms = is_quick || w->failures > 0 ? (uint64_t)RESTART_WAIT_MS << doublings : 0;
    uv_timer_start(&w->restart, on_restart, wait_ms, 0);
}

static bool is_any_well(const struct local_workers *all)
{
    for (int i = 0; i < all->count; i++)
        if (all->list[i].child.pid > 0 && all->list[i].failures == 0)
            return true;
    return false;
}

/* It didn't come up. Whether that ends the run: none in its place ever did, or no worker does any more. */
static bool is_given_up(struct local_worker *w, const struct error *reason)
{
    w->failures++;
    if (w->has_worked && (w->failures < FAILURES_MAX || is_any_well(w->all)))
        return false;
    w->all->on_failed(w->all->data, reason);
    end_one(w);
    return true;
}

static void on_restart(uv_timer_t *timer)
{
    struct local_worker *w = timer->data;
    struct error err;
    w->is_resting = w->all->is_let_go && !w->all->is_stopping;
    if (w->is_resting)
        return;
    if (w->all->is_stopping) {
        end_one(w);
    } else if (start_one(w, &err) < 0 && !is_given_up(w, &err)) {
        log_warn("worker.not_started", LOG_TEXT("reason", err.text));
        restart_later(w);
    }
}

static void restart(struct local_worker *w, const struct child_end *end)
{
    struct error err;
    error_set(&err, ERROR_CONFIG, "a worker could not start; its line above says why");
    if (end->status == STATUS_CONFIG && !end->has_spoken && is_given_up(w, &err))
        return;
    if (end->status == 0) {
        uv_timer_start(&w->restart, on_restart, RETURN_WAIT_MS, 0);
        return;
    }
    log_warn("worker.died", LOG_INT("pid", end->pid), LOG_INT("status", end->status));
    restart_later(w);
}

static void on_worker_exit(void *data, const struct child_end *end)
{
    struct local_worker *w = data;
    struct local_workers *all = w->all;
    orphans_sweep(&all->orphans);
    if (end->has_spoken) {
        w->has_worked = true;
        w->failures = 0;
    }
    /* It may have seen the end of a run that goes on meanwhile. */
    w->is_resting = !all->is_stopping && (all->is_let_go || (end->status == 0 && !all->has_gone_on));
    if (all->is_stopping)
        end_one(w);
    else if (!w->is_resting)
        restart(w, end);
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
    const struct child_command command = {
        .argv = argv,
        .env = (const char *const *)w->all->variables,
        .line = (const char *const *)w->all->secrets,
        .output = -1,
    };
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
    variables[count++] = memory_text("FUNKYTOWN_CONTROLLER_FD=0");
    variables[count++] = memory_format("REDIS_HOST=%s", redis_host);
    variables[count++] = memory_format("REDIS_PORT=%d", redis_port);
    /* The terminal belongs to the run: workers only say what needs attention. */
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
                                  .secrets = options_secrets_for_workers(options),
                                  .on_failed = on_failed,
                                  .data = data};
    if (options->workers == 0)
        return 0;
    orphans_open(&all->orphans, loop, check_stopped, all);
    all->has_orphans = true;
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
    for (int i = 0; i < all->count; i++)
        child_signal(&all->list[i].child, number);
}

/* It isn't running: nobody waits for its next start. */
static void end_waiting(struct local_worker *w)
{
    if (w->is_resting)
        end_one(w);
    else if (w->child.pid == 0 && uv_is_active((uv_handle_t *)&w->restart))
        uv_timer_start(&w->restart, on_restart, 0, 0);
    w->is_resting = false;
}

void local_workers_wait(struct local_workers *all, void (*stopped)(void *data))
{
    all->is_stopping = true;
    all->on_stopped = stopped;
    /* One that somebody has stopped would never learn that the run is over. */
    for (int i = 0; i < all->count; i++)
        child_wake(&all->list[i].child);
    for (int i = 0; i < all->count; i++)
        end_waiting(&all->list[i]);
    if (all->running == 0 && !all->has_orphans)
        stopped(all->data);
    else
        check_stopped(all);
}

void local_workers_stop(struct local_workers *all, void (*stopped)(void *data))
{
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
    options_free_variables(all->secrets);
    all->list = NULL;
    all->variables = all->secrets = NULL;
    all->count = 0;
}
