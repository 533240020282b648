#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <zlib.h>

#include "controller/http/reporter.h"
#include "http_client.h"
#include "shared/json.h"
#include "shared/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define API "/api/v1/runs/current"

static const char map[] =
    "{\"groups\":[{\"name\":\"a/b c\",\"tasks\":[{\"spec\":\"tests/a.spec.ts\",\"viewports\":[\"desktop\"],"
    "\"browsers\":[\"chrome\",\"firefox\",\"webkit\"]}]}]}";

/* The key of task 0 as it stands in an address. */
#define KEY "task%3Aa%2Fb%20c%3A0"

enum source_mode { SOURCE_ANSWERS, SOURCE_KEEPS };

struct fixture {
    uv_loop_t loop;
    struct plan plan;
    struct board *board;
    struct reporter *reporter;
    bool is_closed;

    /* the source */
    enum source_mode mode;
    const char *text; /* what it answers; NULL: nothing, which is told as `nothing` */
    size_t length;
    enum reporter_status nothing;
    const char *problem;
    const char *missing;
    struct reporter_request *kept;
    char asked[TASK_KEY_SIZE + 16]; /* the last that it was asked for; "": nothing */
    bool collects;
};

static void answer(struct fixture *f, struct reporter_request *request)
{
    reporter_answer(request, &(struct reporter_answer){.status = f->problem ? REPORTER_UNAVAILABLE
                                                                 : f->text  ? REPORTER_FOUND
                                                                            : f->nothing,
                                                       .body = {f->text, f->length},
                                                       .why = f->problem});
}

static void on_question(struct fixture *f, struct reporter_request *request)
{
    if (f->mode == SOURCE_KEEPS)
        f->kept = request;
    else
        answer(f, request);
}

static void on_attempts(void *data, const char *key, struct reporter_request *request)
{
    struct fixture *f = data;
    snprintf(f->asked, sizeof(f->asked), "%s", key);
    on_question(f, request);
}

static void on_log(void *data, const char *key, unsigned attempt, struct reporter_request *request)
{
    struct fixture *f = data;
    snprintf(f->asked, sizeof(f->asked), "%s#%u", key, attempt);
    on_question(f, request);
}

static void on_exported(void *data, enum export_name name, struct reporter_request *request)
{
    struct fixture *f = data;
    snprintf(f->asked, sizeof(f->asked), "%s", export_name_of(name));
    on_question(f, request);
}

static const char *on_missing(void *data)
{
    return ((struct fixture *)data)->missing;
}

static void on_cancel(void *data, struct reporter_request *request)
{
    struct fixture *f = data;
    snprintf(f->asked, sizeof(f->asked), "cancel");
    on_question(f, request);
}

static void on_rerun(void *data, unsigned states, struct reporter_request *request)
{
    struct fixture *f = data;
    size_t length = (size_t)snprintf(f->asked, sizeof(f->asked), "rerun");
    for (int i = 0; i < BOARD_STATES; i++)
        if (states & 1u << i)
            length += (size_t)snprintf(f->asked + length, sizeof(f->asked) - length, " %s",
                                       board_state_name((enum board_state)i));
    on_question(f, request);
}

static const struct reporter_source source = {on_attempts, on_log, on_exported, on_missing, on_cancel, on_rerun};

static size_t on_collect(void *data, struct reporter_metric *metrics, size_t room)
{
    assert_true(((struct fixture *)data)->collects && room >= 1);
    metrics[0] = (struct reporter_metric){"funkytown_redis_reconnects_total", "A \\ and\na line.", "counter", 2.5};
    return 1;
}

static void set_text(struct fixture *f, const char *text)
{
    f->text = text;
    f->length = text ? strlen(text) : 0;
}

static int open_fixture(void **state)
{
    struct fixture *f = memory_zeroed(1, sizeof(*f));
    struct error err = {0};
    uv_loop_init(&f->loop);
    plan_parse(&f->plan, map, strlen(map), &err);
    assert_string_equal(err.text, "");
    f->board = board_new(&f->plan, "run-1", "epoch-1");
    board_set_run(f->board, &(struct board_run){.state = BOARD_RUN_RUNNING, .started_ms = 1764000000000});
    board_set_history(f->board, "[{\"run_id\":\"run-0\",\"verdict\":\"failed\"}]");
    set_text(f, "[]");
    f->nothing = REPORTER_MISSING;
    *state = f;
    return 0;
}

static void start(struct fixture *f, struct reporter_options options)
{
    struct error err = {0};
    options.bind = "127.0.0.1";
    f->reporter = reporter_start(&f->loop, &options, &source, f, &err);
    assert_string_equal(err.text, "");
    assert_non_null(f->reporter);
}

static void on_closed(void *data)
{
    ((struct fixture *)data)->is_closed = true;
}

static bool has_closed(void *data)
{
    return ((struct fixture *)data)->is_closed;
}

static void stop(struct fixture *f)
{
    reporter_stop(f->reporter, on_closed);
    client_run(&f->loop, has_closed, f);
    f->reporter = NULL;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    if (f->reporter)
        stop(f);
    client_run_out(&f->loop);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    board_free(f->board);
    plan_close(&f->plan);
    free(f);
    return 0;
}

/* A reporter that shows the board. */
static struct fixture *running(void **state)
{
    struct fixture *f = *state;
    start(f, (struct reporter_options){0});
    reporter_show(f->reporter, f->board);
    return f;
}

static void send_request(struct client *client, const char *method, const char *uri, const char *headers)
{
    auto_free char *request = memory_format("%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", method, uri, headers);
    client_send(client, request);
}

/* One request on a connection of its own. `client` holds the response and is to be closed. */
static int request(struct fixture *f, struct client *client, const char *method, const char *uri, const char *headers)
{
    client_open(client, &f->loop, reporter_port(f->reporter));
    send_request(client, method, uri, headers);
    return client_response(client, strcmp(method, "HEAD") == 0);
}

static cJSON *parsed(const char *text)
{
    struct error err;
    cJSON *root;
    if (json_parse(&root, text, strlen(text), &err) < 0)
        fail_msg("%s in %s", err.text, text);
    return root;
}

static const char *member(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
}

/* The response is a problem of this status, whose detail contains the text. */
static void assert_problem(struct client *client, int status, const char *detail)
{
    if (strncmp(client_field(client, "Content-Type"), "application/problem+json", 24) != 0)
        fail_msg("no problem: %s", client->received.data);
    cJSON *root = parsed(client_body(client));
    assert_string_equal(member(root, "type"), "about:blank");
    assert_non_null(member(root, "title"));
    assert_int_equal(cJSON_GetObjectItem(root, "status")->valueint, status);
    if (strstr(member(root, "detail"), detail) == NULL)
        fail_msg("%s: not in: %s", detail, member(root, "detail"));
    cJSON_Delete(root);
}

