/*
 * The embedded Redis (or Valkey): started, watched, stopped.
 *
 * Its files lie in <data dir>/redis, as an append-only file, so a restart goes on where it was. It never evicts. The
 * password goes through standard input, not through its command line. It is started again when it dies; three deaths
 * within moments are told to the owner.
 */
#pragma once
#include <uv.h>

#include "shared/error.h"
#include "shared/options.h"

struct redis_server;

/*
 * Starts it. ERROR_CONFIG: no redis-server or valkey-server in PATH, the data folder can't be used or is another
 * controller's. `on_failed` is called at most once, when it can't be kept running; `options` is borrowed.
 */
struct redis_server *redis_server_start(uv_loop_t *loop, const struct options *options,
                                        void (*on_failed)(void *data, const struct error *reason), void *data,
                                        struct error *err);

/* The port that it listens on: the one asked for if it was free, else another. */
int redis_server_port(const struct redis_server *server);

/* Tells it to stop, and kills it when that takes longer than `limit_ms`; frees, then calls `stopped`. */
void redis_server_stop(struct redis_server *server, unsigned limit_ms, void (*stopped)(void *data));
