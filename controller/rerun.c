/* Only the choice is made here; that all of it is one step, and what is carried forward, is the script's. */
#include "controller/rerun.h"

#include "shared/memory.h"

int rerun_send(struct ledger *ledger, const char *me, const struct plan *plan, const struct board *board,
               unsigned states, ledger_reply_fn *reply, void *data)
{
    size_t total = board_total(board), count = 0;
    auto_free char(*keys)[TASK_KEY_SIZE] = memory_zeroed(total, sizeof(*keys));
    auto_free const char **tasks = memory_zeroed(total, sizeof(*tasks));
    for (size_t i = 0; i < total; i++) {
        if ((states & 1u << board_task(board, i)->state) == 0)
            continue;
        plan_key(plan, i, keys[count]);
        tasks[count] = keys[count];
        count++;
    }
    return ledger_rerun(ledger, me, tasks, count, reply, data);
}
