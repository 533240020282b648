#include "controller/opener.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/json_writer.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/redis_reply.h"

enum {
    CHUNK = 256, /* tasks in one script: a fraction of a millisecond of the server's time */
    CHUNKS_IN_FLIGHT = 8,
    RETRY_MS = 500,
    COMMAND_TIMEOUT_MS = 10000,
    MAX_RELEASES =
        20, /* of one task: nodes that are drained one after the other are no loop, an eviction a minute is */
};

static void acquire(struct opener *o);
static void purge_next(struct opener *o);
static void enqueue_more(struct opener *o);

/* The callbacks of one start carry its round, so that answers which came too late can be told. */
struct step {
    struct opener *opener;
    unsigned round;
};

static struct step *new_step(struct opener *o)
{
    struct step *step = memory_zeroed(1, sizeof(*step));
    *step = (struct step){o, o->round};
    return step;
}

/* The opener if the answer is still wanted; frees the step. */
static struct opener *end_step(void *data)
{
    struct step step = *(struct step *)data;
    free(data);
    return step.round == step.opener->round ? step.opener : NULL;
}

static void on_retry(uv_timer_t *timer)
{
    acquire(timer->data);
}

static void start_again_soon(struct opener *o, unsigned wait_ms)
{
    o->round++;
    uv_timer_start(&o->retry, on_retry, wait_ms, 0);
}

/* What can't be gone on with: the link's loss is told by the link, the rest is tried again. true: it was that. */
static bool is_over(struct opener *o, const struct ledger_reply *reply)
{
    if (reply->outcome == LEDGER_LOST)
        return true;
    if (reply->outcome != LEDGER_TROUBLE && reply->outcome != LEDGER_FENCED)
        return false;
    o->events.on_trouble(o->data, reply->text ? reply->text : "another controller took over");
    start_again_soon(o, RETRY_MS);
    return true;
}

/* The same for what was asked without a script. */
static bool is_unanswered(struct opener *o, const struct redisReply *reply)
{
    const char *refusal = redis_reply_error(reply);
    if (refusal) {
        o->events.on_trouble(o->data, refusal);
        start_again_soon(o, RETRY_MS);
    }
    return reply == NULL || refusal;
}

/* Another run is alive. */
static void refuse(struct opener *o, const struct ledger_reply *reply)
{
    struct error err;
    error_set(&err, ERROR_CONFIG,
              "run %s is alive under this prefix (%s %s); wanted: its end, its own plan and id, or another "
              "FUNKYTOWN_PREFIX",
              ledger_text(reply, 1), ledger_text(reply, 3), ledger_text(reply, 4));
    o->events.on_refused(o->data, &err);
}

/* ---- opening ---- */

static void on_opened(void *data, const struct ledger_reply *reply)
{
    struct opener *o = end_step(data);
    if (o == NULL || is_over(o, reply))
        return;
    if (reply->outcome == LEDGER_AT) {
        start_again_soon(o, 0);
        return;
    }
    o->is_open = true;
    o->events.on_open(o->data);
}

static void on_enqueued(void *data, const struct ledger_reply *reply)
{
    struct opener *o = end_step(data);
    if (o == NULL || is_over(o, reply))
        return;
    o->in_flight--;
    if (reply->outcome == LEDGER_AT)
        o->must_rewind = true;
    o->loaded = (size_t)ledger_number(reply, 1);
    enqueue_more(o);
}

static void enqueue_chunk(struct opener *o, size_t count)
{
    auto_free struct ledger_entry *entries = memory_zeroed(count, sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        const struct plan_task *task = &o->plan->tasks[o->sent + i];
        plan_key(o->plan, o->sent + i, entries[i].key);
        entries[i].spec = task->spec;
        entries[i].viewport = task->viewport;
        entries[i].browser = task->browser;
        entries[i].runner = task->runner;
        entries[i].overrides = task->overrides;
    }
    struct step *step = new_step(o);
    if (ledger_enqueue(o->ledger, o->me, o->digest, o->sent, entries, count, on_enqueued, step) < 0)
        free(step);
    o->sent += count;
    o->in_flight++;
}

static void enqueue_more(struct opener *o)
{
    if (o->must_rewind) { /* a resumed run has some of them already */
        if (o->in_flight > 0)
            return;
        o->sent = o->loaded;
        o->must_rewind = false;
    }
    while (o->in_flight < CHUNKS_IN_FLIGHT && o->sent < o->plan->task_count) {
        size_t left = o->plan->task_count - o->sent;
        enqueue_chunk(o, left < CHUNK ? left : CHUNK);
    }
    if (o->in_flight > 0 || o->loaded < o->plan->task_count)
        return;
    struct step *step = new_step(o);
    if (ledger_open(o->ledger, o->me, on_opened, step) < 0)
        free(step);
}

