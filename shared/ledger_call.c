/*
 * How the ledger speaks with the server: builds calls, translates what comes back into outcomes, and teaches the
 * server scripts that it doesn't know. What is asked, and of which keys, is its other files' affair.
 */
#include "shared/ledger_call.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_scripts.h"
#include "shared/clock.h"
#include "shared/memory.h"
#include "shared/redis_reply.h"

/* Nothing takes long; what isn't answered by then is a lost link. */
enum { ANSWER_TIMEOUT_MS = 10000 };

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

int ledger_init(struct ledger *ledger, struct redis_link *link, const char *prefix, struct error *err)
{
    assert(ledger_scripts_count <= sizeof(ledger->digests) / sizeof(ledger->digests[0]));
    *ledger = (struct ledger){.link = link};
    for (size_t i = 0; i < ledger_scripts_count; i++)
        snprintf(ledger->digests[i], sizeof(ledger->digests[i]), "%s", ledger_scripts[i].sha1);
    return ledger_keys_init(&ledger->keys, prefix, err);
}

/* ---- replies ---- */

struct pending {
    struct ledger *ledger;
    uint64_t sent_ms;
    ledger_reply_fn *reply;
    void *data;
};

static struct pending *new_pending(struct ledger *ledger, ledger_reply_fn *reply, void *data)
{
    struct pending *p = memory_zeroed(1, sizeof(*p));
    *p = (struct pending){ledger, clock_mono_ms(), reply, data};
    return p;
}

static void translate(const struct redisReply *raw, struct ledger_reply *reply)
{
    const char *word = redis_reply_text(redis_reply_at(raw, 0));
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
    struct ledger_reply reply = {.outcome = LEDGER_LOST, .raw = raw, .sent_ms = p.sent_ms};
    translate(raw, &reply);
    /* Its first start, SCRIPT FLUSH, or a fail-over to a server that never saw them; the owner sends again. */
    if (reply.outcome == LEDGER_TROUBLE && strncmp(reply.text, "NOSCRIPT", 8) == 0) {
        if (p.ledger->may_not_teach)
            reply.text = "the scripts aren't loaded, and this user may not load them; wanted a controller of this "
                         "version, which does";
        else
            reply.is_taught = load(p.ledger, redis_link_try, NULL, NULL) == 0;
    }
    p.reply(p.data, &reply);
}

static void on_answer(void *data, const struct redisReply *raw)
{
    struct pending p = *(struct pending *)data;
    free(data);
    const char *refusal = redis_reply_error(raw);
    const struct ledger_reply reply = {
        .outcome = raw == NULL ? LEDGER_LOST
                   : refusal   ? LEDGER_TROUBLE
                               : LEDGER_OK,
        .text = refusal,
        .raw = raw,
        .sent_ms = p.sent_ms,
    };
    p.reply(p.data, &reply);
}

int ledger_call_command(struct ledger *ledger, struct redis_link *link, unsigned wait_ms, ledger_reply_fn *reply,
                        void *data, size_t argc, const char *const *argv)
{
    struct pending *p = new_pending(ledger, reply, data);
    int sent = redis_link_send(link, wait_ms + ANSWER_TIMEOUT_MS, on_answer, p, (int)argc, argv, NULL);
    if (sent < 0)
        free(p);
    return sent;
}

/* ---- calls of scripts ---- */

static void add(struct ledger_call *call, struct ledger_argument argument)
{
    if (call->count == call->capacity) {
        call->capacity = call->capacity ? call->capacity * 2 : 32;
        call->arguments = memory_resize(call->arguments, call->capacity, sizeof(*call->arguments));
    }
    call->arguments[call->count++] = argument;
}

static void add_made(struct ledger_call *call, const char *text)
{
    size_t length = strlen(text);
    add(call, (struct ledger_argument){NULL, call->made.length, length});
    buffer_add(&call->made, text, length);
}

