#include "controller/http/reporter.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/http/http.h"
#include "controller/http/http_api.h"
#include "controller/http/http_events.h"
#include "controller/http/http_reply.h"
#include "shared/log.h"
#include "shared/memory.h"

enum {
    /* Room for what we accept and refuse ourselves; a request beyond it is refused by the library. */
    CONNECTION_BYTES = 64 * 1024,
    BACKLOG = 128,
    /* Who came or was served so lately may ask for more: a page loads one thing after the other. */
    LINGER_MS = 250,
};

/* ---- the daemon on the loop */

static void on_daemon_timer(uv_timer_t *timer);
static void go_on_stopping(struct reporter *reporter);

static void run_daemon(struct reporter *reporter)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    reporter->must_run_again = false;
    MHD_run(reporter->daemon);
    if (reporter->must_run_again)
        uv_timer_start(&reporter->daemon_timer, on_daemon_timer, 0, 0);
    else if (MHD_get_timeout(reporter->daemon, &wait_ms) == MHD_YES)
        uv_timer_start(&reporter->daemon_timer, on_daemon_timer, wait_ms, 0);
    else
        uv_timer_stop(&reporter->daemon_timer);
    if (reporter->is_stopping)
        go_on_stopping(reporter);
}

/* With a loop of our own, nothing that the loop watches tells of a connection that was resumed. */
void http_wake(struct reporter *reporter, struct MHD_Connection *connection)
{
    MHD_resume_connection(connection);
    reporter->must_run_again = true;
    uv_timer_start(&reporter->daemon_timer, on_daemon_timer, 0, 0);
}

static void on_daemon_timer(uv_timer_t *timer)
{
    run_daemon(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run_daemon(poll->data);
}

/* ---- connections and their deadlines */

struct http_peer *http_peer_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void on_peer_timer(uv_timer_t *timer);

static void arm_peer_timer(struct reporter *reporter)
{
    const struct http_peer *first = TAILQ_FIRST(&reporter->watched);
    uint64_t now_ms = uv_now(reporter->loop);
    if (first == NULL)
        uv_timer_stop(&reporter->peer_timer);
    else
        uv_timer_start(&reporter->peer_timer, on_peer_timer,
                       first->deadline_ms > now_ms ? first->deadline_ms - now_ms : 0, 0);
}

void http_peer_watch(struct reporter *reporter, struct http_peer *peer, bool is_watched)
{
    bool was_first = TAILQ_FIRST(&reporter->watched) == peer || TAILQ_EMPTY(&reporter->watched);
    if (peer->deadline_ms > 0)
        TAILQ_REMOVE(&reporter->watched, peer, link);
    peer->deadline_ms = is_watched ? uv_now(reporter->loop) + reporter->limits.request_ms : 0;
    if (is_watched)
        TAILQ_INSERT_TAIL(&reporter->watched, peer, link);
    if (was_first && !reporter->is_stopping)
        arm_peer_timer(reporter);
}

static void on_peer_timer(uv_timer_t *timer)
{
    struct reporter *reporter = timer->data;
    for (struct http_peer *peer; (peer = TAILQ_FIRST(&reporter->watched)) != NULL;) {
        if (peer->deadline_ms > uv_now(reporter->loop))
            break;
        struct http_request *sleeping = peer->sleeping;
        peer->sleeping = NULL;
        http_peer_watch(reporter, peer, false);
        /* The daemon notices a closed socket by itself, and there is no other way to make it drop a connection. */
        if (sleeping)
            http_api_give_up(sleeping, "Redis doesn't answer");
        else
            shutdown(peer->fd, SHUT_RDWR);
    }
    arm_peer_timer(reporter);
}

static void open_peer(struct reporter *reporter, struct MHD_Connection *connection, void **context)
{
    struct http_peer *peer = memory_zeroed(1, sizeof(*peer));
    unsigned unacknowledged_ms = reporter->limits.idle_s * 1000;
    peer->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    /* A listener whose machine has gone is noticed by what it doesn't acknowledge. */
    setsockopt(peer->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof(unacknowledged_ms));
    *context = peer;
    reporter->heard_ms = uv_now(reporter->loop);
    http_peer_watch(reporter, peer, true);
}

static void on_connection(void *data, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct reporter *reporter = data;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        open_peer(reporter, connection, context);
        return;
    }
    struct http_peer *peer = *context;
    http_peer_watch(reporter, peer, false);
    free(peer);
    /* At its limit the daemon doesn't watch the listening socket, and begins to again only when it runs the next
     * time. */
    reporter->must_run_again = true;
}

/* ---- requests */

/* Addresses reach us as they were sent: they are decoded a segment at a time, in http_target.c. */
static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *text)
{
    (void)data;
    (void)connection;
    return strlen(text);
}

/* The first that is heard of a request: its line has arrived. What this returns is the request's context from now on.
 */
