/* Every key name, and only here. ARCHITECTURE.md says who writes which. */
#pragma once
#include <stddef.h>

#include "shared/error.h"

enum { LEDGER_PREFIX_LIMIT = 64, LEDGER_KEY_SIZE = 512 };

/* First the keys that a run has one of. */
enum ledger_key {
    LEDGER_RUNMETA,
    LEDGER_TASKQUEUE,
    LEDGER_RUN,
    LEDGER_ORDER,
    LEDGER_OVERRIDES,
    LEDGER_CLAIMS,
    LEDGER_SETTLED,
    LEDGER_CRASHES,
    LEDGER_FAILURES,
    LEDGER_RELEASES,
    LEDGER_DECLINED,
    LEDGER_DETAILS,
    LEDGER_WORKERS,
    LEDGER_GRAVES,
    LEDGER_CONTROLLER,
    LEDGER_EVENTS,
    LEDGER_SIGNALS,
    LEDGER_HISTORY,
    LEDGER_KEYS,
    /* Of one task, or of one worker. */
    LEDGER_TASK = LEDGER_KEYS,
    LEDGER_ATTEMPTS,
    LEDGER_LOGS,
    LEDGER_WORKER,
    LEDGER_PROCESSING,
    LEDGER_KEY_KINDS,
};

struct ledger_keys {
    char prefix[LEDGER_PREFIX_LIMIT + 1];
    char names[LEDGER_KEYS][LEDGER_PREFIX_LIMIT + 40];
};

/* -1: the prefix is longer than LEDGER_PREFIX_LIMIT bytes. */
int ledger_keys_init(struct ledger_keys *keys, const char *prefix, struct error *err);

/* As the heads of the scripts call it: "run", "processing". */
const char *ledger_key_word(enum ledger_key kind);

/*
 * The key of one task ("task:<group>:<i>") or one worker, or one of the run's, for which the name doesn't matter. It
 * holds every name that a task or worker can have. A longer one, which somebody has put into Redis, is cut: then the
 * key is nobody's, because all of ours are shorter.
 */
void ledger_key_build(const struct ledger_keys *keys, enum ledger_key kind, const char *name,
                      char key[LEDGER_KEY_SIZE]);
