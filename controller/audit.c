#include "controller/audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "controller/auditor.h"
#include "controller/controller.h"
#include "shared/ledger.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/redis_link.h"

enum { FOUND = 1 };

struct audit {
    const struct options *options;
    struct redis_link *link;
    struct ledger ledger;
    char **tasks; /* owned */
    size_t task_count;
    int exit_status;
};

static void on_closed(void *data)
{
    (void)data;
}

static void end(struct audit *a, int exit_status)
{
    if (a->link == NULL)
        return;
    a->exit_status = exit_status;
    redis_link_close(a->link, on_closed);
    a->link = NULL;
}

static void give_up(struct audit *a, const char *what, const char *why)
{
    if (a->link == NULL) /* it was given up before this answer came */
        return;
    log_say(stderr, "controller: --audit: %s%s%s", what, *why ? ": " : "", why);
    end(a, EXIT_CONFIG);
}

static void free_tasks(struct audit *a)
{
    for (size_t i = 0; i < a->task_count; i++)
        free(a->tasks[i]);
    free(a->tasks);
}

static void take_tasks(struct audit *a, const struct ledger_reply *order)
{
    a->task_count = ledger_list_count(order);
    a->tasks = memory_zeroed(a->task_count + 1, sizeof(*a->tasks));
    for (size_t i = 0; i < a->task_count; i++)
        a->tasks[i] = memory_text(ledger_list_text(order, i));
}

/* Why the link was lost is told when it is down. */
static bool is_trouble(struct audit *a, const struct ledger_reply *reply)
{
    if (reply->outcome == LEDGER_TROUBLE)
        give_up(a, "redis", reply->text);
    return reply->outcome != LEDGER_OK;
}

static void on_audited(void *data, const struct ledger_reply *reply)
{
    struct audit *a = data;
    if (reply->outcome == LEDGER_LOST)
        return;
    if (reply->outcome != LEDGER_OK) {
        give_up(a, reply->outcome == LEDGER_WAITING ? "no run is open under this prefix" : "redis",
                reply->text ? reply->text : "");
        return;
    }
    const struct ledger_audited audited = ledger_audited(reply);
    for (size_t i = 0; i < audited.told; i++)
        log_say(stdout, "%s", ledger_finding(reply, i));
    printf("audit: %lld tasks, %lld findings%s\n", (long long)audited.tasks, (long long)audited.findings,
           audited.findings > 0 && a->options->repair ? ", repaired" : "");
    end(a, audited.findings > 0 ? FOUND : EXIT_PASSED);
}

static void on_order(void *data, const struct ledger_reply *reply)
{
    struct audit *a = data;
    if (is_trouble(a, reply))
        return;
    take_tasks(a, reply);
    if (auditor_ask(&a->ledger, a->options->repair, (const char *const *)a->tasks, a->task_count, on_audited, a) < 0)
        give_up(a, "redis", "the link was lost");
}

static void on_loaded(void *data, const struct ledger_reply *reply)
{
    struct audit *a = data;
    if (reply->outcome == LEDGER_TROUBLE)
        give_up(a, "redis", reply->text);
    else if (reply->outcome == LEDGER_OK && ledger_ask_order(&a->ledger, 0, on_order, a) < 0)
        give_up(a, "redis", "the link was lost");
}

static void on_up(void *data)
{
    struct audit *a = data;
    ledger_load(&a->ledger, on_loaded, a);
}

static void on_down(void *data, const struct error *reason)
{
    if (reason->code != ERROR_ELSEWHERE) /* it comes up again there, and everything is asked anew */
        give_up(data, "redis", reason->text);
}

int audit_run(uv_loop_t *loop, const struct options *options)
{
    static const struct redis_link_events events = {on_up, on_down};
    const struct redis_address address = {options->redis_host ? options->redis_host : "127.0.0.1",
                                          options->redis_port, options->redis_username, options->redis_password,
                                          options->redis_db};
    struct audit a = {.options = options};
    struct error err;
    if (ledger_init(&a.ledger, NULL, options->prefix, &err) < 0) {
        log_say(stderr, "controller: %s", err.text);
        return EXIT_CONFIG;
    }
    a.link = a.ledger.link = redis_link_open(loop, &address, &events, &a);
    uv_run(loop, UV_RUN_DEFAULT);
    free_tasks(&a);
    return a.exit_status;
}
