#include "worker/trouble.h"

#include <string.h>

#include "shared/log.h"
#include "shared/memory.h"

static void on_timer(uv_timer_t *timer)
{
    struct trouble *t = timer->data;
    t->on_retry(t->data);
}

void trouble_open(struct trouble *t, uv_loop_t *loop, void (*on_retry)(void *data), void *data)
{
    *t = (struct trouble){.on_retry = on_retry, .data = data};
    uv_timer_init(loop, &t->timer);
    t->timer.data = t;
}

bool trouble_is_news(struct trouble *t, const char *reason)
{
    char text[sizeof(t->last)];
    memory_copy_text(text, sizeof(text), reason);
    if (strcmp(text, t->last) == 0)
        return false;
    memory_copy_text(t->last, sizeof(t->last), text);
    return true;
}

/* Which script it was that Redis refused is left out: all are, for the same reason. */
void trouble_note(struct trouble *t, const char *text)
{
    char reason[sizeof(t->last)];
    memory_copy_text(reason, sizeof(reason), text);
    char *script = strstr(reason, " script: ");
    if (script)
        *script = '\0';
    if (trouble_is_news(t, reason))
        log_warn("redis.waiting", LOG_TEXT("reason", reason));
}

bool trouble_is_waiting(const struct trouble *t)
{
    return uv_is_active((const uv_handle_t *)&t->timer);
}

static void retry_in(struct trouble *t, unsigned wait_ms)
{
    if (!trouble_is_waiting(t))
        uv_timer_start(&t->timer, on_timer, wait_ms, 0);
}

void trouble_retry_soon(struct trouble *t)
{
    retry_in(t, LEDGER_RETRY_MS);
}

/* The scripts are on their way and arrive before what we send next: at once, but for a server that won't learn. */
static void retry_after_teaching(struct trouble *t)
{
    uint64_t now = uv_now(t->timer.loop);
    bool was_taught_lately = t->taught_ms > 0 && now - t->taught_ms < LEDGER_RETRY_MS;
    t->taught_ms = now;
    retry_in(t, was_taught_lately ? LEDGER_RETRY_MS : 0);
}

bool trouble_is_unanswered(struct trouble *t, const struct ledger_reply *reply)
{
    if (reply->outcome == LEDGER_TROUBLE) {
        if (reply->is_taught) {
            log_debug("redis.taught", LOG_TEXT("reason", reply->text));
            retry_after_teaching(t);
        } else {
            trouble_note(t, reply->text);
            trouble_retry_soon(t);
        }
    }
    return reply->outcome == LEDGER_TROUBLE || reply->outcome == LEDGER_LOST;
}

void trouble_is_over(struct trouble *t)
{
    t->last[0] = '\0';
    uv_timer_stop(&t->timer);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct trouble *t = handle->data;
    t->on_closed(t->data);
}

void trouble_close(struct trouble *t, void (*closed)(void *data))
{
    t->on_closed = closed;
    uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}
