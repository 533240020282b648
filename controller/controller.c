#include "controller/controller.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/controller_private.h"
#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/redis_reply.h"

enum {
    HISTORY_SHOWN = 100,
    DEADLINE_GRACE_MS = 10000, /* to cancel what is left, and for what runs to be handed back */
    STOP_LIMIT_MS = 30000,     /* workers that don't end are killed then */
    LEASE_LIMIT_MS = 2000,     /* giving it up is a courtesy: it ends by itself */
    SERVER_LIMIT_MS = 10000,   /* writing the last of the append-only file may take a while */
    LOOKUP_LIMIT_MS = 2000,    /* a name server that doesn't answer */
    HURRIED_LIMIT_MS = 2000,   /* the same of workers and server when the deadline's grace is over */
    EMBEDDED_START_MS = 3000,
    LONGEST_HOLD_MS = 5000,
    RETRY_MS = 500,
    SUMMARY_LIMIT_MS = 5000,
};

static void stop(struct controller *c, int exit_status);
static void ask_time(struct controller *c);
static int verdict_status(const struct controller *c);
static void on_hold(uv_timer_t *timer);
static unsigned hold_ms(const struct controller *c);

/* ---- what is missing, and why ---- */

static void set_missing(struct controller *c, const char *what, const char *reason)
{
    snprintf(c->missing, sizeof(c->missing), "%s%s%s", what, *reason ? ": " : "", reason);
}

/* The same, and tells people: once for each reason. A server that we have just started is given the time to come up.
 */
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

void controller_cancel(struct controller *c, enum cancel_kind kind, const char *reason)
{
    if (c->state != CONTROLLER_WATCHING)
        return;
    log_warn("run.cancelling", LOG_TEXT("run", board_run_id(c->board)), LOG_TEXT("reason", reason));
    canceller_start(&c->canceller, kind, reason);
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
    controller_cancel(c, CANCEL_FAILURES, reason);
}

static void format_deadline(const struct controller *c, char *text, size_t size)
{
    snprintf(text, size, "the deadline of %d s is over", c->options->deadline_s);
}

/* What ought to have ended the run didn't: Redis, a worker, a task that lies nowhere. Nobody waits for them longer.
 */
static void on_grace_over(uv_timer_t *timer)
{
    struct controller *c = timer->data;
    char reason[100];
    if (c->state >= CONTROLLER_STOPPING)
        return;
    c->is_hurried = true;
    if (c->has_verdict) {
        stop(c, verdict_status(c));
        return;
    }
    format_deadline(c, reason, sizeof(reason));
    /* A server that refuses is connected to again and again: what it refused says more than what is tried just now.
     */
    const char *missing = c->last_trouble[0] ? c->last_trouble : c->missing;
    progress_unfinished(&c->progress, reason, missing);
    log_warn("run.unfinished", LOG_TEXT("reason", reason), LOG_TEXT("missing", missing));
    stop(c, EXIT_CANCELLED);
}

/* Whoever can't be told now is told when Redis is back, as long as we stay. */
static void on_deadline(uv_timer_t *timer)
{
    struct controller *c = timer->data;
    char reason[100];
    format_deadline(c, reason, sizeof(reason));
    if (c->is_loaded && c->canceller.reason[0] == '\0')
        controller_cancel(c, CANCEL_DEADLINE, reason);
    if (c->options->once && !uv_is_active((uv_handle_t *)&c->grace))
        uv_timer_start(&c->grace, on_grace_over, DEADLINE_GRACE_MS, 0);
}

/* A finished run goes on. */
static void on_reopened(void *data)
{
    struct controller *c = data;
    if (c->state != CONTROLLER_FINISHED)
        return;
    c->state = CONTROLLER_WATCHING;
    c->has_verdict = false;
    c->has_rerun = true;
    c->has_told_way = true;
    log_info("run.reopened", LOG_TEXT("run", board_run_id(c->board)));
    progress_say(&c->progress, "running again what didn't pass");
    progress_go_on(&c->progress);
    local_workers_go_on(&c->workers);
    ask_time(c);
}

