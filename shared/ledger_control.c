/*
 * What the controller does: becomes the one controller, begins, fills, opens and ends a run, takes back what the dead
 * held, holds the run against its promises.
 */
#include "shared/ledger.h"

#include <stdlib.h>

#include "shared/ledger_call.h"
#include "shared/memory.h"

static void add_keys(struct ledger_call *call, size_t repeat, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ledger_call_add_keys(call, repeat, names[i]);
}

static void add_all(struct ledger_call *call, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ledger_call_add(call, texts[i]);
}

static void add_flag(struct ledger_call *call, bool flag)
{
    ledger_call_add(call, flag ? "1" : "0");
}

/* Of a script that is about the whole run. */
static void start(struct ledger_call *call, struct ledger *ledger, enum ledger_script script)
{
    ledger_call_start(call, ledger, script, NULL, NULL);
}

int ledger_acquire(struct ledger *ledger, const struct ledger_acquisition *a, ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    start(&call, ledger, LEDGER_SCRIPT_ACQUIRE);
    for (size_t i = 0; i < a->dead_count; i++)
        ledger_call_add_keys(&call, 0, a->dead_workers[i].worker);
    ledger_call_add(&call, a->me);
    ledger_call_add_number(&call, a->lease_ms);
    ledger_call_add(&call, a->digest);
    ledger_call_add(&call, a->run_id);
    ledger_call_add(&call, a->source);
    add_flag(&call, a->is_fresh);
    add_flag(&call, a->is_again);
    ledger_call_add(&call, a->dead);
    for (size_t i = 0; i < a->dead_count; i++) {
        ledger_call_add(&call, a->dead_workers[i].worker);
        ledger_call_add(&call, a->dead_workers[i].identity);
    }
    return ledger_call_send(&call, reply, data);
}

int ledger_hold(struct ledger *ledger, const char *me, unsigned lease_ms, ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    start(&call, ledger, LEDGER_SCRIPT_HOLD);
    ledger_call_add(&call, me);
    ledger_call_add_number(&call, lease_ms);
    return ledger_call_send(&call, reply, data);
}

/* ---- archiving ---- */

/* The script must name the list of every worker, so they are asked for first. */
struct archiving {
    struct ledger *ledger;
    char *me, *summary;
    ledger_reply_fn *reply;
    void *data;
};

static int ask_workers(struct archiving *a);

static void end_archiving(struct archiving *a, const struct ledger_reply *reply)
{
    a->reply(a->data, reply);
    free(a->me);
    free(a->summary);
    free(a);
}

static const struct ledger_reply lost = {.outcome = LEDGER_LOST};

static void on_archived(void *data, const struct ledger_reply *reply)
{
    struct archiving *a = data;
    if (reply->outcome != LEDGER_BUSY)
        end_archiving(a, reply);
    else if (ask_workers(a) < 0)
        end_archiving(a, &lost);
}

