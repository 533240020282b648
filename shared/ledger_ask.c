/* What is read as it stands, without a script: one command each. And the three that block, on a link of their own. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "shared/ledger_call.h"

enum {
    FIELDS_MAX = 32,
    EVENTS_AT_ONCE = 1000,
    EVENTS_WAIT_MS = 10000,
    SIGNALS_WAIT_MS = 20000,
    POP_WAIT_S = 5, /* Redis 5 takes whole seconds */
};

#define ASK(ledger, reply, data, ...) ASK_ON((ledger)->link, 0, ledger, reply, data, __VA_ARGS__)
#define ASK_ON(link, wait_ms, ledger, reply, data, ...)                                                              \
    ledger_call_command(ledger, link, wait_ms, reply, data, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),  \
                        (const char *[]){__VA_ARGS__})

static const char *key_of(const struct ledger *ledger, enum ledger_key key)
{
    return ledger->keys.names[key];
}

/* ---- fields ---- */

static int ask_fields(struct ledger *ledger, const char *key, const char *const *fields, size_t count,
                      ledger_reply_fn *reply, void *data)
{
    const char *argv[2 + FIELDS_MAX] = {"HMGET", key};
    assert(count <= FIELDS_MAX);
    memcpy(argv + 2, fields, count * sizeof(*fields));
    return ledger_call_command(ledger, ledger->link, 0, reply, data, 2 + count, argv);
}

int ledger_ask_run(struct ledger *ledger, const char *const *fields, size_t count, ledger_reply_fn *reply, void *data)
{
    return ask_fields(ledger, key_of(ledger, LEDGER_RUN), fields, count, reply, data);
}

int ledger_ask_task(struct ledger *ledger, const char *task, const char *const *fields, size_t count,
                    ledger_reply_fn *reply, void *data)
{
    char key[LEDGER_KEY_SIZE];
    ledger_key_build(&ledger->keys, LEDGER_TASK, task, key);
    return ask_fields(ledger, key, fields, count, reply, data);
}

int ledger_ask_worker(struct ledger *ledger, const char *worker, const char *field, ledger_reply_fn *reply,
                      void *data)
{
    char key[LEDGER_KEY_SIZE];
    ledger_key_build(&ledger->keys, LEDGER_WORKER, worker, key);
    return ASK(ledger, reply, data, "HGET", key, field);
}

int ledger_ask_details(struct ledger *ledger, const char *task, ledger_reply_fn *reply, void *data)
{
    return ASK(ledger, reply, data, "HGET", key_of(ledger, LEDGER_DETAILS), task);
}

int ledger_ask_log(struct ledger *ledger, const char *task, unsigned attempt, ledger_reply_fn *reply, void *data)
{
    char key[LEDGER_KEY_SIZE], number[16];
    ledger_key_build(&ledger->keys, LEDGER_LOGS, task, key);
    snprintf(number, sizeof(number), "%u", attempt);
    return ASK(ledger, reply, data, "HGET", key, number);
}

int ledger_ask_remaining(struct ledger *ledger, ledger_reply_fn *reply, void *data)
{
    return ASK(ledger, reply, data, "HGET", key_of(ledger, LEDGER_RUNMETA), "tasksremaining");
}

/* ---- lists ---- */

static int ask_range(struct ledger *ledger, const char *key, long first, long last, ledger_reply_fn *reply,
                     void *data)
{
    char from[24], to[24];
    snprintf(from, sizeof(from), "%ld", first);
    snprintf(to, sizeof(to), "%ld", last);
    return ASK(ledger, reply, data, "LRANGE", key, from, to);
}

int ledger_ask_order(struct ledger *ledger, size_t most, ledger_reply_fn *reply, void *data)
{
    return ask_range(ledger, key_of(ledger, LEDGER_ORDER), 0, (long)most - 1, reply, data);
}

int ledger_ask_history(struct ledger *ledger, size_t most, ledger_reply_fn *reply, void *data)
{
    return ask_range(ledger, key_of(ledger, LEDGER_HISTORY), 0, (long)most - 1, reply, data);
}