/* ---- the end of the run ---- */

static int verdict_status(const struct controller *c)
{
    switch (board_verdict(c->board)) {
    case BOARD_VERDICT_PASSED:
        return EXIT_PASSED;
    case BOARD_VERDICT_FAILED:
        return EXIT_FAILED;
    case BOARD_VERDICT_CANCELLED:
        return EXIT_CANCELLED;
    default:
        return EXIT_ERROR;
    }
}

static void retry_soon(struct controller *c)
{
    uv_timer_start(&c->hold, on_hold, hold_ms(c) < RETRY_MS ? hold_ms(c) : RETRY_MS, hold_ms(c));
}

/* Refused for now: asked again, but nobody waits for long for what only the history needs. */
static void on_summary_kept(void *data, const struct ledger_reply *reply)
{
    struct controller *c = data;
    if (c->state != CONTROLLER_FINISHED)
        return;
    if (reply->outcome == LEDGER_TROUBLE || reply->outcome == LEDGER_LOST)
        c->has_summary = false;
    if (reply->outcome == LEDGER_TROUBLE && clock_mono_ms() - c->finished_ms < SUMMARY_LIMIT_MS)
        retry_soon(c);
    else if (reply->outcome != LEDGER_CLOSED && c->options->once) /* CLOSED: the run goes on */
        stop(c, verdict_status(c));
}

/* The run keeps its own summary, for the history that a later run moves it to. */
static void keep_summary(struct controller *c)
{
    static const struct ledger_reply lost = {.outcome = LEDGER_LOST};
    auto_buffer summary = {0};
    board_add_summary(c->board, clock_wall_ms(), &summary);
    c->has_summary = true;
    if (ledger_summarize(&c->ledger, c->opener.me, summary.data, board_run(c->board)->reruns, on_summary_kept, c) < 0)
        on_summary_kept(c, &lost);
}

/* A green end in no time must not look like a run. */
static void tell_served(struct controller *c)
{
    if (c->opener.way == OPENER_SERVED && !c->has_told_way)
        progress_served(&c->progress, c->has_stood_by);
    c->has_told_way = true;
}

static void end_run(struct controller *c)
{
    if (c->options->rerun && !c->has_rerun && controller_rerun(c))
        return;
    c->has_verdict = true;
    local_workers_let_go(&c->workers);
    tell_served(c);
    progress_summary(&c->progress, c->url);
    log_info("run.finished", LOG_TEXT("run", board_run_id(c->board)),
             LOG_TEXT("verdict", board_verdict_name(board_verdict(c->board))));
    keep_summary(c);
}

static void on_finished(void *data)
{
    struct controller *c = data;
    c->state = CONTROLLER_FINISHED;
    c->finished_ms = clock_mono_ms();
    canceller_stop(&c->canceller);
    end_run(c);
}

/* What Redis refused when the run had ended, or what a lost link has left undone. */
static void end_run_again(struct controller *c)
{
    if (c->monitor.is_reading)
        return;
    if (c->options->rerun && !c->has_rerun)
        end_run(c);
    else if (!c->has_summary)
        keep_summary(c);
}

static void give_up(struct controller *c, const struct error *reason)
{
    if (c->state >= CONTROLLER_STOPPING)
        return;
    progress_say(&c->progress, "%s", "");
    log_say(stderr, "controller: %s", reason->text);
    stop(c, EXIT_CONFIG);
}

static void on_workers_failed(void *data, const struct error *reason)
{
    give_up(data, reason);
}

/* There is something to work on: before that they would join a run that is about to be replaced. */
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

/* How much is carried over is known when everything was read for the first time. */
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

