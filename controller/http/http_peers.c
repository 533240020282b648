/*
 * The daemon has no thread: the loop watches its epoll descriptor and keeps its timers. It promises no deadline of a
 * whole request (a client may send a byte at a time for ever), so that one is kept here, with one timer for all.
 */
#include "controller/http/http_peers.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "shared/memory.h"

/* A connection. It is in `watched` while it has a deadline; all get the same time, so the list is in order. */
struct http_peer {
    TAILQ_ENTRY(http_peer) link;
    int fd;
    uint64_t deadline_ms;      /* of uv_now(); 0: none */
    void (*late)(void *asker); /* NULL: it is the client that is waited for */
    void *asker;
};

/* ---- the daemon on the loop */

static void on_daemon_timer(uv_timer_t *timer)
{
    http_peers_run(timer->data);
}

void http_peers_run(struct http_peers *peers)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    peers->must_run_again = false;
    MHD_run(peers->daemon);
    if (peers->must_run_again)
        uv_timer_start(&peers->daemon_timer, on_daemon_timer, 0, 0);
    else if (MHD_get_timeout(peers->daemon, &wait_ms) == MHD_YES)
        uv_timer_start(&peers->daemon_timer, on_daemon_timer, wait_ms, 0);
    else
        uv_timer_stop(&peers->daemon_timer);
    peers->ran(peers->data);
}

/* With a loop of our own, nothing that the loop watches tells of a connection that was resumed. */
void http_peers_wake(struct http_peers *peers, struct MHD_Connection *connection)
{
    MHD_resume_connection(connection);
    peers->must_run_again = true;
    uv_timer_start(&peers->daemon_timer, on_daemon_timer, 0, 0);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    http_peers_run(poll->data);
}

/* ---- deadlines */

static void on_late_timer(uv_timer_t *timer);

static void arm_late_timer(struct http_peers *peers)
{
    const struct http_peer *first = TAILQ_FIRST(&peers->watched);
    uint64_t now_ms = uv_now(peers->loop);
    if (first == NULL)
        uv_timer_stop(&peers->late_timer);
    else
        uv_timer_start(&peers->late_timer, on_late_timer,
                       first->deadline_ms > now_ms ? first->deadline_ms - now_ms : 0, 0);
}

static void watch(struct http_peers *peers, struct http_peer *peer, bool is_watched)
{
    bool was_first = TAILQ_FIRST(&peers->watched) == peer || TAILQ_EMPTY(&peers->watched);
    if (peer->deadline_ms > 0)
        TAILQ_REMOVE(&peers->watched, peer, link);
    peer->deadline_ms = is_watched ? uv_now(peers->loop) + peers->request_ms : 0;
    if (is_watched)
        TAILQ_INSERT_TAIL(&peers->watched, peer, link);
    if (was_first && !peers->is_closing)
        arm_late_timer(peers);
}

static void on_late_timer(uv_timer_t *timer)
{
    struct http_peers *peers = timer->data;
    for (struct http_peer *peer; (peer = TAILQ_FIRST(&peers->watched)) != NULL;) {
        if (peer->deadline_ms > uv_now(peers->loop))
            break;
        watch(peers, peer, false);
        /* The daemon notices a closed socket by itself, and there is no other way to make it drop a connection. */
        if (peer->late)
            peer->late(peer->asker);
        else
            shutdown(peer->fd, SHUT_RDWR);
    }
    arm_late_timer(peers);
}

static struct http_peer *peer_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void expect(struct http_peers *peers, struct http_peer *peer)
{
    peers->heard_ms = uv_now(peers->loop);
    peer->late = NULL;
    watch(peers, peer, true);
}

void http_peers_expect(struct http_peers *peers, struct MHD_Connection *connection)
{
    expect(peers, peer_of(connection));
}

void http_peers_await(struct http_peers *peers, struct MHD_Connection *connection, void (*late)(void *asker),
                      void *asker)
{
    struct http_peer *peer = peer_of(connection);
    peer->late = late;
    peer->asker = asker;
    watch(peers, peer, true);
}

void http_peers_rest(struct http_peers *peers, struct MHD_Connection *connection)
{
    watch(peers, peer_of(connection), false);
}

/* ---- connections */

static struct http_peer *new_peer(const struct http_peers *peers, struct MHD_Connection *connection)
{
    struct http_peer *peer = memory_zeroed(1, sizeof(*peer));
    peer->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    /* A listener whose machine has gone is noticed by what it doesn't acknowledge. */
    setsockopt(peer->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &peers->idle_ms, sizeof(peers->idle_ms));
    return peer;
}

void http_peers_on_connection(void *data, struct MHD_Connection *connection, void **context,
                              enum MHD_ConnectionNotificationCode code)
{
    struct http_peers *peers = data;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = new_peer(peers, connection);
        expect(peers, *context);
        return;
    }
    watch(peers, *context, false);
    free(*context);
    /* At its limit the daemon doesn't watch the listening socket, and begins to again only when it runs next. */
    peers->must_run_again = true;
}

/* ---- start and close */

static void start_timer(struct http_peers *peers, uv_timer_t *timer)
{
    uv_timer_init(peers->loop, timer);
    timer->data = peers;
    peers->open_handles++;
}

int http_peers_start(struct http_peers *peers, uv_loop_t *loop, struct MHD_Daemon *daemon, void (*ran)(void *data),
                     void *data)
{
    peers->loop = loop;
    peers->daemon = daemon;
    peers->ran = ran;
    peers->data = data;
    TAILQ_INIT(&peers->watched);
    start_timer(peers, &peers->daemon_timer);
    start_timer(peers, &peers->late_timer);
    int failure = uv_poll_init(loop, &peers->poll, MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
    if (failure < 0)
        return failure;
    peers->poll.data = peers;
    peers->open_handles++;
    return uv_poll_start(&peers->poll, UV_READABLE, on_readable);
}

static void on_closed(uv_handle_t *handle)
{
    struct http_peers *peers = handle->data;
    if (--peers->open_handles == 0)
        peers->closed(peers->data);
}

void http_peers_close(struct http_peers *peers, void (*closed)(void *data))
{
    uv_handle_t *handles[] = {(uv_handle_t *)&peers->poll, (uv_handle_t *)&peers->daemon_timer,
                              (uv_handle_t *)&peers->late_timer};
    peers->is_closing = true;
    peers->closed = closed;
    /* The loop must let go of the daemon's descriptor before the daemon closes it. */
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
        if (handles[i]->data == peers)
            uv_close(handles[i], on_closed);
    MHD_stop_daemon(peers->daemon);
}
