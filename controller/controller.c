/*
 * The owner: what the parts tell is put together here, and each change of the controller's state but the last is made
 * here. What the run's end asks for is controller_end.c's, how we stop controller_stop.c's.
 */
#include "controller/controller.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/addresses.h"
#include "controller/controller_private.h"
#include "controller/runs.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/memory.h"

enum {
    EMBEDDED_START_MS = 3000,
    PORTS_TRIED = 20, /* unless one was asked for */
};

/* ---- what is missing, and why ---- */

static void set_missing(struct controller *c, const char *what, const char *reason)
{
    snprintf(c->missing, sizeof(c->missing), "%s%s%s", what, *reason ? ": " : "", reason);
}

/* The same, and tells people: once for each reason. A server that we have just started is given time to come up. */
static void note_trouble(struct controller *c, const char *what, const char *reason)
{
    set_missing(c, what, reason);
    bool is_starting = c->server && !c->was_up && uv_now(c->loop) - c->started_ms < EMBEDDED_START_MS;
    if (is_starting || strcmp(c->missing, c->last_trouble) == 0)
        return;
    memory_copy_text(c->last_trouble, sizeof(c->last_trouble), c->missing);
    log_warn("controller.waiting", LOG_TEXT("for", what), LOG_TEXT("reason", reason));
}

static void set_ready(struct controller *c)
{
    c->missing[0] = c->last_trouble[0] = '\0';
}

/* ---- cancel and rerun ---- */

static void cancel(struct controller *c, enum cancel_kind kind, const char *reason)
{
    if (c->state != CONTROLLER_WATCHING)
        return;
    log_warn("run.cancelling", LOG_TEXT("run", board_run_id(c->board)), LOG_TEXT("reason", reason));
    canceller_start(&c->canceller, kind, reason);
}

/* Over HTTP; told by the stream too, but who asked is answered at once. */
static void on_cancelled(void *data, const char *reason)
{
    cancel(data, CANCEL_ASKED, reason);
}

/* Told by the stream, whoever began it. */
static void on_cancelling(void *data, enum cancel_kind kind, const char *reason)
{
    struct controller *c = data;
    if (c->canceller.reason[0] == '\0')
        progress_say(&c->progress, "cancelling: %s", reason);
    canceller_start(&c->canceller, kind, reason);
}

static void check_failures(struct controller *c)
{
    char reason[100];
    size_t failed = board_run(c->board)->failed;
    if (c->options->max_failures == 0 || failed < (size_t)c->options->max_failures || c->canceller.reason[0])
        return;
    snprintf(reason, sizeof(reason), "too many failures: %zu", failed);
    cancel(c, CANCEL_FAILURES, reason);
}

/* What ought to have ended the run didn't: Redis, a worker, a task that lies nowhere. Nobody waits longer. */
static void on_grace_over(void *data, const char *reason)
{
    struct controller *c = data;
    if (c->state >= CONTROLLER_STOPPING)
        return;
    if (c->is_serving) {
        log_debug("deadline.ignored", LOG_TEXT("reason", "the run has ended, and people read what failed"));
        return;
    }
    c->is_hurried = true;
    if (c->has_verdict) {
        controller_stop(c, controller_verdict_status(c));
        return;
    }
    /* A server that refuses is connected to again and again: what it refused says more than what is tried now. */
    const char *missing = c->last_trouble[0] ? c->last_trouble : c->missing;
    progress_unfinished(&c->progress, reason, missing);
    log_warn("run.unfinished", LOG_TEXT("reason", reason), LOG_TEXT("missing", missing));
    controller_stop(c, EXIT_CANCELLED);
}

/* Whoever can't be told now is told when Redis is back, as long as we stay. */
static void on_deadline(void *data, const char *reason)
{
    struct controller *c = data;
    if (c->is_loaded && c->canceller.reason[0] == '\0')
        cancel(c, CANCEL_DEADLINE, reason);
}

