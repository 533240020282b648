/* redis_link against a real server: what it reports, in which order, and that nothing is left of it in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "shared/buffer.h"
#include "shared/memory.h"
#include "shared/redis_link.h"
#include "shared/redis_reply.h"
#include "tests/redis/redis_fixture.h"

enum { PATIENT_MS = 30000 };

/* ---- a resolver of our own: "two.test" is ::1 and 127.0.0.1, in this order ---- */

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    getaddrinfo_fn *real;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (name == NULL || strcmp(name, "two.test") != 0)
        return real(name, service, hints, found);
    struct addrinfo *second = NULL;
    int failed = real("::1", service, hints, found);
    if (failed == 0)
        failed = real("127.0.0.1", service, hints, &second);
    if (failed == 0)
        (*found)->ai_next = second;
    return failed;
}

/* ---- a link that writes down what happens ---- */

struct watched {
    uv_loop_t loop;
    struct redis_fixture server;
    struct redis_address address;
    struct redis_link *link; /* NULL: closed */
    struct buffer story;     /* "up", "down", a reply's text or "null", each followed by a space */
    struct error reason;
    bool is_up, is_down, has_replied, is_closed;
    bool close_when_up, close_when_down, close_on_reply, reset_on_reply, resend_on_reply;
    int sent_again;
};

static void on_closed(void *data)
{
    struct watched *w = data;
    w->is_closed = true;
}

static void close_link(struct watched *w)
{
    if (w->link)
        redis_link_close(w->link, on_closed);
    w->link = NULL;
}

static void on_up(void *data)
{
    struct watched *w = data;
    assert_true(redis_link_is_up(w->link));
    w->is_up = true;
    w->is_down = false;
    buffer_text(&w->story, "up ");
    if (w->close_when_up)
        close_link(w);
}

static void on_down(void *data, const struct error *reason)
{
    struct watched *w = data;
    assert_non_null(w->link);
    assert_false(redis_link_is_up(w->link));
    w->is_up = false;
    w->is_down = true;
    w->reason = *reason;
    buffer_text(&w->story, "down ");
    if (w->close_when_down)
        close_link(w);
}

static void on_reply(void *data, const struct redisReply *reply);

static int send_to(struct watched *w, unsigned timeout_ms, int argc, const char *const *argv)
{
    return redis_link_send(w->link, timeout_ms, on_reply, w, argc, argv, NULL);
}

static void on_reply(void *data, const struct redisReply *reply)
{
    struct watched *w = data;
    const char *text = reply == NULL              ? "null"
                       : redis_reply_text(reply)  ? redis_reply_text(reply)
                       : redis_reply_error(reply) ? redis_reply_error(reply)
                                                  : "other";
    w->has_replied = true;
    buffer_format(&w->story, "%s ", text);
    if (w->close_on_reply)
        close_link(w);
    if (w->reset_on_reply && reply)
        redis_link_reset(w->link);
    if (w->resend_on_reply && reply == NULL) {
        assert_false(redis_link_is_up(w->link));
        w->sent_again = send_to(w, PATIENT_MS, 1, (const char *const[]){"PING"});
    }
}

static void watch_link(struct watched *w)
{
    static const struct redis_link_events events = {on_up, on_down};
    w->is_closed = false;
    w->link = redis_link_open(&w->loop, &w->address, &events, w);
}

static void wait_up(struct watched *w)
{
    run_until(&w->loop, &w->is_up, "the link comes up");
}

static void wait_down(struct watched *w)
{
    run_until(&w->loop, &w->is_down, "the link goes down");
}

static void wait_reply(struct watched *w)
{
    run_until(&w->loop, &w->has_replied, "a reply");
    w->has_replied = false;
}

static void wait_closed(struct watched *w)
{
    close_link(w);
    run_until(&w->loop, &w->is_closed, "the link is closed");
}

static void expect_story(struct watched *w, const char *wanted)
{
    assert_string_equal(w->story.data ? w->story.data : "", wanted);
}

static void prepare(struct watched *w, const char *const *arguments)
{
    *w = (struct watched){.address = {.host = "127.0.0.1"}};
    assert_int_equal(uv_loop_init(&w->loop), 0);
    redis_fixture_open(&w->server, arguments);
    w->address.port = w->server.port;
}

static void finish(struct watched *w)
{
    if (w->link)
        wait_closed(w);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    redis_fixture_close(&w->server);
    buffer_close(&w->story);
}

