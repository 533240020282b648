/*
 * One connection to Redis that comes back by itself: hiredis on libuv.
 *
 *     down ──timer──► resolving ──► connecting ──► greeting (AUTH, SELECT, PING) ──► up
 *      ▲                  │              │                  │                         │
 *      └──────────────────┴──────────────┴──────────────────┴─────────────────────────┘  on_down, with the reason
 *
 * It waits between attempts with back-off and jitter, for as long as it takes; the owner decides when to give up.
 * Names are looked up anew each time. Every command has a time limit: a server that doesn't answer is a lost link.
 *
 * So is one that answers but isn't the right one any more. A replica (READONLY) is left at once: after a failover
 * that nobody told us of, the name leads to another server. A refusal that goes on for seconds is answered in the
 * same way. Of a cluster the node that another one names (MOVED) is followed. As long as what was refused isn't
 * accepted, the waits between the attempts go on growing, however well the server greets.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "shared/error.h"

struct redisReply;
struct redis_link;

/* The longest pause between two attempts: a server that is back is found within it, if nothing else is in the way. */
enum { REDIS_LINK_LONGEST_WAIT_MS = 2000 };

struct redis_address {
    const char *host; /* a name, an address (fe80::1%eth0 too), or the absolute path of a socket, which has no port */
    int port;
    const char *username; /* NULL: none */
    const char *password; /* NULL: none */
    int db;
};

struct redis_link_events {
    void (*on_up)(void *data);
    /*
     * Each failed attempt and each loss. Replies that were awaited have been called with NULL before. Waiting won't
     * help after ERROR_AUTH (the password is refused, or this user may not send what we sent: Redis' ACL) and
     * ERROR_CONFIG (a cluster that can't do what we ask for). ERROR_ELSEWHERE: a cluster's node has named another
     * one, which is next.
     */
    void (*on_down)(void *data, const struct error *reason);
};

/*
 * Called exactly once for each command that was sent. NULL: the link was lost, and nobody knows whether the command
 * was carried out.
 */
typedef void redis_reply_fn(void *data, const struct redisReply *reply);

/* Starts to connect on the next turn of the loop. Address and events are borrowed until it is closed. */
struct redis_link *redis_link_open(uv_loop_t *loop, const struct redis_address *address,
                                   const struct redis_link_events *events, void *data);

bool redis_link_is_up(const struct redis_link *link);

/*
 * Sends a command of `argc` arguments; `lengths` NULL: they are texts. They are copied. 0, or -1 if the link isn't
 * up: then `reply` is never called. May be called from a callback. `timeout_ms` counts from now.
 */
int redis_link_send(struct redis_link *link, unsigned timeout_ms, redis_reply_fn *reply, void *data, int argc,
                    const char *const *argv, const size_t *lengths);

/* The same for a command that this user may be denied: the denial is then a reply like any other. */
int redis_link_try(struct redis_link *link, unsigned timeout_ms, redis_reply_fn *reply, void *data, int argc,
                   const char *const *argv, const size_t *lengths);

/* Drops the connection (replies are called with NULL, then on_down) and connects again. */
void redis_link_reset(struct redis_link *link);

/*
 * The same, but only if the leader, which is up, connected later than this link: it may be at another server by
 * now, and at the old one nothing will come any more. Returns whether it was so. To be called when either of
 * them comes up.
 */
bool redis_link_follow(struct redis_link *link, const struct redis_link *leader);

/* Where it is connected, or tries to, for people: "localhost:6379". Borrowed. */
const char *redis_link_place(const struct redis_link *link);

/* Closes and frees: awaited replies are called with NULL, on_down isn't, `closed` when the handles are gone. */
void redis_link_close(struct redis_link *link, void (*closed)(void *data));
