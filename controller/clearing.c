/* Which tasks there are the run's own list says, from whose front they are taken: whoever goes on finds what is left. */
#include "controller/clearing.h"

#include <stdlib.h>

#include "controller/replaced_run.h"
#include "shared/memory.h"

enum { CHUNK = 256 }; /* tasks in one script: a fraction of a millisecond of the server's time */

static void purge_next(struct clearing *c);

/* The callbacks of one start carry its round, so that answers which came too late can be told. */
struct step {
    struct clearing *clearing;
    unsigned round;
};

static struct step *new_step(struct clearing *c)
{
    struct step *step = memory_zeroed(1, sizeof(*step));
    *step = (struct step){c, c->round};
    return step;
}

/* The clearing if the answer is still wanted; frees the step. */
static struct clearing *end_step(void *data)
{
    struct step step = *(struct step *)data;
    free(data);
    return step.round == step.clearing->round ? step.clearing : NULL;
}

static void on_purged(void *data, const struct ledger_reply *reply)
{
    struct clearing *c = end_step(data);
    if (c && !c->events.is_over(c->data, reply))
        purge_next(c);
}

static void on_purge_order(void *data, const struct ledger_reply *reply)
{
    struct clearing *c = end_step(data);
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
    struct step *step = new_step(c);
    if (ledger_purge(c->ledger, c->me, tasks, count, on_purged, step) < 0)
        free(step);
}

static void purge_next(struct clearing *c)
{
    struct step *step = new_step(c);
    if (ledger_ask_order(c->ledger, CHUNK, on_purge_order, step) < 0)
        free(step);
}

static void on_archived(void *data, const struct ledger_reply *reply)
{
    struct clearing *c = end_step(data);
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
    struct clearing *c = end_step(data);
    const char *old[OLD_FIELDS];
    if (c == NULL || c->events.is_over(c->data, reply))
        return;
    for (size_t i = 0; i < OLD_FIELDS; i++)
        old[i] = ledger_field(reply, i);
    auto_buffer summary = {0};
    replaced_run_add_summary(&summary, old);
    struct step *step = new_step(c);
    if (ledger_archive(c->ledger, c->me, summary.data, on_archived, step) < 0)
        free(step);
}

void clearing_start(struct clearing *c)
{
    struct step *step = new_step(c);
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