/* ---- coming up ---- */

static void a_server_that_starts_later_is_found(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    watch_link(&w);
    assert_int_equal(send_to(&w, PATIENT_MS, 1, (const char *const[]){"PING"}), -1);
    wait_down(&w);
    assert_int_equal(w.reason.code, ERROR_REFUSED);
    auto_free char *wanted = memory_format("redis 127.0.0.1:%d: Connection refused", w.server.port);
    assert_string_equal(w.reason.text, wanted);
    redis_fixture_start(&w.server);
    wait_up(&w);
    finish(&w);
}

static void an_unknown_host_is_named(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    w.address.host = "nowhere.invalid";
    watch_link(&w);
    wait_down(&w);
    assert_int_equal(w.reason.code, ERROR_REFUSED);
    assert_non_null(strstr(w.reason.text, "redis nowhere.invalid:"));
    assert_non_null(strstr(w.reason.text, "unknown host"));
    finish(&w);
}

static void the_second_address_is_tried_when_the_first_refuses(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    w.address.host = "two.test";
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_up(&w);
    expect_story(&w, "up ");
    finish(&w);
}

static void localhost_is_found(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    w.address.host = "localhost";
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_up(&w);
    expect_story(&w, "up ");
    finish(&w);
}

/* A listener whose queue is full drops what knocks: as an address does that a firewall swallows. */
static void the_second_address_is_tried_when_the_first_is_silent(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    struct sockaddr_in6 silent = {
        .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback, .sin6_port = htons((uint16_t)w.server.port)};
    auto_close int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto_close int guest = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&silent, sizeof(silent)), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(connect(guest, (struct sockaddr *)&silent, sizeof(silent)), 0);
    w.address.host = "two.test";
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_up(&w);
    expect_story(&w, "up ");
    finish(&w);
}

/* ---- greeting ---- */

static void expect_refused_password(const char *const *arguments, const char *password, const char *words)
{
    struct watched w;
    prepare(&w, arguments);
    w.address.password = password;
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_down(&w);
    assert_int_equal(w.reason.code, ERROR_AUTH);
    assert_non_null(strstr(w.reason.text, words));
    expect_story(&w, "down ");
    finish(&w);
}

static void a_refused_password_is_told_apart(void **state)
{
    (void)state;
    const char *const with_password[] = {"--requirepass", "secret", NULL};
    expect_refused_password(with_password, "wrong", "WRONGPASS");
    expect_refused_password(with_password, NULL, "NOAUTH");
    expect_refused_password(NULL, "secret", "without any password");
}

static void a_password_opens(void **state)
{
    (void)state;
    const char *const arguments[] = {"--requirepass", "secret", NULL};
    struct watched w;
    prepare(&w, arguments);
    w.address.password = "secret";
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_up(&w);
    expect_story(&w, "up ");
    finish(&w);
}

static void a_user_of_its_own_and_a_database(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    w.address.username = "tester";
    w.address.password = "pass word";
    w.address.db = 3;
    redis_fixture_start(&w.server);
    redis_fixture_do(&w.server, "ACL SETUSER tester on >%s ~* +@all", "pass word");
    watch_link(&w);
    wait_up(&w);
    assert_int_equal(send_to(&w, PATIENT_MS, 2, (const char *const[]){"ACL", "WHOAMI"}), 0);
    wait_reply(&w);
    assert_int_equal(send_to(&w, PATIENT_MS, 3, (const char *const[]){"SET", "mark", "1"}), 0);
    wait_reply(&w);
    expect_story(&w, "up tester OK ");
    redis_fixture_do(&w.server, "SELECT 3");
    assert_int_equal(redis_fixture_number(&w.server, "GET mark"), 1);
    finish(&w);
}

static void a_user_that_may_not_ping_is_an_auth_error(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    w.address.username = "tester";
    w.address.password = "p";
    redis_fixture_start(&w.server);
    redis_fixture_do(&w.server, "ACL SETUSER tester on >p ~* -@all");
    watch_link(&w);
    wait_down(&w);
    assert_int_equal(w.reason.code, ERROR_AUTH);
    finish(&w);
}

static void a_database_that_is_not_there_is_refused(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    w.address.db = 99;
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_down(&w);
    assert_int_equal(w.reason.code, ERROR_REFUSED);
    assert_non_null(strstr(w.reason.text, "out of range"));
    finish(&w);
}

/* ---- going down ---- */

