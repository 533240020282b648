/* What a worker does: joins, takes a task, ends its attempt, leaves. */
#include "shared/ledger.h"

#include <assert.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/ledger_call.h"
#include "shared/memory.h"

int ledger_register(struct ledger *ledger, const struct ledger_worker *worker, ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    assert(strlen(worker->nonce) < sizeof(ledger->nonce));
    memory_copy_text(ledger->nonce, sizeof(ledger->nonce), worker->nonce);
    ledger_call_start(&call, ledger, LEDGER_SCRIPT_REGISTER, worker->id, NULL);
    ledger_call_add(&call, worker->id);
    ledger_call_add(&call, worker->nonce);
    ledger_call_add(&call, worker->host);
    ledger_call_add_number(&call, worker->pid);
    ledger_call_add_number(&call, worker->slots);
    ledger_call_add(&call, worker->identity);
    return ledger_call_send(&call, reply, data);
}

int ledger_renew(struct ledger *ledger, const char *worker, ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    ledger_call_start(&call, ledger, LEDGER_SCRIPT_RENEW, worker, NULL);
    ledger_call_add(&call, worker);
    ledger_call_add(&call, ledger->nonce);
    return ledger_call_send(&call, reply, data);
}

int ledger_claim(struct ledger *ledger, const char *worker, const char *task, const char *token,
                 ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    ledger_call_start(&call, ledger, LEDGER_SCRIPT_CLAIM, worker, task);
    ledger_call_add(&call, worker);
    ledger_call_add(&call, task);
    ledger_call_add(&call, token);
    ledger_call_add(&call, ledger->nonce);
    return ledger_call_send(&call, reply, data);
}

int ledger_settle(struct ledger *ledger, const struct ledger_settlement *s, ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    char duration[32];
    clock_format_duration(s->duration_ns / 1000000, duration, sizeof(duration));
    ledger_call_start(&call, ledger, LEDGER_SCRIPT_SETTLE, s->worker, s->task);
    ledger_call_add(&call, s->worker);
    ledger_call_add(&call, s->task);
    ledger_call_add(&call, s->token);
    ledger_call_add(&call, task_result_name(s->result));
    ledger_call_add(&call, s->reason);
    ledger_call_add_number(&call, (int64_t)s->duration_ns);
    ledger_call_add(&call, duration);
    ledger_call_add(&call, s->record);
    ledger_call_add_bytes(&call, s->log ? s->log : "", s->log ? s->log_length : 0);
    ledger_call_add(&call, s->details ? s->details : "");
    ledger_call_add_number(&call, s->retries);
    return ledger_call_send(&call, reply, data);
}

int ledger_release(struct ledger *ledger, const char *worker, const char *task, const char *token, const char *record,
                   ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    ledger_call_start(&call, ledger, LEDGER_SCRIPT_RELEASE, worker, task);
    ledger_call_add(&call, worker);
    ledger_call_add(&call, task);
    ledger_call_add(&call, token ? token : "");
    ledger_call_add(&call, record ? record : "");
    return ledger_call_send(&call, reply, data);
}

int ledger_log(struct ledger *ledger, const char *task, const char *token, const char *output, size_t length,
               ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    ledger_call_start(&call, ledger, LEDGER_SCRIPT_LOG, NULL, task);
    ledger_call_add(&call, task);
    ledger_call_add(&call, token);
    ledger_call_add_bytes(&call, output, length);
    return ledger_call_send(&call, reply, data);
}

int ledger_leave(struct ledger *ledger, const char *worker, ledger_reply_fn *reply, void *data)
{
    struct ledger_call call;
    ledger_call_start(&call, ledger, LEDGER_SCRIPT_BURY, worker, NULL);
    ledger_call_add(&call, worker);
    ledger_call_add(&call, ledger->nonce);
    ledger_call_add(&call, ""); /* no end of a lease */
    return ledger_call_send(&call, reply, data);
}
