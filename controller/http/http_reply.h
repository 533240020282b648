/*
 * Replies: a response on its way to a request. A request is replied to exactly once: at once, or, when it is asleep,
 * that wakes it.
 */
#pragma once
#include "controller/http/http_response.h"
#include "shared/buffer.h"

struct http_request;

#define HTTP_STOPPING "the controller is stopping"

/* Takes over the response. */
void http_reply(struct http_request *request, unsigned status, struct MHD_Response *response);

/* The response is ours and serves others as well. The request is not asleep. */
void http_reply_shared(struct http_request *request, unsigned status, struct MHD_Response *response);

void http_reply_text(struct http_request *request, unsigned status, const char *text);
void http_reply_json(struct http_request *request, struct buffer *json); /* 200; the buffer is empty then */

/* The status, and what is wrong in this case: http_response_problem(). */
void http_reply_problem(struct http_request *request, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
