/* While a run is being purged, its successor isn't known yet: then it is asked again. */
#include "controller/successor.h"

#include <string.h>

static void on_successor(void *data, const struct ledger_reply *reply)
{
    struct successor *s = data;
    const char *id = ledger_field(reply, 0), *state = ledger_field(reply, 1);
    if (id == NULL || state == NULL || s->is_told)
        return;
    if (strcmp(id, s->ours) == 0 && strcmp(state, "purging") == 0)
        return;
    s->is_told = true;
    s->on_known(s->data, id);
}

void successor_init(struct successor *s, struct ledger *ledger, void (*on_known)(void *data, const char *run_id),
                    void *data)
{
    *s = (struct successor){.ledger = ledger, .on_known = on_known, .data = data};
}

void successor_ask(struct successor *s, const char *ours)
{
    s->ours = ours;
    if (!s->is_told)
        ledger_ask_run(s->ledger, (const char *const[]){"id", "state"}, 2, on_successor, s);
}