/* A rerun has the whole deadline again, counted from when it began. */
static int64_t begun_ms(void *data)
{
    const struct controller *c = data;
    if (c->state != CONTROLLER_WATCHING)
        return 0;
    const struct board_run *run = board_run(c->board);
    return run->started_ms > 0 && run->reopened_ms > 0 ? run->reopened_ms : run->started_ms;
}

/* A finished run goes on. */
static void on_reopened(void *data)
{
    struct controller *c = data;
    if (c->state != CONTROLLER_FINISHED)
        return;
    c->state = CONTROLLER_WATCHING;
    report_stop(&c->report);
    c->has_verdict = c->is_told = c->has_report = c->is_serving = false;
    c->has_rerun = true;
    opener_ran_again(&c->opener);
    c->has_told_way = true;
    log_info("run.reopened", LOG_TEXT("run", board_run_id(c->board)));
    progress_say(&c->progress, "running again what didn't pass");
    progress_go_on(&c->progress);
    local_workers_go_on(&c->workers);
    deadline_look(&c->deadline);
}

/* ---- the end of the run ---- */

static void on_finished(void *data)
{
    struct controller *c = data;
    c->state = CONTROLLER_FINISHED;
    c->finished_ms = clock_mono_ms();
    canceller_stop(&c->canceller);
    controller_end_run(c);
}

static void give_up(struct controller *c, const struct error *reason)
{
    if (c->state >= CONTROLLER_STOPPING)
        return;
    progress_say(&c->progress, "%s", "");
    log_say(stderr, "controller: %s", reason->text);
    controller_stop(c, EXIT_CONFIG);
}

static void on_workers_failed(void *data, const struct error *reason)
{
    give_up(data, reason);
}

/* Called once there is something to work on: earlier, they would join a run that is about to be replaced. */
static void start_workers(struct controller *c)
{
    struct error err;
    if (c->has_workers)
        return;
    c->has_workers = true;
    if (local_workers_start(&c->workers, c->loop, c->options, c->address.host, c->address.port, on_workers_failed, c,
                            &err) < 0)
        give_up(c, &err);
}

/* How much is carried over is known once everything has been read for the first time. */
static void tell_resumed(struct controller *c)
{
    if (c->opener.way != OPENER_RESUMED || c->has_told_way || c->monitor.is_reading)
        return;
    c->has_told_way = true;
    progress_resumed(&c->progress);
    start_workers(c); /* not earlier: what they do isn't carried over */
}

static void on_board_change(void *data)
{
    struct controller *c = data;
    reporter_changed(c->reporter);
    tell_resumed(c);
    check_failures(c);
    canceller_poke(&c->canceller);
}

static void on_task_end(void *data, size_t task)
{
    struct controller *c = data;
    progress_task_end(&c->progress, task);
}

static void on_trouble(void *data, const char *reason)
{
    note_trouble(data, "redis", reason);
}

/* ---- opening ---- */

/* The run stood still, and no event would ever have said so. */
static void on_stall(void *data, const char *finding, size_t count)
{
    struct controller *c = data;
    if (count == 0) {
        monitor_read_again(&c->monitor);
        return;
    }
    log_warn("run.mended", LOG_TEXT("finding", finding), LOG_INT("findings", (int64_t)count));
    if (count > 1)
        progress_say(&c->progress, "the run stood still: %s (and %zu more); mended", finding, count - 1);
    else
        progress_say(&c->progress, "the run stood still: %s; mended", finding);
    local_workers_go_on(&c->workers);
}

