/*
 * The owner of the room: it hands the daemon's callbacks to the units below, and starts and closes them in their
 * order. Of what is asked and answered it knows nothing.
 */
#include "controller/http/reporter.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/http/http_api.h"
#include "controller/http/http_events.h"
#include "controller/http/http_reply.h"
#include "controller/http/http_request.h"
#include "controller/http/http_routes.h"
#include "controller/http/reporter_private.h"
#include "shared/log.h"
#include "shared/memory.h"

enum {
    /* Room for what we accept and refuse ourselves; a request beyond it is refused by the library. */
    CONNECTION_BYTES = 64 * 1024,
    BACKLOG = 128,
    /* Who came or was served so lately may ask for more: a page loads one thing after the other. */
    LINGER_MS = 250,
};

/* ---- requests */

/* Addresses reach us as they were sent: they are decoded a segment at a time, in http_target.c. */
static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *text)
{
    (void)data;
    (void)connection;
    return strlen(text);
}

/* A request's first line has arrived. What this returns is the request's context until it is completed. */
static void *on_address(void *data, const char *uri, struct MHD_Connection *connection)
{
    return http_request_new(data, connection, uri);
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct reporter *reporter = data;
    (void)code;
    http_peers_expect(&reporter->peers, connection);
    if (*context) {
        http_questions_abandon(*context);
        http_request_free(*context);
    }
    *context = NULL;
}

static void serve(struct http_request *request)
{
    http_peers_rest(&request->reporter->peers, request->connection);
    if (http_request_end_body(request))
        http_routes_serve(request);
}

/* Called with the headers, then with each piece of the body, then once more: and again when a sleeper wakes. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **context)
{
    struct http_request *request = *context;
    bool is_worth_reading = true;
    (void)data;
    (void)url;
    if (!request->has_headers) {
        if (http_request_begin(request, method, version))
            http_routes_choose(request);
    } else if (*upload_size > 0) {
        is_worth_reading = http_request_add_body(request, upload, *upload_size);
        *upload_size = 0;
    } else if (request->answer) {
        MHD_queue_response(connection, request->answer_status, request->answer);
    } else {
        serve(request);
    }
    return is_worth_reading ? MHD_YES : MHD_NO;
}

void reporter_answer(struct reporter_request *request, const struct reporter_answer *answer)
{
    http_questions_answer(request, answer);
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

/* A listening socket, or -1, with errno. */
static int listen_on(const struct addrinfo *address, struct error *err)
{
    const int on = 1, off = 0;
    auto_close int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(err, errno, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        int failure = errno;
        error_set(err, ERROR_CONFIG, "%s", uv_strerror(-failure));
        errno = failure;
        return -1;
    }
    int listening = fd;
    fd = -1;
    return listening;
}

static int open_port(const char *host, int number, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found;
    char port[16];
    snprintf(port, sizeof(port), "%d", number);
    int failure = getaddrinfo(host, port, &hints, &found);
    if (failure != 0) {
        errno = 0;
        return error_set(err, ERROR_CONFIG, "%s", gai_strerror(failure));
    }
    int fd = listen_on(found, err);
    failure = errno;
    freeaddrinfo(found);
    errno = failure;
    return fd;
}

static int open_socket(const struct reporter_options *options, struct error *err)
{
    int port = options->port, last = options->ports > 1 ? port + options->ports - 1 : port;
    int fd = open_port(options->bind, port, err);
    while (fd < 0 && errno == EADDRINUSE && port < last)
        fd = open_port(options->bind, ++port, err);
    if (fd >= 0)
        return fd;
    if (port > options->port)
        return error_wrap(err, "http ports %d to %d on %s", options->port, port, options->bind);
    return error_wrap(err, "http port %d on %s", port, options->bind);
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
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request,
                            reporter, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
                            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_LIMIT, limits->connections,
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT, limits->connections_per_address,
                            MHD_OPTION_CONNECTION_TIMEOUT, limits->idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)CONNECTION_BYTES, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
                            MHD_OPTION_URI_LOG_CALLBACK, on_address, reporter, MHD_OPTION_NOTIFY_CONNECTION,
                            http_peers_on_connection, &reporter->peers, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                            reporter, MHD_OPTION_END);
}

static void go_on_stopping(struct reporter *reporter);

static void on_daemon_ran(void *data)
{
    struct reporter *reporter = data;
    if (reporter->is_stopping)
        go_on_stopping(reporter);
}

/* Whatever it returns, there are parts to be closed. */
static int start_parts(struct reporter *reporter, struct MHD_Daemon *daemon)
{
    uv_timer_init(reporter->loop, &reporter->stop_timer);
    reporter->stop_timer.data = reporter;
    http_events_start(reporter);
    reporter->open_parts = 3;
    return http_peers_start(&reporter->peers, reporter->loop, daemon, on_daemon_ran, reporter);
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
    reporter->peers.request_ms = reporter->limits.request_ms;
    reporter->peers.idle_ms = reporter->limits.idle_s * 1000;
    auto_close int fd = -1;
    if (set_token(reporter, options->token, err) < 0 ||
        http_assets_open(&reporter->assets, options->index_file, err) < 0 || (fd = open_socket(options, err)) < 0)
        goto failed;
    note_address(reporter, fd);
    struct MHD_Daemon *daemon = start_daemon(reporter, fd);
    if (daemon == NULL) {
        error_set(err, ERROR_SYSTEM, "http: the server could not be started");
        goto failed;
    }
    fd = -1; /* the daemon's now */
    int failure = start_parts(reporter, daemon);
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

static void on_part_closed(void *data)
{
    struct reporter *reporter = data;
    if (--reporter->open_parts > 0)
        return;
    void (*closed)(void *data) = reporter->closed;
    void *owner = reporter->data;
    free(reporter);
    if (closed)
        closed(owner);
}

static void on_timer_closed(uv_handle_t *timer)
{
    on_part_closed(timer->data);
}

/* The connections go first: what they are sent is made of the others. */
static void close_all(struct reporter *reporter)
{
    http_peers_close(&reporter->peers, on_part_closed);
    http_events_close(reporter, on_part_closed);
    uv_close((uv_handle_t *)&reporter->stop_timer, on_timer_closed);
    http_api_forget(reporter);
    http_assets_close(&reporter->assets);
}

/* How long there is still something to wait for; 0: no longer. */
static uint64_t left_to_say_ms(const struct reporter *reporter)
{
    uint64_t now_ms = uv_now(reporter->loop);
    uint64_t left_ms = reporter->stop_by_ms > now_ms ? reporter->stop_by_ms - now_ms : 0;
    uint64_t quiet_ms = reporter->peers.heard_ms + LINGER_MS;
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

void reporter_stop(struct reporter *reporter, void (*closed)(void *data))
{
    reporter->is_stopping = true;
    reporter->closed = closed;
    reporter->stop_by_ms = uv_now(reporter->loop) + reporter->limits.last_words_ms;
    http_questions_give_up(reporter, HTTP_STOPPING);
    http_events_end(reporter);
    http_peers_run(&reporter->peers);
}
