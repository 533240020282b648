#include "controller/canceller.h"

#include <stdio.h>

#include "shared/memory.h"
#include "shared/redis_reply.h"

enum { CHUNK = 500, COMMAND_TIMEOUT_MS = 10000 };

void canceller_init(struct canceller *c, struct ledger *ledger, const char *me)
{
    *c = (struct canceller){.ledger = ledger, .me = me};
}

static void on_cancelled(void *data, const struct ledger_reply *reply)
{
    struct canceller *c = data;
    c->is_asking = false;
    if (reply->outcome == LEDGER_OK && ledger_number(reply, 1) > 0)
        canceller_poke(c);
}

/* The right end of the queue, asked for so that each task can be named. */
static void on_queue(void *data, const struct redisReply *reply)
{
    struct canceller *c = data;
    size_t count = redis_reply_count(reply);
    auto_free const char **tasks = memory_zeroed(count + 1, sizeof(*tasks));
    for (size_t i = 0; i < count; i++)
        tasks[i] = redis_reply_text(redis_reply_at(reply, count - 1 - i));
    if (reply == NULL || redis_reply_error(reply) || c->reason[0] == '\0' ||
        ledger_cancel(c->ledger, c->me, c->kind, c->reason, tasks, count, on_cancelled, c) < 0)
        c->is_asking = false;
}

void canceller_poke(struct canceller *c)
{
    char first[16];
    if (c->reason[0] == '\0' || c->is_asking)
        return;
    snprintf(first, sizeof(first), "-%d", CHUNK);
    const char *argv[] = {"LRANGE", c->ledger->keys.names[LEDGER_TASKQUEUE], first, "-1"};
    c->is_asking = redis_link_send(c->ledger->link, COMMAND_TIMEOUT_MS, on_queue, c, 4, argv, NULL) == 0;
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