static void make_board(struct controller *c)
{
    static const struct monitor_events events = {on_board_change, on_task_end,   on_finished,
                                                 on_trouble,      on_cancelling, on_reopened};
    char epoch[17];
    uint64_t random = 0;
    uv_random(NULL, NULL, &random, sizeof(random), 0, NULL);
    snprintf(epoch, sizeof(epoch), "%016llx", (unsigned long long)random);
    c->board = board_new(c->plan, c->opener.run_id, epoch);
    monitor_init(&c->monitor, c->loop, &c->ledger, c->events, c->plan, c->board, c->opener.lease_ms, &events, c);
    stall_init(&c->stall, &c->ledger, c->opener.me, c->plan, c->board, c->opener.lease_ms, on_stall, c);
    c->has_monitor = true;
    controller_answers_show(&c->answers, c->board, &c->monitor);
    reporter_show(c->reporter, c->board);
    addresses_say_no_worker(c->options, &c->address, c->no_worker, sizeof(c->no_worker));
    progress_start(&c->progress, c->board, c->url, c->no_worker);
}

static void on_open(void *data)
{
    struct controller *c = data;
    if (c->state >= CONTROLLER_STOPPING)
        return;
    set_ready(c);
    if (c->board == NULL)
        make_board(c);
    if (c->opener.way != OPENER_RESUMED)
        start_workers(c);
    if (c->state >= CONTROLLER_STOPPING)
        return;
    if (c->state != CONTROLLER_FINISHED)
        c->state = CONTROLLER_WATCHING;
    runs_read(&c->ledger, c->board);
    monitor_watch(&c->monitor);
    deadline_look(&c->deadline);
}

static void on_standby(void *data, const char *holder, bool is_ours)
{
    struct controller *c = data;
    note_trouble(c, is_ours ? "the lease of this run" : "another controller to begin its run, or to end", holder);
    c->has_stood_by |= is_ours;
    if (is_ours)
        start_workers(c);
}

static void on_say(void *data, const char *line)
{
    struct controller *c = data;
    set_missing(c, line, "");
    progress_say(&c->progress, "%s", line);
}

static void on_refused(void *data, const struct error *reason)
{
    give_up(data, reason);
}

/* ---- links ---- */

static void on_run_id(void *data, const struct ledger_reply *reply)
{
    struct controller *c = data;
    const char *id = ledger_field(reply, 0);
    if (id == NULL || c->state != CONTROLLER_FINISHED || strcmp(id, board_run_id(c->board)) != 0)
        return;
    opener_found_again(&c->opener);
    monitor_watch(&c->monitor);
}

/* A finished run stays what it was, even if Redis came back without it; if it is there, it may be run again. */
static void look_for_finished_run(struct controller *c)
{
    if (!c->is_replaced)
        ledger_ask_run(&c->ledger, (const char *const[]){"id"}, 1, on_run_id, c);
}

static void open_run(struct controller *c)
{
    if (c->state >= CONTROLLER_STOPPING)
        return;
    if (c->state == CONTROLLER_FINISHED) {
        set_ready(c);
        look_for_finished_run(c);
        return;
    }
    c->state = CONTROLLER_OPENING;
    set_missing(c, "run", "loading");
    opener_start(&c->opener);
}

static void on_scripts_loaded(void *data, const struct ledger_reply *reply)
{
    struct controller *c = data;
    if (c->state >= CONTROLLER_STOPPING || reply->outcome == LEDGER_LOST)
        return;
    if (reply->outcome == LEDGER_TROUBLE) {
        on_trouble(c, reply->text);
        redis_link_reset(c->commands);
        return;
    }
    c->is_loaded = true;
    open_run(c);
}

static void on_commands_up(void *data)
{
    struct controller *c = data;
    c->was_up = true;
    redis_link_follow(c->events, c->commands);
    ledger_load(&c->ledger, on_scripts_loaded, c);
}

/* A refused password, a right that this user lacks, a cluster that can't hold our keys. */
static bool is_hopeless(const struct error *reason)
{
    return reason->code == ERROR_AUTH || reason->code == ERROR_CONFIG;
}

static void on_commands_down(void *data, const struct error *reason)
{
    struct controller *c = data;
    c->is_loaded = false;
    opener_stop(&c->opener);
    controller_stop_watching(c);
    if (is_hopeless(reason))
        give_up(c, reason);
    else if (reason->code == ERROR_ELSEWHERE)
        log_debug("redis.moved", LOG_TEXT("reason", reason->text));
    else
        note_trouble(c, "redis", reason->text);
}