/* The headers that every reply has. */
static void assert_dressed(const struct client *client, const char *type, const char *cache)
{
    assert_string_equal(client_field(client, "Content-Type"), type);
    assert_string_equal(client_field(client, "Cache-Control"), cache);
    assert_string_equal(client_field(client, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(client_field(client, "Referrer-Policy"), "no-referrer");
    assert_non_null(strstr(client_field(client, "Content-Security-Policy"), "default-src 'none'"));
    assert_non_null(strstr(client_field(client, "Content-Security-Policy"), "frame-ancestors 'none'"));
}

static void each_route_answers(void **state)
{
    static const struct {
        const char *uri;
        const char *headers;
        int status;
        const char *type;
        const char *cache;
    } rows[] = {
        {"/", "", 302, "", "no-store"},
        {"/results", "", 200, "text/html; charset=utf-8", "no-cache"},
        {"/results?q=cart&anything=1", "", 200, "text/html; charset=utf-8", "no-cache"},
        {"/results", "Accept: text/html, application/json\r\n", 200, "text/html; charset=utf-8", "no-cache"},
        {"/results", "Accept: application/json\r\n", 200, "application/json", "no-store"},
        {"/results", "Accept: text/html;q=0.5, application/json;q=0.9\r\n", 200, "application/json", "no-store"},
        {"/health", "", 200, "text/plain; charset=utf-8", "no-store"},
        {"/livez", "", 200, "text/plain; charset=utf-8", "no-store"},
        {"/readyz", "", 200, "text/plain; charset=utf-8", "no-store"},
        {"/metrics", "", 200, "text/plain; version=0.0.4; charset=utf-8", "no-store"},
        {"/api/v1/runs", "", 200, "application/json", "no-store"},
        {"/api/v1/runs/run-1", "", 200, "application/json", "no-store"},
        {"/api/v1/runs/run-0", "", 200, "application/json", "no-store"},
        {"/api/v1/runs/run-9", "", 404, "application/problem+json", "no-store"},
        {API, "", 200, "application/json", "no-store"},
        {API "/snapshot", "", 200, "application/json", "no-store"},
        {"/api/v1/runs/run-0/snapshot", "", 404, "application/problem+json", "no-store"},
        {"/api/v1/runs/run-1/snapshot", "", 200, "application/json", "no-store"},
        {API "/snapshot?since=1", "", 400, "application/problem+json", "no-store"},
        {API "/tasks", "", 200, "application/json", "no-store"},
        {API "/tasks/" KEY, "", 200, "application/json", "no-store"},
        {API "/tasks/" KEY "/attempts/1/log", "", 200, "text/plain; charset=utf-8", "no-store"},
        {"http://localhost:3000/health", "", 200, "text/plain; charset=utf-8", "no-store"},
        {"/nothing", "", 404, "application/problem+json", "no-store"},
        {"/results/", "", 404, "application/problem+json", "no-store"},
        {"//results", "", 404, "application/problem+json", "no-store"},
        {"/assets/", "", 404, "application/problem+json", "no-store"},
        {"/assets/../results", "", 404, "application/problem+json", "no-store"},
        {"/assets/..%2f..%2fetc%2fpasswd", "", 404, "application/problem+json", "no-store"},
        {"/etc/passwd", "", 404, "application/problem+json", "no-store"},
        {"/api/v1/runs/", "", 404, "application/problem+json", "no-store"},
        {"/api/v1/runs/current/", "", 404, "application/problem+json", "no-store"},
        {"/health%", "", 400, "application/problem+json", "no-store"},
        {"/health%00", "", 400, "application/problem+json", "no-store"},
        {"/health%ff", "", 400, "application/problem+json", "no-store"},
        {"/health?a=%g0", "", 400, "application/problem+json", "no-store"},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13", "", 400, "application/problem+json", "no-store"},
        {"/%72esults", "", 200, "text/html; charset=utf-8", "no-cache"},
        {"/%2572esults", "", 404, "application/problem+json", "no-store"},
        {"/results%2f", "", 404, "application/problem+json", "no-store"},
        {"/results;x", "", 404, "application/problem+json", "no-store"},
        {"/RESULTS", "", 404, "application/problem+json", "no-store"},
        {"/./results", "", 404, "application/problem+json", "no-store"},
        {"/%2e/results", "", 404, "application/problem+json", "no-store"},
        {"/x/../results", "", 404, "application/problem+json", "no-store"},
        {"/x/..%5cresults", "", 404, "application/problem+json", "no-store"},
        {"/a%0d%0aX-Evil:%201", "", 404, "application/problem+json", "no-store"},
        {"/assets/%2e%2e/%2e%2e/etc/passwd", "", 404, "application/problem+json", "no-store"},
        {"/assets/%252e%252e/etc/passwd", "", 404, "application/problem+json", "no-store"},
        {"/assets//etc/passwd", "", 404, "application/problem+json", "no-store"},
        {"/assets/%2fetc%2fpasswd", "", 404, "application/problem+json", "no-store"},
        {"/assets/..\\..\\etc\\passwd", "", 404, "application/problem+json", "no-store"},
        {"/assets/%c0%ae%c0%ae/etc/passwd", "", 400, "application/problem+json", "no-store"},
        {"/api/v1/runs//", "", 404, "application/problem+json", "no-store"},
        {"/api//v1/runs", "", 404, "application/problem+json", "no-store"},
        {"/api/v1/../v1/runs", "", 404, "application/problem+json", "no-store"},
        {"/api/v1/runs/..", "", 404, "application/problem+json", "no-store"},
        {"/api/v1/runs/..%2fcurrent", "", 404, "application/problem+json", "no-store"},
        {"/api/v1/runs/%2e%2e/tasks", "", 404, "application/problem+json", "no-store"},
        {API "/tasks/..", "", 404, "application/problem+json", "no-store"},
        {API "/tasks/..%2f..%2fetc%2fpasswd", "", 404, "application/problem+json", "no-store"},
        {API "/tasks/../snapshot", "", 404, "application/problem+json", "no-store"},
        {API "/tasks//attempts/1/log", "", 404, "application/problem+json", "no-store"},
        {API "/tasks/" KEY "/../" KEY, "", 404, "application/problem+json", "no-store"},
        {API "/tasks/" KEY "/attempts/../log", "", 404, "application/problem+json", "no-store"},
        {API "/tasks/" KEY "/attempts/1%2flog", "", 404, "application/problem+json", "no-store"},
        {API "/tasks/" KEY "/attempts/%2e%2e%2f1/log", "", 404, "application/problem+json", "no-store"},
        {"*", "", 400, "application/problem+json", "no-store"},
    };
    struct fixture *f = running(state);
    for (size_t i = 0; i < COUNT(rows); i++) {
        static const char *const methods[] = {"GET", "HEAD"};
        for (size_t m = 0; m < COUNT(methods); m++) {
            struct client client;
            int status = request(f, &client, methods[m], rows[i].uri, rows[i].headers);
            if (status != rows[i].status)
                fail_msg("%s %s: %s", methods[m], rows[i].uri, client.received.data);
            assert_dressed(&client, rows[i].type, rows[i].cache);
            if (m == 1)
                assert_string_equal(client_body(&client), "");
            else if (status >= 400)
                assert_problem(&client, status, "");
            client_close(&client);
        }
    }
}

static void the_root_leads_to_the_page(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    assert_int_equal(request(f, &client, "GET", "/", ""), 302);
    assert_string_equal(client_field(&client, "Location"), "results");
    client_close(&client);
    assert_int_equal(request(f, &client, "GET", "/results", ""), 200);
    assert_string_equal(client_field(&client, "Vary"), "Accept, Accept-Encoding");
    assert_string_equal(client_field(&client, "Content-Security-Policy"),
                        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                        "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
                        "frame-ancestors 'none'; require-trusted-types-for 'script'");
    assert_non_null(strcasestr(client_body(&client), "<!doctype html>"));
    client_close(&client);
    assert_int_equal(request(f, &client, "GET", "/results", "Accept: application/json\r\n"), 200);
    assert_string_equal(client_field(&client, "Vary"), "Accept");
    cJSON *summary = parsed(client_body(&client));
    assert_string_equal(member(summary, "run_id"), "run-1");
    cJSON_Delete(summary);
    client_close(&client);
}

static void gunzip(const char *bytes, size_t length, struct buffer *out)
{
    z_stream stream = {0};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = (unsigned char *)(uintptr_t)bytes;
    stream.avail_in = (unsigned)length;
    int status = Z_OK;
    while (status == Z_OK) {
        stream.next_out = (unsigned char *)buffer_reserve(out, 65536);
        stream.avail_out = 65536;
        status = inflate(&stream, Z_NO_FLUSH);
        buffer_added(out, 65536 - stream.avail_out);
    }
    assert_int_equal(status, Z_STREAM_END);
    inflateEnd(&stream);
}

/* The address of the page's script, as the page gives it. */
static void find_script(struct fixture *f, char *uri, size_t size)
{
    struct client client;
    assert_int_equal(request(f, &client, "GET", "/results", ""), 200);
    const char *name = strstr(client_body(&client), "assets/app-");
    while (name && strncmp(name + strcspn(name, "\"' >"), ".js", 3) != 0 &&
           memcmp(name + strcspn(name, "\"' >") - 3, ".js", 3) != 0)
        name = strstr(name + 1, "assets/app-");
    assert_non_null(name);
    snprintf(uri, size, "/%.*s", (int)strcspn(name, "\"' >"), name);
    client_close(&client);
}

static void assets_are_kept_for_ever_and_compressed(void **state)
{
    struct fixture *f = running(state);
    struct client plain, zipped, again;
    char uri[128], tag[64];
    find_script(f, uri, sizeof(uri));

    assert_int_equal(request(f, &plain, "GET", uri, ""), 200);
    assert_string_equal(client_field(&plain, "Content-Type"), "text/javascript; charset=utf-8");
    assert_string_equal(client_field(&plain, "Cache-Control"), "public, max-age=31536000, immutable");
    assert_string_equal(client_field(&plain, "Vary"), "Accept-Encoding");
    assert_string_equal(client_field(&plain, "Content-Encoding"), "");

    assert_int_equal(request(f, &zipped, "GET", uri, "Accept-Encoding: br, gzip\r\n"), 200);
    assert_string_equal(client_field(&zipped, "Content-Encoding"), "gzip");
    client_body(&zipped);
    auto_buffer text = {0};
    gunzip(zipped.body.data, zipped.body.length, &text);
    assert_string_equal(text.data, client_body(&plain));
    snprintf(tag, sizeof(tag), "%s", client_field(&zipped, "ETag"));
    client_close(&zipped);

    auto_free char *same = memory_format("Accept-Encoding: gzip\r\nIf-None-Match: \"x\", W/%s\r\n", tag);
    assert_int_equal(request(f, &again, "GET", uri, same), 304);
    assert_string_equal(client_field(&again, "ETag"), tag);
    assert_string_equal(client_field(&again, "Cache-Control"), "public, max-age=31536000, immutable");
    client_close(&again);
    auto_free char *other = memory_format("If-None-Match: %s\r\n", tag); /* the plain one is another */
    assert_int_equal(request(f, &again, "GET", uri, other), 200);
    client_close(&again);
    assert_int_equal(request(f, &again, "GET", uri + strlen("/assets"), ""), 200); /* beside the page as well */
    client_close(&again);
    client_close(&plain);
}

static void other_methods_are_refused(void **state)
{
    static const struct {
        const char *method, *uri;
        int status;
        const char *allow;
    } rows[] = {
        {"POST", "/results", 405, "GET, HEAD"},   {"PUT", "/", 405, "GET, HEAD"},
        {"DELETE", API, 405, "GET, HEAD"},        {"OPTIONS", "/health", 405, "GET, HEAD"},
        {"BREW", API "/tasks", 405, "GET, HEAD"}, {"GET", API "/cancel", 405, "POST"},
        {"HEAD", API "/rerun", 405, "POST"},      {"POST", "/nothing", 404, ""},
    };
    struct fixture *f = running(state);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        assert_int_equal(request(f, &client, rows[i].method, rows[i].uri, ""), rows[i].status);
        assert_string_equal(client_field(&client, "Allow"), rows[i].allow);
        client_close(&client);
    }
}

static void writes_need_a_token(void **state)
{
    struct fixture *f = running(state);
    static const char *const uris[] = {API "/cancel", API "/rerun"};
    for (size_t i = 0; i < COUNT(uris); i++) {
        struct client client;
        client_open(&client, &f->loop, reporter_port(f->reporter));
        send_request(&client, "POST", uris[i], "Content-Length: 2\r\n");
        client_send(&client, "{}");
        assert_int_equal(client_response(&client, false), 403);
        assert_problem(&client, 403, "writes need a token, and none is configured");
        /* The body was read, so the connection serves on. */
        client_clear(&client);
        send_request(&client, "GET", "/health", "");
        assert_int_equal(client_response(&client, false), 200);
        client_close(&client);
    }
}

/* ---- by which name */

static int request_as(struct fixture *f, struct client *client, const char *line, const char *host)
{
    auto_free char *field = host ? memory_format("Host: %s\r\n", host) : memory_text("");
    auto_free char *text = memory_format("%s\r\n%s\r\n", line, field);
    client_open(client, &f->loop, reporter_port(f->reporter));
    client_send(client, text);
    return client_response(client, strncmp(line, "HEAD", 4) == 0);
}

/* A page elsewhere, whose name was made to lead here after it was loaded, would read what it likes. */
static void on_loopback_only_our_own_names_are_served(void **state)
{
    static const struct {
        const char *host;
        int status;
    } rows[] = {
        {"localhost", 200},
        {"LocalHost:8080", 200}, /* a forwarded port is another one */
        {"ci.localhost:3000", 200},
        {"127.0.0.1:3000", 200},
        {"127.9.8.7", 200},
        {"[::1]:3000", 200},
        {"ci.example", 200},
        {"CI.example.:443", 200},
        {"evil.example", 421},
        {"evil.example:3000", 421},
        {"localhost.evil.example", 421},
        {"ci.example.evil", 421},
        {"xci.example", 421},
        {"10.0.0.1", 421},
        {"127.1", 421},
        {"", 400},
        {"a!b.evil.example", 400},
        {"localhost/", 400},
        {"localhost, evil.example", 400},
    };
    static const char *const paths[] = {"/",
                                        "/results",
                                        "/assets/x",
                                        "/health",
                                        "/livez",
                                        "/readyz",
                                        "/metrics",
                                        "/api/v1/runs",
                                        API,
                                        API "/snapshot",
                                        API "/events",
                                        API "/tasks",
                                        "/nothing",
                                        API "/tasks/" KEY,
                                        API "/tasks/" KEY "/attempts/1/log"};
    struct fixture *f = *state;
    struct client client;
    start(f, (struct reporter_options){.url = "https://ci.example/funkytown"});
    reporter_show(f->reporter, f->board);
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (request_as(f, &client, "GET /health HTTP/1.1", rows[i].host) != rows[i].status)
            fail_msg("%s: %s", rows[i].host, client.received.data);
        if (rows[i].status != 200)
            assert_problem(&client, rows[i].status, rows[i].status == 421 ? "FUNKYTOWN_URL" : "Host: found ");
        client_close(&client);
    }
    for (size_t i = 0; i < COUNT(paths); i++) {
        auto_free char *line = memory_format("GET %s HTTP/1.1", paths[i]);
        assert_int_equal(request_as(f, &client, line, "evil.example"), 421);
        assert_problem(
            &client, 421,
            "Host: found evil.example, wanted localhost, 127.0.0.1 or the name in FUNKYTOWN_URL (http://name)");
        assert_dressed(&client, "application/problem+json", "no-store");
        client_close(&client);
    }
    assert_int_equal(request_as(f, &client, "HEAD /results HTTP/1.1", "evil.example"), 421);
    client_close(&client);
    assert_int_equal(request_as(f, &client, "POST " API "/cancel HTTP/1.1", "evil.example"), 421);
    client_close(&client);
    assert_string_equal(f->asked, "");

    /* What stands in the address is what counts (RFC 9112, 3.2.2). */
    assert_int_equal(request_as(f, &client, "GET http://evil.example/health HTTP/1.1", "localhost"), 421);
    client_close(&client);
    assert_int_equal(request_as(f, &client, "GET http://localhost:3000/health HTTP/1.1", "evil.example"), 200);
    client_close(&client);
    /* Every browser sends a Host, and one. */
    assert_int_equal(request_as(f, &client, "GET /health HTTP/1.0", NULL), 200);
    client_close(&client);
    assert_int_equal(request_as(f, &client, "GET /health HTTP/1.1", NULL), 400);
    client_close(&client);
    assert_int_equal(request_as(f, &client, "GET /health HTTP/1.1", "localhost\r\nHost: evil.example"), 400);
    client_close(&client);
}

/* In an image, behind a node port or an ingress we don't know our names. */
static void beyond_loopback_every_name_is_served(void **state)
{
    static const char *const hosts[] = {"localhost", "controller:3000", "10.1.2.3:30300", "funkytown.example"};
    struct fixture *f = *state;
    struct client client;
    struct error err = {0};
    const struct reporter_options options = {.bind = "0.0.0.0"};
    f->reporter = reporter_start(&f->loop, &options, &source, f, &err);
    assert_string_equal(err.text, "");
    for (size_t i = 0; i < COUNT(hosts); i++) {
        assert_int_equal(request_as(f, &client, "GET /health HTTP/1.1", hosts[i]), 200);
        client_close(&client);
    }
}

static void a_name_that_was_bound_is_served(void **state)
{
    struct fixture *f = *state;
    struct client client;
    struct error err = {0};
    const struct reporter_options options = {.bind = "localhost"};
    f->reporter = reporter_start(&f->loop, &options, &source, f, &err);
    assert_string_equal(err.text, "");
    if (request_as(f, &client, "GET /health HTTP/1.1", "localhost") != 200)
        fail_msg("%s", client.received.data);
    client_close(&client);
    assert_int_equal(request_as(f, &client, "GET /health HTTP/1.1", "evil.example"), 421);
    client_close(&client);
}

static bool has_question(void *data)
{
    return ((struct fixture *)data)->kept != NULL;
}