static void on_workers(void *data, const struct ledger_reply *reply)
{
    struct archiving *a = data;
    struct ledger *ledger = a->ledger;
    if (reply->outcome != LEDGER_OK) {
        end_archiving(a, reply);
        return;
    }
    struct ledger_call call;
    size_t count = ledger_late_count(reply);
    ledger_call_start(&call, ledger, LEDGER_SCRIPT_ARCHIVE, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        ledger_call_add_keys(&call, 0, ledger_late(reply, i).worker);
    ledger_call_add(&call, a->me);
    ledger_call_add(&call, a->summary);
    for (size_t i = 0; i < count; i++)
        ledger_call_add(&call, ledger_late(reply, i).worker);
    if (ledger_call_send(&call, on_archived, a) < 0)
        end_archiving(a, &lost);
}

static int ask_workers(struct archiving *a)
{
    return ledger_overdue(a->ledger, 0, on_workers, a);
}

int ledger_archive(struct ledger *ledger, const char *me, const char *summary, ledger_reply_fn *reply, void *data)
{
    struct archiving *a = memory_zeroed(1, sizeof(*a));
    *a = (struct archiving){ledger, memory_text(me), memory_text(summary), reply, data};
    int sent = ask_workers(a);
    if (sent < 0) {
        free(a->me);
        free(a->summary);
        free(a);
    }
    return sent;
}

/* ---- clearing away, beginning, filling ---- */

int ledger_purge(struct ledger *ledger, const char *me, const char *const *tasks, size_t count,
                 ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    start(&call, ledger, LEDGER_SCRIPT_PURGE);
    add_keys(&call, 0, tasks, count);
    ledger_call_add(&call, me);
    add_all(&call, tasks, count);
    return ledger_call_send(&call, reply, data);
}

int ledger_begin(struct ledger *ledger, const char *me, const char *const *fields, size_t count,
                 ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    start(&call, ledger, LEDGER_SCRIPT_BEGIN);
    ledger_call_add(&call, me);
    add_all(&call, fields, count);
    return ledger_call_send(&call, reply, data);
}

static void add_entry_keys(struct ledger_call *call, const struct ledger_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ledger_call_add_keys(call, 0, entries[i].key);
}

/* What enqueue and restore say of a task alike. */
static void add_entry(struct ledger_call *call, const struct ledger_entry *entry)
{
    ledger_call_add(call, entry->key);
    ledger_call_add(call, entry->spec);
    ledger_call_add(call, entry->viewport);
    ledger_call_add(call, entry->browser);
    ledger_call_add(call, entry->runner);
}

int ledger_enqueue(struct ledger *ledger, const char *me, const char *digest, size_t offset,
                   const struct ledger_entry *entries, size_t count, ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    start(&call, ledger, LEDGER_SCRIPT_ENQUEUE);
    add_entry_keys(&call, entries, count);
    ledger_call_add(&call, me);
    ledger_call_add(&call, digest);
    ledger_call_add_number(&call, (int64_t)offset);
    for (size_t i = 0; i < count; i++) {
        add_entry(&call, &entries[i]);
        ledger_call_add(&call, entries[i].overrides ? entries[i].overrides : "");
    }
    return ledger_call_send(&call, reply, data);
}

int ledger_open(struct ledger *ledger, const char *me, ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    start(&call, ledger, LEDGER_SCRIPT_OPEN);
    ledger_call_add(&call, me);
    return ledger_call_send(&call, reply, data);
}

/* ---- cancelling, running again, the end ---- */

int ledger_cancel(struct ledger *ledger, const char *me, enum cancel_kind kind, const char *reason,
                  const char *const *tasks, size_t count, ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    start(&call, ledger, LEDGER_SCRIPT_CANCEL);
    add_keys(&call, 0, tasks, count);
    ledger_call_add(&call, me);
    ledger_call_add(&call, cancel_kind_name(kind));
    ledger_call_add(&call, reason);
    add_all(&call, tasks, count);
    return ledger_call_send(&call, reply, data);
}

int ledger_rerun(struct ledger *ledger, const char *me, const char *const *tasks, size_t count,
                 ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    start(&call, ledger, LEDGER_SCRIPT_RERUN);
    add_keys(&call, 0, tasks, count);
    ledger_call_add(&call, me);
    add_all(&call, tasks, count);
    return ledger_call_send(&call, reply, data);
}

int ledger_summarize(struct ledger *ledger, const char *me, const char *summary, int64_t reruns,
                     ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    start(&call, ledger, LEDGER_SCRIPT_SUMMARIZE);
    ledger_call_add(&call, me);
    ledger_call_add(&call, summary);
    ledger_call_add_number(&call, reruns);
    return ledger_call_send(&call, reply, data);
}

/* ---- the dead, and what is lost ---- */

int ledger_overdue(struct ledger *ledger, int64_t known_ms, ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    start(&call, ledger, LEDGER_SCRIPT_OVERDUE);
    ledger_call_add_number(&call, known_ms);
    return ledger_call_send(&call, reply, data);
}

int ledger_reclaim(struct ledger *ledger, const char *worker, const char *lease_end, const char *task,
                   ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    ledger_call_start(&call, ledger, LEDGER_SCRIPT_RECLAIM, worker, task);
    ledger_call_add(&call, worker);
    ledger_call_add(&call, lease_end);
    ledger_call_add(&call, task);
    return ledger_call_send(&call, reply, data);
}

int ledger_bury(struct ledger *ledger, const char *worker, const char *lease_end, ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    ledger_call_start(&call, ledger, LEDGER_SCRIPT_BURY, worker, NULL);
    ledger_call_add(&call, worker);
    ledger_call_add(&call, ""); /* it doesn't leave by itself */
    ledger_call_add(&call, lease_end);
    return ledger_call_send(&call, reply, data);
}

int ledger_restore(struct ledger *ledger, const char *me, const struct ledger_entry *entries, size_t count,
                   ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    start(&call, ledger, LEDGER_SCRIPT_RESTORE);
    add_entry_keys(&call, entries, count);
    ledger_call_add(&call, me);
    for (size_t i = 0; i < count; i++)
        add_entry(&call, &entries[i]);
    return ledger_call_send(&call, reply, data);
}

int ledger_audit(struct ledger *ledger, bool repair, const char *const *workers, size_t worker_count,
                 const char *const *tasks, size_t task_count, ledger_reply_fn *reply, void *data)
{
    enum { FINDINGS_TOLD = 100 };
    struct ledger_call call;
    start(&call, ledger, LEDGER_SCRIPT_AUDIT);
    add_keys(&call, 0, workers, worker_count);
    add_keys(&call, 1, tasks, task_count);
    add_flag(&call, repair);
    ledger_call_add_number(&call, FINDINGS_TOLD);
    ledger_call_add_number(&call, (int64_t)worker_count);
    add_all(&call, workers, worker_count);
    add_all(&call, tasks, task_count);
    return ledger_call_send(&call, reply, data);
}