static void on_events_up(void *data)
{
    struct controller *c = data;
    if (!redis_link_follow(c->events, c->commands) && c->has_monitor)
        monitor_events_up(&c->monitor);
}

/* The commands' link reports trouble for both; here only what concerns this one alone. */
static void on_events_down(void *data, const struct error *reason)
{
    if (is_hopeless(reason))
        give_up(data, reason);
}

/* ---- our own lease ---- */

static void on_renewed(void *data, const struct ledger_reply *reply)
{
    struct controller *c = data;
    set_ready(c);
    if (c->has_monitor)
        reaper_renewed(&c->monitor.reaper, reply);
    if (c->state == CONTROLLER_WATCHING)
        stall_look(&c->stall, c->monitor.events_seen);
    else if (c->state == CONTROLLER_FINISHED)
        controller_end_run_again(c);
}

static void on_successor(void *data, const char *id)
{
    struct controller *c = data;
    const char *ours = board_run_id(c->board);
    if (c->state != CONTROLLER_FINISHED)
        return;
    if (strcmp(id, ours) != 0)
        progress_say(&c->progress, "run %s has replaced run %s; this report goes on showing run %s as it ended", id,
                     ours, ours);
    else
        progress_say(&c->progress,
                     "another controller has taken run %s over; this report goes on showing it as it ended", ours);
}

static void on_fenced(void *data)
{
    struct controller *c = data;
    controller_stop_watching(c);
    if (c->state == CONTROLLER_FINISHED) {
        opener_stop(&c->opener);
        controller_tell_now(c, "another controller has taken the run over");
        c->is_replaced = true;
        successor_ask(&c->successor, board_run_id(c->board));
    } else {
        open_run(c);
    }
}

static void on_turn(void *data)
{
    struct controller *c = data;
    if (c->is_replaced && c->is_loaded)
        successor_ask(&c->successor, board_run_id(c->board));
    if (!c->is_loaded || !c->opener.is_open)
        return;
    own_lease_hold(&c->lease);
    canceller_poke(&c->canceller);
}

/* ---- starting ---- */

static void on_server_failed(void *data, const struct error *reason)
{
    give_up(data, reason);
}

static bool is_ready(void *data)
{
    const struct controller *c = data;
    return c->is_loaded;
}

static const char *missing(void *data)
{
    const struct controller *c = data;
    return c->missing[0] ? c->missing : NULL;
}

static int start_reporter(struct controller *c, struct error *err)
{
    const struct reporter_options options = {
        .bind = c->options->http_bind,
        .port = c->options->http_port,
        .ports = c->options->is_http_port_given ? 1 : PORTS_TRIED,
        .index_file = c->options->html_index_file,
        .token = c->options->token,
        .url = c->options->url,
    };
    static const struct controller_answers_events events = {is_ready, missing, on_cancelled};
    controller_answers_init(&c->answers, &c->ledger, c->opener.me, c->plan, &events, c);
    c->reporter = reporter_start(c->loop, &options, &controller_answers_source, &c->answers, err);
    if (c->reporter == NULL)
        return -1;
    reporter_metrics(c->reporter, controller_answers_metrics);
    addresses_report(c->options, reporter_port(c->reporter), c->url, sizeof(c->url));
    log_info("reporter.started", LOG_TEXT("url", c->url));
    return 0;
}

static void say_port(struct controller *c)
{
    int wanted = c->options->http_port, port = reporter_port(c->reporter);
    if (wanted != 0 && port != wanted)
        progress_say(&c->progress, "http: port %d is taken; listening on %d", wanted, port);
}