static const char *const ping[] = {"PING"};
static const char *const pop[] = {"BLPOP", "empty", "0"};

/* Until the pop has arrived: the server says so. */
static void wait_blocked(struct watched *w)
{
    while (redis_fixture_number(&w->server, "EVAL %s 0",
                                "return redis.call('INFO', 'clients'):match('blocked_clients:(%d+)')") == 0)
        uv_run(&w->loop, UV_RUN_NOWAIT);
}

static void a_server_killed_under_a_blocked_pop_comes_back(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    w.resend_on_reply = true;
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_up(&w);
    assert_int_equal(send_to(&w, PATIENT_MS, 3, pop), 0);
    assert_int_equal(send_to(&w, PATIENT_MS, 1, ping), 0);
    wait_blocked(&w);
    redis_fixture_kill(&w.server);
    wait_down(&w);
    expect_story(&w, "up null null down ");
    assert_int_equal(w.sent_again, -1);
    assert_int_equal(w.reason.code, ERROR_REFUSED);
    redis_fixture_start(&w.server);
    wait_up(&w);
    assert_int_equal(send_to(&w, PATIENT_MS, 1, ping), 0);
    w.has_replied = false;
    wait_reply(&w);
    assert_non_null(strstr(w.story.data, "up PONG "));
    finish(&w);
}

static void a_silent_server_is_a_lost_link(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    w.resend_on_reply = true;
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_up(&w);
    kill(w.server.pid, SIGSTOP);
    assert_int_equal(send_to(&w, 100, 1, ping), 0);
    assert_int_equal(send_to(&w, 100, 1, ping), 0);
    wait_down(&w);
    expect_story(&w, "up null null down ");
    assert_int_equal(w.sent_again, -1);
    assert_non_null(strstr(w.reason.text, "no answer in time"));
    kill(w.server.pid, SIGCONT);
    wait_up(&w);
    finish(&w);
}

static void a_reset_calls_the_replies_first(void **state)
{
    (void)state;
    for (int inside = 0; inside < 2; inside++) {
        struct watched w;
        prepare(&w, NULL);
        redis_fixture_start(&w.server);
        watch_link(&w);
        wait_up(&w);
        w.reset_on_reply = inside;
        assert_int_equal(send_to(&w, PATIENT_MS, 1, ping), 0);
        assert_int_equal(send_to(&w, PATIENT_MS, 3, pop), 0);
        if (!inside)
            redis_link_reset(w.link);
        wait_down(&w);
        expect_story(&w, inside ? "up PONG null down " : "up null null down ");
        assert_non_null(strstr(w.reason.text, "connection dropped"));
        wait_up(&w);
        finish(&w);
    }
}

/* ---- refused ---- */

static const char *const set[] = {"SET", "mark", "1"};
static const char *const get[] = {"GET", "mark"};

static int ask(struct watched *w, const char *script)
{
    return send_to(w, PATIENT_MS, 3, (const char *const[]){"EVAL", script, "0"});
}

static void expect_reason(struct watched *w, enum error_code code, const char *text)
{
    auto_free char *wanted = memory_format("redis 127.0.0.1:%d%s", w->server.port, text);
    assert_string_equal(w->reason.text, wanted);
    assert_int_equal(w->reason.code, code);
}

static void a_replica_is_left_at_once(void **state)
{
    (void)state;
    for (int inside = 0; inside < 2; inside++) {
        struct watched w;
        prepare(&w, NULL);
        redis_fixture_start(&w.server);
        watch_link(&w);
        wait_up(&w);
        redis_fixture_do(&w.server, "REPLICAOF 127.0.0.1 1");
        assert_int_equal(send_to(&w, PATIENT_MS, 2, get), 0);
        assert_int_equal(inside ? ask(&w, "return redis.call('SET', 'mark', 1)") : send_to(&w, PATIENT_MS, 3, set),
                         0);
        assert_int_equal(send_to(&w, PATIENT_MS, 1, ping), 0);
        wait_down(&w);
        expect_story(&w, "up other null null down ");
        expect_reason(&w, ERROR_REFUSED, ": READONLY You can't write against a read only replica.");
        wait_up(&w);
        redis_fixture_do(&w.server, "REPLICAOF NO ONE");
        assert_int_equal(send_to(&w, PATIENT_MS, 3, set), 0);
        w.has_replied = false;
        wait_reply(&w);
        expect_story(&w, "up other null null down up OK ");
        finish(&w);
    }
}

