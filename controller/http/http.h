/*
 * What the parts of the reporter share: the reporter itself, and one request. Nobody else includes this.
 *
 *     reporter      the daemon on the loop, connections and their deadlines, start and stop
 *     http_request  a request until it is complete: what is refused at first sight
 *     http_routes   which function answers what
 *     http_api      the run as JSON
 *     http_write    cancel and rerun
 *     http_assets   the page and its files
 *     http_events   the stream of changes
 *     http_metrics  Prometheus
 *     http_reply    responses, problems, the headers that all have
 *     http_target, http_fields, http_body   address, header fields and body, taken apart; pure
 *     http_guard    who may read and who may write; pure
 */
#pragma once
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "controller/http/http_assets.h"
#include "controller/http/http_guard.h"
#include "controller/http/http_target.h"
#include "controller/http/reporter.h"
#include "shared/buffer.h"

enum {
    HTTP_URI_MAX = 4096,
    HTTP_HEADER_MAX = 16 * 1024,
    HTTP_BODY_MAX = 64 * 1024,
    HTTP_STATUS_CLASSES = 6,
};

/* A connection. It is in reporter.watched while it has a deadline, which is always the same time from now, so that
 * the list is sorted by it. */
struct http_peer {
    TAILQ_ENTRY(http_peer) link;
    int fd;
    uint64_t deadline_ms;          /* of uv_now(); 0: none */
    struct http_request *sleeping; /* who waits for an answer; NULL: it is the client that is waited for */
};
TAILQ_HEAD(http_peers, http_peer);

struct http_request {
    struct reporter *reporter;
    struct MHD_Connection *connection;
    struct http_target target;
    const char *arguments[HTTP_ARGUMENTS]; /* what stood for the {names} of the route */
    unsigned refusal;                      /* status for an address that can't be served; 0: it is in order */
    bool is_head;
    bool has_headers; /* they have been looked at */
    bool keeps_body;
    size_t body_bytes;
    struct buffer body; /* if it is kept and isn't too large */

    struct reporter_request *question; /* asked and not answered yet */
    bool is_asleep;
    struct MHD_Response *answer; /* came while asleep; sent on waking */
    unsigned answer_status;
};

struct http_stream;
struct http_frame;
LIST_HEAD(http_streams, http_stream);

/* The last snapshot, for clients that want it at the same time. */
struct http_snapshot {
    uint64_t generation, seq;
    uint64_t made_ms;                    /* uv_now() */
    struct MHD_Response *plain, *zipped; /* NULL: not made */
};

struct reporter {
    uv_loop_t *loop;
    uv_poll_t poll;          /* the daemon's epoll descriptor */
    uv_timer_t daemon_timer; /* the daemon's own deadlines */
    uv_timer_t peer_timer;   /* the earliest deadline of `watched` */
    uv_timer_t frame_timer;  /* streams are due */
    uv_timer_t ping_timer;   /* streams are silent */
    uv_timer_t stop_timer;   /* the last words are said */
    int open_handles;
    struct MHD_Daemon *daemon;
    bool must_run_again; /* the daemon, at once */
    int port;
    struct reporter_limits limits;
    const struct reporter_source *source;
    void *data;
    bool has_token;
    struct http_token token; /* that writes must show */
    const char *bind;        /* what we listen on, as it was told */
    bool is_loopback;        /* it leads nowhere but to this machine */
    const char *url;         /* where people reach us; NULL: unknown */
    bool is_stopping;
    uint64_t stop_by_ms; /* uv_now(): whatever is under way then is cut off */
    void (*closed)(void *data);

    struct board *board; /* NULL: none */
    uint64_t generation; /* counts the boards that were shown */
    struct http_assets assets;
    struct http_peers watched;
    size_t request_count; /* under way, streams and sleepers included */
    uint64_t heard_ms;    /* uv_now() when somebody last came, or was served */
    struct http_snapshot snapshot;

    struct http_streams streams;
    size_t stream_count;
    uint64_t framed_ms;            /* uv_now() when streams were last due */
    struct http_frame *last_frame; /* may serve others as well; NULL: none */
    struct http_frame *end_frame;  /* what all streams end with; NULL: not made */

    uint64_t replies[HTTP_STATUS_CLASSES];
    size_t (*collect)(void *data, struct reporter_metric *metrics, size_t room);
};

/* Gives the connection a deadline from now, or none. */
void http_peer_watch(struct reporter *reporter, struct http_peer *peer, bool is_watched);
struct http_peer *http_peer_of(struct MHD_Connection *connection);

/* Lets a suspended connection go on, in the next turn of the loop. */
void http_wake(struct reporter *reporter, struct MHD_Connection *connection);

/* ---- a request's life (http_request.c): its first line, its headers, pieces of its body, its end */

struct http_request *http_request_new(struct reporter *reporter, struct MHD_Connection *connection, const char *uri);

#define HTTP_BAD_HOST "Host: found %s, wanted one name or address and its port"

/* The headers are there. Replies if they say enough to refuse the request. */
void http_request_begin(struct http_request *request, const char *method, const char *version);

/* false: there is more of it than is worth reading. */
bool http_request_add_body(struct http_request *request, const char *bytes, size_t length);

/* The request is complete. */
void http_request_serve(struct http_request *request, const char *method);

/* The client has gone or has its answer: nothing is to be sent any more. */
void http_request_free(struct http_request *request);

/* A header field of the request, the first of that name; NULL: it isn't there. */
const char *http_request_field(const struct http_request *request, const char *name);

/* How many of that name there are. */
int http_request_field_count(const struct http_request *request, const char *name);

/* The body of a POST, which may hold zeros before its end; "" without one. */
const char *http_request_body(const struct http_request *request);
