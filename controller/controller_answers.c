/* An answer may come later, or say that Redis can't be reached; until then a question remembers who asked. */
#include "controller/controller_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/rerun.h"
#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/memory.h"

struct question {
    struct controller_answers *answers;
    struct reporter_request *request;
};

static struct question *new_question(struct controller_answers *a, struct reporter_request *request)
{
    struct question *q = memory_zeroed(1, sizeof(*q));
    *q = (struct question){a, request};
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

static bool can_ask(const struct controller_answers *a)
{
    return !a->is_over && a->ledger->link;
}

static void source_attempts(void *data, const char *task, struct reporter_request *request)
{
    struct controller_answers *a = data;
    struct question *q = new_question(a, request);
    if (!can_ask(a) || ledger_ask_attempts(a->ledger, task, on_attempts, q) < 0)
        answer_unreachable(q);
}

static void source_log(void *data, const char *task, unsigned attempt, struct reporter_request *request)
{
    struct controller_answers *a = data;
    struct question *q = new_question(a, request);
    if (!can_ask(a) || ledger_ask_log(a->ledger, task, attempt, on_log, q) < 0)
        answer_unreachable(q);
}

/* ---- files ---- */

static void on_exported_task(void *data, const struct export_task *task)
{
    struct controller_export *e = data;
    struct export_cases cases;
    export_cases_make(&cases, task);
    export_writer_task(&e->writer, task, &cases);
    export_cases_close(&cases);
}

static void on_exported(void *data, bool is_complete)
{
    struct controller_export *e = data;
    struct reporter_request *request = e->request;
    e->request = NULL;
    if (is_complete) {
        export_writer_end(&e->writer);
        buffer_text(&e->writer.out, "");
        answer_found(request, e->writer.out.data, e->writer.out.length);
    } else {
        answer_unavailable(request, e->walk.trouble);
    }
    export_writer_close(&e->writer);
}

static struct controller_export *free_export(struct controller_answers *a)
{
    for (size_t i = 0; i < CONTROLLER_EXPORTS; i++)
        if (a->exports[i].request == NULL)
            return &a->exports[i];
    return NULL;
}

static void source_exported(void *data, enum export_name name, struct reporter_request *request)
{
    static const struct export_walk_events events = {on_exported_task, on_exported};
    struct controller_answers *a = data;
    struct controller_export *e = free_export(a);
    if (!can_ask(a)) {
        answer_unavailable(request, "Redis can't be reached");
    } else if (e == NULL) {
        answer_unavailable(request, "other files are being made; try again");
    } else {
        e->request = request;
        e->run = (struct export_run){a->board, a->plan, clock_wall_ms()};
        export_writer_begin(&e->writer, name, &e->run);
        export_walk_start(&e->walk, a->ledger, a->plan, a->board, &events, e);
    }
}

/* ---- cancel and rerun ---- */

/* Answers a request to change something: it is done, or why not. */
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

static bool can_write(const struct controller_answers *a)
{
    return can_ask(a) && a->events.is_ready(a->data);
}

#define CANCEL_REASON "cancelled over HTTP"

static void on_cancel_asked(void *data, const struct ledger_reply *reply)
{
    struct question q = *(struct question *)data;
    const struct controller_answers *a = q.answers;
    free(data);
    if (reply->outcome == LEDGER_OK)
        a->events.on_cancelled(a->data, CANCEL_REASON);
    answer_write(q.request, reply, "cancelled",
                 board_count(a->board, BOARD_QUEUED) + board_count(a->board, BOARD_RUNNING));
}

static void source_cancel(void *data, struct reporter_request *request)
{
    struct controller_answers *a = data;
    struct question *q = new_question(a, request);
    if (can_write(a) &&
        ledger_cancel(a->ledger, a->me, CANCEL_ASKED, CANCEL_REASON, NULL, 0, on_cancel_asked, q) == 0)
        return;
    free(q);
    answer_unavailable(request, "Redis can't be reached");
}

static void on_rerun(void *data, const struct ledger_reply *reply)
{
    struct question q = *(struct question *)data;
    free(data);
    answer_write(q.request, reply, "rerun", ledger_count(reply));
}

static void source_rerun(void *data, unsigned states, struct reporter_request *request)
{
    struct controller_answers *a = data;
    struct question *q = new_question(a, request);
    if (can_write(a) && rerun_send(a->ledger, a->me, a->plan, a->board, states, on_rerun, q) == 0)
        return;
    free(q);
    answer_unavailable(request, "Redis can't be reached");
}

/* ---- without Redis ---- */

static const char *source_missing(void *data)
{
    struct controller_answers *a = data;
    return a->events.missing(a->data);
}

size_t controller_answers_metrics(void *data, struct reporter_metric *metrics, size_t room)
{
    const struct controller_answers *a = data;
    const struct reporter_metric ours[] = {
        {"funkytown_redis_up", "Whether the link to Redis is up.", "gauge",
         can_ask(a) && redis_link_is_up(a->ledger->link)},
        {"funkytown_events_total", "Events read from the run's stream.", "counter",
         a->monitor ? (double)a->monitor->events_seen : 0},
        {"funkytown_tasks_reclaimed_total", "Tasks taken back from workers that were lost.", "counter",
         a->monitor ? (double)a->monitor->reaper.tasks_reclaimed : 0},
    };
    size_t count = sizeof(ours) / sizeof(ours[0]);
    if (count > room)
        count = room;
    memcpy(metrics, ours, count * sizeof(ours[0]));
    return count;
}

const struct reporter_source controller_answers_source = {
    .attempts = source_attempts,
    .log = source_log,
    .exported = source_exported,
    .missing = source_missing,
    .cancel = source_cancel,
    .rerun = source_rerun,
};

void controller_answers_init(struct controller_answers *a, struct ledger *ledger, const char *me,
                             const struct plan *plan, const struct controller_answers_events *events, void *data)
{
    *a = (struct controller_answers){.ledger = ledger, .me = me, .plan = plan, .events = *events, .data = data};
}

void controller_answers_show(struct controller_answers *a, struct board *board, const struct monitor *monitor)
{
    a->board = board;
    a->monitor = monitor;
}

void controller_answers_end(struct controller_answers *a)
{
    a->is_over = true;
}
