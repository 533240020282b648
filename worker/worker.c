#include "worker/worker.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/log.h"
#include "shared/memory.h"
#include "worker/worker_private.h"
#include "worker_files.h"

enum {
    RETRY_MS = 500,         /* after a server said: not now */
    DRAIN_LIMIT_MS = 20000, /* told to stop, and Redis doesn't answer */
};

/* ---- Redis says: not now ---- */

/* Which script it was that Redis refused is left out: all are, for the same reason. */
void worker_note_trouble(struct worker *w, const char *text)
{
    char reason[sizeof(w->last_trouble)];
    memory_copy_text(reason, sizeof(reason), text);
    char *script = strstr(reason, " script: ");
    if (script)
        *script = '\0';
    if (strcmp(reason, w->last_trouble) == 0)
        return;
    memory_copy_text(w->last_trouble, sizeof(w->last_trouble), reason);
    log_warn("redis.waiting", LOG_TEXT("reason", reason));
}

static void on_retry(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    if (w->is_registered)
        run_renew(w);
    else
        run_register(w);
    slots_ask(w);
    run_listen(w);
    run_pop(w);
    worker_move_on(w);
}

static void retry_in(struct worker *w, unsigned wait_ms)
{
    if (!uv_is_active((uv_handle_t *)&w->retry))
        uv_timer_start(&w->retry, on_retry, wait_ms, 0);
}

void worker_retry_soon(struct worker *w)
{
    retry_in(w, RETRY_MS);
}

/* The scripts are on their way and arrive before what we send next: at once, but for a server that won't learn. */
static void retry_after_teaching(struct worker *w)
{
    uint64_t now = uv_now(w->loop);
    bool was_taught_lately = w->taught_ms > 0 && now - w->taught_ms < RETRY_MS;
    w->taught_ms = now;
    retry_in(w, was_taught_lately ? RETRY_MS : 0);
}

bool worker_is_unanswered(struct worker *w, const struct ledger_reply *reply)
{
    if (reply->outcome == LEDGER_TROUBLE) {
        if (reply->is_taught) {
            log_debug("redis.taught", LOG_TEXT("reason", reply->text));
            retry_after_teaching(w);
        } else {
            worker_note_trouble(w, reply->text);
            worker_retry_soon(w);
        }
    }
    return reply->outcome == LEDGER_TROUBLE || reply->outcome == LEDGER_LOST;
}

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

static void on_link_closed(void *data)
{
    struct worker *w = data;
    w->open_handles--;
}

static void close_link(struct worker *w, struct redis_link **link)
{
    if (*link == NULL)
        return;
    w->open_handles++;
    redis_link_close(*link, on_link_closed);
    *link = NULL;
}

static void close_all(struct worker *w)
{
    if (w->state == WORKER_CLOSING)
        return;
    w->state = WORKER_CLOSING;
    close_link(w, &w->commands);
    close_link(w, &w->pops);
    close_link(w, &w->signals);
    close_handle(w, (uv_handle_t *)&w->renew);
    close_handle(w, (uv_handle_t *)&w->retry);
    close_handle(w, (uv_handle_t *)&w->patience);
    close_handle(w, (uv_handle_t *)&w->on_term);
    close_handle(w, (uv_handle_t *)&w->on_int);
    if (w->parent->line >= 0)
        close_handle(w, (uv_handle_t *)&w->on_parent);
    slots_close(w);
}

/* ---- the end of the work ---- */

static void on_left(void *data, const struct ledger_reply *reply)
{
    struct worker *w = data;
    if (w->state == WORKER_CLOSING || worker_is_unanswered(w, reply))
        return;
    close_all(w);
}

static void on_patience_over(uv_timer_t *timer)
{
    struct worker *w = timer->data;
    if (w->state == WORKER_DRAINING || w->state == WORKER_LEAVING) {
        log_error("worker.abandoned", LOG_TEXT("reason", "Redis doesn't answer; the lease hands the tasks back"));
        close_all(w);
    } else {
        run_close(w, "that nobody replaced");
    }
}

