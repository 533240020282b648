#include "shared/ledger.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "ledger_scripts.h"
#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/memory.h"
#include "shared/redis_reply.h"

/* No script takes long; what isn't answered by then is a lost link. */
enum { SCRIPT_TIMEOUT_MS = 10000 };

static const struct {
    const char *word;
    enum ledger_outcome outcome;
} outcomes[] = {
    {"ok", LEDGER_OK},           {"already", LEDGER_ALREADY}, {"fenced", LEDGER_FENCED},
    {"unknown", LEDGER_UNKNOWN}, {"gone", LEDGER_GONE},       {"alive", LEDGER_ALIVE},
    {"busy", LEDGER_BUSY},       {"closed", LEDGER_CLOSED},   {"cancelled", LEDGER_CANCELLED},
    {"waiting", LEDGER_WAITING}, {"taken", LEDGER_TAKEN},     {"at", LEDGER_AT},
    {"fresh", LEDGER_FRESH},     {"resume", LEDGER_RESUME},   {"serve", LEDGER_SERVE},
    {"replace", LEDGER_REPLACE}, {"standby", LEDGER_STANDBY}, {"occupied", LEDGER_OCCUPIED},
};

const char *ledger_outcome_name(enum ledger_outcome outcome)
{
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
        if (outcomes[i].outcome == outcome)
            return outcomes[i].word;
    return outcome == LEDGER_LOST ? "lost" : "trouble";
}

const char *ledger_text(const struct ledger_reply *reply, size_t index)
{
    const char *text = redis_reply_text(redis_reply_at(reply->raw, index));
    return text ? text : "";
}

int64_t ledger_number(const struct ledger_reply *reply, size_t index)
{
    return redis_reply_integer(redis_reply_at(reply->raw, index), 0);
}

int ledger_init(struct ledger *ledger, struct redis_link *link, const char *prefix, struct error *err)
{
    assert(ledger_scripts_count <= sizeof(ledger->digests) / sizeof(ledger->digests[0]));
    *ledger = (struct ledger){.link = link};
    for (size_t i = 0; i < ledger_scripts_count; i++)
        snprintf(ledger->digests[i], sizeof(ledger->digests[i]), "%s", ledger_scripts[i].sha1);
    return ledger_keys_init(&ledger->keys, prefix, err);
}

/* ---- calls ---- */

/* A command under construction: EVALSHA digest numkeys key... argument... */
struct call {
    const char **argv;
    size_t *lengths;
    size_t count, capacity, key_count;
    char key_count_text[16];
};

struct pending {
    struct ledger *ledger;
    uint64_t sent_ms;
    ledger_reply_fn *reply;
    void *data;
};

static void add_n(struct call *call, const char *text, size_t length)
{
    if (call->count == call->capacity) {
        call->capacity = call->capacity ? call->capacity * 2 : 32;
        call->argv = memory_resize(call->argv, call->capacity, sizeof(*call->argv));
        call->lengths = memory_resize(call->lengths, call->capacity, sizeof(*call->lengths));
    }
    call->argv[call->count] = text;
    call->lengths[call->count++] = length;
}

static void add(struct call *call, const char *text)
{
    add_n(call, text, strlen(text));
}

static size_t script_index(const char *name)
{
    for (size_t i = 0; i < ledger_scripts_count; i++)
        if (strncmp(ledger_scripts[i].path, name, strlen(name)) == 0 && ledger_scripts[i].path[strlen(name)] == '.')
            return i;
    abort(); /* a name that isn't in lua/ */
}

/* The keys that the run has one of; more may follow with add_key(). */
static void start(struct call *call, struct ledger *ledger, const char *script, const enum ledger_key *keys,
                  size_t count)
{
    *call = (struct call){0};
    add(call, "EVALSHA");
    add(call, ledger->digests[script_index(script)]);
    add(call, "");
    for (size_t i = 0; i < count; i++)
        add(call, ledger->keys.names[keys[i]]);
    call->key_count = count;
}
#define START(call, ledger, script, ...)                                                                             \
    start(call, ledger, script, (const enum ledger_key[]){__VA_ARGS__},                                              \
          sizeof((const enum ledger_key[]){__VA_ARGS__}) / sizeof(enum ledger_key))