int ledger_ask_queue(struct ledger *ledger, size_t most, ledger_reply_fn *reply, void *data)
{
    return ask_range(ledger, key_of(ledger, LEDGER_TASKQUEUE), -(long)most, -1, reply, data);
}

int ledger_ask_processing(struct ledger *ledger, const char *worker, ledger_reply_fn *reply, void *data)
{
    char key[LEDGER_KEY_SIZE];
    ledger_key_build(&ledger->keys, LEDGER_PROCESSING, worker, key);
    return ask_range(ledger, key, 0, -1, reply, data);
}

int ledger_ask_attempts(struct ledger *ledger, const char *task, ledger_reply_fn *reply, void *data)
{
    char key[LEDGER_KEY_SIZE];
    ledger_key_build(&ledger->keys, LEDGER_ATTEMPTS, task, key);
    return ask_range(ledger, key, 0, -1, reply, data);
}

int ledger_ask_workers(struct ledger *ledger, ledger_reply_fn *reply, void *data)
{
    return ASK(ledger, reply, data, "ZRANGE", key_of(ledger, LEDGER_WORKERS), "0", "-1");
}

int ledger_ask_graves(struct ledger *ledger, ledger_reply_fn *reply, void *data)
{
    return ASK(ledger, reply, data, "ZRANGE", key_of(ledger, LEDGER_GRAVES), "0", "-1");
}

/* ---- numbers ---- */

int ledger_ask_queue_length(struct ledger *ledger, ledger_reply_fn *reply, void *data)
{
    return ASK(ledger, reply, data, "LLEN", key_of(ledger, LEDGER_TASKQUEUE));
}

int ledger_ask_processing_length(struct ledger *ledger, const char *worker, ledger_reply_fn *reply, void *data)
{
    char key[LEDGER_KEY_SIZE];
    ledger_key_build(&ledger->keys, LEDGER_PROCESSING, worker, key);
    return ASK(ledger, reply, data, "LLEN", key);
}

int ledger_ask_time(struct ledger *ledger, ledger_reply_fn *reply, void *data)
{
    return ASK(ledger, reply, data, "TIME");
}

/* ---- streams, and the pop ---- */

int ledger_ask_last_event(struct ledger *ledger, ledger_reply_fn *reply, void *data)
{
    return ASK(ledger, reply, data, "XREVRANGE", key_of(ledger, LEDGER_EVENTS), "+", "-", "COUNT", "1");
}

int ledger_follow_events(struct ledger *ledger, struct redis_link *link, const char *after, ledger_reply_fn *reply,
                         void *data)
{
    char count[16], block[16];
    snprintf(count, sizeof(count), "%d", EVENTS_AT_ONCE);
    snprintf(block, sizeof(block), "%d", EVENTS_WAIT_MS);
    return ASK_ON(link, EVENTS_WAIT_MS, ledger, reply, data, "XREAD", "COUNT", count, "BLOCK", block, "STREAMS",
                  key_of(ledger, LEDGER_EVENTS), after);
}

int ledger_follow_signals(struct ledger *ledger, struct redis_link *link, const char *after, ledger_reply_fn *reply,
                          void *data)
{
    char block[16];
    snprintf(block, sizeof(block), "%d", SIGNALS_WAIT_MS);
    return ASK_ON(link, SIGNALS_WAIT_MS, ledger, reply, data, "XREAD", "BLOCK", block, "STREAMS",
                  key_of(ledger, LEDGER_SIGNALS), after);
}

int ledger_pop(struct ledger *ledger, struct redis_link *link, const char *worker, ledger_reply_fn *reply, void *data)
{
    char key[LEDGER_KEY_SIZE], timeout[8];
    ledger_key_build(&ledger->keys, LEDGER_PROCESSING, worker, key);
    snprintf(timeout, sizeof(timeout), "%d", POP_WAIT_S);
    return ASK_ON(link, POP_WAIT_S * 1000, ledger, reply, data, "BRPOPLPUSH", key_of(ledger, LEDGER_TASKQUEUE), key,
                  timeout);
}