static struct reporter_request *kept_question(struct fixture *f)
{
    client_run(&f->loop, has_question, f);
    struct reporter_request *kept = f->kept;
    f->kept = NULL;
    return kept;
}

/* ---- cancel and rerun */

#define TOKEN     "s3cret-t0ken_of.m4ny~chars="
#define HELD      "Host: localhost\r\nAuthorization: Bearer " TOKEN "\r\n"
#define HELD_JSON HELD "Content-Type: application/json\r\n"

static int post(struct fixture *f, struct client *client, const char *uri, const char *headers, const char *body)
{
    auto_free char *request =
        memory_format("POST %s HTTP/1.1\r\n%sContent-Length: %zu\r\n\r\n%s", uri, headers, strlen(body), body);
    client_open(client, &f->loop, reporter_port(f->reporter));
    client_send(client, request);
    return client_response(client, false);
}

/* A reporter that takes writes, of a run with two failed tasks and a flaky one. */
static struct fixture *writable(void **state)
{
    struct fixture *f = *state;
    static const enum board_state states[] = {BOARD_FAILED, BOARD_FLAKY, BOARD_FAILED};
    for (size_t i = 0; i < COUNT(states); i++)
        board_set_task(f->board, i, &(struct board_task){.state = states[i], .attempt = 1});
    start(f, (struct reporter_options){.token = TOKEN, .url = "https://ci.example/funkytown"});
    reporter_show(f->reporter, f->board);
    return f;
}

static void who_writes_shows_token_host_and_origin(void **state)
{
    static const struct {
        const char *headers;
        int status;
        const char *detail;
    } rows[] = {
        {HELD, 200, NULL},
        {"Host: localhost:3000\r\nAuthorization: bearer  " TOKEN "\r\n", 200, NULL},
        {HELD "Origin: http://localhost\r\n", 200, NULL},
        {HELD "Origin: https://localhost:443\r\n", 200, NULL},
        {HELD "Origin: https://ci.example\r\n", 200, NULL},
        {"Host: localhost\r\n", 401, "Authorization: Bearer"},
        {"Host: localhost\r\nAuthorization: Bearer\r\n", 401, "Bearer"},
        {"Host: localhost\r\nAuthorization: Basic " TOKEN "\r\n", 401, "Bearer"},
        {"Host: localhost\r\nAuthorization: " TOKEN "\r\n", 401, "Bearer"},
        {"Host: localhost\r\nAuthorization: Bearer s3cret\r\n", 401, "Bearer"},
        {"Host: localhost\r\nAuthorization: Bearer " TOKEN "=\r\n", 401, "Bearer"},
        {"Host: localhost\r\nAuthorization: Bearer S3CRET-T0KEN_OF.M4NY~CHARS=\r\n", 401, "Bearer"},
        {"Host: localhost\r\nCookie: token=" TOKEN "\r\n", 401, "Bearer"},
        {"Authorization: Bearer " TOKEN "\r\n", 400, NULL}, /* libmicrohttpd 1.0 says so itself */
        {"Host:\r\nAuthorization: Bearer " TOKEN "\r\n", 400, "Host: found "},
        {"Host: x/y\r\nAuthorization: Bearer " TOKEN "\r\n", 400, "Host: found x/y, wanted"},
        {"Host: x\xff\r\nAuthorization: Bearer " TOKEN "\r\n", 400, "Host: found x\xef\xbf\xbd, wanted"},
        {"Host: y\r\n" HELD, 400, "Host: found y, wanted one"},
        {HELD "Origin: http://evil.example\r\n", 403,
         "Origin: found http://evil.example, wanted the address of this report"},
        {HELD "Origin: http://localhost:3000\r\n", 403, "Origin: found http://localhost:3000"},
        {HELD "Origin: null\r\n", 403, "Origin: found null"},
        {HELD "Origin: \r\n", 403, "Origin: found "},
        {"Host: localhost\r\nOrigin: http://evil.example\r\n", 403, "Origin"}, /* before the token is looked at */
    };
    static const char *const uris[] = {API "/cancel", API "/rerun"};
    struct fixture *f = writable(state);
    set_text(f, "{}");
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t u = 0; u < COUNT(uris); u++) {
            struct client client;
            auto_free char *headers = memory_format("%sContent-Type: application/json\r\n", rows[i].headers);
            f->asked[0] = '\0';
            int status = post(f, &client, uris[u], headers, u == 1 ? "{\"status\":[\"failed\"]}" : "");
            if (status != rows[i].status)
                fail_msg("%s: %s", rows[i].headers, client.received.data);
            assert_int_equal(f->asked[0] != '\0', status == 200);
            assert_string_equal(client_field(&client, "WWW-Authenticate"), status == 401 ? "Bearer" : "");
            if (rows[i].detail)
                assert_problem(&client, status, rows[i].detail);
            client_close(&client);
        }
    }
}

static void without_a_token_nobody_writes(void **state)
{
    static const char *const tokens[] = {NULL, ""};
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(tokens); i++) {
        struct client client;
        f->is_closed = false;
        start(f, (struct reporter_options){.token = tokens[i]});
        reporter_show(f->reporter, f->board);
        assert_int_equal(post(f, &client, API "/cancel", "Host: localhost\r\nAuthorization: Bearer \r\n", ""), 403);
        assert_problem(&client, 403, "none is configured");
        client_close(&client);
        assert_int_equal(post(f, &client, API "/rerun", "Host: localhost\r\nAuthorization: Bearer x\r\n", "{}"), 403);
        client_close(&client);
        stop(f);
    }
    assert_string_equal(f->asked, "");
}

static void a_token_that_cannot_be_sent_stops_the_start(void **state)
{
    struct fixture *f = *state;
    struct error err;
    char long_token[300] = "";
    memset(long_token, 'x', 257);
    const char *tokens[] = {"s3cret\n", "s3 cret", "s3cr\xc3\xa9t", long_token};
    for (size_t i = 0; i < COUNT(tokens); i++) {
        assert_null(reporter_start(&f->loop, &(struct reporter_options){.bind = "127.0.0.1", .token = tokens[i]},
                                   &source, f, &err));
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_non_null(strstr(err.text, "FUNKYTOWN_TOKEN: "));
        assert_null(strstr(err.text, "s3"));
    }
}

static void a_run_is_cancelled_by_the_source(void **state)
{
    struct fixture *f = writable(state);
    struct client client;
    static const char *const empty[] = {"", "{}", " {\n} "};
    set_text(f, "{\"cancelled\":12}");
    for (size_t i = 0; i < COUNT(empty); i++) {
        f->asked[0] = '\0';
        assert_int_equal(post(f, &client, i ? API "/cancel" : "/api/v1/runs/run-1/cancel", HELD, empty[i]), 200);
        assert_string_equal(f->asked, "cancel");
        assert_string_equal(client_field(&client, "Content-Type"), "application/json");
        assert_string_equal(client_field(&client, "Cache-Control"), "no-store");
        assert_string_equal(client_body(&client), "{\"cancelled\":12}");
        client_close(&client);
    }
    static const struct {
        const char *uri, *body;
        int status;
        const char *detail;
    } rows[] = {
        {API "/cancel", "{\"why\":1}", 400, "found an object, wanted an empty body or {}"},
        {API "/cancel", "[]", 400, "found an empty list, wanted an empty body or {}"},
        {API "/cancel", "all", 400, "line 1 column 1: found 'a', wanted a value"},
        {API "/cancel?force=1", "", 400, "query key force: this address takes none"},
        {"/api/v1/runs/run-0/cancel", "", 404, "run-0 is an earlier one"},
        {"/api/v1/runs/run-9/cancel", "", 404, "there is no run run-9"},
    };
    f->asked[0] = '\0';
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(post(f, &client, rows[i].uri, HELD, rows[i].body), rows[i].status);
        assert_problem(&client, rows[i].status, rows[i].detail);
        client_close(&client);
    }
    board_set_run(
        f->board,
        &(struct board_run){.state = BOARD_RUN_FINISHED, .started_ms = 1764000000000, .finished_ms = 1764000001000});
    assert_int_equal(post(f, &client, API "/cancel", HELD, ""), 409);
    assert_problem(&client, 409, "run run-1 is finished already");
    client_close(&client);
    board_set_run(
        f->board,
        &(struct board_run){.state = BOARD_RUN_CANCELLED, .started_ms = 1764000000000, .finished_ms = 1764000001000});
    assert_int_equal(post(f, &client, API "/cancel", HELD, ""), 409);
    assert_problem(&client, 409, "run run-1 is cancelled already");
    client_close(&client);
    reporter_show(f->reporter, NULL);
    assert_int_equal(post(f, &client, API "/cancel", HELD, ""), 503);
    client_close(&client);
    assert_string_equal(f->asked, "");
}

static void tasks_are_run_again_by_the_source(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *wanted; /* what the source is asked for, or what the problem says */
    } rows[] = {
        {"{\"status\":[\"failed\"]}", 200, "rerun failed"},
        {"{\"status\":[\"failed\",\"error\"],\"expected_count\":2}", 200, "rerun failed error"},
        {"{\"status\":[\"cancelled\",\"flaky\",\"failed\"],\"expected_count\":3}", 200,
         "rerun failed flaky cancelled"},
        {"{\"status\":[\"failed\",\"error\"],\"expected_count\":3}", 409,
         "expected_count: found 3, but 2 tasks are failed or error; nothing was done"},
        {"{\"status\":[\"failed\"],\"expected_count\":0}", 409, "found 0, but 2 tasks are failed;"},
        {"{\"status\":[\"error\"],\"expected_count\":1}", 409, "found 1, but 0 tasks are error;"},
        {"{\"status\":[\"error\"],\"expected_count\":0}", 409, "no task is error"},
        {"{\"status\":[\"error\",\"cancelled\"]}", 409, "no task is error or cancelled"},
        {"{\"status\":[\"skipped\",\"error\"]}", 409, "no task is error or skipped"},
        {"{\"status\":[\"failed\",\"passed\"]}", 400,
         "status[1]: found \"passed\", wanted failed, error, cancelled, flaky or skipped"},
        {"{}", 400, "status: found nothing, wanted a list of failed, error, cancelled, flaky or skipped"},
        {"", 400, "line 1 column 1: found the end, wanted a value"},
    };
    struct fixture *f = writable(state);
    struct client client;
    set_text(f, "{\"rerun\":2}");
    for (size_t i = 0; i < COUNT(rows); i++) {
        f->asked[0] = '\0';
        int status = post(f, &client, API "/rerun", HELD_JSON, rows[i].body);
        if (status != rows[i].status)
            fail_msg("%s: %s", rows[i].body, client.received.data);
        assert_string_equal(f->asked, status == 200 ? rows[i].wanted : "");
        if (status == 200)
            assert_string_equal(client_body(&client), "{\"rerun\":2}");
        else
            assert_problem(&client, status, rows[i].wanted);
        client_close(&client);
    }

    /* A finished run can be run again as well. */
    board_set_run(
        f->board,
        &(struct board_run){.state = BOARD_RUN_FINISHED, .started_ms = 1764000000000, .finished_ms = 1764000001000});
    assert_int_equal(post(f, &client, API "/rerun", HELD_JSON, rows[0].body), 200);
    client_close(&client);
    assert_int_equal(post(f, &client, "/api/v1/runs/run-0/rerun", HELD_JSON, rows[0].body), 404);
    client_close(&client);
}

static void a_rerun_is_asked_for_in_json(void **state)
{
    static const struct {
        const char *type;
        int status;
    } rows[] = {
        {"", 415},
        {"Content-Type: text/plain\r\n", 415},
        {"Content-Type: application/x-www-form-urlencoded\r\n", 415},
        {"Content-Type: multipart/form-data; boundary=x\r\n", 415},
        {"Content-Type: application/jsonp\r\n", 415},
        {"Content-Type: text/plain; application/json\r\n", 415},
        {"Content-Type: application/json\r\n", 200},
        {"Content-Type: Application/JSON ; charset=utf-8\r\n", 200},
    };
    struct fixture *f = writable(state);
    set_text(f, "{}");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        auto_free char *headers = memory_format(HELD "%s", rows[i].type);
        assert_int_equal(post(f, &client, API "/rerun", headers, "{\"status\":[\"failed\"]}"), rows[i].status);
        if (rows[i].status == 415)
            assert_problem(&client, 415, "application/json");
        client_close(&client);
    }
}