static void add_key(struct call *call, const char *key)
{
    add(call, key);
    call->key_count++;
}

static void add_fixed_key(struct call *call, const struct ledger *ledger, enum ledger_key key)
{
    add_key(call, ledger->keys.names[key]);
}

static void translate(const struct redisReply *raw, struct ledger_reply *reply)
{
    const char *word = redis_reply_text(redis_reply_at(raw, 0));
    *reply = (struct ledger_reply){.outcome = LEDGER_LOST, .raw = raw};
    if (raw == NULL)
        return;
    reply->outcome = LEDGER_TROUBLE;
    reply->text = redis_reply_error(raw) ? redis_reply_error(raw) : "a reply of an unexpected form";
    for (size_t i = 0; word && i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        if (strcmp(outcomes[i].word, word) == 0) {
            reply->outcome = outcomes[i].outcome;
            reply->text = NULL;
        }
    }
}

typedef int send_fn(struct redis_link *link, unsigned timeout_ms, redis_reply_fn *reply, void *data, int argc,
                    const char *const *argv, const size_t *lengths);

static int load(struct ledger *ledger, send_fn *send, ledger_reply_fn *reply, void *data);

static void on_reply(void *data, const struct redisReply *raw)
{
    struct pending p = *(struct pending *)data;
    free(data);
    struct ledger_reply reply;
    translate(raw, &reply);
    reply.sent_ms = p.sent_ms;
    /* Its first start, SCRIPT FLUSH, or a fail-over to a server that never saw them; the owner sends again. */
    if (reply.outcome == LEDGER_TROUBLE && strncmp(reply.text, "NOSCRIPT", 8) == 0) {
        if (p.ledger->may_not_teach)
            reply.text =
                "the scripts aren't loaded, and this user may not load them: a controller of this version will";
        else
            reply.is_taught = load(p.ledger, redis_link_try, NULL, NULL) == 0;
    }
    p.reply(p.data, &reply);
}

static int finish(struct call *call, struct ledger *ledger, ledger_reply_fn *reply, void *data)
{
    snprintf(call->key_count_text, sizeof(call->key_count_text), "%zu", call->key_count);
    call->argv[2] = call->key_count_text;
    call->lengths[2] = strlen(call->key_count_text);
    struct pending *p = memory_zeroed(1, sizeof(*p));
    *p = (struct pending){ledger, clock_mono_ms(), reply, data};
    int sent =
        redis_link_send(ledger->link, SCRIPT_TIMEOUT_MS, on_reply, p, (int)call->count, call->argv, call->lengths);
    free(call->argv);
    free(call->lengths);
    if (sent < 0)
        free(p);
    return sent;
}

/* ---- loading ---- */

struct loading {
    struct ledger *ledger;
    size_t index;
    ledger_reply_fn *reply; /* of the last one; NULL: nobody waits */
    void *data;
};

static void on_loaded(void *data, const struct redisReply *raw)
{
    struct loading l = *(struct loading *)data;
    free(data);
    const char *digest = redis_reply_text(raw), *text = redis_reply_error(raw);
    if (digest)
        snprintf(l.ledger->digests[l.index], sizeof(l.ledger->digests[0]), "%s", digest);
    if (text && strncmp(text, "NOPERM", 6) == 0)
        l.ledger->may_not_teach = true;
    if (l.reply == NULL)
        return;
    enum ledger_outcome outcome = raw == NULL ? LEDGER_LOST : digest ? LEDGER_OK : LEDGER_TROUBLE;
    struct ledger_reply reply = {.outcome = outcome, .text = text};
    l.reply(l.data, &reply);
}

static int load(struct ledger *ledger, send_fn *send, ledger_reply_fn *reply, void *data)
{
    int sent = 0;
    for (size_t i = 0; i < ledger_scripts_count && sent == 0; i++) {
        bool is_last = i + 1 == ledger_scripts_count;
        struct loading *l = memory_zeroed(1, sizeof(*l));
        *l = (struct loading){ledger, i, is_last ? reply : NULL, data};
        const char *argv[] = {"SCRIPT", "LOAD", (const char *)ledger_scripts[i].body};
        sent = send(ledger->link, SCRIPT_TIMEOUT_MS, on_loaded, l, 3, argv, NULL);
        if (sent < 0)
            free(l);
    }
    return sent;
}