static void on_history(void *data, const struct redisReply *reply)
{
    struct controller *c = data;
    if (redis_reply_count(reply) == 0 || c->board == NULL)
        return;
    auto_buffer list = {0};
    buffer_text(&list, "[");
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        const char *summary = redis_reply_text(redis_reply_at(reply, i));
        buffer_format(&list, "%s%s", i ? "," : "", summary ? summary : "{}");
    }
    buffer_text(&list, "]");
    board_set_history(c->board, list.data);
}

static void read_history(struct controller *c)
{
    char last[16];
    snprintf(last, sizeof(last), "%d", HISTORY_SHOWN - 1);
    const char *argv[] = {"LRANGE", c->ledger.keys.names[LEDGER_HISTORY], "0", last};
    redis_link_send(c->commands, COMMAND_TIMEOUT_MS, on_history, c, 4, argv, NULL);
}

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

/* What to do about it, or where to look. */
static void describe_no_worker(struct controller *c)
{
    const struct options *o = c->options;
    if (o->workers > 0)
        snprintf(c->no_worker, sizeof(c->no_worker),
                 "none of the %d local ones has joined; what they say above tells why, more with --log-level info",
                 o->workers);
    else
        snprintf(c->no_worker, sizeof(c->no_worker), "start some with REDIS_HOST=%s REDIS_PORT=%d%s%s%s",
                 c->address.host, c->address.port, *o->prefix ? " FUNKYTOWN_PREFIX=" : "", o->prefix,
                 o->redis_password ? " and the REDIS_PASSWORD" : "");
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
    reporter_show(c->reporter, c->board);
    describe_no_worker(c);
    progress_start(&c->progress, c->board, c->url, c->no_worker);
}

static const char *run_key(const struct controller *c)
{
    return c->ledger.keys.names[LEDGER_RUN];
}

/* What is left of the deadline, by Redis' clock alone: an earlier controller may have begun. Who runs again what
 * didn't pass has all of it. Once it is known our monotonic clock counts, which nobody sets. */
static void on_time(void *data, const struct redisReply *reply)
{
    struct controller *c = data;
    int64_t now_ms = redis_reply_integer(redis_reply_at(reply, 0), 0) * 1000;
    if (now_ms == 0 || c->state != CONTROLLER_WATCHING || board_run(c->board)->started_ms == 0)
        return;
    const struct board_run *run = board_run(c->board);
    int64_t begun_ms = run->reopened_ms > 0 ? run->reopened_ms : run->started_ms;
    int64_t all_ms = (int64_t)c->options->deadline_s * 1000, left_ms = begun_ms + all_ms - now_ms;
    bool is_known = begun_ms == c->deadline_from_ms;
    if (is_known && uv_is_active((uv_handle_t *)&c->deadline))
        return;
    if (is_known || left_ms < 0)
        left_ms = 0;
    if (left_ms > all_ms)
        left_ms = all_ms;
    if (left_ms > 0)
        uv_timer_stop(&c->grace);
    c->deadline_from_ms = begun_ms;
    uv_timer_start(&c->deadline, on_deadline, (uint64_t)left_ms, 0);
}

