/*
 * Becoming the run's controller: what acquire finds, who is alive, and what is done about it. Clearing a
 * run away is clearing's, writing the tasks is loading's.
 */
#include "controller/opener.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/step.h"
#include "shared/buffer.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/run_policy.h"

enum {
    CLOCK_JITTER_MS = 50, /* of the end of a lease that is counted from now */
    /* Of one task. Nodes drained one after the other stay below it; an eviction every minute does not. */
    MAX_RELEASES = 20,
};

static void acquire(struct opener *o);

static void on_retry(uv_timer_t *timer)
{
    acquire(timer->data);
}

/* Answers to what was asked before are ignored from here on. */
static void forget_answers(struct opener *o)
{
    o->round++;
    clearing_stop(&o->clearing);
    loading_stop(&o->loading);
}

static void start_again_soon(struct opener *o, unsigned wait_ms)
{
    forget_answers(o);
    uv_timer_start(&o->retry, on_retry, wait_ms, 0);
}

/* true: this answer ends what was under way. A lost link is told by the link, the rest is tried again. */
static bool is_over(struct opener *o, const struct ledger_reply *reply)
{
    if (reply->outcome == LEDGER_LOST)
        return true;
    if (reply->outcome != LEDGER_TROUBLE && reply->outcome != LEDGER_FENCED)
        return false;
    o->events.on_trouble(o->data, reply->text ? reply->text : "another controller took over");
    start_again_soon(o, LEDGER_RETRY_MS);
    return true;
}

/* ---- opening ---- */

static void tell_open(struct opener *o)
{
    o->is_open = o->was_open = true;
    o->events.on_open(o->data);
}

static void on_opened(void *data, const struct ledger_reply *reply)
{
    struct opener *o = step_end(data);
    if (o == NULL || is_over(o, reply))
        return;
    if (reply->outcome == LEDGER_AT) {
        start_again_soon(o, 0);
        return;
    }
    tell_open(o);
}

static void on_loaded(void *data)
{
    struct opener *o = data;
    struct step *step = step_new(o, &o->round);
    if (ledger_open(o->ledger, o->me, on_opened, step) < 0)
        free(step);
}

static bool is_step_over(void *data, const struct ledger_reply *reply)
{
    return is_over(data, reply);
}

/* ---- beginning ---- */