int ledger_load(struct ledger *ledger, ledger_reply_fn *reply, void *data)
{
    return load(ledger, redis_link_send, reply, data);
}

/* ---- workers ---- */

int ledger_register(struct ledger *ledger, const struct ledger_worker *worker, ledger_reply_fn *reply, void *data)
{
    struct call call;
    char worker_key[LEDGER_KEY_SIZE], processing[LEDGER_KEY_SIZE], pid[16], slots[16];
    ledger_worker_key(&ledger->keys, worker->id, worker_key);
    ledger_processing_key(&ledger->keys, worker->id, processing);
    assert(strlen(worker->nonce) < sizeof(ledger->nonce));
    snprintf(ledger->nonce, sizeof(ledger->nonce), "%s", worker->nonce);
    snprintf(pid, sizeof(pid), "%d", worker->pid);
    snprintf(slots, sizeof(slots), "%d", worker->slots);
    START(&call, ledger, "register", LEDGER_RUN, LEDGER_RUNMETA, LEDGER_WORKERS, LEDGER_GRAVES);
    add_key(&call, worker_key);
    add_key(&call, processing);
    add_fixed_key(&call, ledger, LEDGER_TASKQUEUE);
    add_fixed_key(&call, ledger, LEDGER_CLAIMS);
    add_fixed_key(&call, ledger, LEDGER_CONTROLLER);
    add_fixed_key(&call, ledger, LEDGER_EVENTS);
    add(&call, worker->id);
    add(&call, worker->nonce);
    add(&call, worker->host);
    add(&call, pid);
    add(&call, slots);
    add(&call, worker->identity);
    return finish(&call, ledger, reply, data);
}

int ledger_renew(struct ledger *ledger, const char *worker, ledger_reply_fn *reply, void *data)
{
    struct call call;
    char processing[LEDGER_KEY_SIZE], worker_key[LEDGER_KEY_SIZE];
    ledger_processing_key(&ledger->keys, worker, processing);
    ledger_worker_key(&ledger->keys, worker, worker_key);
    START(&call, ledger, "renew", LEDGER_RUNMETA, LEDGER_WORKERS);
    add_key(&call, processing);
    add_key(&call, worker_key);
    add_fixed_key(&call, ledger, LEDGER_RUN);
    add(&call, worker);
    add(&call, ledger->nonce);
    return finish(&call, ledger, reply, data);
}

int ledger_claim(struct ledger *ledger, const char *worker, const char *task, const char *token,
                 ledger_reply_fn *reply, void *data)
{
    struct call call;
    char processing[LEDGER_KEY_SIZE], task_key[LEDGER_KEY_SIZE], worker_key[LEDGER_KEY_SIZE];
    char attempts[LEDGER_KEY_SIZE];
    ledger_processing_key(&ledger->keys, worker, processing);
    ledger_task_key(&ledger->keys, task, task_key);
    ledger_worker_key(&ledger->keys, worker, worker_key);
    ledger_attempts_key(&ledger->keys, task, attempts);
    START(&call, ledger, "claim", LEDGER_RUN);
    add_key(&call, worker_key);
    add_key(&call, processing);
    add_key(&call, task_key);
    add_fixed_key(&call, ledger, LEDGER_CLAIMS);
    add_fixed_key(&call, ledger, LEDGER_OVERRIDES);
    add_fixed_key(&call, ledger, LEDGER_EVENTS);
    add_key(&call, attempts);
    add_fixed_key(&call, ledger, LEDGER_WORKERS);
    add_fixed_key(&call, ledger, LEDGER_TASKQUEUE);
    add_fixed_key(&call, ledger, LEDGER_DECLINED);
    add(&call, worker);
    add(&call, task);
    add(&call, token);
    add(&call, ledger->nonce);
    return finish(&call, ledger, reply, data);
}

