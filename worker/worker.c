#include "worker/worker.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/lease_holder.h"
#include "shared/ledger.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/redis_link.h"
#include "shared/spec_finder.h"
#include "worker/membership.h"
#include "worker/programs.h"
#include "worker/random_hex.h"
#include "worker/scratch.h"
#include "worker/slots.h"
#include "worker/trouble.h"
#include "worker/worker_state.h"
#include "worker_files.h"

enum {
    STATUS_UNFIT = 2,       /* as when it can't be started */
    DRAIN_LIMIT_MS = 20000, /* told to stop, and Redis doesn't answer */
    NOBODY_CAME_MS = 15000, /* a finished run whose controller has gone: how long a new one is waited for */
    CANCEL_GRACE_MS = 2000, /* what runs of a cancelled run has so long to end by itself */
};

struct worker {
    uv_loop_t *loop;
    const struct options *options;
    const struct parent *parent;
    char id[128], nonce[33], host[65];
    char identity[LEASE_HOLDER_SIZE]; /* by which a controller here can tell that this process has ended */
    struct redis_address address;
    struct redis_link *commands;
    struct ledger ledger;

    enum worker_state state;
    int exit_status;
    int signals_seen;
    char stop_reason[256]; /* what the record of a task that was handed back says */

    uv_timer_t patience;
    uv_signal_t on_term, on_int;
    uv_poll_t on_parent; /* open only if there is one */
    int open_handles;    /* and parts */

    struct scratch scratch;
    struct spec_finder specs;
    struct programs programs;
    struct projects_memory projects;
    char root[PATH_MAX];
    struct trouble trouble;
    struct membership_setup membership_setup;
    struct membership membership;
    struct slots_setup slots_setup;
    struct slots slots;
};

/* ---- closing ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct worker *w = handle->data;
    w->open_handles--;
}

static void close_handle(struct worker *w, uv_handle_t *handle)
{
    w->open_handles++;
    handle->data = w;
    uv_close(handle, on_handle_closed);
}

static void on_part_closed(void *data)
{
    struct worker *w = data;
    w->open_handles--;
}

static void close_commands(struct worker *w)
{
    if (w->commands == NULL)
        return;
    w->open_handles++;
    redis_link_close(w->commands, on_part_closed);
    w->commands = NULL;
}

static void close_parts(struct worker *w)
{
    w->open_handles += 2;
    membership_close(&w->membership, on_part_closed);
    trouble_close(&w->trouble, on_part_closed);
    if (w->slots.count == 0)
        return;
    w->open_handles++;
    slots_close(&w->slots, on_part_closed);
}

static void close_all(struct worker *w)
{
    if (w->state == WORKER_CLOSING)
        return;
    w->state = WORKER_CLOSING;
    close_commands(w);
    close_handle(w, (uv_handle_t *)&w->patience);
    close_handle(w, (uv_handle_t *)&w->on_term);
    close_handle(w, (uv_handle_t *)&w->on_int);
    if (w->parent->line >= 0)
        close_handle(w, (uv_handle_t *)&w->on_parent);
    close_parts(w);
}

/* ---- the end of the work ---- */

static void leave(struct worker *w, int exit_status);
static void move_on(struct worker *w);

static void on_left(void *data, const struct ledger_reply *reply)
{
    struct worker *w = data;
    if (w->state == WORKER_CLOSING || trouble_is_unanswered(&w->trouble, reply))
        return;
    close_all(w);
}

/* Nothing that is held here counts any more. */
static void close_run(struct worker *w, const char *run_id)
{
    if (w->state >= WORKER_LEAVING)
        return;
    log_info("run.closed", LOG_TEXT("run", run_id));
    leave(w, w->state == WORKER_DRAINING ? w->exit_status : 0);
    /*
     * What is still held here was given to somebody else, or the run could not be closed. The exception is a
     * settlement whose answer was lost: only Redis knows whether it counts.
     */
    slots_settle_again(&w->slots);
    slots_let_go(&w->slots);
}

static void on_patience_over(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    if (w->state == WORKER_DRAINING || w->state == WORKER_LEAVING) {
        log_error("worker.abandoned",
                  LOG_TEXT("reason", "Redis doesn't answer; the tasks go back when the lease ends"));
        close_all(w);
    } else {
        close_run(w, "the finished one, which nobody replaced");
    }
}

/* Unless it is waiting already: Redis has so long to answer, or a run to come; then the worker ends. */
static void wait_at_most(struct worker *w, unsigned limit_ms)
{
    if (!uv_is_active((uv_handle_t *)&w->patience))
        uv_timer_start(&w->patience, on_patience_over, limit_ms, 0);
}

/* The work is over, one way or the other: leaves when nothing is held any more. */
static void leave(struct worker *w, int exit_status)
{
    if (w->state >= WORKER_LEAVING)
        return;
    w->exit_status = exit_status;
    w->state = WORKER_LEAVING;
    membership_stop_popping(&w->membership);
    wait_at_most(w, DRAIN_LIMIT_MS);
    move_on(w);
}

