/*
 * One request: its address, its header fields, its body, and what becomes of it.
 *
 *     address ──► headers ──► body, in pieces ──► complete ──► replied ──► gone
 *                    └─ refused          └─ too large   └─ asleep ─┘
 *
 * What is wrong with any request, whatever it is for, is refused here. What it is for is chosen as soon as the
 * headers are there (http_routes), and so the body is taken as its route says.
 */
#pragma once
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

#include "controller/http/http_target.h"
#include "shared/buffer.h"

struct http_route;
struct reporter;
struct reporter_request;

enum {
    HTTP_URI_MAX = 4096,
    HTTP_HEADER_MAX = 16 * 1024,
    /* Of a body that is kept in memory; of one that nobody wants as much is read and forgotten. */
    HTTP_BODY_MAX = 64 * 1024,
};

struct http_request {
    struct reporter *reporter;
    struct MHD_Connection *connection;
    struct http_target target;
    unsigned refusal;   /* status for an address that can't be served; 0: it is in order */
    bool has_headers;   /* they have been looked at */
    const char *method; /* the library's; "GET" for HEAD */
    bool is_head;

    const struct http_route *route;        /* of its address; NULL: there is none, or it is refused */
    bool takes_method;                     /* the route does */
    const char *arguments[HTTP_ARGUMENTS]; /* what stood for the {names} of the route */

    size_t body_max;
    size_t body_bytes;
    bool keeps_body;
    struct buffer body; /* if it is kept and isn't too large */

    struct reporter_request *question; /* asked and not answered yet */
    bool is_asleep;
    struct MHD_Response *answer; /* came while asleep; sent on waking */
    unsigned answer_status;
};

/* The first line is there. */
struct http_request *http_request_new(struct reporter *reporter, struct MHD_Connection *connection, const char *uri);

/* The client has gone or has its answer: nothing is to be sent any more. */
void http_request_free(struct http_request *request);

/* The headers are there. false: they say enough to refuse the request, and that has been replied. */
bool http_request_begin(struct http_request *request, const char *method, const char *version);

/*
 * How large a body the request may bring, and whether it is kept: else it is read and forgotten. Refuses what is said
 * to be larger before it is sent.
 */
void http_request_expect_body(struct http_request *request, size_t body_max, bool is_kept);

/* A piece of the body. false: there is more of it than is worth reading. */
bool http_request_add_body(struct http_request *request, const char *bytes, size_t length);

/* The request is complete. false: its body was too large, and that has been replied. */
bool http_request_end_body(struct http_request *request);

/* A header field of the request, the first of that name; NULL: it isn't there. */
const char *http_request_field(const struct http_request *request, const char *name);

/* How many of that name there are. */
int http_request_field_count(const struct http_request *request, const char *name);

/* The body if it is kept, which may hold zeros before its end; "" without one. */
const char *http_request_body(const struct http_request *request);

#define HTTP_BAD_HOST "Host: found %s, wanted one name or address and its port"