static void a_body_is_taken_up_to_its_limit(void **state)
{
    enum { LIMIT = 64 * 1024 };
    static const char rerun[] = "{\"status\":[\"failed\"]}";
    struct fixture *f = writable(state);
    struct client client;
    auto_free char *body = memory_zeroed(LIMIT + 2, 1);
    set_text(f, "{}");
    memset(body, ' ', LIMIT + 1);
    memcpy(body + LIMIT - strlen(rerun), rerun, strlen(rerun));
    assert_int_equal(post(f, &client, API "/rerun", HELD_JSON, body), 413);
    assert_problem(&client, 413, "65536");
    client_close(&client);
    body[LIMIT] = '\0';
    assert_int_equal(post(f, &client, API "/rerun", HELD_JSON, body), 200);
    client_close(&client);

    /* In chunks. */
    client_open(&client, &f->loop, reporter_port(f->reporter));
    client_send(&client, "POST " API "/rerun HTTP/1.1\r\n" HELD_JSON "Transfer-Encoding: chunked\r\n\r\n"
                         "b\r\n{\"status\":[\r\nB\r\n\"failed\"]}\n\r\n0\r\n\r\n");
    assert_int_equal(client_response(&client, false), 200);
    client_close(&client);
}

static void a_write_is_answered_when_it_is_done(void **state)
{
    struct fixture *f = writable(state);
    struct client client;
    f->mode = SOURCE_KEEPS;
    f->nothing = REPORTER_CONFLICT;
    static const struct {
        const char *text, *problem;
        int status;
        const char *body;
    } rows[] = {
        {"{\"cancelled\":3}", NULL, 200, "{\"cancelled\":3}"},
        {NULL, "the link to Redis was lost", 503, "the link to Redis was lost"},
        {NULL, NULL, 409, "the run has changed in the meantime; nothing was done"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        client_open(&client, &f->loop, reporter_port(f->reporter));
        client_send(&client, "POST " API "/cancel HTTP/1.1\r\n" HELD "Content-Length: 0\r\n\r\n");
        struct reporter_request *question = kept_question(f);
        set_text(f, rows[i].text);
        f->problem = rows[i].problem;
        /* What was done was done, whatever is shown by now. */
        reporter_show(f->reporter, i == 0 ? NULL : f->board);
        answer(f, question);
        assert_int_equal(client_response(&client, false), rows[i].status);
        assert_non_null(strstr(client_body(&client), rows[i].body));
        client_close(&client);
        reporter_show(f->reporter, f->board);
    }

    /* Who has asked may be gone by then. */
    client_open(&client, &f->loop, reporter_port(f->reporter));
    client_send(&client, "POST " API "/cancel HTTP/1.1\r\n" HELD "Content-Length: 0\r\n\r\n");
    struct reporter_request *question = kept_question(f);
    client_close(&client);
    answer(f, question);
}

static void what_is_too_large_is_refused(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    auto_free char *many = memory_zeroed(30001, 1);
    memset(many, 'a', 30000);

    auto_free char *uri = memory_format("/results?q=%.*s", 4090, many);
    assert_int_equal(request(f, &client, "GET", uri, ""), 414);
    assert_problem(&client, 414, "4096");
    client_close(&client);
    auto_free char *fits = memory_format("/results?q=%.*s", 4000, many);
    assert_int_equal(request(f, &client, "GET", fits, ""), 200);
    client_close(&client);

    auto_free char *header = memory_format("X: %.*s\r\n", 20000, many);
    assert_int_equal(request(f, &client, "GET", "/health", header), 431);
    assert_problem(&client, 431, "16384");
    client_close(&client);

    assert_int_equal(request(f, &client, "POST", API "/cancel", "Content-Length: 70000\r\n"), 413);
    assert_problem(&client, 413, "65536");
    client_close(&client);
    client_open(&client, &f->loop, reporter_port(f->reporter));
    send_request(&client, "POST", API "/cancel", "Transfer-Encoding: chunked\r\n");
    auto_free char *chunk = memory_format("7530\r\n%s\r\n", many);
    for (int i = 0; i < 3; i++)
        client_send(&client, chunk);
    client_send(&client, "0\r\n\r\n");
    assert_int_equal(client_response(&client, false), 413);
    assert_problem(&client, 413, "65536");
    client_close(&client);

    /* Beyond what is worth reading to the end. */
    client_open(&client, &f->loop, reporter_port(f->reporter));
    send_request(&client, "POST", API "/cancel", "Transfer-Encoding: chunked\r\n");
    for (int i = 0; i < 50; i++)
        client_send(&client, chunk);
    client_expect_end(&client);
    client_close(&client);
}

static void a_body_that_nobody_wants_has_a_limit_too(void **state)
{
    static const struct {
        const char *method, *uri;
        int status; /* of one that isn't too large */
    } rows[] = {
        {"GET", "/health", 200}, {"POST", "/nothing", 404}, {"PUT", "/results", 405}, {"GET", API "/cancel", 405}};
    struct fixture *f = running(state);
    auto_free char *many = memory_zeroed(30001, 1);
    memset(many, 'a', 30000);
    auto_free char *chunk = memory_format("7530\r\n%s\r\n", many);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        assert_int_equal(request(f, &client, rows[i].method, rows[i].uri, "Content-Length: 65537\r\n"), 413);
        assert_problem(&client, 413, "65536");
        client_close(&client);
        client_open(&client, &f->loop, reporter_port(f->reporter));
        for (int chunks = 2; chunks <= 3; chunks++) {
            client_clear(&client);
            send_request(&client, rows[i].method, rows[i].uri, "Transfer-Encoding: chunked\r\n");
            for (int n = 0; n < chunks; n++)
                client_send(&client, chunk);
            client_send(&client, "0\r\n\r\n");
            assert_int_equal(client_response(&client, false), chunks == 2 ? rows[i].status : 413);
        }
        client_close(&client);
    }
}

static void requests_share_a_connection(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    client_open(&client, &f->loop, reporter_port(f->reporter));
    for (int i = 0; i < 3; i++) {
        client_clear(&client);
        send_request(&client, "GET", "/health", "");
        assert_int_equal(client_response(&client, false), 200);
        assert_string_equal(client_body(&client), "ok\n");
    }
    client_close(&client);
}

static void without_a_board_only_the_run_is_missing(void **state)
{
    struct fixture *f = *state;
    static const char *const waiting[] = {"/api/v1/runs", API, API "/snapshot", API "/events", API "/tasks"};
    struct client client;
    start(f, (struct reporter_options){0});
    for (size_t i = 0; i < COUNT(waiting); i++) {
        assert_int_equal(request(f, &client, "GET", waiting[i], ""), 503);
        assert_string_equal(client_field(&client, "Retry-After"), "1");
        assert_problem(&client, 503, "no run");
        client_close(&client);
    }
    assert_int_equal(request(f, &client, "GET", "/results", ""), 200);
    client_close(&client);
    assert_int_equal(request(f, &client, "GET", "/results", "Accept: application/json\r\n"), 503);
    client_close(&client);
    assert_int_equal(request(f, &client, "GET", "/metrics", ""), 200);
    client_close(&client);
    f->missing = "redis: connection refused";
    assert_int_equal(request(f, &client, "GET", "/readyz", ""), 503);
    assert_string_equal(client_body(&client), "redis: connection refused\n");
    client_close(&client);
    assert_int_equal(request(f, &client, "GET", "/livez", ""), 200);
    client_close(&client);

    reporter_show(f->reporter, f->board);
    assert_int_equal(request(f, &client, "GET", API, ""), 200);
    client_close(&client);
    reporter_show(f->reporter, NULL);
    assert_int_equal(request(f, &client, "GET", API, ""), 503);
    client_close(&client);
}

static void earlier_runs_keep_their_summary(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    assert_int_equal(request(f, &client, "GET", "/api/v1/runs", ""), 200);
    cJSON *runs = parsed(client_body(&client));
    assert_int_equal(cJSON_GetArraySize(runs), 2);
    cJSON_Delete(runs);
    client_close(&client);
    assert_int_equal(request(f, &client, "GET", "/api/v1/runs/run-0", ""), 200);
    assert_string_equal(client_body(&client), "{\"run_id\":\"run-0\",\"verdict\":\"failed\"}");
    client_close(&client);
    assert_int_equal(request(f, &client, "GET", "/api/v1/runs/run-0/tasks", ""), 404);
    assert_problem(&client, 404, "run-0 is an earlier one");
    client_close(&client);
    assert_int_equal(request(f, &client, "GET", "/api/v1/runs/run-%22%3Cb%3E/tasks", ""), 404);
    assert_problem(&client, 404, "there is no run run-\"<b>");
    client_close(&client);
}

static void a_snapshot_is_made_once_for_all(void **state)
{
    struct fixture *f = running(state);
    struct client plain, zipped, later;
    assert_int_equal(request(f, &zipped, "GET", API "/snapshot", "Accept-Encoding: gzip\r\n"), 200);
    assert_int_equal(request(f, &plain, "GET", API "/snapshot", "Accept-Encoding: gzip;q=0\r\n"), 200);
    assert_string_equal(client_field(&zipped, "Content-Encoding"), "gzip");
    assert_string_equal(client_field(&plain, "Content-Encoding"), "");
    assert_string_equal(client_field(&plain, "Vary"), "Accept-Encoding");
    client_body(&zipped);
    auto_buffer text = {0};
    gunzip(zipped.body.data, zipped.body.length, &text);
    cJSON *root = parsed(text.data);
    assert_string_equal(member(root, "epoch"), "epoch-1");
    cJSON_Delete(root);

    /* Never an older one than what a listener was told. */
    board_set_task(f->board, 0, &(struct board_task){.state = BOARD_RUNNING, .attempt = 1});
    assert_int_equal(request(f, &later, "GET", API "/snapshot", ""), 200);
    root = parsed(client_body(&later));
    assert_int_equal(cJSON_GetObjectItem(root, "seq")->valuedouble, board_seq(f->board));
    cJSON_Delete(root);
    client_close(&later);
    client_close(&plain);
    client_close(&zipped);
}

static void the_list_of_tasks_checks_its_query(void **state)
{
    static const struct {
        const char *query;
        int status;
        const char *wanted; /* how many tasks, or what the problem says */
    } rows[] = {
        {"", 200, "3"},
        {"?status=queued", 200, "2"},
        {"?status=queued,failed", 200, "3"},
        {"?status=failed&q=boom", 200, "1"},
        {"?q=boom+bang", 200, "1"},
        {"?q=boom%20bang&q=nothing", 200, "1"},
        {"?q=%22", 200, "0"},
        {"?limit=1", 200, "1"},
        {"?limit=2&cursor=2", 200, "1"},
        {"?sort=-duration_ms&status=&sort=", 200, "3"},
        {"?sort=", 200, "3"},
        {"?status=gone", 400, "status: gone: wanted"},
        {"?status=failed,,queued", 400, "status: : wanted"},
        {"?status=Failed", 400, "status: Failed"},
        {"?status=failed,", 400, "status: "},
        {"?limit=0", 400, "limit: 0: wanted a number from 1 to 1000"},
        {"?limit=1001", 400, "limit: 1001"},
        {"?limit=-1", 400, "limit: -1"},
        {"?limit=1e3", 400, "limit: 1e3"},
        {"?limit=", 400, "limit: "},
        {"?limit=99999999999999999999", 400, "limit: 9999"},
        {"?cursor=abc", 400, "cursor: abc"},
        {"?sort=colour", 400, "sort: colour"},
        {"?colour=red", 400, "query key colour: wanted one of status q sort limit cursor"},
    };
    struct fixture *f = running(state);
    struct board_task task = {.state = BOARD_FAILED, .attempt = 1, .duration_ms = 9, .message = "boom bang"};
    board_set_task(f->board, 1, &task);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        auto_free char *uri = memory_format(API "/tasks%s", rows[i].query);
        assert_int_equal(request(f, &client, "GET", uri, ""), rows[i].status);
        if (rows[i].status == 200) {
            cJSON *root = parsed(client_body(&client));
            if (cJSON_GetArraySize(cJSON_GetObjectItem(root, "tasks")) != strtol(rows[i].wanted, NULL, 10))
                fail_msg("%s: %s", rows[i].query, client_body(&client));
            cJSON_Delete(root);
        } else {
            assert_problem(&client, 400, rows[i].wanted);
        }
        client_close(&client);
    }
}

