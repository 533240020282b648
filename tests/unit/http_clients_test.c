/* Clients that are slow or greedy, or don't speak HTTP. What a reporter tells is reporter_test's business. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/http/reporter.h"
#include "http_client.h"
#include "shared/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HEALTH "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"

struct fixture {
    uv_loop_t loop;
    struct reporter *reporter;
    bool is_closed;
};

static const char *on_missing(void *data)
{
    (void)data;
    return NULL;
}

static const struct reporter_source source = {.missing = on_missing};

static void start(struct fixture *f, struct reporter_options options)
{
    struct error err = {0};
    options.bind = "127.0.0.1";
    options.token = "secret";
    f->reporter = reporter_start(&f->loop, &options, &source, f, &err);
    assert_string_equal(err.text, "");
}

static int open_fixture(void **state)
{
    struct fixture *f = memory_zeroed(1, sizeof(*f));
    uv_loop_init(&f->loop);
    *state = f;
    return 0;
}

static void on_closed(void *data)
{
    ((struct fixture *)data)->is_closed = true;
}

static bool has_closed(void *data)
{
    return ((struct fixture *)data)->is_closed;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    reporter_stop(f->reporter, on_closed);
    client_run(&f->loop, has_closed, f);
    client_run_out(&f->loop);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static void open_client(struct fixture *f, struct client *client)
{
    client_open(client, &f->loop, reporter_port(f->reporter));
}

/* Whatever was done before, others are served. */
static void assert_serves(struct fixture *f)
{
    struct client client;
    open_client(f, &client);
    client_send(&client, HEALTH);
    assert_int_equal(client_response(&client, false), 200);
    client_close(&client);
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        count++;
    return count;
}

/* ---- too many */

static void there_is_a_limit_to_all_connections(void **state)
{
    struct fixture *f = *state;
    struct client clients[3], another;
    start(f, (struct reporter_options){.limits = {.connections = 3}});
    for (size_t i = 0; i < COUNT(clients); i++) {
        char address[16];
        snprintf(address, sizeof(address), "127.0.0.%zu", i + 1);
        client_open_from(&clients[i], &f->loop, address, reporter_port(f->reporter));
        client_send(&clients[i], HEALTH);
        assert_int_equal(client_response(&clients[i], false), 200);
        client_clear(&clients[i]);
    }
    client_open_from(&another, &f->loop, "127.0.0.9", reporter_port(f->reporter));
    for (size_t i = 0; i < COUNT(clients); i++) {
        client_send(&clients[i], HEALTH);
        assert_int_equal(client_response(&clients[i], false), 200);
    }
    assert_string_equal(client_body(&another), "");

    /* One that goes makes room. */
    client_close(&clients[1]);
    int status = 0;
    while (status != 200) {
        client_close(&another);
        client_open_from(&another, &f->loop, "127.0.0.9", reporter_port(f->reporter));
        client_send(&another, HEALTH);
        status = client_response(&another, false);
    }
    client_close(&another);
    client_close(&clients[0]);
    client_close(&clients[2]);
}

static void one_address_leaves_room_for_others(void **state)
{
    struct fixture *f = *state;
    struct client clients[3], another;
    start(f, (struct reporter_options){.limits = {.connections_per_address = 3}});
    for (size_t i = 0; i < COUNT(clients); i++) {
        open_client(f, &clients[i]);
        client_send(&clients[i], HEALTH);
        assert_int_equal(client_response(&clients[i], false), 200);
    }
    open_client(f, &another);
    client_expect_end(&another);
    client_close(&another);
    client_open_from(&another, &f->loop, "127.0.0.2", reporter_port(f->reporter));
    client_send(&another, HEALTH);
    assert_int_equal(client_response(&another, false), 200);
    client_close(&another);
    for (size_t i = 0; i < COUNT(clients); i++)
        client_close(&clients[i]);
}

/* ---- too slow */

struct drip {
    struct client *client;
    const char *head;
    const char *again; /* what follows, for ever */
    size_t sent;
};

/* A byte a millisecond: the time limit has to end it, however fast the machine is, before it has grown too large. */
static void on_drip(uv_timer_t *timer)
{
    struct drip *drip = timer->data;
    size_t head = strlen(drip->head);
    if (drip->client->is_ended)
        return;
    const char *from =
        drip->sent < head ? drip->head + drip->sent : drip->again + (drip->sent - head) % strlen(drip->again);
    client_send_bytes(drip->client, from, 1);
    drip->sent++;
}