static void a_blocked_command_of_who_becomes_a_replica_is_lost(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_up(&w);
    assert_int_equal(send_to(&w, PATIENT_MS, 3, pop), 0);
    wait_blocked(&w);
    redis_fixture_do(&w.server, "REPLICAOF 127.0.0.1 1");
    wait_down(&w);
    expect_story(&w, "up null down ");
    wait_up(&w);
    finish(&w);
}

/* Of seven waits the shortest that chance allows: 25 + 50 + 100 + 200 + 400 + 800 + 1000 ms. */
static void who_greets_and_refuses_is_asked_less_and_less_often(void **state)
{
    (void)state;
    enum { REFUSED = 7, LEAST_MS = 2575, SHORTEST_LAST_MS = 1000 };
    struct watched w;
    prepare(&w, NULL);
    redis_fixture_start(&w.server);
    redis_fixture_do(&w.server, "REPLICAOF 127.0.0.1 1");
    watch_link(&w);
    wait_up(&w);
    uint64_t begun_ms = uv_now(&w.loop);
    for (int i = 0; i < REFUSED; i++) {
        assert_int_equal(send_to(&w, PATIENT_MS, 3, set), 0);
        wait_down(&w);
        wait_up(&w);
    }
    assert_true(uv_now(&w.loop) - begun_ms >= LEAST_MS);
    redis_fixture_do(&w.server, "REPLICAOF NO ONE");
    assert_int_equal(send_to(&w, PATIENT_MS, 3, set), 0);
    w.has_replied = false;
    wait_reply(&w);
    begun_ms = uv_now(&w.loop);
    redis_link_reset(w.link);
    wait_down(&w);
    wait_up(&w);
    assert_true(uv_now(&w.loop) - begun_ms < SHORTEST_LAST_MS);
    finish(&w);
}

static void on_again(uv_timer_t *timer)
{
    struct watched *w = timer->data;
    send_to(w, PATIENT_MS, 2, get);
    send_to(w, PATIENT_MS, 3, set);
}

/* Sends again and again until the link goes down; how long that took. */
static uint64_t wait_given_up(struct watched *w)
{
    enum { EVERY_MS = 100 };
    uv_timer_t again = {.data = w};
    uint64_t begun_ms = uv_now(&w->loop);
    uv_timer_init(&w->loop, &again);
    uv_timer_start(&again, on_again, 0, EVERY_MS);
    wait_down(w);
    uint64_t took_ms = uv_now(&w->loop) - begun_ms;
    uv_close((uv_handle_t *)&again, NULL);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    return took_ms;
}

static void who_refuses_for_seconds_is_left(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_up(&w);
    redis_fixture_do(&w.server, "CONFIG SET maxmemory 1");
    uint64_t took_ms = wait_given_up(&w);
    expect_reason(&w, ERROR_REFUSED, ": OOM command not allowed when used memory > 'maxmemory'.");
    assert_true(took_ms >= 5000);
    wait_up(&w);
    assert_true(wait_given_up(&w) >= 5000 - REDIS_LINK_LONGEST_WAIT_MS); /* it counts from when it was left */
    finish(&w);
}

/* What is wrong with one command is no reason to leave: the others are accepted. */
static void a_command_that_is_wrong_once_is_a_reply_as_any_other(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_up(&w);
    redis_fixture_do(&w.server, "LPUSH mark x");
    assert_int_equal(send_to(&w, PATIENT_MS, 2, get), 0);
    assert_int_equal(send_to(&w, PATIENT_MS, 1, ping), 0);
    while (strstr(w.story.data, "PONG") == NULL)
        wait_reply(&w);
    expect_story(&w, "up WRONGTYPE Operation against a key holding the wrong kind of value PONG ");
    finish(&w);
}

/* ---- elsewhere ---- */

/* A server that says what a cluster's node says, of another one. */
static int say_moved(struct watched *w, const char *host, int port)
{
    auto_free char *script = memory_format("return redis.error_reply('MOVED 7 %s:%d')", host, port);
    return ask(w, script);
}

static void ask_pid(struct watched *w)
{
    static const char script[] = "return redis.call('INFO', 'server'):match('process_id:(%d+)')";
    assert_int_equal(ask(w, script), 0);
    w->has_replied = false;
    wait_reply(w);
}

/* The last reply was the pid of this server. */
static void expect_pid(struct watched *w, const struct redis_fixture *server)
{
    auto_free char *end = memory_format(" %d ", server->pid);
    size_t length = strlen(w->story.data);
    assert_true(length > strlen(end));
    assert_string_equal(w->story.data + length - strlen(end), end);
}

