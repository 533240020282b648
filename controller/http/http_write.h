/*
 * POST …/cancel and …/rerun: all that a client can change. What is asked for is checked here against the board; the
 * source does it.
 */
#pragma once
#include <stdbool.h>

struct http_request;

/* Whether the client may write; if not, the request has been replied to. */
bool http_write_is_allowed(struct http_request *request);

void http_write_cancel(struct http_request *request);
void http_write_rerun(struct http_request *request);
