/* The run's own list names its tasks, which are taken from its front: whoever continues finds what is left. */
#include "controller/clearing.h"

#include <stdlib.h>

#include "controller/replaced_run.h"
#include "controller/step.h"
#include "shared/memory.h"

enum { CHUNK = 256 }; /* tasks in one script: a fraction of a millisecond of the server's time */

static void purge_next(struct clearing *c);

static void on_purged(void *data, const struct ledger_reply *reply)
{
    struct clearing *c = step_end(data);
    if (c && !c->events.is_over(c->data, reply))
        purge_next(c);
}

static void on_purge_order(void *data, const struct ledger_reply *reply)
{
    struct clearing *c = step_end(data);
    size_t count = ledger_list_count(reply);
    if (c == NULL || c->events.is_over(c->data, reply))
        return;
    if (count == 0) {
        c->events.on_cleared(c->data);
        return;
    }
    auto_free const char **tasks = memory_zeroed(count, sizeof(*tasks));
    for (size_t i = 0; i < count; i++)
        tasks[i] = ledger_list_text(reply, i);
    struct step *step = step_new(c, &c->round);
    if (ledger_purge(c->ledger, c->me, tasks, count, on_purged, step) < 0)
        free(step);
}

static void purge_next(struct clearing *c)
{
    struct step *step = step_new(c, &c->round);
    if (ledger_ask_order(c->ledger, CHUNK, on_purge_order, step) < 0)
        free(step);
}

static void on_archived(void *data, const struct ledger_reply *reply)
{
    struct clearing *c = step_end(data);
    if (c == NULL || c->events.is_over(c->data, reply))
        return;
    if (reply->outcome == LEDGER_OCCUPIED) {
        c->events.on_occupied(c->data);
        return;
    }
    c->events.on_archived(c->data);
    purge_next(c);
}

static void on_old_run(void *data, const struct ledger_reply *reply)
{
    struct clearing *c = step_end(data);
    const char *old[OLD_FIELDS];
    if (c == NULL || c->events.is_over(c->data, reply))
        return;
    for (size_t i = 0; i < OLD_FIELDS; i++)
        old[i] = ledger_field(reply, i);
    auto_buffer summary = {0};
    replaced_run_add_summary(&summary, old);
    struct step *step = step_new(c, &c->round);
    if (ledger_archive(c->ledger, c->me, summary.data, on_archived, step) < 0)
        free(step);
}

void clearing_start(struct clearing *c)
{
    struct step *step = step_new(c, &c->round);
    if (ledger_ask_run(c->ledger, replaced_run_fields, OLD_FIELDS, on_old_run, step) < 0)
        free(step);
}

void clearing_init(struct clearing *c, struct ledger *ledger, const char *me, const struct clearing_events *events,
                   void *data)
{
    *c = (struct clearing){.ledger = ledger, .me = me, .events = *events, .data = data};
}

void clearing_stop(struct clearing *c)
{
    c->round++;
}