static void it_follows_to_the_node_that_is_named_and_comes_back_when_that_has_gone(void **state)
{
    (void)state;
    struct watched w;
    struct redis_fixture other;
    prepare(&w, NULL);
    redis_fixture_start(&w.server);
    redis_fixture_open(&other, NULL);
    redis_fixture_start(&other);
    watch_link(&w);
    wait_up(&w);
    assert_int_equal(say_moved(&w, "127.0.0.1", other.port), 0);
    wait_down(&w);
    auto_free char *wanted = memory_format(": MOVED 7 127.0.0.1:%d", other.port);
    expect_reason(&w, ERROR_ELSEWHERE, wanted);
    wait_up(&w);
    ask_pid(&w);
    expect_pid(&w, &other);
    redis_fixture_kill(&other);
    wait_down(&w);
    wait_up(&w);
    ask_pid(&w);
    expect_pid(&w, &w.server);
    redis_fixture_close(&other);
    finish(&w);
}

static void a_node_without_a_name_is_the_one_that_was_asked(void **state)
{
    (void)state;
    struct watched w;
    struct redis_fixture other;
    prepare(&w, NULL);
    redis_fixture_start(&w.server);
    redis_fixture_open(&other, NULL);
    redis_fixture_start(&other);
    watch_link(&w);
    wait_up(&w);
    assert_int_equal(say_moved(&w, "", other.port), 0);
    wait_down(&w);
    wait_up(&w);
    ask_pid(&w);
    expect_pid(&w, &other);
    redis_fixture_close(&other);
    finish(&w);
}

static void a_node_that_is_not_there_is_named_with_who_named_it(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_up(&w);
    assert_int_equal(say_moved(&w, "127.0.0.2", 1), 0);
    wait_down(&w);
    w.is_down = false;
    wait_down(&w);
    auto_free char *wanted = memory_format("redis 127.0.0.2:1, where 127.0.0.1:%d says that our keys are: Connection "
                                           "refused",
                                           w.server.port);
    assert_string_equal(w.reason.text, wanted);
    wait_up(&w);
    ask_pid(&w);
    expect_pid(&w, &w.server);
    finish(&w);
}

static void a_cluster_that_cannot_hold_our_keys_is_hopeless(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_up(&w);
    assert_int_equal(ask(&w, "return redis.error_reply(\"CROSSSLOT Keys in request don't hash to the same slot\")"),
                     0);
    wait_down(&w);
    assert_int_equal(w.reason.code, ERROR_CONFIG);
    assert_non_null(strstr(w.reason.text, "FUNKYTOWN_PREFIX={funkytown}:"));
    finish(&w);
}

static void who_was_connected_before_its_leader_follows_it(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    redis_fixture_start(&w.server);
    watch_link(&w);
    wait_up(&w);
    struct watched leader = {.address = w.address};
    assert_int_equal(uv_loop_init(&leader.loop), 0);
    while (uv_now(&leader.loop) <= uv_now(&w.loop))
        uv_update_time(&leader.loop);
    watch_link(&leader);
    wait_up(&leader);
    assert_int_equal(send_to(&w, PATIENT_MS, 3, pop), 0);
    assert_false(redis_link_follow(leader.link, w.link));
    assert_true(redis_link_follow(w.link, leader.link));
    wait_down(&w);
    expect_story(&w, "up null down ");
    wait_up(&w);
    assert_false(redis_link_follow(w.link, leader.link));
    wait_closed(&leader);
    uv_run(&leader.loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&leader.loop), 0);
    buffer_close(&leader.story);
    finish(&w);
}

/* ---- a socket in the file system ---- */

static void a_path_is_a_socket(void **state)
{
    (void)state;
    char path[128];
    struct watched w;
    const char *const arguments[] = {"--unixsocket", path, NULL};
    prepare(&w, arguments);
    snprintf(path, sizeof(path), "%s/redis.sock", w.server.folder);
    w.address.host = path;
    watch_link(&w);
    wait_down(&w);
    auto_free char *wanted = memory_format("redis %s: No such file or directory", path);
    assert_string_equal(w.reason.text, wanted);
    redis_fixture_start(&w.server);
    wait_up(&w);
    assert_string_equal(redis_link_place(w.link), path);
    ask_pid(&w);
    expect_pid(&w, &w.server);
    redis_fixture_kill(&w.server);
    wait_down(&w);
    redis_fixture_start(&w.server);
    wait_up(&w);
    finish(&w);
}