static void a_task_tells_its_attempts(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    set_text(f, "[{\"attempt\":1,\"outcome\":\"passed\"}]");
    assert_int_equal(request(f, &client, "GET", API "/tasks/" KEY, ""), 200);
    assert_string_equal(f->asked, "task:a/b c:0");
    cJSON *root = parsed(client_body(&client));
    assert_string_equal(member(root, "key"), "task:a/b c:0");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(root, "attempts")), 1);
    cJSON_Delete(root);
    client_close(&client);

    static const struct {
        const char *uri, *text, *problem;
        int status;
        const char *detail;
    } rows[] = {
        {API "/tasks/task:a:0", "[]", NULL, 404, "no task task:a:0"},
        {API "/tasks/task%3Aa%2Fb%20c%3A3", "[]", NULL, 404, "no task task:a/b c:3"},
        {API "/tasks/x", "[]", NULL, 404, "no task x"},
        {API "/tasks/task:a/b%20c:0", "[]", NULL, 404, "nothing at this address"},
        {API "/tasks/" KEY, NULL, NULL, 404, "no such attempt"},
        {API "/tasks/" KEY, NULL, "redis: timeout", 503, "redis: timeout"},
        {API "/tasks/" KEY, "{}", NULL, 500, "not a JSON array"},
        {API "/tasks/" KEY, "[1,", NULL, 500, "not a JSON array"},
        {API "/tasks/" KEY "/attempts/0/log", "x", NULL, 404, "attempt 0: wanted a number"},
        {API "/tasks/" KEY "/attempts/-1/log", "x", NULL, 404, "-1"},
        {API "/tasks/" KEY "/attempts/9999999999/log", "x", NULL, 404, "9999999999"},
        {API "/tasks/" KEY "/attempts/7/log", NULL, NULL, 404, "no such attempt"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_text(f, rows[i].text);
        f->problem = rows[i].problem;
        assert_int_equal(request(f, &client, "GET", rows[i].uri, ""), rows[i].status);
        assert_problem(&client, rows[i].status, rows[i].detail);
        client_close(&client);
    }
}

static void a_run_is_given_as_files(void **state)
{
    static const char *const types[EXPORT_FORMATS] = {
        [EXPORT_JUNIT] = "application/xml",
        [EXPORT_RESULTS] = "application/json",
        [EXPORT_FAILED_LIST] = "text/plain; charset=utf-8",
        [EXPORT_HTML] = "text/html; charset=utf-8",
    };
    struct fixture *f = running(state);
    set_text(f, "made");
    for (size_t i = 0; i < EXPORT_FORMATS; i++) {
        struct client client;
        auto_free char *path = memory_format(API "/%s", export_name_of((enum export_name)i));
        assert_int_equal(request(f, &client, "GET", path, ""), 200);
        assert_string_equal(f->asked, export_name_of((enum export_name)i));
        assert_string_equal(client_field(&client, "Content-Type"), types[i]);
        assert_string_equal(client_body(&client), "made");
        client_close(&client);
    }
}

static void a_log_is_given_in_parts(void **state)
{
    static const struct {
        const char *headers;
        int status;
        const char *range, *body;
    } rows[] = {
        {"", 200, "", "0123456789"},
        {"Range: bytes=0-3\r\n", 206, "bytes 0-3/10", "0123"},
        {"Range: bytes=7-\r\n", 206, "bytes 7-9/10", "789"},
        {"Range: bytes=7-99\r\n", 206, "bytes 7-9/10", "789"},
        {"Range: bytes=-4\r\n", 206, "bytes 6-9/10", "6789"},
        {"Range: bytes=-99\r\n", 206, "bytes 0-9/10", "0123456789"},
        {"Range: BYTES=9-9\r\n", 206, "bytes 9-9/10", "9"},
        {"Range: bytes=10-\r\n", 416, "bytes */10", NULL},
        {"Range: bytes=-0\r\n", 416, "bytes */10", NULL},
        {"Range: bytes=3-1\r\n", 200, "", "0123456789"},
        {"Range: bytes=0-1,3-4\r\n", 200, "", "0123456789"},
        {"Range: lines=0-1\r\n", 200, "", "0123456789"},
        {"Range: bytes=99999999999999999999-\r\n", 200, "", "0123456789"},
        {"Range: bytes=0-3\r\nIf-Range: \"x\"\r\n", 200, "", "0123456789"},
    };
    struct fixture *f = running(state);
    set_text(f, "0123456789");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        int status = request(f, &client, "GET", API "/tasks/" KEY "/attempts/12/log", rows[i].headers);
        if (status != rows[i].status)
            fail_msg("%s: %d", rows[i].headers, status);
        assert_string_equal(f->asked, "task:a/b c:0#12");
        assert_string_equal(client_field(&client, "Content-Range"), rows[i].range);
        if (rows[i].body)
            assert_string_equal(client_body(&client), rows[i].body);
        else
            assert_problem(&client, 416, "10 bytes");
        client_close(&client);
    }
    set_text(f, "");
    struct client client;
    assert_int_equal(request(f, &client, "GET", API "/tasks/" KEY "/attempts/1/log", ""), 200);
    assert_string_equal(client_body(&client), "");
    client_close(&client);
}

static void an_answer_may_come_later(void **state)
{
    struct fixture *f = running(state);
    struct client client, other;
    f->mode = SOURCE_KEEPS;
    set_text(f, "the log");
    static const char *const methods[] = {"GET", "HEAD", "GET"};
    client_open(&client, &f->loop, reporter_port(f->reporter));
    for (size_t i = 0; i < COUNT(methods); i++) {
        client_clear(&client);
        send_request(&client, methods[i], API "/tasks/" KEY "/attempts/1/log", "");
        struct reporter_request *question = kept_question(f);
        assert_int_equal(request(f, &other, "GET", "/health", ""), 200); /* nobody else waits */
        client_close(&other);
        answer(f, question);
        assert_int_equal(client_response(&client, i == 1), 200);
        assert_string_equal(client_body(&client), i == 1 ? "" : "the log");
    }
    client_close(&client);
}

static void who_asked_may_be_gone(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    f->mode = SOURCE_KEEPS;
    client_open(&client, &f->loop, reporter_port(f->reporter));
    send_request(&client, "GET", API "/tasks/" KEY, "");
    struct reporter_request *question = kept_question(f);
    client_close(&client);
    answer(f, question);
    assert_int_equal(request(f, &client, "GET", "/health", ""), 200);
    client_close(&client);
}

static void an_answer_may_come_after_the_end(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    f->mode = SOURCE_KEEPS;
    client_open(&client, &f->loop, reporter_port(f->reporter));
    send_request(&client, "GET", API "/tasks/" KEY, "");
    struct reporter_request *question = kept_question(f);
    stop(f);
    assert_int_equal(client_response(&client, false), 503);
    assert_problem(&client, 503, "stopping");
    client_close(&client);
    answer(f, question);
}

static void an_answer_for_another_board_is_not_used(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    f->mode = SOURCE_KEEPS;
    client_open(&client, &f->loop, reporter_port(f->reporter));
    send_request(&client, "GET", API "/tasks/" KEY, "");
    struct reporter_request *question = kept_question(f);
    struct board *other = board_new(&f->plan, "run-2", "epoch-2");
    reporter_show(f->reporter, other);
    answer(f, question);
    assert_int_equal(client_response(&client, false), 503);
    assert_problem(&client, 503, "another run");
    client_close(&client);
    reporter_show(f->reporter, f->board);
    board_free(other);
}

static void an_answer_is_not_waited_for_for_ever(void **state)
{
    struct fixture *f = *state;
    struct client client;
    start(f, (struct reporter_options){.limits = {.request_ms = 30}});
    reporter_show(f->reporter, f->board);
    f->mode = SOURCE_KEEPS;
    client_open(&client, &f->loop, reporter_port(f->reporter));
    send_request(&client, "GET", API "/tasks/" KEY, "");
    struct reporter_request *question = kept_question(f);
    assert_int_equal(client_response(&client, false), 503);
    assert_problem(&client, 503, "Redis doesn't answer");
    answer(f, question);
    client_expect_end(&client); /* and an idle connection isn't kept either */
    client_close(&client);
}

