/* Which tasks are put back when what didn't pass is run again, for the API and for --rerun. */
#pragma once
#include "controller/board.h"
#include "controller/plan.h"
#include "shared/ledger.h"

/* Those in one of these states, a bit set of enum board_state, in one call. 0, or -1: the link isn't up. */
int rerun_send(struct ledger *ledger, const char *me, const struct plan *plan, const struct board *board,
               unsigned states, ledger_reply_fn *reply, void *data);