void ledger_call_add_bytes(struct ledger_call *call, const char *bytes, size_t length)
{
    add(call, (struct ledger_argument){bytes, 0, length});
}

void ledger_call_add(struct ledger_call *call, const char *text)
{
    ledger_call_add_bytes(call, text, strlen(text));
}

void ledger_call_add_number(struct ledger_call *call, int64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, number);
    add_made(call, text);
}

static void add_key(struct ledger_call *call, enum ledger_key kind, const char *name)
{
    char key[LEDGER_KEY_SIZE];
    if (kind < LEDGER_KEYS) {
        ledger_call_add(call, call->ledger->keys.names[kind]);
        return;
    }
    ledger_key_build(&call->ledger->keys, kind, name, key);
    add_made(call, key);
}

static size_t script_index(const char *name)
{
    for (size_t i = 0; i < ledger_scripts_count; i++)
        if (strncmp(ledger_scripts[i].path, name, strlen(name)) == 0 && ledger_scripts[i].path[strlen(name)] == '.')
            return i;
    abort(); /* a name that isn't in lua/ */
}

enum { KEY_COUNT = 2, FIRST_KEY }; /* places in the command */

void ledger_call_start(struct ledger_call *call, struct ledger *ledger, enum ledger_script script, const char *worker,
                       const char *task)
{
    const struct ledger_script_row *row = &ledger_script_rows[script];
    *call = (struct ledger_call){.ledger = ledger, .script = row, .key_count = row->keys.count};
    ledger_call_add(call, "EVALSHA");
    ledger_call_add(call, ledger->digests[script_index(row->name)]);
    ledger_call_add(call, "");
    for (size_t i = 0; i < row->keys.count; i++) {
        enum ledger_key kind = row->keys.kinds[i];
        add_key(call, kind, kind >= LEDGER_WORKER ? worker : task);
    }
}

void ledger_call_add_keys(struct ledger_call *call, size_t repeat, const char *name)
{
    const struct ledger_key_list *keys = &call->script->more_keys[repeat];
    assert(call->count == FIRST_KEY + call->key_count);
    for (size_t i = 0; i < keys->count; i++)
        add_key(call, keys->kinds[i], name);
    call->key_count += keys->count;
}

/* The arguments as hiredis wants them. */
static int send_call(struct ledger_call *call, struct pending *p)
{
    auto_free const char **argv = memory_zeroed(call->count, sizeof(*argv));
    auto_free size_t *lengths = memory_zeroed(call->count, sizeof(*lengths));
    for (size_t i = 0; i < call->count; i++) {
        const struct ledger_argument *argument = &call->arguments[i];
        argv[i] = argument->text ? argument->text : call->made.data + argument->offset;
        lengths[i] = argument->length;
    }
    return redis_link_send(call->ledger->link, ANSWER_TIMEOUT_MS, on_reply, p, (int)call->count, argv, lengths);
}

int ledger_call_send(struct ledger_call *call, ledger_reply_fn *reply, void *data)
{
    char key_count[24];
    size_t arguments = call->count - FIRST_KEY - call->key_count;
    assert(arguments == call->script->arguments ||
           (call->script->more_arguments[0] > 0 && arguments > call->script->arguments));
    int length = snprintf(key_count, sizeof(key_count), "%zu", call->key_count);
    call->arguments[KEY_COUNT] = (struct ledger_argument){key_count, 0, (size_t)length};
    struct pending *p = new_pending(call->ledger, reply, data);
    int sent = send_call(call, p);
    if (sent < 0)
        free(p);
    free(call->arguments);
    buffer_close(&call->made);
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
        sent = send(ledger->link, ANSWER_TIMEOUT_MS, on_loaded, l, 3, argv, NULL);
        if (sent < 0)
            free(l);
    }
    return sent;
}

int ledger_load(struct ledger *ledger, ledger_reply_fn *reply, void *data)
{
    return load(ledger, redis_link_send, reply, data);
}
