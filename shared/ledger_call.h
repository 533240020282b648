/*
 * One call of the ledger on its way to the server: for the ledger's own files, nobody else includes this.
 *
 * A call of a script gets its keys from the script's row and the worker and task that it is about; texts that are
 * added are borrowed until it is sent. Sending frees it. A script that the server doesn't know is taught.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "shared/buffer.h"
#include "shared/ledger.h"
#include "shared/ledger_script.h"

struct ledger_call {
    struct ledger *ledger;
    const struct ledger_script_row *script;
    struct ledger_argument {
        const char *text; /* NULL: in `made`, from `offset` on */
        size_t offset, length;
    } * arguments; /* EVALSHA, digest, number of keys, keys, arguments */
    size_t count, capacity, key_count;
    struct buffer made; /* texts that were made for this call */
};

/* `worker`, `task`: whose keys the row names; NULL: of none. */
void ledger_call_start(struct ledger_call *call, struct ledger *ledger, enum ledger_script script, const char *worker,
                       const char *task);

/* The keys of one more worker or task: list `repeat` of the row's more_keys. Keys come before arguments. */
void ledger_call_add_keys(struct ledger_call *call, size_t repeat, const char *name);

void ledger_call_add(struct ledger_call *call, const char *text);
void ledger_call_add_bytes(struct ledger_call *call, const char *bytes, size_t length);
void ledger_call_add_number(struct ledger_call *call, int64_t number);

int ledger_call_send(struct ledger_call *call, ledger_reply_fn *reply, void *data);

/* A command that is no script. `link`: one of its own if it blocks; `wait_ms`: for how long. OK: it isn't refused. */
int ledger_call_command(struct ledger *ledger, struct redis_link *link, unsigned wait_ms, ledger_reply_fn *reply,
                        void *data, size_t argc, const char *const *argv);
