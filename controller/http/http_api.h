/* The run as JSON, and the logs: what stands under /api/v1. The arguments are those of the routes, in their order. */
#pragma once
#include <stdbool.h>

struct http_request;
struct reporter;

/* GET /results with Accept: application/json. */
void http_api_results(struct http_request *request);

void http_api_runs(struct http_request *request);
void http_api_run(struct http_request *request);
void http_api_snapshot(struct http_request *request);
void http_api_tasks(struct http_request *request);
void http_api_task(struct http_request *request);
void http_api_log(struct http_request *request);
void http_api_export(struct http_request *request); /* the last part of the address names the format */

/* Whether the first argument means the run that is shown; if not, the request has been replied to. */
bool http_api_is_shown(struct http_request *request);

/* The snapshot that is kept for others isn't needed any more. */
void http_api_forget(struct reporter *reporter);
