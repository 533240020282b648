#include "controller/http_routes.h"

#include <string.h>

#include "controller/http.h"
#include "controller/http_api.h"
#include "controller/http_events.h"
#include "controller/http_fields.h"
#include "controller/http_metrics.h"
#include "controller/http_reply.h"

struct route {
    const char *method;
    const char *pattern;
    void (*serve)(struct http_request *request);
    const char *query; /* the keys that it knows; NULL: others are ignored */
    bool needs_board;
    bool needs_run; /* the {run} must be the one that is shown */
};

static void serve_root(struct http_request *request)
{
    struct MHD_Response *response = http_response_static("", 0, NULL, "no-store", HTTP_POLICY_DATA);
    http_response_field(response, MHD_HTTP_HEADER_LOCATION, "results");
    http_reply(request, MHD_HTTP_FOUND, response);
}

static void reply_waiting(struct http_request *request)
{
    struct MHD_Response *response =
        http_response_problem(MHD_HTTP_SERVICE_UNAVAILABLE, "there is no run to tell of yet");
    http_response_field(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    http_reply(request, MHD_HTTP_SERVICE_UNAVAILABLE, response);
}

static void serve_results(struct http_request *request)
{
    if (!http_fields_prefer_json(http_request_field(request, MHD_HTTP_HEADER_ACCEPT)))
        http_assets_reply_page(request);
    else if (request->reporter->board == NULL)
        reply_waiting(request);
    else
        http_api_results(request);
}

static void serve_asset(struct http_request *request)
{
    if (!http_assets_reply_file(request, 1))
        http_reply_problem(request, MHD_HTTP_NOT_FOUND, "no such file");
}

static void serve_health(struct http_request *request)
{
    http_reply_text(request, MHD_HTTP_OK, "ok");
}

static void serve_ready(struct http_request *request)
{
    struct reporter *reporter = request->reporter;
    const char *missing = reporter->source->missing(reporter->data);
    http_reply_text(request, missing ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK, missing ? missing : "ok");
}

static void serve_write(struct http_request *request)
{
    http_reply_problem(request, MHD_HTTP_FORBIDDEN, "writes need a token, and none is configured");
}

#define RUN "/api/v1/runs/{run}"

static const struct route routes[] = {
    {"GET", "/", serve_root, NULL, false, false},
    {"GET", "/results", serve_results, NULL, false, false},
    {"GET", "/assets/{file*}", serve_asset, NULL, false, false},
    {"GET", "/health", serve_health, NULL, false, false},
    {"GET", "/livez", serve_health, NULL, false, false},
    {"GET", "/readyz", serve_ready, NULL, false, false},
    {"GET", "/metrics", http_metrics_reply, NULL, false, false},
    {"GET", "/api/v1/runs", http_api_runs, "", true, false},
    {"GET", RUN, http_api_run, "", true, false},
    {"GET", RUN "/snapshot", http_api_snapshot, "", true, true},
    {"GET", RUN "/events", http_events_reply, "since", true, true},
    {"GET", RUN "/tasks", http_api_tasks, "status q sort limit cursor", true, true},
    {"GET", RUN "/tasks/{key}", http_api_task, "", true, true},
    {"GET", RUN "/tasks/{key}/attempts/{n}/log", http_api_log, "", true, true},
    {"POST", RUN "/cancel", serve_write, "", false, false},
    {"POST", RUN "/rerun", serve_write, "", false, false},
};

static bool takes_method(const struct route *route, const struct http_request *request, const char *method)
{
    return strcmp(route->method, request->is_head ? MHD_HTTP_METHOD_GET : method) == 0;
}

static void reply_bad_method(struct http_request *request, const struct route *route)
{
    bool is_get = strcmp(route->method, MHD_HTTP_METHOD_GET) == 0;
    struct MHD_Response *response = http_response_problem(MHD_HTTP_METHOD_NOT_ALLOWED, "%s is answered to %s only",
                                                          route->pattern, is_get ? "GET and HEAD" : route->method);
    http_response_field(response, MHD_HTTP_HEADER_ALLOW, is_get ? "GET, HEAD" : route->method);
    http_reply(request, MHD_HTTP_METHOD_NOT_ALLOWED, response);
}

static void serve(struct http_request *request, const struct route *route)
{
    const char *stranger = route->query ? http_target_stranger(&request->target, route->query) : NULL;
    if (stranger != NULL && *route->query == '\0')
        http_reply_problem(request, MHD_HTTP_BAD_REQUEST, "query key %s: there are none here", stranger);
    else if (stranger != NULL)
        http_reply_problem(request, MHD_HTTP_BAD_REQUEST, "query key %s: known are %s", stranger, route->query);
    else if (route->needs_board && request->reporter->board == NULL)
        reply_waiting(request);
    else if (!route->needs_run || http_api_is_shown(request))
        route->serve(request);
}

void http_routes_dispatch(struct http_request *request, const char *method)
{
    const struct route *other = NULL;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (!http_target_matches(&request->target, routes[i].pattern, request->arguments))
            continue;
        if (takes_method(&routes[i], request, method)) {
            serve(request, &routes[i]);
            return;
        }
        other = &routes[i];
    }
    bool is_get = request->is_head || strcmp(method, MHD_HTTP_METHOD_GET) == 0;
    if (other != NULL)
        reply_bad_method(request, other);
    else if (!is_get || !http_assets_reply_file(request, 0))
        http_reply_problem(request, MHD_HTTP_NOT_FOUND, "there is nothing at this address");
}
