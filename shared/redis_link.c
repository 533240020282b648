/*
 * The link's states, which redis_link.h draws, and what its server's refusals mean for them. How hiredis is given the
 * loop is redis_poller's, where to connect to is redis_route's, and what a refusal says is redis_refusal's.
 */
#include "shared/redis_link.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "shared/clock.h"
#include "shared/memory.h"
#include "shared/redis_poller.h"
#include "shared/redis_refusal.h"
#include "shared/redis_reply.h"
#include "shared/redis_route.h"

enum {
    FIRST_WAIT_MS = 50,
    CONNECT_TIMEOUT_MS = 5000,
    TIMEOUT_CHECK_MS = 500,
    REFUSED_LIMIT_MS = 5000, /* a server that refuses for longer may no longer be the right one */
};

/* FALLING: replies are being called with NULL, on_down follows. */
enum link_state {
    LINK_DOWN,
    LINK_RESOLVING,
    LINK_CONNECTING,
    LINK_GREETING,
    LINK_UP,
    LINK_FALLING,
    LINK_CLOSING,
};

/* A command that was sent. Redis answers in order, so they form a queue. */
struct awaited {
    struct awaited *next;
    redis_reply_fn *reply;
    void *data;
    struct redis_link *link;
    uint64_t deadline_ms;
    char command[16];
    char what[64]; /* the command and its first argument: of a script, which one it is */
    bool may_be_denied;
};

/* Refusals in a row. Until what was refused last is accepted the link isn't a good one, however it greets. */
struct refusals {
    char what[64]; /* was refused last; "": nothing, or it has been accepted since */
    uint64_t since_ms, last_ms;
};

struct redis_link {
    uv_loop_t *loop;
    struct redis_route route;
    struct redis_link_events events;
    void *data;
    enum link_state state;
    redisAsyncContext *context; /* NULL unless connecting, greeting, up or falling */
    uv_timer_t retry;           /* down: until the next attempt */
    uv_timer_t watch;           /* otherwise: time limits */
    uv_getaddrinfo_t lookup;
    bool is_looking_up;
    unsigned wait_ms;
    uint64_t begun_ms, connect_deadline_ms; /* of the last attempt to connect */
    struct refusals refusals;
    struct awaited *first, *last;
    struct error reason;
    void (*closed)(void *data);
    int open_handles;
};

/* ---- states ---- */

static void set_reason(struct redis_link *link, enum error_code code, const char *text)
{
    error_set(&link->reason, code, "redis %s: %s", link->route.place, text);
}

static void connect_now(struct redis_link *link);
static void connect_next(struct redis_link *link);

static void on_retry(uv_timer_t *timer)
{
    connect_now(timer->data);
}

static void finish_close(struct redis_link *link)
{
    if (link->open_handles > 0 || link->is_looking_up || link->context)
        return;
    void (*closed)(void *data) = link->closed;
    void *data = link->data;
    free(link);
    if (closed)
        closed(data);
}

/* Half of the wait is random, so that a thousand workers don't come back at once. */
static uint64_t next_wait_ms(struct redis_link *link)
{
    unsigned wait = link->wait_ms;
    link->wait_ms = wait * 2 > REDIS_LINK_LONGEST_WAIT_MS ? REDIS_LINK_LONGEST_WAIT_MS : wait * 2;
    return wait / 2 + (unsigned)random() % (wait / 2 + 1);
}

static void go_down(struct redis_link *link)
{
    link->state = LINK_DOWN;
    redis_route_turn(&link->route, link->reason.code == ERROR_ELSEWHERE);
    uv_timer_stop(&link->watch);
    uv_timer_start(&link->retry, on_retry, next_wait_ms(link), 0);
    link->events.on_down(link->data, &link->reason);
}

/* Of a connection that isn't established nothing is awaited. */
static void forget_connection(struct redis_link *link)
{
    redisAsyncContext *context = link->context;
    link->context = NULL;
    redisAsyncFree(context);
}

/* hiredis calls the awaited replies with NULL, then on_disconnect: inside of a callback when that returns. */
static void drop(struct redis_link *link)
{
    link->state = LINK_FALLING;
    redisAsyncFree(link->context);
}

/* ---- what the server refuses ---- */

static void note_refusal(struct redis_link *link, const struct awaited *a)
{
    struct refusals *r = &link->refusals;
    uint64_t now = uv_now(link->loop);
    if (r->what[0] == '\0' || now - r->last_ms > REFUSED_LIMIT_MS)
        r->since_ms = now;
    r->last_ms = now;
    memory_copy_text(r->what, sizeof(r->what), a->what);
}