/* The next step of draining or leaving, if it is due. */
static void move_on(struct worker *w)
{
    if (w->state == WORKER_DRAINING && slots_are_idle(&w->slots))
        leave(w, w->exit_status);
    if (w->state != WORKER_LEAVING || !slots_are_idle(&w->slots))
        return;
    if (!w->membership.is_registered || ledger_leave(&w->ledger, w->id, on_left, w) < 0)
        close_all(w);
}

/* Takes nothing any more, hands back what it holds (TERM, KILL after the grace), and leaves with this status. */
static void drain(struct worker *w, int exit_status, const char *reason, unsigned grace_ms)
{
    slots_stop(&w->slots, grace_ms);
    if (w->state >= WORKER_DRAINING)
        return;
    w->state = WORKER_DRAINING;
    w->exit_status = exit_status;
    memory_copy_text(w->stop_reason, sizeof(w->stop_reason), reason);
    membership_stop_popping(&w->membership);
    uv_timer_start(&w->patience, on_patience_over, DRAIN_LIMIT_MS, 0);
    move_on(w);
}

/* ---- what the parts tell ---- */

static void on_retry(void *data)
{
    struct worker *w = data;
    membership_ask(&w->membership);
    move_on(w);
}

static void on_moved(void *data)
{
    struct worker *w = data;
    membership_pop(&w->membership);
    move_on(w);
}

static void on_unknown(void *data)
{
    struct worker *w = data;
    membership_register(&w->membership);
}

static void on_unfit(void *data, const char *reason)
{
    drain(data, STATUS_UNFIT, reason, START_GRACE_MS);
}

static void on_closed(void *data, const char *run_id)
{
    close_run(data, run_id);
}

static void on_cancelled(void *data)
{
    struct worker *w = data;
    if (w->state < WORKER_DRAINING)
        log_info("run.cancelled", LOG_TEXT("run", w->membership.policy.run_id));
    drain(w, 0, "the run was cancelled", CANCEL_GRACE_MS);
}

static void on_joined(void *data, bool is_cancelled)
{
    struct worker *w = data;
    if (w->state == WORKER_JOINING)
        w->state = WORKER_WORKING;
    uv_timer_stop(&w->patience);
    slots_ask(&w->slots);
    if (is_cancelled)
        on_cancelled(w);
    membership_pop(&w->membership);
    move_on(w);
}

static void on_waiting(void *data, bool is_abandoned)
{
    struct worker *w = data;
    if (is_abandoned)
        wait_at_most(w, NOBODY_CAME_MS);
    if (w->state == WORKER_WORKING)
        w->state = WORKER_JOINING;
    move_on(w);
}

/* ---- links ---- */

static void on_commands_up(void *data)
{
    struct worker *w = data;
    log_debug("redis.connected", LOG_TEXT("to", redis_link_place(w->commands)));
    membership_up(&w->membership);
    move_on(w);
}

/* A refused password, a right that this user lacks, a cluster that can't hold our keys. */
static bool is_hopeless(const struct error *reason)
{
    return reason->code == ERROR_AUTH || reason->code == ERROR_CONFIG;
}

static void refuse(struct worker *w, const struct error *reason)
{
    if (w->state == WORKER_CLOSING)
        return;
    log_error("redis.refused", LOG_TEXT("reason", reason->text));
    w->exit_status = STATUS_UNFIT;
    close_all(w);
}

static void on_commands_down(void *data, const struct error *reason)
{
    struct worker *w = data;
    membership_down(&w->membership);
    if (is_hopeless(reason))
        refuse(w, reason);
    else if (reason->code == ERROR_ELSEWHERE)
        log_debug("redis.moved", LOG_TEXT("reason", reason->text));
    else
        trouble_note(&w->trouble, reason->text);
}

static void on_refused(void *data, const struct error *reason)
{
    if (is_hopeless(reason))
        refuse(data, reason);
}

/* ---- told to stop ---- */

static void on_signal(uv_signal_t *handle, int number)
{
    struct worker *w = handle->data;
    w->signals_seen++;
    log_info("worker.stopping", LOG_TEXT("worker", w->id), LOG_INT("signal", number));
    drain(w, 128 + number, "the worker was told to stop", START_GRACE_MS);
    if (w->signals_seen > 1)
        slots_kill_stopping(&w->slots);
}

/* The controller that started it has died, and can't stop it any more. */
static void on_parent_ready(uv_poll_t *poll, int status, int events)
{
    struct worker *w = poll->data;
    (void)status, (void)events;
    if (!parent_has_gone(w->parent))
        return;
    uv_poll_stop(poll);
    log_info("worker.stopping", LOG_TEXT("worker", w->id), LOG_TEXT("reason", "its controller has gone"));
    drain(w, 128 + SIGTERM, "the controller of the worker has gone", START_GRACE_MS);
}

/* ---- start and end ---- */