static void drip_until_cut_off(struct fixture *f, struct drip drip)
{
    uv_timer_t timer;
    uv_timer_init(&f->loop, &timer);
    timer.data = &drip;
    uv_timer_start(&timer, on_drip, 0, 1);
    client_expect_end(drip.client);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void who_drips_is_cut_off(void **state)
{
    static const struct {
        const char *head, *again;
    } rows[] = {
        {"", "G"},
        {"GET /", "a"},
        {"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ", "a"},
        {"GET /health HTTP/1.1\r\nHost: localhost\r\n", "A: b\r\n"},
        {"POST /api/v1/runs/current/cancel HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n", " "},
        {"POST /api/v1/runs/current/cancel HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
         "1\r\n \r\n"},
        {"POST /api/v1/runs/current/cancel HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;x=",
         "a"},
        {"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n", " "},
    };
    struct fixture *f = *state;
    struct client silent;
    start(f, (struct reporter_options){.limits = {.request_ms = 40}});
    open_client(f, &silent);
    client_expect_end(&silent);
    client_close(&silent);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        open_client(f, &client);
        drip_until_cut_off(f, (struct drip){&client, rows[i].head, rows[i].again, 0});
        if (client.received.length > 0) /* not a word for it */
            fail_msg("%s%s…: %s", rows[i].head, rows[i].again, client.received.data);
        client_close(&client);
    }
    assert_serves(f);
}

static void who_asks_and_does_not_read_is_dropped(void **state)
{
    enum { PAGE_BYTES = 16 * 1024 * 1024 };
    struct fixture *f = *state;
    struct client deaf, other;
    char root[] = "/tmp/funkytown-page-XXXXXX";
    assert_non_null(mkdtemp(root));
    auto_free char *page = memory_format("%s/index.html", root);
    FILE *file = fopen(page, "w");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), PAGE_BYTES) + fclose(file), 0);

    start(f, (struct reporter_options){.index_file = page, .limits = {.connections = 1, .idle_s = 1}});
    open_client(f, &deaf);
    client_deafen(&deaf);
    client_send(&deaf, "GET /results HTTP/1.1\r\nHost: localhost\r\n\r\n");
    /* There is room for one, and it isn't read from: the next is served when it was given up. */
    open_client(f, &other);
    client_send(&other, HEALTH);
    int status = client_response(&other, false);
    while (status != 200) {
        client_close(&other);
        open_client(f, &other);
        client_send(&other, HEALTH);
        status = client_response(&other, false);
    }
    client_close(&other);
    client_close(&deaf);
    remove(page);
    rmdir(root);
}

/* ---- too large, for the library already */

static void what_does_not_fit_is_refused_and_not_echoed(void **state)
{
    enum { MUCH = 200000 };
    struct fixture *f = *state;
    auto_free char *many = memory_zeroed(MUCH + 1, 1), *fields = memory_zeroed(MUCH + 1, 1);
    memset(many, 'q', MUCH);
    for (size_t i = 0; i + 6 <= MUCH; i += 6)
        memcpy(fields + i, "q: q\r\n", 6);
    const struct {
        const char *before, *middle, *after;
        const char *statuses;
    } rows[] = {
        {"GET /", many, " HTTP/1.1\r\nHost: localhost\r\n\r\n", "414"},
        {"GET /?", many, "", "414"},
        {"", many, " / HTTP/1.1\r\nHost: localhost\r\n\r\n", "414 501"},
        {"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", many, "\r\n\r\n", "431"},
        {"GET / HTTP/1.1\r\nHost: localhost\r\n", many, ": x\r\n\r\n", "431"},
        {"GET / HTTP/1.1\r\nHost: localhost\r\n", fields, "\r\n", "431"},
        {"POST /api/v1/runs/current/cancel HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
         "184467440737095516160\r\n\r\n",
         many, "", "413"},
        {"POST /api/v1/runs/current/cancel HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
         "fffffffffffffffff\r\n",
         many, "", "413"},
    };
    start(f, (struct reporter_options){0});
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        auto_free char *request = memory_format("%s%s%s", rows[i].before, rows[i].middle, rows[i].after);
        open_client(f, &client);
        client_send(&client, request);
        client_expect_end(&client);
        /* The reply may be lost to what was still being sent, as it is with every server. */
        const char *reply = client.received.length > 0 ? client.received.data : "";
        char status[8];
        snprintf(status, sizeof(status), "%.3s", *reply ? reply + strlen("HTTP/1.1 ") : "");
        if (strstr(rows[i].statuses, status) == NULL)
            fail_msg("%s: %s", rows[i].before, reply);
        assert_null(strstr(reply, "qqq"));
        client_close(&client);
    }
    assert_serves(f);
}

/* ---- not HTTP, or not the one that we speak */