int ledger_settle(struct ledger *ledger, const struct ledger_settlement *s, ledger_reply_fn *reply, void *data)
{
    struct call call;
    char task_key[LEDGER_KEY_SIZE], processing[LEDGER_KEY_SIZE], attempts[LEDGER_KEY_SIZE], logs[LEDGER_KEY_SIZE];
    char duration[24], retries[16], duration_text[32];
    ledger_task_key(&ledger->keys, s->task, task_key);
    ledger_processing_key(&ledger->keys, s->worker, processing);
    ledger_attempts_key(&ledger->keys, s->task, attempts);
    ledger_logs_key(&ledger->keys, s->task, logs);
    snprintf(duration, sizeof(duration), "%" PRIu64, s->duration_ns);
    snprintf(retries, sizeof(retries), "%d", s->retries);
    clock_format_duration(s->duration_ns / 1000000, duration_text, sizeof(duration_text));
    START(&call, ledger, "settle", LEDGER_RUN, LEDGER_RUNMETA, LEDGER_TASKQUEUE);
    add_key(&call, task_key);
    add_fixed_key(&call, ledger, LEDGER_CLAIMS);
    add_fixed_key(&call, ledger, LEDGER_SETTLED);
    add_fixed_key(&call, ledger, LEDGER_FAILURES);
    add_key(&call, processing);
    add_key(&call, attempts);
    add_key(&call, logs);
    add_fixed_key(&call, ledger, LEDGER_DETAILS);
    add_fixed_key(&call, ledger, LEDGER_EVENTS);
    add_fixed_key(&call, ledger, LEDGER_SIGNALS);
    add(&call, s->worker);
    add(&call, s->task);
    add(&call, s->token);
    add(&call, task_result_name(s->result));
    add(&call, s->reason);
    add(&call, duration);
    add(&call, duration_text);
    add(&call, s->record);
    add_n(&call, s->log ? s->log : "", s->log ? s->log_length : 0);
    add(&call, s->details ? s->details : "");
    add(&call, retries);
    return finish(&call, ledger, reply, data);
}

int ledger_release(struct ledger *ledger, const char *worker, const char *task, const char *token, const char *record,
                   ledger_reply_fn *reply, void *data)
{
    struct call call;
    char task_key[LEDGER_KEY_SIZE], processing[LEDGER_KEY_SIZE], attempts[LEDGER_KEY_SIZE];
    ledger_task_key(&ledger->keys, task, task_key);
    ledger_processing_key(&ledger->keys, worker, processing);
    ledger_attempts_key(&ledger->keys, task, attempts);
    START(&call, ledger, "release", LEDGER_RUN, LEDGER_TASKQUEUE);
    add_key(&call, task_key);
    add_fixed_key(&call, ledger, LEDGER_CLAIMS);
    add_key(&call, processing);
    add_key(&call, attempts);
    add_fixed_key(&call, ledger, LEDGER_EVENTS);
    add_fixed_key(&call, ledger, LEDGER_RUNMETA);
    add_fixed_key(&call, ledger, LEDGER_SIGNALS);
    add_fixed_key(&call, ledger, LEDGER_RELEASES);
    add(&call, worker);
    add(&call, task);
    add(&call, token ? token : "");
    add(&call, record ? record : "");
    return finish(&call, ledger, reply, data);
}

static int bury(struct ledger *ledger, const char *worker, const char *nonce, const char *lease_end,
                ledger_reply_fn *reply, void *data)
{
    struct call call;
    char worker_key[LEDGER_KEY_SIZE], processing[LEDGER_KEY_SIZE];
    ledger_worker_key(&ledger->keys, worker, worker_key);
    ledger_processing_key(&ledger->keys, worker, processing);
    START(&call, ledger, "bury", LEDGER_RUN, LEDGER_WORKERS, LEDGER_GRAVES);
    add_key(&call, processing);
    add_fixed_key(&call, ledger, LEDGER_TASKQUEUE);
    add_fixed_key(&call, ledger, LEDGER_CLAIMS);
    add_key(&call, worker_key);
    add_fixed_key(&call, ledger, LEDGER_EVENTS);
    add(&call, worker);
    add(&call, nonce);
    add(&call, lease_end);
    return finish(&call, ledger, reply, data);
}