static void on_begun(void *data, const struct ledger_reply *reply)
{
    struct opener *o = step_end(data);
    if (o == NULL || is_over(o, reply))
        return;
    if (reply->outcome == LEDGER_BUSY) /* not what acquire had found: look again */
        start_again_soon(o, LEDGER_RETRY_MS);
    else
        loading_start(&o->loading);
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

/* The first one stays: resuming after a lost link doesn't change how we came to the run. */
static void set_way(struct opener *o, enum opener_way way)
{
    if (o->way == OPENER_UNKNOWN)
        o->way = way;
}

static void begin(struct opener *o)
{
    const struct options *options = o->options;
    if (o->run_id[0] == '\0')
        make_run_id(o->run_id, sizeof(o->run_id));
    o->is_fresh = false; /* from here on it is the one that was wanted */
    set_way(o, OPENER_BEGUN);
    const struct run_terms terms = {
        .run_id = o->run_id,
        .digest = o->digest,
        .total = o->plan->task_count,
        .lease_ms = o->lease_ms,
        .task_timeout_s = (unsigned)options->task_timeout_s,
        .retries = (unsigned)options->retries,
        .max_crashes = (unsigned)options->max_crashes,
        .max_releases = MAX_RELEASES,
        .viewports = o->plan->viewports,
        .runners = o->plan->runners,
        .projects = o->plan->projects,
        .source = o->source->id,
        .branch = o->source->branch,
        .source_url = o->source->url,
    };
    struct run_fields fields;
    run_policy_format(&terms, &fields);
    struct step *step = step_new(o, &o->round);
    if (ledger_begin(o->ledger, o->me, fields.texts, 2 * RUN_FIELDS, on_begun, step) < 0)
        free(step);
}

/* ---- clearing an old run away ---- */

static void on_archived(void *data)
{
    struct opener *o = data;
    if (o->line[0])
        o->events.on_say(o->data, o->line);
    o->line[0] = '\0';
}

static void on_cleared(void *data)
{
    begin(data);
}

/* By a worker that came in the meantime: acquire tells more of it. */
static void on_occupied(void *data)
{
    start_again_soon(data, 0);
}

/* ---- another run is there ---- */

/* What makes the found run another one, in words; "": nothing that people need to be told. */
static void describe(const struct ledger_found *found, const struct opener *o, char *text, size_t size)
{
    text[0] = '\0';
    if (strcmp(found->why, "source") == 0)
        snprintf(text, size, "the specs have changed since run %s (source %s → %s)", found->run_id,
                 source_shown(found->source), source_shown(o->source_id));
    else if (strcmp(found->why, "plan") == 0)
        snprintf(text, size, "run %s is of another spec map", found->run_id);
    else if (strcmp(found->why, "id") == 0)
        snprintf(text, size, "run %s isn't run %s, which was asked for", found->run_id, o->run_id);
    else if (strcmp(found->why, "fresh") == 0)
        snprintf(text, size, "--fresh");
}

static void give_up(struct opener *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void give_up(struct opener *o, const char *format, ...)
{
    struct error err;
    va_list args;
    auto_free char *text = NULL;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    error_set(&err, ERROR_CONFIG, "%s", length >= 0 ? text : "");
    o->events.on_refused(o->data, &err);
}

/* The controller or a worker of the found run is alive. */
static void refuse(struct opener *o, const struct ledger_found *found)
{
    char why[sizeof(o->line)];
    bool is_finished = strcmp(found->state, "finished") == 0;
    describe(found, o, why, sizeof(why));
    give_up(o, "run %s %s (%s %s), and %s%s; wait for its end, or use another FUNKYTOWN_PREFIX", found->run_id,
            is_finished ? "has finished, but is still served under this prefix" : "is alive under this prefix",
            found->who, found->name, why,
            strcmp(found->why, "fresh") == 0 ? " begins anew only when nobody works on it" : "");
}

/* Whether Redis fell back to a time before our run: then the run that we replaced is there again. */
static bool is_back_again(const struct opener *o, const struct ledger_found *found)
{
    return strcmp(found->run_id, o->replaced_id) == 0 && strcmp(found->source, o->replaced_source) == 0;
}

/* This controller had a run, was away, and comes back to another one, which it must not touch. */
static void refuse_replaced(struct opener *o, const struct ledger_found *found)
{
    give_up(o, "run %s was replaced by run %s%s while this controller could not renew its lease", o->run_id,
            found->run_id, strcmp(o->run_id, found->run_id) == 0 ? ", another one with the same id," : "");
}

/* ---- running again ---- */

/*
 * The run that was found can't be resumed as it is. It is still the one to run again, unless its spec map or its id
 * differs. If only the source does, because a spec was mended, people are told what is carried forward.
 */
static void find_rerun(struct opener *o, const struct ledger_found *found)
{
    bool has_changed = strcmp(found->why, "source") == 0;
    if (!has_changed && strcmp(found->why, "finished") != 0) {
        give_up(o, "--rerun: the last run, %s, is of another spec map or has another id", found->run_id);
        return;
    }
    if (has_changed) {
        char why[sizeof(o->line)];
        describe(found, o, why, sizeof(why));
        auto_free char *line = memory_format("--rerun: %s; what passed then is carried forward as it is", why);
        o->events.on_say(o->data, line);
        memory_copy_text(o->source_id, sizeof(o->source_id), found->source);
    }
    memory_copy_text(o->run_id, sizeof(o->run_id), found->run_id);
    acquire(o);
}

static void replace(struct opener *o, const struct ledger_found *found)
{
    char why[sizeof(o->line) / 2];
    if (o->was_open && !is_back_again(o, found)) {
        refuse_replaced(o, found);
        return;
    }
    if (o->options->rerun && !o->was_open) {
        find_rerun(o, found);
        return;
    }
    memory_copy_text(o->replaced_id, sizeof(o->replaced_id), found->run_id);
    memory_copy_text(o->replaced_source, sizeof(o->replaced_source), found->source);
    describe(found, o, why, sizeof(why));
    if (why[0])
        snprintf(o->line, sizeof(o->line), "%s: beginning anew; %s is in the history", why, found->run_id);
    clearing_start(&o->clearing);
}

/* ---- who is alive ---- */

/* Somebody holds the lease. If it was a process on this machine that has ended, there is nothing to wait for. */
static bool take_over(struct opener *o, const char *holder)
{
    if (strcmp(o->dead, holder) == 0 || lease_holder_look(holder) != LEASE_HOLDER_DEAD)
        return false;
    memory_copy_text(o->dead, sizeof(o->dead), holder);
    acquire(o);
    return true;
}

/*
 * A process on another machine shows that it lives by renewing its lease, and in no other way. Until it does, or the
 * lease has run out, it is waited for, and people are told once.
 */
static void wait_for(struct opener *o, const struct ledger_found *found)
{
    bool is_known = strcmp(o->waits_for, found->name) == 0;
    bool is_finished = strcmp(found->state, "finished") == 0; /* then it is about to leave */
    if (is_known && !is_finished && found->lease_end_ms > o->lease_end_ms + CLOCK_JITTER_MS) {
        refuse(o, found);
        return;
    }
    o->looks = is_known ? o->looks + 1 : 0;
    if (o->looks == 1) { /* who has left by the second look is no news */
        char line[600];
        snprintf(line, sizeof(line), "waiting for %s %s of run %s, which may be alive: its lease ends in %lld s",
                 found->who, found->name, found->run_id,
                 (long long)(found->lease_end_ms - found->now_ms + 999) / 1000);
        o->events.on_say(o->data, line);
    }
    memory_copy_text(o->waits_for, sizeof(o->waits_for), found->name);
    o->lease_end_ms = found->lease_end_ms;
    start_again_soon(o, LEDGER_RETRY_MS);
}

/* What acquire found, for as long as its worker's identity is being asked for. */
struct encounter {
    struct step step;
    char run_id[128], state[16], why[16], source[SOURCE_ID_SIZE], name[LEASE_HOLDER_SIZE];
    int64_t lease_end_ms, now_ms;
};

static void add_dead_worker(struct opener *o, const char *worker, const char *identity)
{
    o->dead_workers = memory_resize(o->dead_workers, o->dead_count + 1, sizeof(*o->dead_workers));
    o->dead_workers[o->dead_count++] = (struct ledger_dead){memory_text(worker), memory_text(identity)};
}

static bool is_named_dead(const struct opener *o, const char *worker, const char *identity)
{
    for (size_t i = 0; i < o->dead_count; i++)
        if (strcmp(o->dead_workers[i].worker, worker) == 0 && strcmp(o->dead_workers[i].identity, identity) == 0)
            return true;
    return false;
}

static void on_identity(void *data, const struct ledger_reply *reply)
{
    struct encounter e = *(struct encounter *)data;
    struct opener *o = step_end(data);
    const struct ledger_found found = {e.run_id, e.state, e.why,          e.source,
                                       "worker", e.name,  e.lease_end_ms, e.now_ms};
    if (o == NULL || is_over(o, reply))
        return;
    const char *identity = ledger_value_text(reply);
    enum lease_holder_life life = identity ? lease_holder_look(identity) : LEASE_HOLDER_UNKNOWN;
    if (life == LEASE_HOLDER_DEAD && !is_named_dead(o, e.name, identity)) {
        log_info("worker.dead", LOG_TEXT("worker", e.name), LOG_TEXT("reason", "its process here has ended"));
        add_dead_worker(o, e.name, identity);
        acquire(o);
    } else if (life == LEASE_HOLDER_ALIVE && strcmp(e.state, "finished") != 0) {
        refuse(o, &found);
    } else {
        wait_for(o, &found);
    }
}

static void ask_identity(struct opener *o, const struct ledger_found *found)
{
    struct encounter *e = memory_zeroed(1, sizeof(*e));
    *e = (struct encounter){
        .step = {o, &o->round, o->round}, .lease_end_ms = found->lease_end_ms, .now_ms = found->now_ms};
    memory_copy_text(e->run_id, sizeof(e->run_id), found->run_id);
    memory_copy_text(e->state, sizeof(e->state), found->state);
    memory_copy_text(e->why, sizeof(e->why), found->why);
    memory_copy_text(e->source, sizeof(e->source), found->source);
    memory_copy_text(e->name, sizeof(e->name), found->name);
    if (ledger_ask_worker(o->ledger, found->name, "identity", on_identity, e) < 0)
        free(e);
}

static void meet(struct opener *o, const struct ledger_found *found)
{
    if (o->was_open && !is_back_again(o, found))
        refuse_replaced(o, found);
    else if (strcmp(found->who, "worker") == 0)
        ask_identity(o, found);
    else if (take_over(o, found->name))
        return;
    else if (lease_holder_look(found->name) == LEASE_HOLDER_ALIVE)
        refuse(o, found);
    else
        wait_for(o, found);
}

/* ---- becoming the controller ---- */

static void resume(struct opener *o, const struct ledger_found *found)
{
    set_way(o, OPENER_RESUMED);
    log_info("run.resumed", LOG_TEXT("run", o->run_id), LOG_TEXT("state", found->state));
    if (strcmp(found->state, "loading") == 0)
        loading_start(&o->loading);
    else
        tell_open(o);
}

static void serve(struct opener *o)
{
    set_way(o, OPENER_SERVED);
    tell_open(o);
}

static void stand_by(struct opener *o, const struct ledger_found *found)
{
    if (take_over(o, found->name))
        return;
    o->events.on_standby(o->data, found->name, found->run_id[0] && found->why[0] == '\0');
    start_again_soon(o, o->lease_ms / 3);
}

static void on_acquired(void *data, const struct ledger_reply *reply)
{
    struct opener *o = step_end(data);
    if (o == NULL || is_over(o, reply))
        return;
    const struct ledger_found found = ledger_found(reply);
    o->has_lease = reply->outcome != LEDGER_STANDBY && reply->outcome != LEDGER_OCCUPIED;
    if (found.run_id[0] && found.why[0] == '\0')
        memory_copy_text(o->run_id, sizeof(o->run_id), found.run_id);
    switch (reply->outcome) {
    case LEDGER_FRESH:
        if (o->options->rerun && !o->was_open)
            give_up(o, "--rerun: found no run under this prefix; wanted one to run again");
        else
            begin(o);
        break;
    case LEDGER_REPLACE:
        replace(o, &found);
        break;
    case LEDGER_RESUME:
        resume(o, &found);
        break;
    case LEDGER_SERVE:
        serve(o);
        break;
    case LEDGER_STANDBY:
        stand_by(o, &found);
        break;
    default:
        meet(o, &found);
    }
}

static void acquire(struct opener *o)
{
    const struct ledger_acquisition acquisition = {
        .me = o->me,
        .lease_ms = o->lease_ms,
        .digest = o->digest,
        .run_id = o->run_id,
        .source = o->source_id,
        .is_fresh = o->is_fresh,
        .is_again = o->is_again,
        .dead = o->dead,
        .dead_workers = o->dead_workers,
        .dead_count = o->dead_count,
    };
    struct step *step = step_new(o, &o->round);
    if (ledger_acquire(o->ledger, &acquisition, on_acquired, step) < 0)
        free(step);
}

/* ---- outside ---- */

void opener_init(struct opener *o, uv_loop_t *loop, struct ledger *ledger, const struct plan *plan,
                 const struct options *options, const struct source *source, const struct opener_events *events,
                 void *data)
{
    *o = (struct opener){.ledger = ledger,
                         .plan = plan,
                         .options = options,
                         .source = source,
                         .events = *events,
                         .data = data,
                         .is_fresh = options->fresh,
                         .is_again = options->rerun};
    memory_copy_text(o->source_id, sizeof(o->source_id), source->id);
    o->lease_ms = (unsigned)options->lease_s * 1000;
    lease_holder_make(o->me);
    snprintf(o->digest, sizeof(o->digest), "%016" PRIx64, plan->digest);
    if (options->run_id)
        memory_copy_text(o->run_id, sizeof(o->run_id), options->run_id);
    static const struct clearing_events clearing = {is_step_over, on_occupied, on_archived, on_cleared};
    static const struct loading_events loading = {is_step_over, on_loaded};
    clearing_init(&o->clearing, ledger, o->me, &clearing, o);
    loading_init(&o->loading, ledger, o->me, o->digest, plan, &loading, o);
    uv_timer_init(loop, &o->retry);
    o->retry.data = o;
}

void opener_start(struct opener *o)
{
    opener_stop(o);
    acquire(o);
}

void opener_found_again(struct opener *o)
{
    o->is_open = true;
}

void opener_ran_again(struct opener *o)
{
    o->is_again = false;
}

void opener_stop(struct opener *o)
{
    forget_answers(o);
    o->is_open = o->has_lease = false;
    uv_timer_stop(&o->retry);
}

void opener_close(struct opener *o, uv_close_cb closed)
{
    opener_stop(o);
    for (size_t i = 0; i < o->dead_count; i++) {
        free((char *)(uintptr_t)o->dead_workers[i].worker);
        free((char *)(uintptr_t)o->dead_workers[i].identity);
    }
    free(o->dead_workers);
    o->dead_workers = NULL;
    o->dead_count = 0;
    uv_close((uv_handle_t *)&o->retry, closed);
}
