/* Every key name, and only here. ARCHITECTURE.md says who writes which. */
#pragma once
#include <stddef.h>

#include "shared/error.h"

enum { LEDGER_PREFIX_LIMIT = 64, LEDGER_KEY_SIZE = 512 };

/* The keys that a run has one of. */
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
};

struct ledger_keys {
    char prefix[LEDGER_PREFIX_LIMIT + 1];
    char names[LEDGER_KEYS][LEDGER_PREFIX_LIMIT + 40];
};

/* -1: the prefix is longer than LEDGER_PREFIX_LIMIT bytes. */
int ledger_keys_init(struct ledger_keys *keys, const char *prefix, struct error *err);

/*
 * Keys of one task ("task:<group>:<i>") or one worker. They hold every name that a task or worker can have. A longer
 * one, which somebody has put into Redis, is cut: then the key is nobody's, because all of ours are shorter.
 */
void ledger_task_key(const struct ledger_keys *keys, const char *task, char key[LEDGER_KEY_SIZE]);
void ledger_attempts_key(const struct ledger_keys *keys, const char *task, char key[LEDGER_KEY_SIZE]);
void ledger_logs_key(const struct ledger_keys *keys, const char *task, char key[LEDGER_KEY_SIZE]);
void ledger_worker_key(const struct ledger_keys *keys, const char *worker, char key[LEDGER_KEY_SIZE]);
void ledger_processing_key(const struct ledger_keys *keys, const char *worker, char key[LEDGER_KEY_SIZE]);