int ledger_leave(struct ledger *ledger, const char *worker, ledger_reply_fn *reply, void *data)
{
    return bury(ledger, worker, ledger->nonce, "", reply, data);
}

/* ---- the controller ---- */

int ledger_acquire(struct ledger *ledger, const struct ledger_acquisition *a, ledger_reply_fn *reply, void *data)
{
    struct call call;
    char lease[16];
    auto_free char(*keys)[LEDGER_KEY_SIZE] = memory_zeroed(a->dead_count + 1, sizeof(*keys));
    snprintf(lease, sizeof(lease), "%u", a->lease_ms);
    START(&call, ledger, "acquire", LEDGER_CONTROLLER, LEDGER_RUN, LEDGER_WORKERS);
    for (size_t i = 0; i < a->dead_count; i++) {
        ledger_worker_key(&ledger->keys, a->dead_workers[i].worker, keys[i]);
        add_key(&call, keys[i]);
    }
    add(&call, a->me);
    add(&call, lease);
    add(&call, a->digest);
    add(&call, a->run_id);
    add(&call, a->source);
    add(&call, a->is_fresh ? "1" : "0");
    add(&call, a->dead);
    for (size_t i = 0; i < a->dead_count; i++) {
        add(&call, a->dead_workers[i].worker);
        add(&call, a->dead_workers[i].identity);
    }
    return finish(&call, ledger, reply, data);
}

struct ledger_found ledger_found(const struct ledger_reply *reply)
{
    return (struct ledger_found){
        .run_id = ledger_text(reply, 1),
        .state = ledger_text(reply, 2),
        .why = ledger_text(reply, 3),
        .source = ledger_text(reply, 4),
        .who = ledger_text(reply, 5),
        .name = ledger_text(reply, 6),
        .lease_end_ms = ledger_number(reply, 7),
        .now_ms = ledger_number(reply, 8),
    };
}

int ledger_hold(struct ledger *ledger, const char *me, unsigned lease_ms, ledger_reply_fn *reply, void *data)
{
    struct call call;
    char lease[16];
    snprintf(lease, sizeof(lease), "%u", lease_ms);
    START(&call, ledger, "hold", LEDGER_CONTROLLER, LEDGER_RUN);
    add(&call, me);
    add(&call, lease);
    return finish(&call, ledger, reply, data);
}

/* The script must name the list of every worker, so they are asked for first. */
struct archiving {
    struct ledger *ledger;
    char *me, *summary;
    ledger_reply_fn *reply;
    void *data;
};

static int ask_workers(struct archiving *a);

static void end_archiving(struct archiving *a, const struct ledger_reply *reply)
{
    a->reply(a->data, reply);
    free(a->me);
    free(a->summary);
    free(a);
}

static const struct ledger_reply lost = {.outcome = LEDGER_LOST};

static void on_archived(void *data, const struct ledger_reply *reply)
{
    struct archiving *a = data;
    if (reply->outcome != LEDGER_BUSY)
        end_archiving(a, reply);
    else if (ask_workers(a) < 0)
        end_archiving(a, &lost);
}

/* The names that overdue has told, without the ends of the leases between them. */
static size_t take_names(const struct ledger_reply *reply, const char **names)
{
    size_t count = 0, expired = (size_t)ledger_number(reply, 2);
    for (size_t i = 3; i < redis_reply_count(reply->raw); i++)
        if (i < 3 + expired || i >= 3 + 2 * expired)
            names[count++] = ledger_text(reply, i);
    return count;
}

