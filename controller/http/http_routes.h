/* Which function answers what: one table (http_routes.c). */
#pragma once

struct http_request;

/*
 * The headers are there: chooses the route of the address and method, and tells the request which body that takes.
 * HEAD is answered as GET is.
 */
void http_routes_choose(struct http_request *request);

/*
 * Replies to a request that is complete, or puts it to sleep and sees to it that somebody will reply. 404 for what
 * isn't there, 405 for another method, 400 for a query key that the route doesn't know, 503 while there is no run.
 */
void http_routes_serve(struct http_request *request);
