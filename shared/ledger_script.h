/*
 * One row a script: which keys it is given in which order, and how many arguments. The head of each lua/<name>.lua
 * says the same in words, and a test compares the two, so that nobody can add a key in one place only.
 */
#pragma once
#include <stddef.h>

#include "shared/ledger_keys.h"

enum ledger_script {
    LEDGER_SCRIPT_ACQUIRE,
    LEDGER_SCRIPT_ARCHIVE,
    LEDGER_SCRIPT_AUDIT,
    LEDGER_SCRIPT_BEGIN,
    LEDGER_SCRIPT_BURY,
    LEDGER_SCRIPT_CANCEL,
    LEDGER_SCRIPT_CLAIM,
    LEDGER_SCRIPT_ENQUEUE,
    LEDGER_SCRIPT_HOLD,
    LEDGER_SCRIPT_LOG,
    LEDGER_SCRIPT_OPEN,
    LEDGER_SCRIPT_OVERDUE,
    LEDGER_SCRIPT_PURGE,
    LEDGER_SCRIPT_RECLAIM,
    LEDGER_SCRIPT_REGISTER,
    LEDGER_SCRIPT_RELEASE,
    LEDGER_SCRIPT_RENEW,
    LEDGER_SCRIPT_RERUN,
    LEDGER_SCRIPT_RESTORE,
    LEDGER_SCRIPT_SETTLE,
    LEDGER_SCRIPT_SUMMARIZE,
    LEDGER_SCRIPTS,
};

enum { LEDGER_SCRIPT_REPEATS = 2 };

struct ledger_key_list {
    const enum ledger_key *kinds;
    size_t count;
};

struct ledger_script_row {
    const char *name;
    struct ledger_key_list keys;
    struct ledger_key_list more_keys[LEDGER_SCRIPT_REPEATS]; /* then these for each worker, or task, that is named */
    size_t arguments;
    size_t more_arguments[LEDGER_SCRIPT_REPEATS]; /* then so many for each */
};
extern const struct ledger_script_row ledger_script_rows[LEDGER_SCRIPTS];