static void on_workers(void *data, const struct ledger_reply *reply)
{
    struct archiving *a = data;
    struct ledger *ledger = a->ledger;
    if (reply->outcome != LEDGER_OK) {
        end_archiving(a, reply);
        return;
    }
    auto_free const char **names = memory_zeroed(redis_reply_count(reply->raw), sizeof(*names));
    size_t count = take_names(reply, names);
    struct call call;
    auto_free char(*keys)[2][LEDGER_KEY_SIZE] = memory_zeroed(count + 1, sizeof(*keys));
    START(&call, ledger, "archive", LEDGER_CONTROLLER, LEDGER_RUN, LEDGER_RUNMETA, LEDGER_TASKQUEUE, LEDGER_CLAIMS,
          LEDGER_HISTORY, LEDGER_WORKERS, LEDGER_GRAVES);
    for (size_t i = 0; i < count; i++) {
        ledger_processing_key(&ledger->keys, names[i], keys[i][0]);
        ledger_worker_key(&ledger->keys, names[i], keys[i][1]);
        add_key(&call, keys[i][0]);
        add_key(&call, keys[i][1]);
    }
    add(&call, a->me);
    add(&call, a->summary);
    for (size_t i = 0; i < count; i++)
        add(&call, names[i]);
    if (finish(&call, ledger, on_archived, a) < 0)
        end_archiving(a, &lost);
}

static int ask_workers(struct archiving *a)
{
    return ledger_overdue(a->ledger, 0, on_workers, a);
}

int ledger_archive(struct ledger *ledger, const char *me, const char *summary, ledger_reply_fn *reply, void *data)
{
    struct archiving *a = memory_zeroed(1, sizeof(*a));
    *a = (struct archiving){ledger, memory_text(me), memory_text(summary), reply, data};
    int sent = ask_workers(a);
    if (sent < 0) {
        free(a->me);
        free(a->summary);
        free(a);
    }
    return sent;
}

int ledger_purge(struct ledger *ledger, const char *me, const char *const *tasks, size_t count,
                 ledger_reply_fn *reply, void *data)
{
    struct call call;
    auto_free char(*keys)[3][LEDGER_KEY_SIZE] = memory_zeroed(count, sizeof(*keys));
    START(&call, ledger, "purge", LEDGER_CONTROLLER, LEDGER_RUN, LEDGER_ORDER);
    for (size_t i = 0; i < count; i++) {
        ledger_task_key(&ledger->keys, tasks[i], keys[i][0]);
        ledger_attempts_key(&ledger->keys, tasks[i], keys[i][1]);
        ledger_logs_key(&ledger->keys, tasks[i], keys[i][2]);
        for (size_t k = 0; k < 3; k++)
            add_key(&call, keys[i][k]);
    }
    add(&call, me);
    for (size_t i = 0; i < count; i++)
        add(&call, tasks[i]);
    return finish(&call, ledger, reply, data);
}

int ledger_begin(struct ledger *ledger, const char *me, const char *const *fields, size_t count,
                 ledger_reply_fn *reply, void *data)
{
    struct call call;
    START(&call, ledger, "begin", LEDGER_CONTROLLER, LEDGER_RUN, LEDGER_RUNMETA, LEDGER_TASKQUEUE, LEDGER_ORDER,
          LEDGER_OVERRIDES, LEDGER_CLAIMS, LEDGER_SETTLED, LEDGER_CRASHES, LEDGER_FAILURES, LEDGER_RELEASES,
          LEDGER_DECLINED, LEDGER_DETAILS, LEDGER_WORKERS, LEDGER_EVENTS, LEDGER_SIGNALS);
    add(&call, me);
    for (size_t i = 0; i < count; i++)
        add(&call, fields[i]);
    return finish(&call, ledger, reply, data);
}

int ledger_enqueue(struct ledger *ledger, const char *me, const char *digest, size_t offset,
                   const struct ledger_entry *entries, size_t count, ledger_reply_fn *reply, void *data)
{
    struct call call;
    char offset_text[24];
    auto_free char(*keys)[LEDGER_KEY_SIZE] = memory_zeroed(count, sizeof(*keys));
    snprintf(offset_text, sizeof(offset_text), "%zu", offset);
    START(&call, ledger, "enqueue", LEDGER_CONTROLLER, LEDGER_RUN, LEDGER_TASKQUEUE, LEDGER_ORDER, LEDGER_OVERRIDES);
    for (size_t i = 0; i < count; i++) {
        ledger_task_key(&ledger->keys, entries[i].key, keys[i]);
        add_key(&call, keys[i]);
    }
    add(&call, me);
    add(&call, digest);
    add(&call, offset_text);
    for (size_t i = 0; i < count; i++) {
        add(&call, entries[i].key);
        add(&call, entries[i].spec);
        add(&call, entries[i].viewport);
        add(&call, entries[i].browser);
        add(&call, entries[i].runner);
        add(&call, entries[i].overrides ? entries[i].overrides : "");
    }
    return finish(&call, ledger, reply, data);
}

