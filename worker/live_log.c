#include "worker/live_log.h"

enum { LOOK_MS = 2000, BYTES_A_MS = 64 };

/* Whatever the answer is: the next look tells what there is then. */
static void on_told(void *data, const struct ledger_reply *reply)
{
    (void)reply;
    ((struct live_log *)data)->is_asking = false;
}

static void on_look(uv_timer_t *timer);

static void look_later(struct live_log *log, uint64_t ms)
{
    uv_timer_start(&log->timer, on_look, ms > LOOK_MS ? ms : LOOK_MS, 0);
}

static void on_look(uv_timer_t *timer)
{
    struct live_log *log = timer->data;
    auto_buffer text = {0};
    if (log->output->total == log->told_bytes || log->is_asking) {
        look_later(log, LOOK_MS);
        return;
    }
    capture_text(log->output, &text);
    log->is_asking = ledger_log(log->ledger, log->task, log->token, text.data, text.length, on_told, log) == 0;
    if (log->is_asking)
        log->told_bytes = log->output->total;
    look_later(log, text.length / BYTES_A_MS);
}

void live_log_init(struct live_log *log, uv_loop_t *loop, struct ledger *ledger, const struct capture *output)
{
    *log = (struct live_log){.ledger = ledger, .output = output};
    uv_timer_init(loop, &log->timer);
    log->timer.data = log;
}

void live_log_begin(struct live_log *log, const char *task, const char *token)
{
    log->task = task;
    log->token = token;
    log->told_bytes = 0;
    look_later(log, LOOK_MS);
}

void live_log_end(struct live_log *log)
{
    uv_timer_stop(&log->timer);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct live_log *log = handle->data;
    log->on_closed(log->data);
}

void live_log_close(struct live_log *log, void (*closed)(void *data), void *data)
{
    log->on_closed = closed;
    log->data = data;
    uv_close((uv_handle_t *)&log->timer, on_timer_closed);
}