/* Each status that there is, and each kind of reply, once. */
static void every_reply_is_dressed(void **state)
{
#define GET(uri, headers)  "GET " uri " HTTP/1.1\r\nHost: localhost\r\n" headers "\r\n"
#define POST(uri, headers) "POST " uri " HTTP/1.1\r\n" headers "\r\n"
    static const char json[] = "application/json", html[] = "text/html; charset=utf-8",
                      text[] = "text/plain; charset=utf-8", problem[] = "application/problem+json";
    static const struct {
        const char *request;
        int status;
        const char *type, *cache;
    } rows[] = {
        {GET("/", ""), 302, "", "no-store"},
        {GET("/results", ""), 200, html, "no-cache"},
        {GET("/results", "If-None-Match: *\r\n"), 304, "", "no-cache"},
        {GET("/results", "Accept: application/json\r\n"), 200, json, "no-store"},
        {GET("/health", ""), 200, text, "no-store"},
        {GET("/livez", ""), 200, text, "no-store"},
        {GET("/readyz", ""), 503, text, "no-store"},
        {GET("/metrics", ""), 200, "text/plain; version=0.0.4; charset=utf-8", "no-store"},
        {GET("/api/v1/runs", ""), 200, json, "no-store"},
        {GET(API, ""), 200, json, "no-store"},
        {GET(API "/snapshot", "Accept-Encoding: gzip\r\n"), 200, json, "no-store"},
        {GET(API "/events", ""), 200, "text/event-stream", "no-store"},
        {GET(API "/events", ""), 503, problem, "no-store"},
        {GET(API "/tasks", ""), 200, json, "no-store"},
        {GET(API "/tasks?limit=x", ""), 400, problem, "no-store"},
        {GET(API "/tasks/" KEY, ""), 500, problem, "no-store"},
        {GET(API "/tasks/" KEY "/attempts/1/log", ""), 200, text, "no-store"},
        {GET(API "/tasks/" KEY "/attempts/1/log", "Range: bytes=0-1\r\n"), 206, text, "no-store"},
        {GET(API "/tasks/" KEY "/attempts/1/log", "Range: bytes=9-\r\n"), 416, problem, "no-store"},
        {GET(API "/tasks/" KEY "/attempts/0/log", ""), 404, problem, "no-store"},
        {GET("/nothing", ""), 404, problem, "no-store"},
        {GET("*", ""), 400, problem, "no-store"},
        {POST("/health", "Host: localhost\r\n"), 405, problem, "no-store"},
        {POST("/health", "Host: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n"), 400, problem, "no-store"},
        {POST(API "/cancel", HELD), 200, json, "no-store"},
        {POST(API "/cancel", "Host:\r\n"), 400, problem, "no-store"},
        {POST(API "/cancel", "Host: localhost\r\n"), 401, problem, "no-store"},
        {POST(API "/cancel", HELD "Origin: null\r\n"), 403, problem, "no-store"},
        {POST(API "/cancel", HELD "Content-Length: 99999\r\n"), 413, problem, "no-store"},
        {POST(API "/rerun", HELD), 415, problem, "no-store"},
        {POST(API "/rerun", HELD_JSON), 400, problem, "no-store"},
        {POST(API "/rerun", HELD_JSON "Content-Length: 19\r\n") "{\"status\":[\"error\"]}", 400, problem, "no-store"},
        {POST(API "/rerun", HELD_JSON "Content-Length: 20\r\n") "{\"status\":[\"error\"]}", 409, problem, "no-store"},
        {POST(API "/rerun", HELD_JSON "Content-Length: 21\r\n") "{\"status\":[\"failed\"]}", 200, json, "no-store"},
    };
#undef GET
#undef POST
    struct fixture *f = writable(state);
    struct client clients[COUNT(rows)];
    stop(f);
    f->is_closed = false;
    start(f, (struct reporter_options){.token = TOKEN, .limits = {.streams = 1}});
    reporter_show(f->reporter, f->board);
    f->missing = "redis";
    set_text(f, "{\"a\":1}");
    for (size_t i = 0; i < COUNT(rows); i++) {
        client_open(&clients[i], &f->loop, reporter_port(f->reporter));
        client_send(&clients[i], rows[i].request);
        int status = client_response(&clients[i], true);
        if (status != rows[i].status)
            fail_msg("%s: %s", rows[i].request, clients[i].received.data);
        assert_dressed(&clients[i], rows[i].type, rows[i].cache);
    }
    for (size_t i = 0; i < COUNT(rows); i++)
        client_close(&clients[i]);
    char uri[128];
    struct client asset;
    find_script(f, uri, sizeof(uri));
    assert_int_equal(request(f, &asset, "GET", uri, ""), 200);
    assert_dressed(&asset, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable");
    client_close(&asset);
}

static void who_waits_for_an_answer_is_answered_in_its_turn(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    f->mode = SOURCE_KEEPS;
    set_text(f, "the log");
    client_open(&client, &f->loop, reporter_port(f->reporter));
    client_send(&client, "GET " API "/tasks/" KEY "/attempts/1/log HTTP/1.1\r\nHost: localhost\r\n\r\n"
                         "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    struct reporter_request *question = kept_question(f);
    assert_int_equal(client.received.length, 0);
    answer(f, question);
    client_expect_end(&client);
    const char *log = strstr(client.received.data, "the log"), *health = strstr(client.received.data, "ok\n");
    assert_true(log != NULL && health > log);
    client_close(&client);
}

/* ---- the stream */

static void listen_to(struct fixture *f, struct client *client, const char *query, const char *headers)
{
    auto_free char *uri = memory_format(API "/events%s", query);
    client_open(client, &f->loop, reporter_port(f->reporter));
    send_request(client, "GET", uri, headers);
}

static void set_attempt(struct fixture *f, size_t index, unsigned attempt)
{
    board_set_task(f->board, index, &(struct board_task){.state = BOARD_RUNNING, .attempt = attempt, .worker = "w1"});
    reporter_changed(f->reporter);
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        count++;
    return count;
}

static void a_listener_is_told_to_start_and_then_what_changes(void **state)
{
    struct fixture *f = *state;
    struct client client;
    start(f, (struct reporter_options){.limits = {.frame_ms = 1}});
    reporter_show(f->reporter, f->board);
    listen_to(f, &client, "", "");
    auto_free char *reset =
        memory_format("event: reset\nid: epoch-1:%ju\ndata: {\"epoch\":\"epoch-1\",\"seq\":%ju}\n\n",
                      (uintmax_t)board_seq(f->board), (uintmax_t)board_seq(f->board));
    client_expect(&client, reset);
    assert_string_equal(client_body(&client), reset);
    assert_string_equal(client_field(&client, "Content-Type"), "text/event-stream");
    assert_string_equal(client_field(&client, "Cache-Control"), "no-store");
    assert_string_equal(client_field(&client, "X-Accel-Buffering"), "no");

    for (unsigned i = 1; i <= 20; i++) {
        set_attempt(f, i % 3, i);
        auto_free char *id = memory_format("event: delta\nid: epoch-1:%ju\n", (uintmax_t)board_seq(f->board));
        client_expect(&client, id);
    }
    client_expect(&client, "\"tasks\":[[2,1,20,0,0,\"w1\",null,0,0]],\"failures\":[],\"failures_dropped\":0}\n\n");
    client_close(&client);
}

static void a_listener_goes_on_where_it_was(void **state)
{
    struct fixture *f = *state;
    start(f, (struct reporter_options){.limits = {.frame_ms = 1, .ping_ms = 20}});
    reporter_show(f->reporter, f->board);
    set_attempt(f, 0, 1);
    uintmax_t seq = board_seq(f->board);
    set_attempt(f, 1, 1);
    set_attempt(f, 2, 1);
    const struct {
        char *query, *headers;
        const char *wanted; /* NULL: nothing to tell */
    } rows[] = {
        {memory_format("?since=epoch-1:%ju", seq), memory_text(""), "\"tasks\":[[2,1,1,0,0,\"w1\",null,0,0],[1,"},
        {memory_format("?since=epoch-1%%3A%ju", seq + 1), memory_text(""), "\"tasks\":[[2,1,1,0,0,\"w1\",null,0,0]]"},
        {memory_format("?since=epoch-1:%ju", seq + 2), memory_text(""), NULL},
        {memory_format("?since=epoch-1:%ju", seq + 3), memory_text(""), "event: reset\n"},
        {memory_text("?since=epoch-1:0"), memory_text(""), "],[1,1,1,0,0,\"w1\",null,0,0],[0,"},
        {memory_format("?since=epoch-0:%ju", seq), memory_text(""), "event: reset\n"},
        {memory_format("?since=epoch-1:%jux", seq), memory_text(""), "event: reset\n"},
        {memory_text("?since=epoch-1:"), memory_text(""), "event: reset\n"},
        {memory_text("?since=epoch-1"), memory_text(""), "event: reset\n"},
        {memory_text("?since=epoch-1:18446744073709551615"), memory_text(""), "event: reset\n"},
        {memory_text("?since="), memory_text(""), "event: reset\n"},
        {memory_text("?since=epoch-0:1"), memory_format("Last-Event-ID: epoch-1:%ju\r\n", seq + 1), "\"tasks\":[[2,"},
        {memory_format("?since=epoch-1:%ju", seq), memory_text("Last-Event-ID: x\r\n"), "event: reset\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        listen_to(f, &client, rows[i].query, rows[i].headers);
        client_expect(&client, rows[i].wanted ? rows[i].wanted : ": ping\n\n");
        if (rows[i].wanted == NULL)
            assert_int_equal(occurrences(client_body(&client), "event:"), 0);
        client_close(&client);
        free(rows[i].query);
        free(rows[i].headers);
    }
}

static void frames_come_at_a_pace(void **state)
{
    enum { PACE_MS = 50, FRAMES = 5 };
    struct fixture *f = *state;
    struct client clients[3];
    start(f, (struct reporter_options){.limits = {.frame_ms = PACE_MS}});
    reporter_show(f->reporter, f->board);
    for (size_t i = 0; i < COUNT(clients); i++) {
        listen_to(f, &clients[i], "", "");
        client_expect(&clients[i], "event: reset\n");
    }
    uint64_t start_ms = uv_hrtime() / 1000000;
    unsigned attempt = 0;
    while (occurrences(client_body(&clients[0]), "event: delta\n") < FRAMES) {
        set_attempt(f, 0, ++attempt);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_true(uv_hrtime() / 1000000 - start_ms >= (FRAMES - 1) * PACE_MS);
    assert_true(attempt > FRAMES);
    for (size_t i = 0; i < COUNT(clients); i++) {
        auto_free char *last = memory_format("id: epoch-1:%ju\n", (uintmax_t)board_seq(f->board));
        client_expect(&clients[i], last); /* whatever was left out, the last state arrives */
        client_close(&clients[i]);
    }
}

static void a_silent_stream_is_kept_awake(void **state)
{
    struct fixture *f = *state;
    struct client client;
    start(f, (struct reporter_options){.limits = {.ping_ms = 5}});
    reporter_show(f->reporter, f->board);
    listen_to(f, &client, "", "");
    client_expect(&client, ": ping\n\n: ping\n\n: ping\n\n");
    client_close(&client);
    /* The next ping finds that nobody is there. */
    assert_int_equal(request(f, &client, "GET", "/metrics", ""), 200);
    client_close(&client);
}

static void another_run_resets_the_stream(void **state)
{
    struct fixture *f = *state;
    struct client client;
    start(f, (struct reporter_options){.limits = {.frame_ms = 1}});
    reporter_show(f->reporter, f->board);
    listen_to(f, &client, "?since=epoch-1:0", "");
    set_attempt(f, 0, 1);
    client_expect(&client, "event: delta\n");
    reporter_show(f->reporter, NULL);
    struct board *other = board_new(&f->plan, "run-2", "epoch-2");
    reporter_show(f->reporter, other);
    client_expect(&client, "event: reset\nid: epoch-2:0\n");
    reporter_show(f->reporter, f->board);
    client_expect(&client, "event: reset\nid: epoch-1:");
    board_free(other);
    client_close(&client);
}

static void too_much_news_is_a_reset(void **state)
{
    enum { SPECS = 6000 };
    struct fixture *f = *state;
    struct plan plan;
    struct error err;
    struct client client;
    auto_buffer many = {0};
    buffer_text(&many, "{\"groups\":[{\"name\":\"g\",\"tasks\":[");
    for (int i = 0; i < SPECS; i++)
        buffer_format(&many, "%s{\"spec\":\"%d.spec.ts\",\"viewports\":[\"desktop\"],\"browsers\":[\"chrome\"]}",
                      i ? "," : "", i);
    buffer_text(&many, "]}]}");
    assert_int_equal(plan_parse(&plan, many.data, many.length, &err), 0);
    struct board *board = board_new(&plan, "run-1", "e");
    start(f, (struct reporter_options){.limits = {.frame_ms = 1}});
    reporter_show(f->reporter, board);

    for (size_t i = 0; i < 4000; i++)
        board_set_task(board, i, &(struct board_task){.state = BOARD_PASSED, .attempt = 1, .message = "a message"});
    listen_to(f, &client, "?since=e:0", "");
    client_expect(&client, "event: delta\n"); /* larger than the connection's memory, so it goes in pieces */
    client_expect(&client, "\n\n");
    assert_int_equal(occurrences(client_body(&client), "\"a message\""), 4000);
    client_close(&client);
    for (size_t i = 0; i < SPECS; i++)
        board_set_task(board, i, &(struct board_task){.state = BOARD_FAILED, .attempt = 1});
    listen_to(f, &client, "?since=e:0", "");
    client_expect(&client, "event: reset\n");
    client_close(&client);

    reporter_show(f->reporter, NULL);
    board_free(board);
    plan_close(&plan);
}

static void there_is_a_limit_to_listeners(void **state)
{
    struct fixture *f = *state;
    struct client clients[2], another;
    start(f, (struct reporter_options){.limits = {.streams = 2, .ping_ms = 5}});
    reporter_show(f->reporter, f->board);
    for (size_t i = 0; i < COUNT(clients); i++) {
        listen_to(f, &clients[i], "", "");
        client_expect(&clients[i], "event: reset\n");
    }
    assert_int_equal(request(f, &another, "GET", API "/events", ""), 503);
    assert_string_equal(client_field(&another, "Retry-After"), "5");
    assert_problem(&another, 503, "2 clients listen already");
    client_close(&another);
    assert_int_equal(request(f, &another, "HEAD", API "/events", ""), 503);
    client_close(&another);

    /* One that goes makes room for another. */
    client_close(&clients[0]);
    int status = 503;
    while (status == 503) {
        listen_to(f, &another, "", "");
        status = client_response(&another, true);
        if (status == 503)
            client_close(&another);
    }
    assert_int_equal(status, 200);
    client_close(&another);
    client_close(&clients[1]);
}

static bool is_stream_count(struct fixture *f, int count)
{
    struct client client;
    auto_free char *line = memory_format("\nfunkytown_http_streams %d\n", count);
    assert_int_equal(request(f, &client, "GET", "/metrics", ""), 200);
    bool is_there = strstr(client_body(&client), line) != NULL;
    client_close(&client);
    return is_there;
}

static void a_listener_that_takes_nothing_is_dropped(void **state)
{
    enum { MESSAGE_BYTES = 1024 * 1024 };
    struct fixture *f = *state;
    struct client deaf, other;
    start(f, (struct reporter_options){.limits = {.frame_ms = 1, .idle_s = 1}});
    reporter_show(f->reporter, f->board);
    listen_to(f, &deaf, "", "");
    listen_to(f, &other, "", "");
    client_expect(&deaf, "event: reset\n");
    client_expect(&other, "event: reset\n");
    client_deafen(&deaf);
    auto_free char *message = memory_zeroed(MESSAGE_BYTES + 1, 1);
    memset(message, 'x', MESSAGE_BYTES);
    for (unsigned i = 1; !is_stream_count(f, 1); i++) {
        board_set_task(f->board, 0, &(struct board_task){.state = BOARD_RUNNING, .attempt = i, .message = message});
        reporter_changed(f->reporter);
        client_clear(&other); /* its head as well, which is not looked at any more */
    }
    assert_false(other.is_ended);
    client_close(&deaf);
    client_close(&other);
}

/* ---- the end */

static void finish_run(struct fixture *f)
{
    for (size_t i = 0; i < 3; i++)
        board_set_task(f->board, i, &(struct board_task){.state = BOARD_PASSED, .attempt = 1});
    board_set_run(
        f->board,
        &(struct board_run){.state = BOARD_RUN_FINISHED, .started_ms = 1764000000000, .finished_ms = 1764000001000});
    reporter_changed(f->reporter);
}

/* The data of the event of this name, the last of the stream if it is "end". */
static cJSON *event_data(struct client *client, const char *name)
{
    auto_free char *line = memory_format("event: %s\n", name);
    const char *event = strstr(client_body(client), line);
    if (event == NULL)
        fail_msg("no event %s: %s", name, client_body(client));
    const char *data = strstr(event, "\ndata: ") + strlen("\ndata: ");
    auto_free char *text = memory_text_n(data, strcspn(data, "\n"));
    return parsed(text);
}

static void assert_told(struct client *client, const char *state, const char *verdict)
{
    client_expect_end(client);
    const struct buffer *received = &client->received;
    assert_string_equal(received->data + received->length - 5, "0\r\n\r\n"); /* not cut off */
    assert_int_equal(occurrences(client_body(client), "event: end\n"), 1);
    cJSON *end = event_data(client, "end");
    assert_string_equal(member(end, "state"), state);
    const cJSON *summary = cJSON_GetObjectItem(end, "summary");
    assert_string_equal(member(summary, "run_id"), "run-1");
    if (verdict)
        assert_string_equal(member(summary, "verdict"), verdict);
    else
        assert_true(cJSON_IsNull(cJSON_GetObjectItem(summary, "verdict")));
    cJSON_Delete(end);
}

static void everybody_is_told_the_verdict_before_the_end(void **state)
{
    struct fixture *f = *state;
    struct client clients[40];
    start(f, (struct reporter_options){.limits = {.frame_ms = 60000}});
    reporter_show(f->reporter, f->board);
    auto_free char *since = memory_format("?since=epoch-1:%ju", (uintmax_t)board_seq(f->board));
    for (size_t i = 0; i < COUNT(clients); i++) {
        listen_to(f, &clients[i], since, "");
        client_response(&clients[i], true);
    }
    finish_run(f);
    uintmax_t seq = board_seq(f->board);
    stop(f);
    for (size_t i = 0; i < COUNT(clients); i++) {
        assert_told(&clients[i], "finished", "passed");
        auto_free char *id = memory_format("event: end\nid: epoch-1:%ju\n", seq);
        assert_non_null(strstr(client_body(&clients[i]), id));
        cJSON *delta = event_data(&clients[i], "delta");
        assert_int_equal(cJSON_GetObjectItem(delta, "seq")->valuedouble, seq);
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(delta, "tasks")), 3);
        cJSON_Delete(delta);
        client_close(&clients[i]);
    }
}

static void a_run_that_is_not_finished_was_interrupted(void **state)
{
    struct fixture *f = *state;
    struct client client;
    start(f, (struct reporter_options){.limits = {.frame_ms = 60000}});
    reporter_show(f->reporter, f->board);
    listen_to(f, &client, "?since=epoch-1:0", "");
    client_response(&client, true);
    set_attempt(f, 1, 1);
    stop(f);
    assert_told(&client, "interrupted", NULL);
    cJSON_Delete(event_data(&client, "delta"));
    client_close(&client);
}

static void a_cancelled_run_ends_as_cancelled(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    listen_to(f, &client, "", "");
    client_expect(&client, "event: reset\n");
    board_set_run(f->board, &(struct board_run){.state = BOARD_RUN_CANCELLED, .finished_ms = 1764000001000});
    stop(f);
    assert_told(&client, "cancelled", "cancelled");
    client_close(&client);
}

static void who_comes_in_the_last_moment_is_told(void **state)
{
    struct fixture *f = running(state);
    struct client listener, reader, silent;
    client_open(&silent, &f->loop, reporter_port(f->reporter));
    listen_to(f, &listener, "?since=epoch-1:0", "");
    client_open(&reader, &f->loop, reporter_port(f->reporter));
    send_request(&reader, "GET", API "/snapshot", "");
    finish_run(f);
    stop(f); /* which may be the first that hears of them */
    assert_told(&listener, "finished", "passed");
    cJSON_Delete(event_data(&listener, "delta"));
    assert_int_equal(client_response(&reader, false), 200);
    assert_non_null(strstr(client_body(&reader), "\"verdict\":\"passed\""));
    client_expect_end(&silent); /* and isn't waited for */
    client_close(&listener);
    client_close(&reader);
    client_close(&silent);
}

/* A page that was told to start anew, or is loading: one thing after the other, on a connection that is there. */
static void who_reads_on_is_served_while_it_ends(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    client_open(&client, &f->loop, reporter_port(f->reporter));
    send_request(&client, "GET", "/results", "");
    assert_int_equal(client_response(&client, false), 200);
    finish_run(f);
    reporter_stop(f->reporter, on_closed);
    static const struct {
        const char *uri;
        int status;
    } rows[] = {
        {API, 200},      {API "/snapshot", 200},   {"/readyz", 503},
        {"/livez", 200}, {API "/tasks/" KEY, 503}, {API "/tasks/" KEY "/attempts/1/log", 503},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        client_clear(&client);
        send_request(&client, "GET", rows[i].uri, "");
        if (client_response(&client, false) != rows[i].status)
            fail_msg("%s: %s", rows[i].uri, client.received.length ? client.received.data : "");
        if (rows[i].status == 503)
            assert_non_null(strstr(client_body(&client), "the controller is stopping"));
    }
    assert_string_equal(f->asked, ""); /* the source may be half gone */
    client_clear(&client);
    send_request(&client, "GET", API "/events?since=epoch-1:0", "");
    client_run(&f->loop, has_closed, f);
    f->reporter = NULL;
    assert_told(&client, "finished", "passed");
    client_close(&client);
}

/* Who missed too much is told to start anew, which takes another request. */
static void who_is_far_behind_can_still_start_anew(void **state)
{
    struct fixture *f = running(state);
    struct client listener, reader;
    client_open(&reader, &f->loop, reporter_port(f->reporter));
    send_request(&reader, "GET", "/livez", "");
    assert_int_equal(client_response(&reader, false), 200);
    client_clear(&reader);
    listen_to(f, &listener, "", "");
    client_response(&listener, true);
    finish_run(f);
    reporter_stop(f->reporter, on_closed);
    client_expect(&listener, "event: reset\n");
    client_close(&listener);
    send_request(&reader, "GET", API "/snapshot", "");
    assert_int_equal(client_response(&reader, false), 200);
    assert_non_null(strstr(client_body(&reader), "\"verdict\":\"passed\""));
    client_run(&f->loop, has_closed, f);
    f->reporter = NULL;
    client_close(&reader);
}

enum { LONG_MESSAGE = 8 * 1024 * 1024 };

static void set_long_message(struct fixture *f)
{
    auto_free char *message = memory_zeroed(LONG_MESSAGE + 1, 1);
    memset(message, 'x', LONG_MESSAGE);
    board_set_task(f->board, 0, &(struct board_task){.state = BOARD_FAILED, .attempt = 1, .message = message});
    reporter_changed(f->reporter);
}

static bool has_begun(void *data)
{
    return ((struct client *)data)->received.length > 0;
}

static void a_download_is_finished_before_the_end(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    set_long_message(f);
    client_open(&client, &f->loop, reporter_port(f->reporter));
    send_request(&client, "GET", API "/snapshot", "");
    client_run(&f->loop, has_begun, &client);
    stop(f);
    assert_int_equal(client_response(&client, false), 200);
    assert_true(strlen(client_body(&client)) > LONG_MESSAGE);
    cJSON_Delete(parsed(client_body(&client)));
    client_close(&client);
}

static void who_takes_nothing_does_not_hold_the_end(void **state)
{
    enum { PATIENCE_MS = 150 };
    struct fixture *f = *state;
    struct client deaf, slow_reader, half, listener;
    start(f, (struct reporter_options){.limits = {.frame_ms = 1, .last_words_ms = PATIENCE_MS}});
    reporter_show(f->reporter, f->board);
    listen_to(f, &deaf, "?since=epoch-1:0", "");
    client_response(&deaf, true);
    client_deafen(&deaf);
    client_open(&slow_reader, &f->loop, reporter_port(f->reporter));
    client_open(&half, &f->loop, reporter_port(f->reporter));
    client_send(&half, "GET /results HTTP/1.1\r\nHost: local");
    set_long_message(f);
    client_deafen(&slow_reader);
    send_request(&slow_reader, "GET", API "/snapshot", "");
    listen_to(f, &listener, "", "");
    client_expect(&listener, "event: reset\n");
    uint64_t start_ms = uv_hrtime() / 1000000;
    stop(f);
    assert_true(uv_hrtime() / 1000000 - start_ms >= PATIENCE_MS);
    assert_told(&listener, "interrupted", NULL);
    client_close(&listener);
    client_close(&half);
    client_close(&slow_reader);
    client_close(&deaf);
}

static void nobody_is_waited_for_when_nobody_is_there(void **state)
{
    enum { FOR_EVER_MS = 3600 * 1000 };
    struct fixture *f = *state;
    struct client client;
    start(f, (struct reporter_options){.limits = {.last_words_ms = FOR_EVER_MS}});
    reporter_show(f->reporter, f->board);
    assert_int_equal(request(f, &client, "GET", "/health", ""), 200);
    client_close(&client);
    client_open(&client, &f->loop, reporter_port(f->reporter)); /* says nothing */
    stop(f);
    client_expect_end(&client);
    client_close(&client);
}

static void head_opens_no_stream(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    assert_int_equal(request(f, &client, "HEAD", API "/events", ""), 200);
    assert_string_equal(client_field(&client, "Content-Type"), "text/event-stream");
    client_clear(&client);
    send_request(&client, "GET", "/metrics", "");
    assert_int_equal(client_response(&client, false), 200);
    assert_non_null(strstr(client_body(&client), "\nfunkytown_http_streams 0\n"));
    client_close(&client);
}

/* ---- metrics */

struct exposition {
    char family[128]; /* of the lines that are being read */
    char families[64][128];
    size_t family_count;
    char samples[256][256];
    size_t sample_count;
    bool has_type;
};

static size_t name_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");
}

static void check_comment(struct exposition *e, const char *line)
{
    char keyword[8], name[128], type[16];
    int taken = 0;
    assert_int_equal(sscanf(line, "# %7s %127s%n", keyword, name, &taken), 2);
    assert_int_equal(name_length(name), strlen(name));
    if (strcmp(keyword, "HELP") == 0) {
        for (size_t i = 0; i < e->family_count; i++)
            assert_string_not_equal(e->families[i], name); /* the lines of a metric stand together */
        assert_true(line[taken] == ' ' && line[taken + 1] != '\0');
        for (const char *p = line; (p = strchr(p, '\\')) != NULL; p += 2)
            assert_true(p[1] == '\\' || p[1] == 'n');
        snprintf(e->family, sizeof(e->family), "%s", name);
        snprintf(e->families[e->family_count++], sizeof(e->families[0]), "%s", name);
        e->has_type = false;
        return;
    }
    assert_string_equal(keyword, "TYPE");
    assert_string_equal(name, e->family);
    assert_false(e->has_type);
    assert_int_equal(sscanf(line + taken, "%15s", type), 1);
    assert_true(strcmp(type, "gauge") == 0 || strcmp(type, "counter") == 0);
    bool is_total = strlen(name) > 6 && strcmp(name + strlen(name) - 6, "_total") == 0;
    assert_int_equal(is_total, strcmp(type, "counter") == 0);
    e->has_type = true;
}

static void check_sample(struct exposition *e, const char *line)
{
    const char *at = line + name_length(line);
    assert_true(e->has_type);
    assert_int_equal((size_t)(at - line), strlen(e->family));
    assert_memory_equal(line, e->family, strlen(e->family));
    if (*at == '{') {
        at++;
        assert_true(name_length(at) > 0);
        at += name_length(at);
        assert_memory_equal(at, "=\"", 2);
        at += 2 + strcspn(at + 2, "\"\\\n");
        assert_memory_equal(at, "\"} ", 3);
        at += 2;
    }
    assert_int_equal(*at, ' ');
    for (size_t i = 0; i < e->sample_count; i++)
        if (strncmp(e->samples[i], line, (size_t)(at - line) + 1) == 0)
            fail_msg("twice: %s", line);
    snprintf(e->samples[e->sample_count++], sizeof(e->samples[0]), "%s", line);
    char *end;
    strtod(at + 1, &end);
    assert_true(end > at + 1 && *end == '\0');
}

static void check_exposition(char *text)
{
    auto_free struct exposition *e = memory_zeroed(1, sizeof(*e));
    assert_int_equal(text[strlen(text) - 1], '\n');
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (line[0] == '#')
            check_comment(e, line);
        else
            check_sample(e, line);
    }
    assert_true(e->sample_count > 10);
}