static void *on_address(void *data, const char *uri, struct MHD_Connection *connection)
{
    return http_request_new(data, connection, uri);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct reporter *reporter = data;
    struct http_peer *peer = http_peer_of(connection);
    (void)code;
    peer->sleeping = NULL;
    reporter->heard_ms = uv_now(reporter->loop);
    http_peer_watch(reporter, peer, true);
    if (*context)
        http_request_free(*context);
    *context = NULL;
}

/* Called with the headers, then with each piece of the body, then once more: and again when a sleeper wakes. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **context)
{
    struct http_request *request = *context;
    (void)url;
    if (!request->has_headers) {
        http_request_begin(request, method, version);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        bool is_worth_reading = http_request_add_body(request, upload, *upload_size);
        *upload_size = 0;
        return is_worth_reading ? MHD_YES : MHD_NO;
    }
    if (request->answer) {
        MHD_queue_response(connection, request->answer_status, request->answer);
        return MHD_YES;
    }
    http_peer_watch(data, http_peer_of(connection), false);
    http_request_serve(request, method);
    return MHD_YES;
}

/* ---- start and stop */

static struct reporter_limits with_defaults(struct reporter_limits limits)
{
    static const struct reporter_limits defaults = {
        .connections = 512,
        .connections_per_address = 256,
        .streams = 200,
        .request_ms = 15000,
        .idle_s = 60,
        .frame_ms = 250,
        .ping_ms = 15000,
        .last_words_ms = 2000,
    };
#define DEFAULT(name) limits.name = limits.name ? limits.name : defaults.name
    DEFAULT(connections);
    DEFAULT(connections_per_address);
    DEFAULT(streams);
    DEFAULT(request_ms);
    DEFAULT(idle_s);
    DEFAULT(frame_ms);
    DEFAULT(ping_ms);
    DEFAULT(last_words_ms);
#undef DEFAULT
    return limits;
}

/* A listening socket, or -1. */
static int listen_on(const struct addrinfo *address, struct error *err)
{
    const int on = 1, off = 0;
    auto_close int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(err, errno, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
        return error_set(err, ERROR_CONFIG, "%s", uv_strerror(-errno));
    int listening = fd;
    fd = -1;
    return listening;
}

static int open_socket(const struct reporter_options *options, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found;
    char port[16];
    int fd = -1;
    snprintf(port, sizeof(port), "%d", options->port);
    int failure = getaddrinfo(options->bind, port, &hints, &found);
    if (failure != 0) {
        error_set(err, ERROR_CONFIG, "%s", gai_strerror(failure));
    } else {
        fd = listen_on(found, err);
        freeaddrinfo(found);
    }
    if (fd < 0)
        error_wrap(err, "http port %d on %s", options->port, options->bind);
    return fd;
}

static void note_address(struct reporter *reporter, int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof(address);
    getsockname(fd, (struct sockaddr *)&address, &length);
    bool is_v6 = address.ss_family == AF_INET6;
    reporter->port =
        ntohs(is_v6 ? ((struct sockaddr_in6 *)&address)->sin6_port : ((struct sockaddr_in *)&address)->sin_port);
    reporter->is_loopback = http_guard_is_loopback((struct sockaddr *)&address);
}

static void __attribute__((format(printf, 2, 0))) on_library_log(void *data, const char *format, va_list args)
{
    char text[256];
    (void)data;
    vsnprintf(text, sizeof(text), format, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http.library", LOG_TEXT("message", text));
}

static struct MHD_Daemon *start_daemon(struct reporter *reporter, int fd)
{
    const struct reporter_limits *limits = &reporter->limits;
    /* Strict: HTTP/1.1 has a Host, and libmicrohttpd 1.0 refuses folded lines, which it would mend otherwise. */
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, reporter,
        MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_CONNECTION_LIMIT, limits->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        limits->connections_per_address, MHD_OPTION_CONNECTION_TIMEOUT, limits->idle_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes,
        NULL, MHD_OPTION_URI_LOG_CALLBACK, on_address, reporter, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        reporter, MHD_OPTION_NOTIFY_COMPLETED, on_completed, reporter, MHD_OPTION_END);
}

static void open_handles(struct reporter *reporter)
{
    uv_timer_t *timers[] = {&reporter->daemon_timer, &reporter->peer_timer, &reporter->frame_timer,
                            &reporter->ping_timer, &reporter->stop_timer};
    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
        uv_timer_init(reporter->loop, timers[i]);
        timers[i]->data = reporter;
        reporter->open_handles++;
    }
}