/* ---- closing ---- */

static void it_closes_at_any_moment(void **state)
{
    (void)state;
    struct watched w;
    prepare(&w, NULL);
    redis_fixture_start(&w.server);
    for (int turns = 0; turns < 40; turns++) {
        watch_link(&w);
        for (int i = 0; i < turns && !redis_link_is_up(w.link); i++)
            uv_run(&w.loop, i % 2 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
        if (redis_link_is_up(w.link))
            send_to(&w, PATIENT_MS, 3, pop);
        wait_closed(&w);
        assert_int_equal(uv_loop_alive(&w.loop), 0);
    }
    redis_fixture_kill(&w.server);
    for (int turns = 0; turns < 10; turns++) {
        watch_link(&w);
        for (int i = 0; i < turns; i++)
            uv_run(&w.loop, UV_RUN_NOWAIT);
        wait_closed(&w);
        assert_int_equal(uv_loop_alive(&w.loop), 0);
    }
    assert_null(strstr(w.story.data ? w.story.data : "", "PONG"));
    finish(&w);
}

static void it_closes_from_each_callback(void **state)
{
    (void)state;
    enum { UP, DOWN, REPLY, LOST_REPLY, SILENT_REPLY, CALLBACKS };
    static const char *const stories[CALLBACKS] = {"up ", "down ", "up PONG null ", "up null null ", "up null null "};
    for (int callback = 0; callback < CALLBACKS; callback++) {
        struct watched w;
        prepare(&w, NULL);
        if (callback != DOWN)
            redis_fixture_start(&w.server);
        w.close_when_up = callback == UP;
        w.close_when_down = callback == DOWN;
        w.close_on_reply = callback >= REPLY;
        watch_link(&w);
        if (callback >= REPLY) {
            wait_up(&w);
            if (callback == SILENT_REPLY)
                kill(w.server.pid, SIGSTOP);
            send_to(&w, callback == SILENT_REPLY ? 100 : PATIENT_MS, callback == LOST_REPLY ? 3 : 1,
                    callback == LOST_REPLY ? pop : ping);
            send_to(&w, PATIENT_MS, 3, pop);
            if (callback == LOST_REPLY)
                redis_fixture_kill(&w.server);
        }
        run_until(&w.loop, &w.is_closed, "the link is closed by its own callback");
        expect_story(&w, stories[callback]);
        finish(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_starts_later_is_found),
        cmocka_unit_test(an_unknown_host_is_named),
        cmocka_unit_test(the_second_address_is_tried_when_the_first_refuses),
        cmocka_unit_test(localhost_is_found),
        cmocka_unit_test(the_second_address_is_tried_when_the_first_is_silent),
        cmocka_unit_test(a_refused_password_is_told_apart),
        cmocka_unit_test(a_password_opens),
        cmocka_unit_test(a_user_of_its_own_and_a_database),
        cmocka_unit_test(a_user_that_may_not_ping_is_an_auth_error),
        cmocka_unit_test(a_database_that_is_not_there_is_refused),
        cmocka_unit_test(a_server_killed_under_a_blocked_pop_comes_back),
        cmocka_unit_test(a_silent_server_is_a_lost_link),
        cmocka_unit_test(a_reset_calls_the_replies_first),
        cmocka_unit_test(a_replica_is_left_at_once),
        cmocka_unit_test(a_blocked_command_of_who_becomes_a_replica_is_lost),
        cmocka_unit_test(who_greets_and_refuses_is_asked_less_and_less_often),
        cmocka_unit_test(who_refuses_for_seconds_is_left),
        cmocka_unit_test(a_command_that_is_wrong_once_is_a_reply_as_any_other),
        cmocka_unit_test(it_follows_to_the_node_that_is_named_and_comes_back_when_that_has_gone),
        cmocka_unit_test(a_node_without_a_name_is_the_one_that_was_asked),
        cmocka_unit_test(a_node_that_is_not_there_is_named_with_who_named_it),
        cmocka_unit_test(a_cluster_that_cannot_hold_our_keys_is_hopeless),
        cmocka_unit_test(who_was_connected_before_its_leader_follows_it),
        cmocka_unit_test(a_path_is_a_socket),
        cmocka_unit_test(it_closes_at_any_moment),
        cmocka_unit_test(it_closes_from_each_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
