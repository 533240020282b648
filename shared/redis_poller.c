/* One poller for each connection. It outlives the connection until its close callbacks, and frees itself then. */
#include "shared/redis_poller.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "shared/memory.h"

struct poller {
    uv_poll_t poll;
    uv_prepare_t flush; /* writes before the loop waits: a socket that has room is not asked whether it has */
    redisAsyncContext *context;
    int wanted;
    int open_handles;
    bool is_flushing;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct poller *p = poll->data;
    /* On an error hiredis must try what it wanted, so that it meets the error itself and reports it. */
    int ready = status < 0 ? p->wanted : events;
    redisAsyncContext *context = p->context;
    if (ready & UV_READABLE)
        redisAsyncHandleRead(context);
    if (p->context && (ready & UV_WRITABLE))
        redisAsyncHandleWrite(context);
}

static void want(struct poller *p, int wanted)
{
    if (wanted == p->wanted)
        return;
    p->wanted = wanted;
    if (wanted)
        uv_poll_start(&p->poll, wanted, on_poll);
    else
        uv_poll_stop(&p->poll);
}

static void add_read(void *data)
{
    struct poller *p = data;
    want(p, p->wanted | UV_READABLE);
}

static void del_read(void *data)
{
    struct poller *p = data;
    want(p, p->wanted & ~UV_READABLE);
}

static void on_flush(uv_prepare_t *flush)
{
    struct poller *p = flush->data;
    uv_prepare_stop(flush);
    p->is_flushing = true;
    redisAsyncHandleWrite(p->context);
    p->is_flushing = false;
}

/* While connecting, and when a flush didn't get rid of everything, the socket tells when it has room. */
static void add_write(void *data)
{
    struct poller *p = data;
    if (p->is_flushing || !(p->context->c.flags & REDIS_CONNECTED))
        want(p, p->wanted | UV_WRITABLE);
    else if (!(p->wanted & UV_WRITABLE))
        uv_prepare_start(&p->flush, on_flush);
}

static void del_write(void *data)
{
    struct poller *p = data;
    uv_prepare_stop(&p->flush);
    want(p, p->wanted & ~UV_WRITABLE);
}

static void on_poller_closed(uv_handle_t *handle)
{
    struct poller *p = handle->data;
    if (--p->open_handles == 0)
        free(p);
}

static void cleanup(void *data)
{
    struct poller *p = data;
    p->context = NULL;
    uv_poll_stop(&p->poll);
    uv_close((uv_handle_t *)&p->poll, on_poller_closed);
    uv_close((uv_handle_t *)&p->flush, on_poller_closed);
}

void redis_poller_attach(uv_loop_t *loop, redisAsyncContext *context)
{
    struct poller *p = memory_zeroed(1, sizeof(*p));
    p->context = context;
    p->poll.data = p->flush.data = p;
    p->open_handles = 2;
    uv_prepare_init(loop, &p->flush);
    int failed = uv_poll_init(loop, &p->poll, context->c.fd);
    assert(failed == 0);
    (void)failed;
    context->ev.addRead = add_read;
    context->ev.delRead = del_read;
    context->ev.addWrite = add_write;
    context->ev.delWrite = del_write;
    context->ev.cleanup = cleanup;
    context->ev.data = p;
}