int ledger_open(struct ledger *ledger, const char *me, ledger_reply_fn *reply, void *data)
{
    struct call call;
    START(&call, ledger, "open", LEDGER_CONTROLLER, LEDGER_RUN, LEDGER_RUNMETA, LEDGER_EVENTS, LEDGER_SIGNALS);
    add(&call, me);
    return finish(&call, ledger, reply, data);
}

/* The hash of each task is a key of the call. `kind` and `reason` NULL: they are no arguments. */
static int finish_with_tasks(struct call *call, struct ledger *ledger, const char *me, const char *kind,
                             const char *reason, const char *const *tasks, size_t count, ledger_reply_fn *reply,
                             void *data)
{
    auto_free char(*keys)[LEDGER_KEY_SIZE] = memory_zeroed(count + 1, sizeof(*keys));
    for (size_t i = 0; i < count; i++) {
        ledger_task_key(&ledger->keys, tasks[i], keys[i]);
        add_key(call, keys[i]);
    }
    add(call, me);
    if (kind)
        add(call, kind);
    if (reason)
        add(call, reason);
    for (size_t i = 0; i < count; i++)
        add(call, tasks[i]);
    return finish(call, ledger, reply, data);
}

int ledger_cancel(struct ledger *ledger, const char *me, enum cancel_kind kind, const char *reason,
                  const char *const *tasks, size_t count, ledger_reply_fn *reply, void *data)
{
    struct call call;
    START(&call, ledger, "cancel", LEDGER_CONTROLLER, LEDGER_RUN, LEDGER_RUNMETA, LEDGER_TASKQUEUE, LEDGER_EVENTS,
          LEDGER_SIGNALS);
    return finish_with_tasks(&call, ledger, me, cancel_kind_name(kind), reason, tasks, count, reply, data);
}

int ledger_rerun(struct ledger *ledger, const char *me, const char *const *tasks, size_t count,
                 ledger_reply_fn *reply, void *data)
{
    struct call call;
    START(&call, ledger, "rerun", LEDGER_CONTROLLER, LEDGER_RUN, LEDGER_RUNMETA, LEDGER_TASKQUEUE, LEDGER_CRASHES,
          LEDGER_FAILURES, LEDGER_RELEASES, LEDGER_DECLINED, LEDGER_DETAILS, LEDGER_EVENTS, LEDGER_SIGNALS);
    return finish_with_tasks(&call, ledger, me, NULL, NULL, tasks, count, reply, data);
}

int ledger_summarize(struct ledger *ledger, const char *me, const char *summary, int64_t reruns,
                     ledger_reply_fn *reply, void *data)
{
    struct call call;
    char count[24];
    snprintf(count, sizeof(count), "%" PRId64, reruns);
    START(&call, ledger, "summarize", LEDGER_CONTROLLER, LEDGER_RUN);
    add(&call, me);
    add(&call, summary);
    add(&call, count);
    return finish(&call, ledger, reply, data);
}

int ledger_overdue(struct ledger *ledger, int64_t known_ms, ledger_reply_fn *reply, void *data)
{
    struct call call;
    char known[24];
    snprintf(known, sizeof(known), "%" PRId64, known_ms);
    START(&call, ledger, "overdue", LEDGER_RUN, LEDGER_WORKERS, LEDGER_GRAVES);
    add(&call, known);
    return finish(&call, ledger, reply, data);
}