static void note_accepted(struct redis_link *link, const struct awaited *a)
{
    struct refusals *r = &link->refusals;
    bool is_over = strcmp(r->what, a->what) == 0 || uv_now(link->loop) - r->last_ms > REFUSED_LIMIT_MS;
    if (r->what[0] == '\0' || !is_over)
        return;
    r->what[0] = '\0';
    link->wait_ms = FIRST_WAIT_MS;
}

static void set_denied(struct redis_link *link, const char *command, const char *text)
{
    const struct redis_address *a = link->route.address;
    error_set(&link->reason, ERROR_AUTH, "redis %s: user \"%s\" may not do what is needed: %s: %s", link->route.place,
              a->password && a->username ? a->username : "default", command, text);
}

/* It is followed there, with the same back-off as everything: two nodes may name one another for a while. */
static void set_elsewhere(struct redis_link *link, const char *text)
{
    bool is_node = redis_route_name_node(&link->route, text);
    set_reason(link, is_node ? ERROR_ELSEWHERE : ERROR_REFUSED, text);
}

static void set_no_cluster(struct redis_link *link, const char *words)
{
    error_set(&link->reason, ERROR_CONFIG,
              "redis %s is a cluster, which says: %s; wanted REDIS_DB=0 and a FUNKYTOWN_PREFIX with a tag in braces, "
              "such as FUNKYTOWN_PREFIX={funkytown}: , which keeps all keys on one node",
              link->route.place, words);
}

/* The same refusal over and over: by somebody who was the right one to talk to until lately, or will be again. */
static bool is_refused_for_long(struct redis_link *link, const char *words)
{
    struct refusals *r = &link->refusals;
    if (r->last_ms - r->since_ms < REFUSED_LIMIT_MS)
        return false;
    r->since_ms = r->last_ms;
    set_reason(link, ERROR_REFUSED, words);
    return true;
}

/* What an error means for the connection that is up. true: it is over, and the reason is set. */
static bool ends_connection(struct redis_link *link, const struct awaited *a, const char *text)
{
    char words[512];
    enum redis_refusal refusal = redis_refusal_of(text);
    if (refusal == REDIS_REFUSAL_UNKNOWN_SCRIPT)
        return false;
    redis_refusal_words(text, words, sizeof(words));
    if (refusal != REDIS_REFUSAL_DENIED)
        note_refusal(link, a);
    switch (refusal) {
    case REDIS_REFUSAL_DENIED:
        set_denied(link, a->command, text);
        return true;
    case REDIS_REFUSAL_REPLICA:
        set_reason(link, ERROR_REFUSED, words);
        return true;
    case REDIS_REFUSAL_MOVED:
        set_elsewhere(link, text);
        return true;
    case REDIS_REFUSAL_CLUSTER:
        set_no_cluster(link, words);
        return true;
    default:
        return is_refused_for_long(link, words);
    }
}

/* ---- greeting ---- */

static void set_unwelcome(struct redis_link *link, const char *text)
{
    enum redis_refusal refusal = redis_refusal_of(text);
    if (refusal == REDIS_REFUSAL_CLUSTER)
        set_no_cluster(link, text);
    else
        set_reason(link, refusal == REDIS_REFUSAL_PASSWORD ? ERROR_AUTH : ERROR_REFUSED, text);
}

/* One reply of AUTH, SELECT or PING. The first that is refused ends the greeting. */
static void on_greeting(void *data, const struct redisReply *reply)
{
    struct redis_link *link = data;
    if (reply == NULL || link->state != LINK_GREETING)
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        set_unwelcome(link, reply->str);
        drop(link);
        return;
    }
    if (reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "PONG") == 0) {
        link->state = LINK_UP;
        if (link->refusals.what[0] == '\0')
            link->wait_ms = FIRST_WAIT_MS;
        link->events.on_up(link->data);
    }
}

static int send_command(struct redis_link *link, unsigned timeout_ms, redis_reply_fn *reply, void *data, int argc,
                        const char *const *argv, const size_t *lengths, bool may_be_denied);

static void greet_with(struct redis_link *link, int argc, const char *const *argv)
{
    send_command(link, CONNECT_TIMEOUT_MS, on_greeting, link, argc, argv, NULL, false);
}

static void greet(struct redis_link *link)
{
    const struct redis_address *a = link->route.address;
    link->state = LINK_GREETING;
    if (a->password && a->username)
        greet_with(link, 3, (const char *const[]){"AUTH", a->username, a->password});
    else if (a->password)
        greet_with(link, 2, (const char *const[]){"AUTH", a->password});
    if (a->db != 0) {
        char db[16];
        snprintf(db, sizeof(db), "%d", a->db);
        greet_with(link, 2, (const char *const[]){"SELECT", db});
    }
    greet_with(link, 1, (const char *const[]){"PING"});
}

