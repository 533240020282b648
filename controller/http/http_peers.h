/*
 * Who is connected: libmicrohttpd on the loop, the deadline of each connection, and waking those that sleep.
 *
 *     expected ──complete request──► served ──replied──► expected
 *         │                           │  ▲
 *         │ late: cut off             ▼  │ answered, or late: who awaits it is told
 *         ▼                         awaiting
 *
 * A connection is expected from its first moment and between requests: it is the client that is waited for. What is
 * asked and answered is left to others, who say in which of these states a connection is.
 */
#pragma once
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

struct http_peer;
TAILQ_HEAD(http_peer_list, http_peer);

struct http_peers {
    uv_loop_t *loop;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;          /* the daemon's epoll descriptor */
    uv_timer_t daemon_timer; /* the daemon's own deadlines */
    uv_timer_t late_timer;   /* the earliest deadline of `watched` */
    int open_handles;
    bool must_run_again; /* the daemon, at once */
    struct http_peer_list watched;
    unsigned request_ms, idle_ms;
    uint64_t heard_ms; /* uv_now() when somebody last came, or was served */
    bool is_closing;
    void (*ran)(void *data);
    void (*closed)(void *data);
    void *data;
};

/* For MHD_OPTION_NOTIFY_CONNECTION; `data` is the peers. */
void http_peers_on_connection(void *data, struct MHD_Connection *connection, void **context,
                              enum MHD_ConnectionNotificationCode code);

/*
 * Runs the daemon on the loop from now on. `ran` is called with `data` each time that it has run, and may close the
 * peers. What is set before: request_ms, how long a client is waited for, and an answer; idle_ms, how long what was
 * sent may stay unacknowledged. Returns 0 or a UV_ error; they are to be closed all the same.
 */
int http_peers_start(struct http_peers *peers, uv_loop_t *loop, struct MHD_Daemon *daemon, void (*ran)(void *data),
                     void *data);

/* Runs the daemon at once. Not to be called by what it calls. */
void http_peers_run(struct http_peers *peers);

/* Closes every connection, the daemon and the handles; nobody may be asleep. Calls `closed` with the data later. */
void http_peers_close(struct http_peers *peers, void (*closed)(void *data));

/* The client is waited for, from now, and cut off when it is late. */
void http_peers_expect(struct http_peers *peers, struct MHD_Connection *connection);

/* An answer is waited for; when it is late `late` is called with `asker`, and the connection has no deadline then. */
void http_peers_await(struct http_peers *peers, struct MHD_Connection *connection, void (*late)(void *asker),
                      void *asker);

/* Nobody is waited for: the connection has no deadline. */
void http_peers_rest(struct http_peers *peers, struct MHD_Connection *connection);

/* Lets a suspended connection go on, in the next turn of the loop. */
void http_peers_wake(struct http_peers *peers, struct MHD_Connection *connection);
