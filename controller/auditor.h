/*
 * Has the run audited. The script must be told every worker by name, so the workers are asked for first, and again
 * when one has joined in between.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/ledger.h"

/*
 * `tasks` are borrowed until the reply, which is that of ledger_audit() without BUSY. 0, or -1 if the link isn't up:
 * then `reply` is never called.
 */
int auditor_ask(struct ledger *ledger, bool repair, const char *const *tasks, size_t task_count,
                ledger_reply_fn *reply, void *data);