static void what_is_not_http_ends_the_connection(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {
#define BYTES(text) {text, sizeof(text) - 1}
        BYTES("garbage\r\n\r\n"),
        BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\r\n\r\n"), /* TLS */
        BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        BYTES("*1\r\n$4\r\nPING\r\n"),
        BYTES("SSH-2.0-OpenSSH_9.2\r\n"),
        BYTES("GET\r\n\r\n"),
        BYTES("GET /health\r\n\r\n"),
        BYTES("GET /health HTTP/9.9\r\n\r\n"),
        BYTES("GET /health FTP/1.1\r\n\r\n"),
        BYTES("GET /health HTTP/1.1\r\nno colon\r\n\r\n"),
        BYTES("GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"),
        BYTES("GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1x\r\n\r\n"),
        BYTES("POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
        BYTES("\0\0\0\0\r\n\r\n"),
        BYTES(" / HTTP/1.1\r\n\r\n"),
#undef BYTES
    };
    struct fixture *f = *state;
    start(f, (struct reporter_options){.limits = {.request_ms = 500}});
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        open_client(f, &client);
        client_send_bytes(&client, rows[i].bytes, rows[i].length);
        client_expect_end(&client);
        const char *reply = client.received.length > 0 ? client.received.data : "";
        if (strstr(reply, " 200 ") || strstr(reply, " 500 "))
            fail_msg("%zu: %s", i, reply);
        client_close(&client);
    }
    assert_serves(f);
}

/* The library ends a text at a zero: only what stands before it is looked at, and no more is done for it. */
static void zeros_hide_nothing(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *statuses;
    } rows[] = {
#define BYTES(text, statuses) {text, sizeof(text) - 1, statuses}
        BYTES("GET /health\0/../secret HTTP/1.1\r\nHost: localhost\r\n\r\n", "200 400"),
        BYTES("GET /assets/\0app.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "400 404"),
        BYTES("GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n", "302 400"),
        BYTES("GET /health%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"),
        BYTES("GET /health HTTP/1.1\r\nHost: localhost\r\nAccept: a\0b\r\n\r\n", "200 400"),
        BYTES("POST /api/v1/runs/current/cancel HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \0secret\r\n"
              "Content-Length: 0\r\n\r\n",
              "400 401"),
        BYTES("POST /api/v1/runs/current/cancel HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secre\0t\r\n"
              "Content-Length: 0\r\n\r\n",
              "400 401"),
#undef BYTES
    };
    struct fixture *f = *state;
    start(f, (struct reporter_options){0});
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        char status[8];
        open_client(f, &client);
        client_send_bytes(&client, rows[i].bytes, rows[i].length);
        snprintf(status, sizeof(status), "%d", client_response(&client, false));
        if (strstr(rows[i].statuses, status) == NULL)
            fail_msg("%zu: %s", i, client.received.data);
        client_close(&client);
    }
}