static int watch_daemon(struct reporter *reporter)
{
    int fd = MHD_get_daemon_info(reporter->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    int failure = uv_poll_init(reporter->loop, &reporter->poll, fd);
    if (failure < 0)
        return failure;
    reporter->poll.data = reporter;
    reporter->open_handles++;
    return uv_poll_start(&reporter->poll, UV_READABLE, on_readable);
}

static int set_token(struct reporter *reporter, const char *text, struct error *err)
{
    reporter->has_token = text != NULL && *text != '\0';
    return reporter->has_token ? http_guard_set_token(&reporter->token, text, err) : 0;
}

struct reporter *reporter_start(uv_loop_t *loop, const struct reporter_options *options,
                                const struct reporter_source *source, void *data, struct error *err)
{
    struct reporter *reporter = memory_zeroed(1, sizeof(*reporter));
    reporter->loop = loop;
    reporter->limits = with_defaults(options->limits);
    reporter->source = source;
    reporter->data = data;
    reporter->bind = options->bind;
    reporter->url = options->url;
    TAILQ_INIT(&reporter->watched);
    LIST_INIT(&reporter->streams);
    auto_close int fd = -1;
    if (set_token(reporter, options->token, err) < 0 ||
        http_assets_open(&reporter->assets, options->index_file, err) < 0 || (fd = open_socket(options, err)) < 0)
        goto failed;
    note_address(reporter, fd);
    reporter->daemon = start_daemon(reporter, fd);
    if (reporter->daemon == NULL) {
        error_set(err, ERROR_SYSTEM, "http: the server could not be started");
        goto failed;
    }
    fd = -1; /* the daemon's now */
    open_handles(reporter);
    int failure = watch_daemon(reporter);
    if (failure == 0)
        return reporter;
    error_set(err, ERROR_SYSTEM, "http: %s", uv_strerror(failure));
    reporter_stop(reporter, NULL);
    return NULL;
failed:
    http_assets_close(&reporter->assets);
    free(reporter);
    return NULL;
}

int reporter_port(const struct reporter *reporter)
{
    return reporter->port;
}

void reporter_show(struct reporter *reporter, struct board *board)
{
    if (reporter->board == board)
        return;
    reporter->board = board;
    reporter->generation++;
    http_api_forget(reporter);
    reporter_changed(reporter);
}

void reporter_changed(struct reporter *reporter)
{
    if (!reporter->is_stopping)
        http_events_changed(reporter);
}

void reporter_metrics(struct reporter *reporter,
                      size_t (*collect)(void *data, struct reporter_metric *metrics, size_t room))
{
    reporter->collect = collect;
}

static void on_closed(uv_handle_t *handle)
{
    struct reporter *reporter = handle->data;
    if (--reporter->open_handles > 0)
        return;
    void (*closed)(void *data) = reporter->closed;
    void *data = reporter->data;
    free(reporter);
    if (closed)
        closed(data);
}

/* The loop must let go of the daemon's descriptor before the daemon closes it. */
static void close_all(struct reporter *reporter)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&reporter->poll,       (uv_handle_t *)&reporter->daemon_timer,
                              (uv_handle_t *)&reporter->peer_timer, (uv_handle_t *)&reporter->frame_timer,
                              (uv_handle_t *)&reporter->ping_timer, (uv_handle_t *)&reporter->stop_timer};
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
        if (handles[i]->data == reporter)
            uv_close(handles[i], on_closed);
    MHD_stop_daemon(reporter->daemon);
    http_events_forget(reporter);
    http_api_forget(reporter);
    http_assets_close(&reporter->assets);
}

/* How long there is still something to wait for; 0: no longer. */
static uint64_t left_to_say_ms(const struct reporter *reporter)
{
    uint64_t now_ms = uv_now(reporter->loop);
    uint64_t left_ms = reporter->stop_by_ms > now_ms ? reporter->stop_by_ms - now_ms : 0;
    uint64_t quiet_ms = reporter->heard_ms + LINGER_MS;
    uint64_t linger_ms = quiet_ms > now_ms ? quiet_ms - now_ms : 0;
    return reporter->request_count > 0 || linger_ms > left_ms ? left_ms : linger_ms;
}

static void on_stop_timer(uv_timer_t *timer)
{
    go_on_stopping(timer->data);
}

static void go_on_stopping(struct reporter *reporter)
{
    uint64_t left_ms = left_to_say_ms(reporter);
    if (left_ms == 0)
        close_all(reporter);
    else
        uv_timer_start(&reporter->stop_timer, on_stop_timer, left_ms, 0);
}

/* Those who wait for the source get another answer. */
static void wake_sleepers(struct reporter *reporter)
{
    struct http_peer *peer = TAILQ_FIRST(&reporter->watched);
    while (peer != NULL) {
        struct http_peer *next = TAILQ_NEXT(peer, link);
        struct http_request *sleeping = peer->sleeping;
        peer->sleeping = NULL;
        if (sleeping) {
            http_peer_watch(reporter, peer, false);
            http_api_give_up(sleeping, HTTP_STOPPING);
        }
        peer = next;
    }
}

void reporter_stop(struct reporter *reporter, void (*closed)(void *data))
{
    reporter->is_stopping = true;
    reporter->closed = closed;
    reporter->stop_by_ms = uv_now(reporter->loop) + reporter->limits.last_words_ms;
    wake_sleepers(reporter);
    http_events_end(reporter);
    run_daemon(reporter);
}