static void metrics_are_well_formed(void **state)
{
    struct fixture *f = running(state);
    struct client client;
    f->collects = true;
    reporter_metrics(f->reporter, on_collect);
    board_worker_joined(f->board, "w1", 2);
    board_set_task(f->board, 0, &(struct board_task){.state = BOARD_FLAKY, .attempt = 2, .tests = {.passed = 3}});
    assert_int_equal(request(f, &client, "GET", "/nothing", ""), 404);
    client_close(&client);
    assert_int_equal(request(f, &client, "GET", "/metrics", ""), 200);
    static const char *const wanted[] = {
        "funkytown_build_info{version=\"",
        "funkytown_tasks{state=\"queued\"} 2\n",
        "funkytown_tasks{state=\"flaky\"} 1\n",
        "funkytown_tasks{state=\"skipped\"} 0\n",
        "funkytown_tests{status=\"passed\"} 3\n",
        "funkytown_run_state{state=\"running\"} 1\n",
        "funkytown_run_state{state=\"finished\"} 0\n",
        "funkytown_run_verdict{verdict=\"passed\"} 0\n",
        "funkytown_run_verdict{verdict=\"skipped\"} 0\n",
        "funkytown_workers{state=\"live\"} 1\n",
        "\nfunkytown_run_wall_seconds ",
        "funkytown_http_requests_total{code=\"4xx\"} 1\n",
        "\nfunkytown_http_streams 0\n",
        "# HELP funkytown_redis_reconnects_total A \\\\ and\\na line.\n",
        "\nfunkytown_redis_reconnects_total 2.5\n",
        "\nprocess_cpu_seconds_total ",
        "\nprocess_resident_memory_bytes ",
        "\nprocess_open_fds ",
        "\nprocess_start_time_seconds ",
    };
    for (size_t i = 0; i < COUNT(wanted); i++)
        if (strstr(client_body(&client), wanted[i]) == NULL)
            fail_msg("%s: not in %s", wanted[i], client_body(&client));
    auto_free char *text = memory_text(client_body(&client));
    check_exposition(text);
    const char *started = strstr(client_body(&client), "\nprocess_start_time_seconds ");
    double start_s = strtod(started + strlen("\nprocess_start_time_seconds "), NULL);
    assert_true(start_s > 1.6e9 && start_s < (double)time(NULL) + 2);
    client_close(&client);
}

