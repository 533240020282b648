/*
 * One chunk of the queue is asked for and cancelled at a time, each task by its name. What begins to wait meanwhile
 * is found at the next poke, which the owner gives with every change.
 */
#include "controller/canceller.h"

#include "shared/memory.h"

enum { CHUNK = 500 };

void canceller_init(struct canceller *c, struct ledger *ledger, const char *me)
{
    *c = (struct canceller){.ledger = ledger, .me = me};
}

static void on_cancelled(void *data, const struct ledger_reply *reply)
{
    struct canceller *c = data;
    c->is_asking = false;
    if (reply->outcome == LEDGER_OK && ledger_count(reply) > 0)
        canceller_poke(c);
}

/* The right end of the queue, asked for so that each task can be named. */
static void on_queue(void *data, const struct ledger_reply *reply)
{
    struct canceller *c = data;
    size_t count = ledger_list_count(reply);
    auto_free const char **tasks = memory_zeroed(count + 1, sizeof(*tasks));
    for (size_t i = 0; i < count; i++)
        tasks[i] = ledger_list_text(reply, count - 1 - i);
    if (reply->outcome != LEDGER_OK || c->reason[0] == '\0' ||
        ledger_cancel(c->ledger, c->me, c->kind, c->reason, tasks, count, on_cancelled, c) < 0)
        c->is_asking = false;
}

void canceller_poke(struct canceller *c)
{
    if (c->reason[0] == '\0' || c->is_asking)
        return;
    c->is_asking = ledger_ask_queue(c->ledger, CHUNK, on_queue, c) == 0;
}

void canceller_start(struct canceller *c, enum cancel_kind kind, const char *reason)
{
    if (c->reason[0] == '\0') {
        c->kind = kind;
        memory_copy_text(c->reason, sizeof(c->reason), reason);
    }
    canceller_poke(c);
}

void canceller_stop(struct canceller *c)
{
    c->reason[0] = '\0';
}
