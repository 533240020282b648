/*
 * What the report asks of the controller: the attempts and logs that only Redis has, what is missing to be ready, and
 * the two requests that change something. Each answer may come later, or say that Redis can't be reached.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/controller_private.h"
#include "shared/buffer.h"
#include "shared/memory.h"

struct question {
    struct controller *controller;
    struct reporter_request *request;
};

static struct question *new_question(struct controller *c, struct reporter_request *request)
{
    struct question *q = memory_zeroed(1, sizeof(*q));
    *q = (struct question){c, request};
    return q;
}

static void answer_found(struct reporter_request *request, const char *bytes, size_t length)
{
    reporter_answer(request, &(struct reporter_answer){.status = REPORTER_FOUND, .body = {bytes, length}});
}

static void answer_unavailable(struct reporter_request *request, const char *why)
{
    reporter_answer(request, &(struct reporter_answer){.status = REPORTER_UNAVAILABLE, .why = why});
}

static void answer_trouble(struct reporter_request *request, const struct ledger_reply *reply)
{
    answer_unavailable(request, reply->text ? reply->text : "the link to Redis was lost");
}

static void on_attempts(void *data, const struct ledger_reply *reply)
{
    struct question q = *(struct question *)data;
    free(data);
    if (reply->outcome != LEDGER_OK) {
        answer_trouble(q.request, reply);
        return;
    }
    auto_buffer list = {0};
    buffer_text(&list, "[");
    for (size_t i = 0; i < ledger_list_count(reply); i++) {
        const char *record = ledger_field(reply, i);
        buffer_format(&list, "%s%s", i ? "," : "", record ? record : "null");
    }
    buffer_text(&list, "]");
    answer_found(q.request, list.data, list.length);
}

static void on_log(void *data, const struct ledger_reply *reply)
{
    struct question q = *(struct question *)data;
    free(data);
    size_t length;
    const char *bytes = ledger_value(reply, &length);
    if (reply->outcome != LEDGER_OK)
        answer_trouble(q.request, reply);
    else if (bytes == NULL)
        reporter_answer(q.request, &(struct reporter_answer){.status = REPORTER_MISSING});
    else
        answer_found(q.request, bytes, length);
}

static void answer_unreachable(struct question *q)
{
    answer_unavailable(q->request, "Redis can't be reached");
    free(q);
}

static void source_attempts(void *data, const char *task, struct reporter_request *request)
{
    struct controller *c = data;
    struct question *q = new_question(c, request);
    if (c->commands == NULL || ledger_ask_attempts(&c->ledger, task, on_attempts, q) < 0)
        answer_unreachable(q);
}

static void source_log(void *data, const char *task, unsigned attempt, struct reporter_request *request)
{
    struct controller *c = data;
    struct question *q = new_question(c, request);
    if (c->commands == NULL || ledger_ask_log(&c->ledger, task, attempt, on_log, q) < 0)
        answer_unreachable(q);
}

/* ---- cancel and rerun ---- */

/* What was asked over HTTP is done, or why not. */
static void answer_write(struct reporter_request *request, const struct ledger_reply *reply, const char *member,
                         size_t count)
{
    char answer[64];
    if (reply->outcome == LEDGER_OK) {
        snprintf(answer, sizeof(answer), "{\"%s\":%zu}", member, count);
        answer_found(request, answer, strlen(answer));
    } else if (reply->outcome == LEDGER_CLOSED) {
        reporter_answer(request, &(struct reporter_answer){.status = REPORTER_CONFLICT});
    } else {
        const char *why = reply->outcome == LEDGER_BUSY     ? "the run is being cancelled"
                          : reply->outcome == LEDGER_FENCED ? "another controller has this run"
                          : reply->text                     ? reply->text
                                                            : "the link to Redis was lost";
        answer_unavailable(request, why);
    }
}

#define CANCEL_REASON "cancelled over HTTP"