int ledger_reclaim(struct ledger *ledger, const char *worker, const char *lease_end, const char *task,
                   ledger_reply_fn *reply, void *data)
{
    struct call call;
    char processing[LEDGER_KEY_SIZE], task_key[LEDGER_KEY_SIZE], attempts[LEDGER_KEY_SIZE];
    ledger_processing_key(&ledger->keys, worker, processing);
    ledger_task_key(&ledger->keys, task, task_key);
    ledger_attempts_key(&ledger->keys, task, attempts);
    START(&call, ledger, "reclaim", LEDGER_RUN, LEDGER_RUNMETA, LEDGER_TASKQUEUE, LEDGER_WORKERS);
    add_key(&call, processing);
    add_key(&call, task_key);
    add_fixed_key(&call, ledger, LEDGER_CLAIMS);
    add_fixed_key(&call, ledger, LEDGER_CRASHES);
    add_key(&call, attempts);
    add_fixed_key(&call, ledger, LEDGER_EVENTS);
    add_fixed_key(&call, ledger, LEDGER_SIGNALS);
    add(&call, worker);
    add(&call, lease_end);
    add(&call, task);
    return finish(&call, ledger, reply, data);
}

int ledger_bury(struct ledger *ledger, const char *worker, const char *lease_end, ledger_reply_fn *reply, void *data)
{
    return bury(ledger, worker, "", lease_end, reply, data);
}

int ledger_restore(struct ledger *ledger, const char *me, const struct ledger_entry *entries, size_t count,
                   ledger_reply_fn *reply, void *data)
{
    struct call call;
    auto_free char(*keys)[2][LEDGER_KEY_SIZE] = memory_zeroed(count + 1, sizeof(*keys));
    START(&call, ledger, "restore", LEDGER_CONTROLLER, LEDGER_RUN, LEDGER_RUNMETA, LEDGER_DETAILS, LEDGER_EVENTS,
          LEDGER_SIGNALS);
    for (size_t i = 0; i < count; i++) {
        ledger_task_key(&ledger->keys, entries[i].key, keys[i][0]);
        ledger_attempts_key(&ledger->keys, entries[i].key, keys[i][1]);
        add_key(&call, keys[i][0]);
        add_key(&call, keys[i][1]);
    }
    add(&call, me);
    for (size_t i = 0; i < count; i++) {
        add(&call, entries[i].key);
        add(&call, entries[i].spec);
        add(&call, entries[i].viewport);
        add(&call, entries[i].browser);
        add(&call, entries[i].runner);
    }
    return finish(&call, ledger, reply, data);
}

int ledger_audit(struct ledger *ledger, bool repair, const char *const *workers, size_t worker_count,
                 const char *const *tasks, size_t task_count, ledger_reply_fn *reply, void *data)
{
    struct call call;
    char count[24];
    auto_free char(*lists)[LEDGER_KEY_SIZE] = memory_zeroed(worker_count + 1, sizeof(*lists));
    auto_free char(*keys)[2][LEDGER_KEY_SIZE] = memory_zeroed(task_count + 1, sizeof(*keys));
    START(&call, ledger, "audit", LEDGER_RUN, LEDGER_RUNMETA, LEDGER_TASKQUEUE, LEDGER_CLAIMS, LEDGER_WORKERS,
          LEDGER_GRAVES, LEDGER_EVENTS, LEDGER_SIGNALS);
    for (size_t i = 0; i < worker_count; i++) {
        ledger_processing_key(&ledger->keys, workers[i], lists[i]);
        add_key(&call, lists[i]);
    }
    for (size_t i = 0; i < task_count; i++) {
        ledger_task_key(&ledger->keys, tasks[i], keys[i][0]);
        ledger_attempts_key(&ledger->keys, tasks[i], keys[i][1]);
        add_key(&call, keys[i][0]);
        add_key(&call, keys[i][1]);
    }
    snprintf(count, sizeof(count), "%zu", worker_count);
    add(&call, repair ? "1" : "0");
    add(&call, "100");
    add(&call, count);
    for (size_t i = 0; i < worker_count; i++)
        add(&call, workers[i]);
    for (size_t i = 0; i < task_count; i++)
        add(&call, tasks[i]);
    return finish(&call, ledger, reply, data);
}