static void enqueue_all(struct opener *o)
{
    o->loaded = o->sent = o->in_flight = 0;
    o->must_rewind = false;
    enqueue_more(o);
}

/* ---- beginning ---- */

static void on_begun(void *data, const struct ledger_reply *reply)
{
    struct opener *o = end_step(data);
    if (o == NULL || is_over(o, reply))
        return;
    if (reply->outcome == LEDGER_BUSY) /* not what acquire had found: look again */
        start_again_soon(o, RETRY_MS);
    else
        enqueue_all(o);
}

static void make_run_id(char *id, size_t size)
{
    unsigned char random[3];
    char utc[32];
    struct tm now;
    time_t seconds = time(NULL);
    uv_random(NULL, NULL, random, sizeof(random), 0, NULL);
    strftime(utc, sizeof(utc), "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &now));
    snprintf(id, size, "run-%s-%02x%02x%02x", utc, random[0], random[1], random[2]);
}

static void begin(struct opener *o)
{
    const struct options *options = o->options;
    char total[24], lease[16], timeout[16], retries[16], crashes[16], releases[16];
    if (o->run_id[0] == '\0')
        make_run_id(o->run_id, sizeof(o->run_id));
    snprintf(total, sizeof(total), "%zu", o->plan->task_count);
    snprintf(lease, sizeof(lease), "%u", o->lease_ms);
    snprintf(timeout, sizeof(timeout), "%d", options->task_timeout_s);
    snprintf(retries, sizeof(retries), "%d", options->retries);
    snprintf(crashes, sizeof(crashes), "%d", options->max_crashes);
    snprintf(releases, sizeof(releases), "%d", MAX_RELEASES);
    const char *fields[] = {
        "id",        o->run_id,          "digest",         o->digest,     "total",        total,     "lease_ms",
        lease,       "retries",          retries,          "max_crashes", crashes,        "runners", o->plan->runners,
        "viewports", o->plan->viewports, "task_timeout_s", timeout,       "max_releases", releases,
    };
    struct step *step = new_step(o);
    if (ledger_begin(o->ledger, o->me, fields, sizeof(fields) / sizeof(fields[0]), on_begun, step) < 0)
        free(step);
}

/* ---- clearing an old run away ---- */

static void on_purged(void *data, const struct ledger_reply *reply)
{
    struct opener *o = end_step(data);
    if (o && !is_over(o, reply))
        purge_next(o);
}

static void on_purge_order(void *data, const struct redisReply *reply)
{
    struct opener *o = end_step(data);
    size_t count = redis_reply_count(reply);
    if (o == NULL || is_unanswered(o, reply))
        return;
    if (count == 0) {
        begin(o);
        return;
    }
    auto_free const char **tasks = memory_zeroed(count, sizeof(*tasks));
    for (size_t i = 0; i < count; i++)
        tasks[i] = redis_reply_text(redis_reply_at(reply, i));
    struct step *step = new_step(o);
    if (ledger_purge(o->ledger, o->me, tasks, count, on_purged, step) < 0)
        free(step);
}

static void purge_next(struct opener *o)
{
    char last[16];
    snprintf(last, sizeof(last), "%d", CHUNK - 1);
    const char *argv[] = {"LRANGE", o->ledger->keys.names[LEDGER_ORDER], "0", last};
    struct step *step = new_step(o);
    if (redis_link_send(o->ledger->link, COMMAND_TIMEOUT_MS, on_purge_order, step, 4, argv, NULL) < 0)
        free(step);
}

static void on_archived(void *data, const struct ledger_reply *reply)
{
    struct opener *o = end_step(data);
    if (o == NULL || is_over(o, reply))
        return;
    if (reply->outcome == LEDGER_OCCUPIED) /* by a worker that came in the meantime */
        refuse(o, reply);
    else
        purge_next(o);
}

/* A run that was not finished has no summary of its own. */
static void add_unfinished_summary(struct buffer *out, const char *id, const char *total)
{
    buffer_text(out, "{");
    json_add_key(out, "run_id");
    json_add_text(out, id);
    json_add_key(out, "state");
    json_add_text(out, "cancelled");
    json_add_key(out, "verdict");
    json_add_text(out, "cancelled");
    json_add_key(out, "counts");
    buffer_text(out, "{");
    json_add_key(out, "total");
    json_add_uint(out, strtoull(total, NULL, 10));
    buffer_text(out, "}}");
}

static void on_old_run(void *data, const struct redisReply *reply)
{
    struct opener *o = end_step(data);
    if (o == NULL || is_unanswered(o, reply))
        return;
    const char *id = redis_reply_text(redis_reply_at(reply, 0));
    const char *total = redis_reply_text(redis_reply_at(reply, 1));
    const char *finished = redis_reply_text(redis_reply_at(reply, 2));
    auto_buffer summary = {0};
    if (finished)
        buffer_text(&summary, finished);
    else
        add_unfinished_summary(&summary, id ? id : "", total ? total : "0");
    struct step *step = new_step(o);
    if (ledger_archive(o->ledger, o->me, summary.data, on_archived, step) < 0)
        free(step);
}

static void archive(struct opener *o)
{
    const char *argv[] = {"HMGET", o->ledger->keys.names[LEDGER_RUN], "id", "total", "summary"};
    struct step *step = new_step(o);
    if (redis_link_send(o->ledger->link, COMMAND_TIMEOUT_MS, on_old_run, step, 5, argv, NULL) < 0)
        free(step);
}

/* ---- running again ---- */

static void refuse_rerun(struct opener *o, const char *why)
{
    struct error err;
    error_set(&err, ERROR_CONFIG, "--rerun: %s", why);
    o->events.on_refused(o->data, &err);
}

/* A finished run was found that isn't asked for by its id: it is the one, unless it is of another plan. */
static void find_rerun(struct opener *o, const struct ledger_reply *reply)
{
    const char *id = ledger_text(reply, 1);
    if (o->run_id[0] || strcmp(ledger_text(reply, 2), "finished") != 0) {
        auto_free char *why = memory_format("the last run, %s, is of another spec map or id", id);
        refuse_rerun(o, why);
        return;
    }
    memory_copy_text(o->run_id, sizeof(o->run_id), id);
    acquire(o);
}

/* ---- becoming the controller ---- */

/* Somebody holds the lease. If it was a process on this machine that has ended, there is nothing to wait for. */
static bool take_over(struct opener *o, const struct ledger_reply *reply)
{
    const char *holder = ledger_text(reply, 4);
    if (strcmp(ledger_text(reply, 3), "controller") != 0 || strcmp(o->dead, holder) == 0 || !identity_is_dead(holder))
        return false;
    memory_copy_text(o->dead, sizeof(o->dead), holder);
    acquire(o);
    return true;
}

static void on_acquired(void *data, const struct ledger_reply *reply)
{
    struct opener *o = end_step(data);
    if (o == NULL || is_over(o, reply))
        return;
    bool is_found = ledger_text(reply, 1)[0] != '\0';
    if (is_found &&
        (reply->outcome == LEDGER_RESUME || reply->outcome == LEDGER_SERVE || reply->outcome == LEDGER_STANDBY))
        memory_copy_text(o->run_id, sizeof(o->run_id), ledger_text(reply, 1));
    switch (reply->outcome) {
    case LEDGER_FRESH:
        if (o->options->rerun)
            refuse_rerun(o, "there is no run here");
        else
            begin(o);
        break;
    case LEDGER_REPLACE:
        if (o->options->rerun)
            find_rerun(o, reply);
        else
            archive(o);
        break;
    case LEDGER_RESUME:
        log_info("run.resumed", LOG_TEXT("run", o->run_id), LOG_TEXT("state", ledger_text(reply, 2)));
        if (strcmp(ledger_text(reply, 2), "loading") == 0) {
            enqueue_all(o);
            break;
        }
        o->is_open = true;
        o->events.on_open(o->data);
        break;
    case LEDGER_SERVE:
        o->is_open = true;
        o->events.on_open(o->data);
        break;
    case LEDGER_STANDBY:
        if (take_over(o, reply))
            break;
        o->events.on_standby(o->data, ledger_text(reply, 4));
        start_again_soon(o, o->lease_ms / 3);
        break;
    default:
        if (!take_over(o, reply))
            refuse(o, reply);
    }
}

static void acquire(struct opener *o)
{
    struct step *step = new_step(o);
    if (ledger_acquire(o->ledger, o->me, o->lease_ms, o->digest, o->run_id, o->dead, on_acquired, step) < 0)
        free(step);
}

/* ---- outside ---- */

void opener_init(struct opener *o, uv_loop_t *loop, struct ledger *ledger, const struct plan *plan,
                 const struct options *options, const struct opener_events *events, void *data)
{
    *o = (struct opener){.ledger = ledger, .plan = plan, .options = options, .events = *events, .data = data};
    o->lease_ms = (unsigned)options->lease_s * 1000;
    identity_make(o->me);
    snprintf(o->digest, sizeof(o->digest), "%016" PRIx64, plan->digest);
    if (options->run_id)
        memory_copy_text(o->run_id, sizeof(o->run_id), options->run_id);
    uv_timer_init(loop, &o->retry);
    o->retry.data = o;
}

void opener_start(struct opener *o)
{
    opener_stop(o);
    acquire(o);
}

void opener_stop(struct opener *o)
{
    o->round++;
    o->is_open = false;
    uv_timer_stop(&o->retry);
}

void opener_close(struct opener *o, uv_close_cb closed)
{
    opener_stop(o);
    uv_close((uv_handle_t *)&o->retry, closed);
}
