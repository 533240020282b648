/*
 * A route is chosen when the headers are there and served when the body is: what may have changed in between (the
 * run, the source) is looked at when it is served. A route's row says all that it needs; the functions rely on it.
 */
#include "controller/http/http_routes.h"

#include <string.h>

#include "controller/http/http_api.h"
#include "controller/http/http_events.h"
#include "controller/http/http_fields.h"
#include "controller/http/http_metrics.h"
#include "controller/http/http_reply.h"
#include "controller/http/http_request.h"
#include "controller/http/http_write.h"
#include "controller/http/reporter_private.h"

enum needs {
    NEEDS_NOTHING = 0,
    NEEDS_BOARD = 1,
    NEEDS_RUN = 2 | NEEDS_BOARD, /* the {run} must be the one that is shown */
    NEEDS_TOKEN = 4,             /* the client must be allowed to write */
    NEEDS_SOURCE = 8,            /* which goes before the reporter does */
};

struct http_route {
    const char *method;
    const char *pattern;
    void (*serve)(struct http_request *request);
    const char *query; /* the keys that it knows; NULL: others are ignored */
    int needs;         /* enum needs */
    size_t body_max;   /* bytes of the body, which goes into memory; 0: it is read and forgotten */
};

static void serve_root(struct http_request *request)
{
    struct MHD_Response *response = http_response_static("", 0, NULL, "no-store", HTTP_POLICY_DATA);
    http_response_field(response, MHD_HTTP_HEADER_LOCATION, "results");
    http_reply(request, MHD_HTTP_FOUND, response);
}

static void reply_waiting(struct http_request *request)
{
    struct MHD_Response *response = http_response_problem(MHD_HTTP_SERVICE_UNAVAILABLE, "there is no run yet");
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
    const char *missing = reporter->is_stopping ? HTTP_STOPPING : reporter->source->missing(reporter->data);
    http_reply_text(request, missing ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK, missing ? missing : "ok");
}

#define RUN "/api/v1/runs/{run}"

static const struct http_route routes[] = {
    {"GET", "/", serve_root, NULL, NEEDS_NOTHING, 0},
    {"GET", "/results", serve_results, NULL, NEEDS_NOTHING, 0},
    {"GET", "/assets/{file*}", serve_asset, NULL, NEEDS_NOTHING, 0},
    {"GET", "/health", serve_health, NULL, NEEDS_NOTHING, 0},
    {"GET", "/livez", serve_health, NULL, NEEDS_NOTHING, 0},
    {"GET", "/readyz", serve_ready, NULL, NEEDS_NOTHING, 0},
    {"GET", "/metrics", http_metrics_reply, NULL, NEEDS_NOTHING, 0},
    {"GET", "/api/v1/runs", http_api_runs, "", NEEDS_BOARD, 0},
    {"GET", RUN, http_api_run, "", NEEDS_BOARD, 0},
    {"GET", RUN "/snapshot", http_api_snapshot, "", NEEDS_RUN, 0},
    {"GET", RUN "/events", http_events_reply, "since", NEEDS_RUN, 0},
    {"GET", RUN "/tasks", http_api_tasks, "status q sort limit cursor", NEEDS_RUN, 0},
    {"GET", RUN "/tasks/{key}", http_api_task, "", NEEDS_RUN | NEEDS_SOURCE, 0},
    {"GET", RUN "/tasks/{key}/attempts/{n}/log", http_api_log, "", NEEDS_RUN | NEEDS_SOURCE, 0},
    {"GET", RUN "/junit.xml", http_api_export, "", NEEDS_RUN | NEEDS_SOURCE, 0},
    {"GET", RUN "/results.json", http_api_export, "", NEEDS_RUN | NEEDS_SOURCE, 0},
    {"GET", RUN "/report.html", http_api_export, "", NEEDS_RUN | NEEDS_SOURCE, 0},
    {"GET", RUN "/failed.txt", http_api_export, "", NEEDS_RUN | NEEDS_SOURCE, 0},
    {"POST", RUN "/cancel", http_write_cancel, "", NEEDS_RUN | NEEDS_TOKEN | NEEDS_SOURCE, HTTP_BODY_MAX},
    {"POST", RUN "/rerun", http_write_rerun, "", NEEDS_RUN | NEEDS_TOKEN | NEEDS_SOURCE, HTTP_BODY_MAX},
};

void http_routes_choose(struct http_request *request)
{
    size_t body_max = 0;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]) && !request->takes_method; i++) {
        if (!http_target_matches(&request->target, routes[i].pattern, request->arguments))
            continue;
        request->route = &routes[i];
        request->takes_method = strcmp(routes[i].method, request->method) == 0;
        body_max = request->takes_method ? routes[i].body_max : 0;
    }
    http_request_expect_body(request, body_max ? body_max : HTTP_BODY_MAX, body_max > 0);
}

static void reply_bad_method(struct http_request *request, const struct http_route *route)
{
    bool is_get = strcmp(route->method, MHD_HTTP_METHOD_GET) == 0;
    struct MHD_Response *response = http_response_problem(MHD_HTTP_METHOD_NOT_ALLOWED, "%s takes %s only",
                                                          route->pattern, is_get ? "GET and HEAD" : route->method);
    http_response_field(response, MHD_HTTP_HEADER_ALLOW, is_get ? "GET, HEAD" : route->method);
    http_reply(request, MHD_HTTP_METHOD_NOT_ALLOWED, response);
}

static bool needs(const struct http_route *route, enum needs what)
{
    return (route->needs & (int)what) == (int)what;
}

static void serve_route(struct http_request *request, const struct http_route *route)
{
    if (needs(route, NEEDS_TOKEN) && !http_write_is_allowed(request))
        return;
    const char *stranger = route->query ? http_target_stranger(&request->target, route->query) : NULL;
    if (stranger != NULL && *route->query == '\0')
        http_reply_problem(request, MHD_HTTP_BAD_REQUEST, "query key %s: this address takes none", stranger);
    else if (stranger != NULL)
        http_reply_problem(request, MHD_HTTP_BAD_REQUEST, "query key %s: wanted one of %s", stranger, route->query);
    else if (needs(route, NEEDS_SOURCE) && request->reporter->is_stopping)
        http_reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, HTTP_STOPPING);
    else if (needs(route, NEEDS_BOARD) && request->reporter->board == NULL)
        reply_waiting(request);
    else if (!needs(route, NEEDS_RUN) || http_api_is_shown(request))
        route->serve(request);
}

void http_routes_serve(struct http_request *request)
{
    bool is_get = strcmp(request->method, MHD_HTTP_METHOD_GET) == 0;
    if (request->route != NULL && request->takes_method)
        serve_route(request, request->route);
    else if (request->route != NULL)
        reply_bad_method(request, request->route);
    else if (!is_get || !http_assets_reply_file(request, 0))
        http_reply_problem(request, MHD_HTTP_NOT_FOUND, "there is nothing at this address");
}