static void on_connect(const redisAsyncContext *context, int status)
{
    struct redis_link *link = context->data;
    if (link == NULL || link->context != context)
        return;
    if (status == REDIS_OK) {
        greet(link);
        return;
    }
    set_reason(link, ERROR_REFUSED, context->errstr);
    link->context = NULL; /* hiredis frees it after this callback */
    connect_next(link);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
    struct redis_link *link = context->data;
    if (link == NULL || link->context != context)
        return;
    if (status != REDIS_OK) /* else it was dropped here, and the reason is known */
        set_reason(link, ERROR_REFUSED, context->errstr);
    link->context = NULL;
    go_down(link);
}

static void on_watch(uv_timer_t *timer)
{
    struct redis_link *link = timer->data;
    uint64_t now = uv_now(link->loop);
    bool late = link->state == LINK_CONNECTING ? now >= link->connect_deadline_ms
                                               : link->first && now >= link->first->deadline_ms;
    if (!late)
        return;
    set_reason(link, ERROR_REFUSED, "no answer in time");
    if (link->state == LINK_CONNECTING) {
        forget_connection(link);
        connect_next(link);
    } else {
        drop(link);
    }
}

/* ---- connecting ---- */

/* A connection that hiredis has begun. */
static int take_connection(struct redis_link *link, redisAsyncContext *context)
{
    if (context == NULL || context->err) {
        set_reason(link, ERROR_REFUSED, context ? context->errstr : "out of memory");
        if (context)
            redisAsyncFree(context);
        return -1;
    }
    fcntl(context->c.fd, F_SETFD, FD_CLOEXEC);
    context->data = link;
    link->context = context;
    link->state = LINK_CONNECTING;
    link->connect_deadline_ms = uv_now(link->loop) + CONNECT_TIMEOUT_MS;
    redis_poller_attach(link->loop, context);
    redisAsyncSetConnectCallback(context, on_connect);
    redisAsyncSetDisconnectCallback(context, on_disconnect);
    uv_timer_start(&link->watch, on_watch, TIMEOUT_CHECK_MS, TIMEOUT_CHECK_MS);
    return 0;
}

static int open_connection(struct redis_link *link, const char *ip)
{
    if (take_connection(link, redisAsyncConnect(ip, redis_route_port(&link->route))) < 0)
        return -1;
    redisEnableKeepAlive(&link->context->c);
    return 0;
}

/* "localhost" may be ::1 and 127.0.0.1, of which the server has only one: only when all refused is the link down. */
static void connect_next(struct redis_link *link)
{
    char ip[REDIS_ROUTE_IP_SIZE];
    while (redis_route_next(&link->route, ip))
        if (open_connection(link, ip) == 0)
            return;
    go_down(link);
}

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct redis_link *link = request->data;
    link->is_looking_up = false;
    redis_route_found(&link->route, found);
    uv_freeaddrinfo(found);
    if (link->state == LINK_CLOSING) {
        finish_close(link);
    } else if (status < 0) {
        error_set(&link->reason, ERROR_REFUSED, "redis %s: unknown host (%s)", link->route.place,
                  uv_strerror(status));
        go_down(link);
    } else {
        connect_next(link);
    }
}

static void look_up(struct redis_link *link, const char *host)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    link->state = LINK_RESOLVING;
    link->lookup.data = link;
    int failed = uv_getaddrinfo(link->loop, &link->lookup, on_lookup, host, NULL, &hints);
    if (failed < 0) {
        set_reason(link, ERROR_REFUSED, uv_strerror(failed));
        go_down(link);
        return;
    }
    link->is_looking_up = true;
}

static void connect_now(struct redis_link *link)
{
    const char *host = redis_route_begin(&link->route);
    link->begun_ms = uv_now(link->loop);
    if (!redis_route_is_path(&link->route))
        look_up(link, host);
    else if (take_connection(link, redisAsyncConnectUnix(host)) < 0)
        go_down(link);
}

struct redis_link *redis_link_open(uv_loop_t *loop, const struct redis_address *address,
                                   const struct redis_link_events *events, void *data)
{
    struct redis_link *link = memory_zeroed(1, sizeof(*link));
    link->loop = loop;
    link->route.address = address;
    link->events = *events;
    link->data = data;
    link->wait_ms = FIRST_WAIT_MS;
    link->open_handles = 2;
    uv_timer_init(loop, &link->retry);
    uv_timer_init(loop, &link->watch);
    link->retry.data = link;
    link->watch.data = link;
    uv_timer_start(&link->retry, on_retry, 0, 0);
    return link;
}

bool redis_link_is_up(const struct redis_link *link)
{
    return link->state == LINK_UP;
}