void worker_wait_at_most(struct worker *w, unsigned limit_ms)
{
    if (!uv_is_active((uv_handle_t *)&w->patience))
        uv_timer_start(&w->patience, on_patience_over, limit_ms, 0);
}

void worker_leave(struct worker *w, int exit_status)
{
    if (w->state >= WORKER_LEAVING)
        return;
    w->exit_status = exit_status;
    w->state = WORKER_LEAVING;
    close_link(w, &w->pops);
    worker_wait_at_most(w, DRAIN_LIMIT_MS);
    worker_move_on(w);
}

void worker_move_on(struct worker *w)
{
    if (w->state == WORKER_DRAINING && slots_are_idle(w))
        worker_leave(w, w->exit_status);
    if (w->state != WORKER_LEAVING || !slots_are_idle(w))
        return;
    if (!w->is_registered || ledger_leave(&w->ledger, w->id, on_left, w) < 0)
        close_all(w);
}

void worker_drain(struct worker *w, int exit_status, const char *reason, unsigned grace_ms)
{
    slots_stop(w, grace_ms);
    if (w->state >= WORKER_DRAINING)
        return;
    w->state = WORKER_DRAINING;
    w->exit_status = exit_status;
    memory_copy_text(w->stop_reason, sizeof(w->stop_reason), reason);
    close_link(w, &w->pops);
    uv_timer_start(&w->patience, on_patience_over, DRAIN_LIMIT_MS, 0);
    worker_move_on(w);
}

/* ---- links ---- */

/* The others wait for what comes: at a server that isn't the one any more, for ever. */
static void follow_commands(struct worker *w)
{
    if (w->pops)
        redis_link_follow(w->pops, w->commands);
    redis_link_follow(w->signals, w->commands);
}

static void on_commands_up(void *data)
{
    struct worker *w = data;
    log_debug("redis.connected", LOG_TEXT("to", redis_link_place(w->commands)));
    follow_commands(w);
    run_register(w);
    worker_move_on(w);
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
    w->is_registered = false;
    if (is_hopeless(reason))
        refuse(w, reason);
    else if (reason->code == ERROR_ELSEWHERE)
        log_debug("redis.moved", LOG_TEXT("reason", reason->text));
    else
        worker_note_trouble(w, reason->text);
}

static void on_pops_up(void *data)
{
    struct worker *w = data;
    if (!redis_link_follow(w->pops, w->commands))
        run_pop(w);
}

static void on_signals_up(void *data)
{
    struct worker *w = data;
    if (redis_link_follow(w->signals, w->commands))
        return;
    run_listen(w);
    if (w->state == WORKER_JOINING)
        run_register(w);
}

/* The commands' link speaks for all three, except of what only this one needs. */
static void on_other_down(void *data, const struct error *reason)
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
    worker_drain(w, 128 + number, "the worker was told to stop", START_GRACE_MS);
    if (w->signals_seen > 1)
        slots_kill_stopping(w);
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
    worker_drain(w, 128 + SIGTERM, "the controller of the worker has gone", START_GRACE_MS);
}

/* ---- start and end ---- */

