/* The reporter itself, which its units share. Nobody outside of this folder includes it. */
#pragma once
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "controller/http/http_assets.h"
#include "controller/http/http_events.h"
#include "controller/http/http_guard.h"
#include "controller/http/http_peers.h"
#include "controller/http/http_questions.h"
#include "controller/http/reporter.h"

enum { HTTP_STATUS_CLASSES = 6 };

/* The last snapshot, for clients that want it at the same time. */
struct http_snapshot {
    uint64_t generation, seq;
    uint64_t made_ms;                    /* uv_now() */
    struct MHD_Response *plain, *zipped; /* NULL: not made */
};

struct reporter {
    uv_loop_t *loop;
    int port;
    struct reporter_limits limits;
    const struct reporter_source *source;
    void *data;
    bool has_token;
    struct http_token token; /* that writes must show */
    const char *bind;        /* what we listen on, as it was told */
    bool is_loopback;        /* it leads nowhere but to this machine */
    const char *url;         /* where people reach us; NULL: unknown */

    struct board *board; /* NULL: none */
    uint64_t generation; /* counts the boards that were shown */
    struct http_peers peers;
    struct http_questions questions;
    struct http_events events;
    struct http_assets assets;
    struct http_snapshot snapshot;
    size_t request_count; /* under way, streams and sleepers included */
    uint64_t replies[HTTP_STATUS_CLASSES];
    size_t (*collect)(void *data, struct reporter_metric *metrics, size_t room);

    bool is_stopping;
    uint64_t stop_by_ms;   /* uv_now(): whatever is under way then is cut off */
    uv_timer_t stop_timer; /* the last words are said */
    int open_parts;
    void (*closed)(void *data);
};