static void on_cancel_asked(void *data, const struct ledger_reply *reply)
{
    struct question q = *(struct question *)data;
    struct controller *c = q.controller;
    free(data);
    if (reply->outcome == LEDGER_OK)
        controller_cancel(c, CANCEL_ASKED, CANCEL_REASON);
    answer_write(q.request, reply, "cancelled",
                 board_count(c->board, BOARD_QUEUED) + board_count(c->board, BOARD_RUNNING));
}

static void source_cancel(void *data, struct reporter_request *request)
{
    struct controller *c = data;
    struct question *q = new_question(c, request);
    if (c->is_loaded &&
        ledger_cancel(&c->ledger, c->opener.me, CANCEL_ASKED, CANCEL_REASON, NULL, 0, on_cancel_asked, q) == 0)
        return;
    free(q);
    answer_unavailable(request, "Redis can't be reached");
}

struct rerun {
    struct controller *controller;
    struct reporter_request *request; /* NULL: --rerun */
};

static void on_rerun(void *data, const struct ledger_reply *reply)
{
    struct rerun r = *(struct rerun *)data;
    free(data);
    if (r.request)
        answer_write(r.request, reply, "rerun", ledger_count(reply));
    else
        r.controller->has_rerun = reply->outcome == LEDGER_OK; /* else it is asked again */
}

/* `states`: bit set of enum board_state. */
static int rerun(struct controller *c, unsigned states, struct reporter_request *request)
{
    size_t total = board_total(c->board), count = 0;
    auto_free char(*keys)[TASK_KEY_SIZE] = memory_zeroed(total, sizeof(*keys));
    auto_free const char **tasks = memory_zeroed(total, sizeof(*tasks));
    for (size_t i = 0; i < total; i++) {
        if ((states & 1u << board_task(c->board, i)->state) == 0)
            continue;
        plan_key(c->plan, i, keys[count]);
        tasks[count] = keys[count];
        count++;
    }
    struct rerun *r = memory_zeroed(1, sizeof(*r));
    *r = (struct rerun){c, request};
    int sent = ledger_rerun(&c->ledger, c->opener.me, tasks, count, on_rerun, r);
    if (sent < 0)
        free(r);
    return sent;
}

static void source_rerun(void *data, unsigned states, struct reporter_request *request)
{
    struct controller *c = data;
    if (!c->is_loaded || rerun(c, states, request) < 0)
        answer_unavailable(request, "Redis can't be reached");
}

bool controller_rerun(struct controller *c)
{
    enum { UNHAPPY = 1u << BOARD_FAILED | 1u << BOARD_ERROR | 1u << BOARD_CANCELLED };
    size_t count = board_count(c->board, BOARD_FAILED) + board_count(c->board, BOARD_ERROR) +
                   board_count(c->board, BOARD_CANCELLED);
    c->has_rerun = count == 0 || rerun(c, UNHAPPY, NULL) == 0;
    return count > 0;
}

/* ---- without Redis ---- */

static const char *source_missing(void *data)
{
    struct controller *c = data;
    return c->missing[0] ? c->missing : NULL;
}

size_t controller_metrics(void *data, struct reporter_metric *metrics, size_t room)
{
    const struct controller *c = data;
    const struct reporter_metric ours[] = {
        {"funkytown_redis_up", "Whether the link to Redis is up.", "gauge",
         c->commands && redis_link_is_up(c->commands)},
        {"funkytown_events_total", "Events read from the run's stream.", "counter",
         c->has_monitor ? (double)c->monitor.events_seen : 0},
        {"funkytown_tasks_reclaimed_total", "Tasks taken back from workers that were lost.", "counter",
         c->has_monitor ? (double)c->monitor.reaper.tasks_reclaimed : 0},
    };
    size_t count = sizeof(ours) / sizeof(ours[0]);
    if (count > room)
        count = room;
    memcpy(metrics, ours, count * sizeof(ours[0]));
    return count;
}

const struct reporter_source controller_source = {
    .attempts = source_attempts,
    .log = source_log,
    .missing = source_missing,
    .cancel = source_cancel,
    .rerun = source_rerun,
};