/* libmicrohttpd 1.0 refuses some of it itself, with other words than ours. */
static void a_request_with_two_ends_is_refused(void **state)
{
#define POST_HEALTH "POST /health HTTP/1.1\r\nHost: localhost\r\n"
    static const struct {
        const char *request;
        const char *statuses;
    } rows[] = {
        {POST_HEALTH "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}", "400"},
        {POST_HEALTH "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "400"},
        {POST_HEALTH "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {POST_HEALTH "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {POST_HEALTH "Transfer-Encoding: gzip\r\n\r\n", "400 501"},
        {POST_HEALTH "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "400 501"},
        {POST_HEALTH "Content-Length : 2\r\n\r\n{}", "400"},
        {POST_HEALTH "Content Length: 2\r\n\r\n{}", "400"},
        {POST_HEALTH "Content-Length\t: 2\r\n\r\n{}", "400"},
        /* Folded lines: libmicrohttpd 0.9.75 puts what was continued behind the name. */
        {POST_HEALTH "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "400"},
        {POST_HEALTH "Transfer-Encoding: chunked\r\n x\r\n\r\n0\r\n\r\n", "400"},
        {POST_HEALTH "Transfer-Encoding: chunked\r\n \r\n\r\n0\r\n\r\n", "400"},
        {POST_HEALTH "Transfer-Encoding: chun\r\n\tked\r\n\r\n0\r\n\r\n", "400"},
        {POST_HEALTH "Transfer-\r\n Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {POST_HEALTH "Transfer-Encoding: chunked\r\n , gzip\r\n\r\n0\r\n\r\n", "400"},
        {POST_HEALTH "Content-Length:\r\n 2\r\n\r\n{}", "400"},
        {POST_HEALTH "Content-Length: 2\r\n 0\r\n\r\n{}", "400"},
        {POST_HEALTH "X: a\r\n Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "400"},
        {POST_HEALTH "X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}", "400"},
        {"POST /health HTTP/1.1\r\n Host: localhost\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", "400"},
        /* HTTP/1.0 knows no transfer codings (RFC 9112, 6.1). */
        {"POST /health HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {"POST /health HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "400"},
        {"GET /health HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
        {"GET /health HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
         "0\r\n\r\n",
         "400"},
    };
    struct fixture *f = *state;
    start(f, (struct reporter_options){0});
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client client;
        char status[8];
        auto_free char *both = memory_format("%s" HEALTH, rows[i].request);
        open_client(f, &client);
        client_send(&client, both);
        client_expect_end(&client);
        snprintf(status, sizeof(status), "%d", client_response(&client, false));
        if (strstr(rows[i].statuses, status) == NULL || occurrences(client.received.data, "HTTP/1.1 ") != 1)
            fail_msg("%s: %s", rows[i].request, client.received.data);
        assert_string_equal(client_field(&client, "Connection"), "close");
        client_close(&client);
    }
}

/* ---- unusual, and in order */

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    struct client client;
    start(f, (struct reporter_options){0});
    open_client(f, &client);
    client_send(&client, HEALTH
                "HEAD /results HTTP/1.1\r\nHost: localhost\r\n\r\n"
                "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 31\r\n\r\n"
                "GET /nothing HTTP/1.1\r\nA: b\r\n\r\n"
                "POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" HEALTH);
    client_expect_end(&client);
    const char *at = client.received.data;
    static const char *const wanted[] = {"HTTP/1.1 200", "text/plain",   "HTTP/1.1 200", "text/html",
                                         "HTTP/1.1 405", "HTTP/1.1 405", "HTTP/1.1 200", "funkytown_build_info"};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        at = strstr(at, wanted[i]);
        if (at == NULL)
            fail_msg("%s: not in its place in %s", wanted[i], client.received.data);
    }
    assert_int_equal(occurrences(client.received.data, "HTTP/1.1 "), 5); /* not the body, nor what follows close */
    client_close(&client);
}

static void http_1_0_is_served(void **state)
{
    struct fixture *f = *state;
    struct client client;
    start(f, (struct reporter_options){0});
    open_client(f, &client);
    client_send(&client, "GET /health HTTP/1.0\r\n\r\n");
    client_expect_end(&client);
    assert_int_equal(client_response(&client, false), 200);
    assert_string_equal(client_body(&client), "ok\n");
    client_close(&client);

    open_client(f, &client);
    for (int i = 0; i < 2; i++) {
        client_clear(&client);
        client_send(&client, "GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_int_equal(client_response(&client, false), 200);
    }
    client_close(&client);

    /* Without a Host there is nothing that an origin could be compared with. */
    open_client(f, &client);
    client_send(&client, "POST /api/v1/runs/current/cancel HTTP/1.0\r\nAuthorization: Bearer secret\r\n\r\n");
    assert_int_equal(client_response(&client, false), 400);
    client_close(&client);
}

static void a_client_may_wait_until_its_body_is_wanted(void **state)
{
    struct fixture *f = *state;
    struct client client;
    start(f, (struct reporter_options){0});
    open_client(f, &client);
    client_send(&client, "POST /api/v1/runs/current/cancel HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                         "Content-Length: 2\r\n\r\n");
    assert_int_equal(client_response(&client, true), 100);
    client_clear(&client);
    client_send(&client, "{}");
    assert_int_equal(client_response(&client, false), 401);
    client_close(&client);
    open_client(f, &client);
    client_send(&client, "POST /api/v1/runs/current/cancel HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                         "Content-Length: 70000\r\n\r\n");
    assert_int_equal(client_response(&client, false), 413); /* before it was sent */
    client_close(&client);
}

#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(there_is_a_limit_to_all_connections),
        CLIENT_TEST(one_address_leaves_room_for_others),
        CLIENT_TEST(who_drips_is_cut_off),
        CLIENT_TEST(who_asks_and_does_not_read_is_dropped),
        CLIENT_TEST(what_does_not_fit_is_refused_and_not_echoed),
        CLIENT_TEST(what_is_not_http_ends_the_connection),
        CLIENT_TEST(zeros_hide_nothing),
        CLIENT_TEST(a_request_with_two_ends_is_refused),
        CLIENT_TEST(pipelined_requests_are_answered_in_order),
        CLIENT_TEST(http_1_0_is_served),
        CLIENT_TEST(a_client_may_wait_until_its_body_is_wanted),
    };
    signal(SIGPIPE, SIG_IGN); /* as the controller does: who hangs up first is a matter of luck */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
