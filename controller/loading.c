/* Chunks are sent ahead of their answers: waiting for each would take longer than Redis' work. */
#include "controller/loading.h"

#include <stdlib.h>

#include "controller/step.h"
#include "shared/memory.h"

enum {
    CHUNK = 256, /* tasks in one script: a fraction of a millisecond of the server's time */
    CHUNKS_IN_FLIGHT = 8,
};

static void enqueue_more(struct loading *l);

static void on_enqueued(void *data, const struct ledger_reply *reply)
{
    struct loading *l = step_end(data);
    if (l == NULL || l->events.is_over(l->data, reply))
        return;
    l->in_flight--;
    if (reply->outcome == LEDGER_AT)
        l->must_rewind = true;
    l->loaded = ledger_count(reply);
    enqueue_more(l);
}

static void enqueue_chunk(struct loading *l, size_t count)
{
    auto_free struct ledger_entry *entries = memory_zeroed(count, sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        const struct plan_task *task = &l->plan->tasks[l->sent + i];
        plan_key(l->plan, l->sent + i, entries[i].key);
        entries[i].spec = task->spec;
        entries[i].viewport = task->viewport;
        entries[i].browser = task->browser;
        entries[i].runner = task->runner;
        entries[i].overrides = task->overrides;
    }
    struct step *step = step_new(l, &l->round);
    if (ledger_enqueue(l->ledger, l->me, l->digest, l->sent, entries, count, on_enqueued, step) < 0)
        free(step);
    l->sent += count;
    l->in_flight++;
}

static void enqueue_more(struct loading *l)
{
    if (l->must_rewind) { /* a resumed run has some of them already */
        if (l->in_flight > 0)
            return;
        l->sent = l->loaded;
        l->must_rewind = false;
    }
    while (l->in_flight < CHUNKS_IN_FLIGHT && l->sent < l->plan->task_count) {
        size_t left = l->plan->task_count - l->sent;
        enqueue_chunk(l, left < CHUNK ? left : CHUNK);
    }
    if (l->in_flight > 0 || l->loaded < l->plan->task_count)
        return;
    l->events.on_loaded(l->data);
}

void loading_init(struct loading *l, struct ledger *ledger, const char *me, const char *digest,
                  const struct plan *plan, const struct loading_events *events, void *data)
{
    *l =
        (struct loading){.ledger = ledger, .me = me, .digest = digest, .plan = plan, .events = *events, .data = data};
}

void loading_start(struct loading *l)
{
    l->loaded = l->sent = l->in_flight = 0;
    l->must_rewind = false;
    enqueue_more(l);
}

void loading_stop(struct loading *l)
{
    l->round++;
}
