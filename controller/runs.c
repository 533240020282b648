/* They are kept as JSON by whoever archived them, and are passed on as they are. */
#include "controller/runs.h"

#include "shared/buffer.h"

enum { HISTORY_SHOWN = 100 };

static void on_history(void *data, const struct ledger_reply *reply)
{
    struct board *board = data;
    if (ledger_list_count(reply) == 0)
        return;
    auto_buffer list = {0};
    buffer_text(&list, "[");
    for (size_t i = 0; i < ledger_list_count(reply); i++) {
        const char *summary = ledger_field(reply, i);
        buffer_format(&list, "%s%s", i ? "," : "", summary ? summary : "{}");
    }
    buffer_text(&list, "]");
    board_set_history(board, list.data);
}

void runs_read(struct ledger *ledger, struct board *board)
{
    ledger_ask_history(ledger, HISTORY_SHOWN, on_history, board);
}