static void ask_time(struct controller *c)
{
    const char *argv[] = {"TIME"};
    if (c->options->deadline_s > 0)
        redis_link_send(c->commands, COMMAND_TIMEOUT_MS, on_time, c, 1, argv, NULL);
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
    read_history(c);
    monitor_watch(&c->monitor);
    ask_time(c);
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

static void on_run_id(void *data, const struct redisReply *reply)
{
    struct controller *c = data;
    const char *id = redis_reply_text(reply);
    if (id == NULL || c->state != CONTROLLER_FINISHED || strcmp(id, board_run_id(c->board)) != 0)
        return;
    c->opener.is_open = true;
    monitor_watch(&c->monitor);
}

/* A finished run stays what it was, even if Redis came back without it; if it is there, it may be run again. */
static void look_for_finished_run(struct controller *c)
{
    const char *argv[] = {"HGET", run_key(c), "id"};
    if (!c->is_replaced)
        redis_link_send(c->commands, COMMAND_TIMEOUT_MS, on_run_id, c, 3, argv, NULL);
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

static void stop_watching(struct controller *c)
{
    if (!c->has_monitor)
        return;
    monitor_stop(&c->monitor);
    stall_stop(&c->stall);
}

static void on_commands_down(void *data, const struct error *reason)
{
    struct controller *c = data;
    c->is_loaded = false;
    opener_stop(&c->opener);
    stop_watching(c);
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

/* The commands' link speaks for both, except of what only this one needs. */
static void on_events_down(void *data, const struct error *reason)
{
    if (is_hopeless(reason))
        give_up(data, reason);
}

/* ---- our own lease ---- */

/* Workers may need us to load the scripts that the server has lost, which this finds out: however long a lease is. */
static unsigned hold_ms(const struct controller *c)
{
    unsigned third = c->opener.lease_ms / 3;
    return third < LONGEST_HOLD_MS ? third : LONGEST_HOLD_MS;
}

static void on_renewed(struct controller *c, const struct ledger_reply *reply)
{
    set_ready(c);
    if (c->has_monitor)
        reaper_renewed(&c->monitor.reaper, reply);
    if (c->state == CONTROLLER_WATCHING)
        stall_look(&c->stall, c->monitor.events_seen);
    else if (c->state == CONTROLLER_FINISHED)
        end_run_again(c);
}

static void on_successor(void *data, const struct redisReply *reply)
{
    struct controller *c = data;
    const char *id = redis_reply_text(redis_reply_at(reply, 0)), *state = redis_reply_text(redis_reply_at(reply, 1));
    const char *ours = c->board ? board_run_id(c->board) : "";
    if (id == NULL || state == NULL || c->is_successor_told || c->state != CONTROLLER_FINISHED)
        return;
    bool is_another = strcmp(id, ours) != 0;
    if (!is_another && strcmp(state, "purging") == 0)
        return; /* it is on its way */
    c->is_successor_told = true;
    if (is_another)
        progress_say(&c->progress, "run %s has replaced run %s; what is shown here stays run %s as it ended", id,
                     ours, ours);
    else
        progress_say(&c->progress, "another controller has taken run %s over; what is shown here stays as it ended",
                     ours);
}

/* Who took over while a finished run was shown. */
static void ask_successor(struct controller *c)
{
    const char *argv[] = {"HMGET", run_key(c), "id", "state"};
    if (!c->is_successor_told && c->is_loaded)
        redis_link_send(c->commands, COMMAND_TIMEOUT_MS, on_successor, c, 4, argv, NULL);
}

static void on_held(void *data, const struct ledger_reply *reply)
{
    struct controller *c = data;
    if (c->state >= CONTROLLER_STOPPING)
        return;
    if (reply->outcome == LEDGER_TROUBLE) {
        note_trouble(c, "redis", reply->text);
        retry_soon(c);
    }
    if (reply->outcome == LEDGER_OK)
        on_renewed(c, reply);
    if (reply->outcome != LEDGER_FENCED)
        return;
    log_warn("controller.fenced", LOG_TEXT("reason", "another controller took the run over"));
    stop_watching(c);
    if (c->state == CONTROLLER_FINISHED) {
        c->opener.is_open = c->opener.has_lease = false;
        c->is_replaced = true;
        ask_successor(c);
    } else {
        open_run(c);
    }
}

static void on_hold(uv_timer_t *timer)
{
    struct controller *c = timer->data;
    if (c->is_replaced)
        ask_successor(c);
    if (!c->is_loaded || !c->opener.is_open)
        return;
    ledger_hold(&c->ledger, c->opener.me, c->opener.lease_ms, on_held, c);
    canceller_poke(&c->canceller);
}

/* ---- stopping: workers, then our lease, then everything, then the server; none of them is waited for without an
 * end ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void on_server_stopped(void *data)
{
    struct controller *c = data;
    c->server = NULL;
    uv_close((uv_handle_t *)&c->limit, on_handle_closed);
    uv_close((uv_handle_t *)&c->on_term, on_handle_closed);
    uv_close((uv_handle_t *)&c->on_int, on_handle_closed);
}

static void on_part_closed(void *data)
{
    struct controller *c = data;
    if (--c->open_handles > 0)
        return;
    uv_timer_stop(&c->limit);
    if (c->server)
        redis_server_stop(c->server, c->is_hurried ? HURRIED_LIMIT_MS : SERVER_LIMIT_MS, on_server_stopped);
    else
        on_server_stopped(c);
}

/* All is told and closed but a link whose name is being looked up. Nothing can interrupt that, and the end of a
 * process waits for it unless it goes at once. */
static void on_lookup_limit(uv_timer_t *timer)
{
    const struct controller *c = timer->data;
    log_warn("controller.abandoned", LOG_TEXT("reason", "the lookup of REDIS_HOST doesn't end"));
    fflush(NULL);
    _exit(c->exit_status);
}

static void tear_down(struct controller *c)
{
    if (c->is_torn_down)
        return;
    c->is_torn_down = true;
    uv_timer_start(&c->limit, on_lookup_limit, LOOKUP_LIMIT_MS, 0);
    uv_close((uv_handle_t *)&c->hold, on_handle_closed);
    uv_close((uv_handle_t *)&c->deadline, on_handle_closed);
    uv_close((uv_handle_t *)&c->grace, on_handle_closed);
    opener_close(&c->opener, on_handle_closed);
    stop_watching(c);
    if (c->has_monitor)
        monitor_close(&c->monitor, on_handle_closed);
    progress_close(&c->progress, on_handle_closed);
    c->open_handles = 1 + (c->commands != NULL) + (c->events != NULL);
    reporter_stop(c->reporter, on_part_closed);
    c->reporter = NULL;
    struct redis_link *commands = c->commands, *events = c->events;
    c->commands = c->events = NULL;
    if (commands)
        redis_link_close(commands, on_part_closed);
    if (events)
        redis_link_close(events, on_part_closed);
}

static void on_given_up(void *data, const struct ledger_reply *reply)
{
    (void)reply;
    tear_down(data);
}

static void on_lease_limit(uv_timer_t *timer)
{
    tear_down(timer->data);
}

static void on_workers_stopped(void *data)
{
    struct controller *c = data;
    uv_timer_start(&c->limit, on_lease_limit, LEASE_LIMIT_MS, 0);
    if (!c->is_loaded || !c->opener.has_lease || ledger_hold(&c->ledger, c->opener.me, 0, on_given_up, c) < 0)
        tear_down(c);
}

static void on_stop_limit(uv_timer_t *timer)
{
    struct controller *c = timer->data;
    local_workers_kill(&c->workers);
}

static void stop(struct controller *c, int exit_status)
{
    if (c->state >= CONTROLLER_STOPPING)
        return;
    c->exit_status = exit_status;
    bool was_finished = c->state == CONTROLLER_FINISHED;
    c->state = CONTROLLER_STOPPING;
    uv_timer_start(&c->limit, on_stop_limit, c->is_hurried ? HURRIED_LIMIT_MS : STOP_LIMIT_MS, 0);
    if (was_finished)
        local_workers_wait(&c->workers, on_workers_stopped);
    else
        local_workers_stop(&c->workers, on_workers_stopped);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct controller *c = handle->data;
    if (c->signals_seen++ > 0) {
        local_workers_stop(&c->workers, on_workers_stopped);
        return;
    }
    log_info("controller.stopping", LOG_INT("signal", number));
    if (c->state < CONTROLLER_FINISHED)
        progress_interrupted(&c->progress, c->options->fresh);
    stop(c, 128 + number);
}

/* ---- starting ---- */

static void on_server_failed(void *data, const struct error *reason)
{
    give_up(data, reason);
}

static void make_url(struct controller *c)
{
    const char *bind = c->options->http_bind;
    bool is_any = strcmp(bind, "0.0.0.0") == 0 || strcmp(bind, "::") == 0;
    bool is_v6 = !is_any && strchr(bind, ':');
    const char *given = c->options->url;
    if (given)
        snprintf(c->url, sizeof(c->url), "%s%sresults", given, given[strlen(given) - 1] == '/' ? "" : "/");
    else
        snprintf(c->url, sizeof(c->url), "http://%s%s%s:%d/results", is_v6 ? "[" : "", is_any ? "localhost" : bind,
                 is_v6 ? "]" : "", reporter_port(c->reporter));
}

static int start_reporter(struct controller *c, struct error *err)
{
    const struct reporter_options options = {
        .bind = c->options->http_bind,
        .port = c->options->http_port,
        .index_file = c->options->html_index_file,
        .token = c->options->token,
        .url = c->options->url,
    };
    c->reporter = reporter_start(c->loop, &options, &controller_source, c, err);
    if (c->reporter == NULL)
        return -1;
    reporter_metrics(c->reporter, controller_metrics);
    make_url(c);
    log_info("reporter.started", LOG_TEXT("url", c->url));
    return 0;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 || strcmp(address, "localhost") == 0;
}

/* An address to connect to for one to listen on. */
static const char *reachable(const char *bind)
{
    if (strcmp(bind, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(bind, "::") == 0 ? "::1" : bind;
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
    c->address.host = reachable(o->redis_bind);
    c->address.port = redis_server_port(c->server);
    if (!is_loopback(o->redis_bind) && o->redis_password == NULL)
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
    static const struct opener_events events = {on_open, on_standby, on_refused, on_say, on_trouble};
    uv_timer_init(c->loop, &c->hold);
    uv_timer_init(c->loop, &c->deadline);
    uv_timer_init(c->loop, &c->grace);
    uv_timer_init(c->loop, &c->limit);
    uv_signal_init(c->loop, &c->on_term);
    uv_signal_init(c->loop, &c->on_int);
    c->hold.data = c->deadline.data = c->grace.data = c->limit.data = c->on_term.data = c->on_int.data = c;
    uv_signal_start(&c->on_term, on_signal, SIGTERM);
    uv_signal_start(&c->on_int, on_signal, SIGINT);
    c->workers.data = c;
    progress_open(&c->progress, c->loop, c->plan);
    opener_init(&c->opener, c->loop, &c->ledger, c->plan, c->options, c->source, &events, c);
    canceller_init(&c->canceller, &c->ledger, c->opener.me);
    uv_timer_start(&c->hold, on_hold, hold_ms(c), hold_ms(c));
    if (c->options->deadline_s > 0)
        uv_timer_start(&c->deadline, on_deadline, (uint64_t)c->options->deadline_s * 1000, 0);
}

static int start_parts(struct controller *c, struct error *err)
{
    if (ledger_init(&c->ledger, NULL, c->options->prefix, err) < 0 || start_reporter(c, err) < 0)
        return -1;
    open_own_handles(c);
    if (start_redis(c, err) < 0) {
        stop(c, EXIT_CONFIG);
        uv_run(c->loop, UV_RUN_DEFAULT);
        return -1;
    }
    open_links(c);
    set_missing(c, "redis", "connecting");
    return 0;
}

struct controller *controller_start(uv_loop_t *loop, const struct options *options, const struct plan *plan,
                                    const struct source *source, struct error *err)
{
    struct controller *c = memory_zeroed(1, sizeof(*c));
    c->loop = loop;
    c->options = options;
    c->plan = plan;
    c->source = source;
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
