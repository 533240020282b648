#include "controller/auditor.h"

#include <stdlib.h>

#include "shared/memory.h"

struct audit {
    struct ledger *ledger;
    bool repair;
    const char *const *tasks;
    size_t task_count;
    char **workers; /* owned */
    size_t worker_count;
    bool is_refused; /* the first of the two lists was */
    ledger_reply_fn *reply;
    void *data;
};

static void forget_workers(struct audit *a)
{
    for (size_t i = 0; i < a->worker_count; i++)
        free(a->workers[i]);
    free(a->workers);
    a->workers = NULL;
    a->worker_count = 0;
}

static void end(struct audit *a, const struct ledger_reply *reply)
{
    a->reply(a->data, reply);
    forget_workers(a);
    free(a);
}

static void take_names(struct audit *a, const struct ledger_reply *list)
{
    size_t added = ledger_list_count(list);
    a->workers = memory_resize(a->workers, a->worker_count + added + 1, sizeof(*a->workers));
    for (size_t i = 0; i < added; i++)
        a->workers[a->worker_count++] = memory_text(ledger_list_text(list, i));
}

static int ask_workers(struct audit *a);

static void on_audited(void *data, const struct ledger_reply *reply)
{
    static const struct ledger_reply lost = {.outcome = LEDGER_LOST};
    struct audit *a = data;
    if (reply->outcome != LEDGER_BUSY)
        end(a, reply);
    else if (ask_workers(a) < 0)
        end(a, &lost);
}

static void on_workers(void *data, const struct ledger_reply *reply)
{
    struct audit *a = data;
    a->is_refused = reply->outcome != LEDGER_OK;
    take_names(a, reply);
}

static void on_graves(void *data, const struct ledger_reply *reply)
{
    struct audit *a = data;
    bool is_read = reply->outcome == LEDGER_OK && !a->is_refused;
    struct ledger_reply answer = {.outcome = LEDGER_LOST};
    if (!is_read && reply->outcome != LEDGER_LOST) {
        answer.outcome = LEDGER_TROUBLE;
        answer.text = reply->text ? reply->text : "the workers can't be read";
    }
    take_names(a, reply);
    if (!is_read || ledger_audit(a->ledger, a->repair, (const char *const *)a->workers, a->worker_count, a->tasks,
                                 a->task_count, on_audited, a) < 0)
        end(a, &answer);
}

static int ask_workers(struct audit *a)
{
    forget_workers(a);
    if (ledger_ask_workers(a->ledger, on_workers, a) < 0)
        return -1;
    return ledger_ask_graves(a->ledger, on_graves, a);
}

int auditor_ask(struct ledger *ledger, bool repair, const char *const *tasks, size_t task_count,
                ledger_reply_fn *reply, void *data)
{
    struct audit *a = memory_zeroed(1, sizeof(*a));
    *a = (struct audit){
        .ledger = ledger, .repair = repair, .tasks = tasks, .task_count = task_count, .reply = reply, .data = data};
    if (ask_workers(a) == 0)
        return 0;
    free(a);
    return -1;
}