/* ---- somebody's own page */

static void write_file(const char *folder, const char *name, const char *text)
{
    auto_free char *path = memory_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void remove_folder(const char *folder)
{
    auto_free char *command = memory_format("rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

static void an_own_page_is_served_with_its_folder(void **state)
{
    struct fixture *f = *state;
    char root[] = "/tmp/funkytown-page-XXXXXX";
    assert_non_null(mkdtemp(root));
    auto_free char *site = memory_format("%s/site", root), *sub = memory_format("%s/site/sub", root);
    auto_free char *sibling = memory_format("%s/site-2", root), *pipe = memory_format("%s/site/pipe.js", root);
    assert_int_equal(mkdir(site, 0755) + mkdir(sub, 0755) + mkdir(sibling, 0755) + mkfifo(pipe, 0600), 0);
    write_file(sibling, "other.js", "another site");
    write_file(root, "secret.txt", "secret");
    write_file(site, "index.html", "<h1>mine</h1>");
    write_file(site, "app.js", "//");
    write_file(site, "app-12345678.css", "a{}");
    write_file(site, ".hidden", "hidden");
    write_file(sub, "x y.svg", "<svg/>");
    write_file(site, "results", "never seen");
    auto_free char *out = memory_format("%s/out.txt", site), *inside = memory_format("%s/link.js", site),
                   *up = memory_format("%s/up", site), *index = memory_format("%s/index.html", site);
    assert_int_equal(symlink("../secret.txt", out) + symlink("app.js", inside) + symlink("..", up), 0);
    static const struct {
        const char *target, *name;
    } links[] = {
        {"/etc/passwd", "passwd"},
        {"out.txt", "chain.txt"},
        {"../site-2/other.js", "other.js"},
        {"../site-2", "folder"},
        {"sub", "below"},
        {"gone", "dangling.js"},
        {"loop.js", "loop.js"},
        {"sub/../app.js", "way.js"},
        {"../site/app.js", "home.js"},
        {"/proc/self/environ", "env"},
    };
    for (size_t i = 0; i < COUNT(links); i++) {
        auto_free char *link = memory_format("%s/%s", site, links[i].name);
        assert_int_equal(symlink(links[i].target, link), 0);
    }

    start(f, (struct reporter_options){.index_file = index});
    static const struct {
        const char *uri;
        int status;
        const char *type, *body;
    } rows[] = {
        {"/results", 200, "text/html; charset=utf-8", "<h1>mine</h1>"},
        {"/app.js", 200, "text/javascript; charset=utf-8", "//"},
        {"/assets/app.js", 200, "text/javascript; charset=utf-8", "//"},
        {"/app-12345678.css", 200, "text/css; charset=utf-8", "a{}"},
        {"/link.js", 200, "text/javascript; charset=utf-8", "//"},
        {"/sub/x%20y.svg", 200, "image/svg+xml", "<svg/>"},
        {"/index.html", 404, NULL, NULL},
        {"/.hidden", 404, NULL, NULL},
        {"/out.txt", 404, NULL, NULL},
        {"/up/secret.txt", 404, NULL, NULL},
        {"/../secret.txt", 404, NULL, NULL},
        {"/sub/../../secret.txt", 404, NULL, NULL},
        {"/%2e%2e/secret.txt", 404, NULL, NULL},
        {"/sub", 404, NULL, NULL},
        {"/sub/", 404, NULL, NULL},
        {"/later.js", 404, NULL, NULL},
        {"/passwd", 404, NULL, NULL},
        {"/chain.txt", 404, NULL, NULL},
        {"/other.js", 404, NULL, NULL},
        {"/folder/other.js", 404, NULL, NULL},
        {"/site-2/other.js", 404, NULL, NULL},
        {"/../site-2/other.js", 404, NULL, NULL},
        {"/below/x%20y.svg", 404, NULL, NULL},
        {"/dangling.js", 404, NULL, NULL},
        {"/loop.js", 404, NULL, NULL},
        {"/env", 404, NULL, NULL},
        {"/pipe.js", 404, NULL, NULL},
        {"/way.js", 200, "text/javascript; charset=utf-8", "//"},
        {"/home.js", 200, "text/javascript; charset=utf-8", "//"},
        {"/./app.js", 404, NULL, NULL},
        {"//app.js", 404, NULL, NULL},
        {"/sub%2fx%20y.svg", 200, "image/svg+xml", "<svg/>"}, /* a name in the table, however it is written */
        {"/assets//app.js", 404, NULL, NULL},
        {"/assets/../app.js", 404, NULL, NULL},
        {"/app.js%00.txt", 400, NULL, NULL},
    };
    write_file(site, "later.js", "the table was made at the start");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        int status = request(f, &client, "GET", rows[i].uri, "");
        if (status != rows[i].status)
            fail_msg("%s: %d", rows[i].uri, status);
        if (status == 200) {
            assert_string_equal(client_field(&client, "Content-Type"), rows[i].type);
            assert_string_equal(client_field(&client, "Cache-Control"), "no-cache");
            assert_string_equal(client_body(&client), rows[i].body);
        }
        client_close(&client);
    }
    remove_folder(root);
}

static void a_start_that_fails_says_why(void **state)
{
    struct fixture *f = *state;
    struct error err;
    struct reporter_options options = {.bind = "127.0.0.1", .index_file = "/nonexistent/page.html"};
    assert_null(reporter_start(&f->loop, &options, &source, f, &err));
    assert_string_equal(err.text, "HTML_INDEX_FILE: /nonexistent/page.html: No such file or directory");
    options.index_file = "/tmp";
    assert_null(reporter_start(&f->loop, &options, &source, f, &err));
    assert_string_equal(err.text, "HTML_INDEX_FILE: /tmp: found no regular file, wanted one");

    start(f, (struct reporter_options){0});
    options = (struct reporter_options){.bind = "127.0.0.1", .port = reporter_port(f->reporter)};
    assert_null(reporter_start(&f->loop, &options, &source, f, &err));
    auto_free char *wanted =
        memory_format("http port %d on 127.0.0.1: address already in use", reporter_port(f->reporter));
    assert_string_equal(err.text, wanted);
    options.ports = 20;
    struct reporter *next = reporter_start(&f->loop, &options, &source, f, &err);
    assert_non_null(next);
    assert_in_range(reporter_port(next), options.port + 1, options.port + 19);
    reporter_stop(next, NULL);
    options.bind = "192.0.2.1";
    assert_null(reporter_start(&f->loop, &options, &source, f, &err));
    assert_non_null(strstr(err.text, "on 192.0.2.1: address not available"));
}

static void a_reporter_nobody_asked_stops(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        f->is_closed = false;
        start(f, (struct reporter_options){0});
        stop(f);
    }
}

#define REPORTER_TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPORTER_TEST(each_route_answers),
        REPORTER_TEST(the_root_leads_to_the_page),
        REPORTER_TEST(assets_are_kept_for_ever_and_compressed),
        REPORTER_TEST(other_methods_are_refused),
        REPORTER_TEST(writes_need_a_token),
        REPORTER_TEST(on_loopback_only_our_own_names_are_served),
        REPORTER_TEST(beyond_loopback_every_name_is_served),
        REPORTER_TEST(a_name_that_was_bound_is_served),
        REPORTER_TEST(who_writes_shows_token_host_and_origin),
        REPORTER_TEST(without_a_token_nobody_writes),
        REPORTER_TEST(a_token_that_cannot_be_sent_stops_the_start),
        REPORTER_TEST(a_run_is_cancelled_by_the_source),
        REPORTER_TEST(tasks_are_run_again_by_the_source),
        REPORTER_TEST(a_rerun_is_asked_for_in_json),
        REPORTER_TEST(a_body_is_taken_up_to_its_limit),
        REPORTER_TEST(a_write_is_answered_when_it_is_done),
        REPORTER_TEST(what_is_too_large_is_refused),
        REPORTER_TEST(a_body_that_nobody_wants_has_a_limit_too),
        REPORTER_TEST(requests_share_a_connection),
        REPORTER_TEST(without_a_board_only_the_run_is_missing),
        REPORTER_TEST(earlier_runs_keep_their_summary),
        REPORTER_TEST(a_snapshot_is_made_once_for_all),
        REPORTER_TEST(the_list_of_tasks_checks_its_query),
        REPORTER_TEST(a_task_tells_its_attempts),
        REPORTER_TEST(a_run_is_given_as_files),
        REPORTER_TEST(a_log_is_given_in_parts),
        REPORTER_TEST(an_answer_may_come_later),
        REPORTER_TEST(who_asked_may_be_gone),
        REPORTER_TEST(an_answer_may_come_after_the_end),
        REPORTER_TEST(an_answer_for_another_board_is_not_used),
        REPORTER_TEST(an_answer_is_not_waited_for_for_ever),
        REPORTER_TEST(every_reply_is_dressed),
        REPORTER_TEST(who_waits_for_an_answer_is_answered_in_its_turn),
        REPORTER_TEST(a_listener_is_told_to_start_and_then_what_changes),
        REPORTER_TEST(a_listener_goes_on_where_it_was),
        REPORTER_TEST(frames_come_at_a_pace),
        REPORTER_TEST(a_silent_stream_is_kept_awake),
        REPORTER_TEST(another_run_resets_the_stream),
        REPORTER_TEST(too_much_news_is_a_reset),
        REPORTER_TEST(there_is_a_limit_to_listeners),
        REPORTER_TEST(a_listener_that_takes_nothing_is_dropped),
        REPORTER_TEST(everybody_is_told_the_verdict_before_the_end),
        REPORTER_TEST(a_run_that_is_not_finished_was_interrupted),
        REPORTER_TEST(a_cancelled_run_ends_as_cancelled),
        REPORTER_TEST(who_comes_in_the_last_moment_is_told),
        REPORTER_TEST(who_reads_on_is_served_while_it_ends),
        REPORTER_TEST(who_is_far_behind_can_still_start_anew),
        REPORTER_TEST(a_download_is_finished_before_the_end),
        REPORTER_TEST(who_takes_nothing_does_not_hold_the_end),
        REPORTER_TEST(nobody_is_waited_for_when_nobody_is_there),
        REPORTER_TEST(head_opens_no_stream),
        REPORTER_TEST(metrics_are_well_formed),
        REPORTER_TEST(an_own_page_is_served_with_its_folder),
        REPORTER_TEST(a_start_that_fails_says_why),
        REPORTER_TEST(a_reporter_nobody_asked_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
