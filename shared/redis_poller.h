/*
 * hiredis on libuv: what hiredis needs from a loop (hiredis/async.h, redisAsyncContext.ev).
 *
 * hiredis comes with an adapter of its own, which loses errors: when polling fails it tells hiredis nothing, so that a
 * connection that is over looks like one that is silent. Here hiredis meets each error itself. This one also writes
 * before the loop waits, without asking a socket that has room whether it has.
 */
#pragma once
#include <uv.h>

struct redisAsyncContext;

/*
 * To be called once for a connection that has begun. From then on its sockets are watched, until hiredis frees the
 * context; the handles close by themselves after that, so the loop has to turn once more.
 */
void redis_poller_attach(uv_loop_t *loop, struct redisAsyncContext *context);