static void name_worker(struct worker *w)
{
    char random[7];
    lease_holder_make(w->identity);
    random_hex(w->nonce, sizeof(w->nonce) - 1);
    random_hex(random, sizeof(random) - 1);
    if (gethostname(w->host, sizeof(w->host)) < 0)
        snprintf(w->host, sizeof(w->host), "localhost");
    if (w->options->worker_id)
        memory_copy_text(w->id, sizeof(w->id), w->options->worker_id);
    else
        snprintf(w->id, sizeof(w->id), "%s-%d-%s", w->host, getpid(), random);
}

static int open_slots(struct worker *w, struct error *err)
{
    w->slots_setup = (struct slots_setup){
        .ledger = &w->ledger,
        .trouble = &w->trouble,
        .worker_id = w->id,
        .state = &w->state,
        .is_registered = &w->membership.is_registered,
        .policy = &w->membership.policy,
        .stop_reason = w->stop_reason,
        .start = {w->loop, w->root, &w->programs, &w->scratch, &w->projects},
        .attempt = {w->id, w->root, &w->specs},
        .on_moved = on_moved,
        .on_unknown = on_unknown,
        .on_unfit = on_unfit,
        .data = w,
    };
    return slots_open(&w->slots, &w->slots_setup, w->options->slots, err);
}

static void open_membership(struct worker *w)
{
    w->membership_setup = (struct membership_setup){
        .loop = w->loop,
        .parent = w->parent,
        .address = &w->address,
        .ledger = &w->ledger,
        .me = {w->id, w->nonce, w->host, getpid(), w->options->slots, w->identity},
        .state = &w->state,
        .slots = &w->slots,
        .trouble = &w->trouble,
        .on_joined = on_joined,
        .on_waiting = on_waiting,
        .on_closed = on_closed,
        .on_cancelled = on_cancelled,
        .on_refused = on_refused,
        .data = w,
    };
    membership_open(&w->membership, &w->membership_setup);
}

static int open_folders(struct worker *w, struct error *err)
{
    if (realpath(w->options->spec_root, w->root) == NULL)
        return error_set(err, ERROR_CONFIG, "SPEC_ROOT: found \"%s\", wanted a folder that exists",
                         w->options->spec_root);
    if (scratch_open(&w->scratch, err) < 0)
        return -1;
    for (size_t i = 0; i < worker_files_count; i++)
        if (scratch_write(&w->scratch, worker_files[i].path, worker_files[i].body, worker_files[i].size, err) < 0)
            return -1;
    spec_finder_init(&w->specs, w->root);
    char script[PATH_MAX];
    if (scratch_path(&w->scratch, "pnp.cjs", script, err) < 0)
        return -1;
    programs_find(&w->programs, w->root, script);
    w->membership_setup.versions = (const char *const *)w->programs.versions;
    return 0;
}

static void open_handles(struct worker *w)
{
    trouble_open(&w->trouble, w->loop, on_retry, w);
    uv_timer_init(w->loop, &w->patience);
    uv_signal_init(w->loop, &w->on_term);
    uv_signal_init(w->loop, &w->on_int);
    w->patience.data = w->on_term.data = w->on_int.data = w;
    uv_signal_start(&w->on_term, on_signal, SIGTERM);
    uv_signal_start(&w->on_int, on_signal, SIGINT);
    if (w->parent->line < 0)
        return;
    uv_poll_init(w->loop, &w->on_parent, w->parent->line);
    w->on_parent.data = w;
    uv_poll_start(&w->on_parent, UV_READABLE, on_parent_ready);
}

struct worker *worker_start(uv_loop_t *loop, const struct options *options, const struct parent *parent,
                            struct error *err)
{
    static const struct redis_link_events commands = {on_commands_up, on_commands_down};
    struct worker *w = memory_zeroed(1, sizeof(*w));
    w->loop = loop;
    w->options = options;
    w->parent = parent;
    memory_copy_text(w->stop_reason, sizeof(w->stop_reason), "the worker couldn't take it");
    w->address = (struct redis_address){options->redis_host, options->redis_port, options->redis_username,
                                        options->redis_password, options->redis_db};
    w->scratch.lock = -1;
    name_worker(w);
    open_handles(w);
    open_membership(w);
    if (open_folders(w, err) < 0 || open_slots(w, err) < 0 ||
        ledger_init(&w->ledger, NULL, options->prefix, err) < 0) {
        close_all(w);
        uv_run(loop, UV_RUN_DEFAULT);
        worker_finish(w);
        return NULL;
    }
    w->commands = redis_link_open(loop, &w->address, &commands, w);
    w->ledger.link = w->commands;
    membership_connect(&w->membership, w->commands);
    return w;
}

int worker_finish(struct worker *w)
{
    int status = w->exit_status;
    assert(w->open_handles == 0);
    membership_free(&w->membership);
    spec_finder_close(&w->specs);
    programs_close(&w->programs);
    projects_forget(&w->projects);
    if (!scratch_close(&w->scratch))
        log_warn("folder.left", LOG_TEXT("path", w->scratch.path));
    slots_free(&w->slots);
    free(w);
    return status;
}
