/* The summaries of earlier runs, newest first, as the board shows them. */
#pragma once
#include "controller/board.h"
#include "shared/ledger.h"

/* Asks for them; the board has them when Redis has answered, and must live until then. */
void runs_read(struct ledger *ledger, struct board *board);