static int start_redis(struct controller *c, struct error *err)
{
    const struct options *o = c->options;
    c->address =
        (struct redis_address){o->redis_host, o->redis_port, o->redis_username, o->redis_password, o->redis_db};
    if (o->redis_host)
        return 0;
    c->server = redis_server_start(c->loop, o, on_server_failed, c, err);
    if (c->server == NULL)
        return -1;
    c->address.host = addresses_reachable(o->redis_bind);
    c->address.port = redis_server_port(c->server);
    if (!addresses_is_loopback(o->redis_bind) && o->redis_password == NULL)
        log_warn("redis_server.open", LOG_TEXT("bind", o->redis_bind),
                 LOG_TEXT("reason", "anybody who reaches it can read and change the run and run code on the workers; "
                                    "set REDIS_PASSWORD"));
    log_info("redis_server.started", LOG_TEXT("host", c->address.host), LOG_INT("port", c->address.port));
    if (c->address.port != o->redis_port)
        progress_say(&c->progress, "redis: port %d is taken; listening on %d", o->redis_port, c->address.port);
    return 0;
}

static void open_links(struct controller *c)
{
    static const struct redis_link_events commands = {on_commands_up, on_commands_down};
    static const struct redis_link_events events = {on_events_up, on_events_down};
    c->commands = redis_link_open(c->loop, &c->address, &commands, c);
    c->events = redis_link_open(c->loop, &c->address, &events, c);
    c->ledger.link = c->commands;
}

static void open_own_handles(struct controller *c)
{
    static const struct own_lease_events lease = {on_turn, on_renewed, on_trouble, on_fenced};
    static const struct deadline_events deadline = {begun_ms, on_deadline, on_grace_over};
    static const struct opener_events events = {on_open, on_standby, on_refused, on_say, on_trouble};
    uv_timer_init(c->loop, &c->limit);
    uv_signal_init(c->loop, &c->on_term);
    uv_signal_init(c->loop, &c->on_int);
    c->limit.data = c->on_term.data = c->on_int.data = c;
    uv_signal_start(&c->on_term, controller_on_signal, SIGTERM);
    uv_signal_start(&c->on_int, controller_on_signal, SIGINT);
    c->workers.data = c;
    progress_open(&c->progress, c->loop, c->plan);
    opener_init(&c->opener, c->loop, &c->ledger, c->plan, c->options, c->source, &events, c);
    canceller_init(&c->canceller, &c->ledger, c->opener.me);
    own_lease_init(&c->lease, c->loop, &c->ledger, c->opener.me, c->opener.lease_ms, &lease, c);
    successor_init(&c->successor, &c->ledger, on_successor, c);
    deadline_init(&c->deadline, c->loop, &c->ledger, c->options->deadline_s, c->options->once, &deadline, c);
}

static int start_parts(struct controller *c, struct error *err)
{
    if (report_check(c->options, err) < 0 || ledger_init(&c->ledger, NULL, c->options->prefix, err) < 0 ||
        start_reporter(c, err) < 0)
        return -1;
    open_own_handles(c);
    say_port(c);
    if (start_redis(c, err) < 0) {
        controller_stop(c, EXIT_CONFIG);
        uv_run(c->loop, UV_RUN_DEFAULT);
        return -1;
    }
    open_links(c);
    set_missing(c, "redis", "connecting");
    return 0;
}

struct controller *controller_start(uv_loop_t *loop, const struct options *options, const struct plan *plan,
                                    const struct source *source, const struct github *github, struct error *err)
{
    struct controller *c = memory_zeroed(1, sizeof(*c));
    c->loop = loop;
    c->options = options;
    c->plan = plan;
    c->source = source;
    c->github = github;
    c->started_ms = uv_now(loop);
    if (start_parts(c, err) == 0)
        return c;
    controller_finish(c);
    return NULL;
}

int controller_finish(struct controller *c)
{
    int status = c->exit_status;
    assert(c->open_handles == 0);
    if (c->board)
        board_free(c->board);
    local_workers_free(&c->workers);
    free(c);
    return status;
}