void worker_random_hex(char *text, size_t digits)
{
    unsigned char bytes[32];
    int failed = uv_random(NULL, NULL, bytes, digits / 2, 0, NULL);
    assert(failed == 0 && digits / 2 <= sizeof(bytes));
    (void)failed;
    for (size_t i = 0; i < digits / 2; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static void name_worker(struct worker *w)
{
    char random[7];
    identity_make(w->identity);
    worker_random_hex(w->nonce, sizeof(w->nonce) - 1);
    worker_random_hex(random, sizeof(random) - 1);
    if (gethostname(w->host, sizeof(w->host)) < 0)
        snprintf(w->host, sizeof(w->host), "localhost");
    if (w->options->worker_id)
        memory_copy_text(w->id, sizeof(w->id), w->options->worker_id);
    else
        snprintf(w->id, sizeof(w->id), "%s-%d-%s", w->host, getpid(), random);
}

/* As Node resolves it: in the spec root or in a folder above it. */
static const char *find_playwright(struct worker *w)
{
    char folder[PATH_MAX];
    memory_copy_text(folder, sizeof(folder), w->root);
    for (;;) {
        int length =
            snprintf(w->playwright, sizeof(w->playwright), "%s/node_modules/@playwright/test/cli.js", folder);
        if (length < (int)sizeof(w->playwright) && access(w->playwright, R_OK) == 0)
            return w->playwright;
        char *slash = strrchr(folder, '/');
        if (slash == NULL || folder[0] == '\0')
            return NULL;
        *slash = '\0';
    }
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
    if (scratch_path(&w->scratch, "playwright.mjs", w->reporter, err) < 0)
        return -1;
    spec_finder_init(&w->specs, w->root);
    w->attempt_setup = (struct attempt_setup){.worker_id = w->id, .root = w->root, .specs = &w->specs};
    w->start_setup = (struct start_setup){
        .loop = w->loop,
        .root = w->root,
        .reporter = w->reporter,
        .playwright = find_playwright(w),
        .scratch = &w->scratch,
    };
    return slots_open(w, err);
}

static void open_handles(struct worker *w)
{
    uv_timer_init(w->loop, &w->renew);
    uv_timer_init(w->loop, &w->retry);
    uv_timer_init(w->loop, &w->patience);
    uv_signal_init(w->loop, &w->on_term);
    uv_signal_init(w->loop, &w->on_int);
    w->renew.data = w->retry.data = w->patience.data = w->on_term.data = w->on_int.data = w;
    uv_signal_start(&w->on_term, on_signal, SIGTERM);
    uv_signal_start(&w->on_int, on_signal, SIGINT);
    if (w->parent->line < 0)
        return;
    uv_poll_init(w->loop, &w->on_parent, w->parent->line);
    w->on_parent.data = w;
    uv_poll_start(&w->on_parent, UV_READABLE, on_parent_ready);
}

static void open_links(struct worker *w)
{
    static const struct redis_link_events commands = {on_commands_up, on_commands_down};
    static const struct redis_link_events pops = {on_pops_up, on_other_down};
    static const struct redis_link_events signals = {on_signals_up, on_other_down};
    w->commands = redis_link_open(w->loop, &w->address, &commands, w);
    w->pops = redis_link_open(w->loop, &w->address, &pops, w);
    w->signals = redis_link_open(w->loop, &w->address, &signals, w);
}

struct worker *worker_start(uv_loop_t *loop, const struct options *options, const struct parent *parent,
                            struct error *err)
{
    struct worker *w = memory_zeroed(1, sizeof(*w));
    w->loop = loop;
    w->options = options;
    w->parent = parent;
    memory_copy_text(w->stop_reason, sizeof(w->stop_reason), "the worker couldn't take it");
    w->address = (struct redis_address){options->redis_host, options->redis_port, options->redis_username,
                                        options->redis_password, options->redis_db};
    w->scratch.lock = -1;
    snprintf(w->last_signal, sizeof(w->last_signal), "0-0");
    name_worker(w);
    open_handles(w);
    if (open_folders(w, err) < 0 || ledger_init(&w->ledger, NULL, options->prefix, err) < 0) {
        close_all(w);
        uv_run(loop, UV_RUN_DEFAULT);
        worker_finish(w);
        return NULL;
    }
    ledger_processing_key(&w->ledger.keys, w->id, w->processing);
    open_links(w);
    w->ledger.link = w->commands;
    return w;
}

int worker_finish(struct worker *w)
{
    int status = w->exit_status;
    assert(w->open_handles == 0);
    run_policy_close(&w->policy);
    spec_finder_close(&w->specs);
    if (!scratch_close(&w->scratch))
        log_warn("folder.left", LOG_TEXT("path", w->scratch.path));
    free(w->slots);
    free(w);
    return status;
}