/* Whether a reply is the last one of its connection. If a denial is allowed, no reply is. */
static bool is_last(struct redis_link *link, const struct awaited *a, const char *error)
{
    if (link->state == LINK_GREETING && error && redis_refusal_of(error) == REDIS_REFUSAL_DENIED) {
        set_denied(link, a->command, error);
        return true;
    }
    if (link->state != LINK_UP || a->may_be_denied)
        return false;
    if (error)
        return ends_connection(link, a, error);
    note_accepted(link, a);
    return false;
}

static void on_reply(redisAsyncContext *context, void *raw, void *data)
{
    struct awaited a = *(struct awaited *)data;
    struct redis_link *link = a.link;
    (void)context;
    assert(link->first == data);
    link->first = a.next;
    free(data);
    bool must_drop = raw && is_last(link, &a, redis_reply_error(raw));
    if (must_drop || (raw == NULL && link->state == LINK_UP))
        link->state = LINK_FALLING;
    a.reply(a.data, must_drop ? NULL : raw);
    if (must_drop && link->state == LINK_FALLING)
        drop(link);
}

/* Sets `what`: so much of the command that two of them can be told apart. */
static void name_command(struct awaited *a, int argc, const char *const *argv, const size_t *lengths)
{
    size_t length = argc < 2 ? 0 : lengths ? lengths[1] : strlen(argv[1]);
    memory_copy_text(a->command, sizeof(a->command), argv[0]);
    snprintf(a->what, sizeof(a->what), "%s %.*s", a->command, (int)(length < 40 ? length : 40),
             argc < 2 ? "" : argv[1]);
}

static int send_command(struct redis_link *link, unsigned timeout_ms, redis_reply_fn *reply, void *data, int argc,
                        const char *const *argv, const size_t *lengths, bool may_be_denied)
{
    struct awaited *a = memory_zeroed(1, sizeof(*a));
    *a = (struct awaited){.reply = reply,
                          .data = data,
                          .link = link,
                          .deadline_ms = uv_now(link->loop) + timeout_ms,
                          .may_be_denied = may_be_denied};
    name_command(a, argc, argv, lengths);
    /* hiredis 0.14 takes a char ** that it doesn't change. */
    const char **arguments = (const char **)(uintptr_t)argv;
    if (redisAsyncCommandArgv(link->context, on_reply, a, argc, arguments, lengths) != REDIS_OK) {
        free(a);
        return -1;
    }
    if (link->first)
        link->last->next = a;
    else
        link->first = a;
    link->last = a;
    return 0;
}

int redis_link_send(struct redis_link *link, unsigned timeout_ms, redis_reply_fn *reply, void *data, int argc,
                    const char *const *argv, const size_t *lengths)
{
    if (link->state != LINK_UP)
        return -1;
    return send_command(link, timeout_ms, reply, data, argc, argv, lengths, false);
}

int redis_link_try(struct redis_link *link, unsigned timeout_ms, redis_reply_fn *reply, void *data, int argc,
                   const char *const *argv, const size_t *lengths)
{
    if (link->state != LINK_UP)
        return -1;
    return send_command(link, timeout_ms, reply, data, argc, argv, lengths, true);
}

static void end_connection(struct redis_link *link)
{
    if (link->state == LINK_CONNECTING) {
        forget_connection(link);
        go_down(link);
    } else {
        drop(link);
    }
}

void redis_link_reset(struct redis_link *link)
{
    if (link->context == NULL || link->state == LINK_FALLING)
        return;
    set_reason(link, ERROR_REFUSED, "connection dropped");
    end_connection(link);
}

bool redis_link_follow(struct redis_link *link, const struct redis_link *leader)
{
    if (link->context == NULL || link->state == LINK_FALLING || leader->state != LINK_UP ||
        link->begun_ms >= leader->begun_ms)
        return false;
    redis_route_learn(&link->route, &leader->route);
    set_reason(link, leader->route.is_led ? ERROR_ELSEWHERE : ERROR_REFUSED,
               "the link for commands is at another server by now");
    end_connection(link);
    return true;
}

const char *redis_link_place(const struct redis_link *link)
{
    return link->route.place;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct redis_link *link = handle->data;
    link->open_handles--;
    finish_close(link);
}

void redis_link_close(struct redis_link *link, void (*closed)(void *data))
{
    link->state = LINK_CLOSING;
    link->closed = closed;
    redisAsyncContext *context = link->context;
    link->context = NULL;
    if (context)
        redisAsyncFree(context);
    if (link->is_looking_up)
        uv_cancel((uv_req_t *)&link->lookup);
    uv_close((uv_handle_t *)&link->retry, on_handle_closed);
    uv_close((uv_handle_t *)&link->watch, on_handle_closed);
}
