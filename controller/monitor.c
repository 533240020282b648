#include "controller/monitor.h"

#include <stdlib.h>
#include <string.h>

#include "controller/run_record.h"
#include "controller/task_record.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/redis_reply.h"

enum {
    READ_CHUNK = 512, /* task hashes asked for at a time */
    PAUSE_MS = 20,    /* nobody sees it, and what happens meanwhile costs one read instead of one each */
};

static void read_everything(struct monitor *m);
static void follow(struct monitor *m);

/* What is asked of the ledger, and in which round of reading: an answer of an earlier round is ignored. */
struct question {
    struct monitor *monitor;
    unsigned round;
    size_t task;
    char *worker; /* owned; NULL: none */
};

static struct question *new_question(struct monitor *m)
{
    struct question *question = memory_zeroed(1, sizeof(*question));
    *question = (struct question){.monitor = m, .round = m->round};
    return question;
}

static void free_question(struct question *question)
{
    free(question->worker);
    free(question);
}

static bool is_stale(const struct question *question)
{
    return question->round != question->monitor->round;
}

static void on_retry(uv_timer_t *timer)
{
    struct monitor *m = timer->data;
    if (m->is_watching)
        read_everything(m);
}

static void start_again_soon(struct monitor *m, const char *reason)
{
    m->events.on_trouble(m->data, reason);
    m->round++;
    m->is_reading = false;
    uv_timer_start(&m->retry, on_retry, LEDGER_RETRY_MS, 0);
}

/* Whether an answer says what was asked for. A refusal (the server is loading, or busy) begins everything again. */
static bool is_answer(struct monitor *m, const struct question *question, const struct ledger_reply *reply)
{
    if (is_stale(question))
        return false;
    if (reply->outcome == LEDGER_TROUBLE)
        start_again_soon(m, reply->text);
    return reply->outcome == LEDGER_OK;
}

/* ---- workers ---- */

static ptrdiff_t find_worker(const struct monitor *m, const char *worker)
{
    for (size_t i = 0; i < m->worker_count; i++)
        if (strcmp(m->workers[i], worker) == 0)
            return (ptrdiff_t)i;
    return -1;
}

static void worker_joined(struct monitor *m, const char *worker, const char *slots)
{
    if (find_worker(m, worker) < 0) {
        m->workers = memory_resize(m->workers, m->worker_count + 1, sizeof(*m->workers));
        m->workers[m->worker_count++] = memory_text(worker);
    }
    board_worker_joined(m->board, worker, run_record_slots(slots));
}

static void worker_left(struct monitor *m, const char *worker, bool is_lost)
{
    ptrdiff_t index = find_worker(m, worker);
    board_worker_left(m->board, worker, is_lost);
    if (index < 0)
        return;
    free(m->workers[index]);
    m->workers[index] = m->workers[--m->worker_count];
}

/* ---- tasks ---- */

/* Sets the task and its details, which are JSON or NULL. Returns whether the board has changed. */
static bool set_task(struct monitor *m, size_t index, struct board_task *task, const char *details)
{
    struct task_record_details borrowed;
    task_record_apply_details(task, details, &borrowed);
    bool is_changed = board_set_task(m->board, index, task);
    task_record_close_details(&borrowed);
    return is_changed;
}

/* ---- reading everything ---- */

static void ask_tasks(struct monitor *m);
static void on_run_end(void *data, const struct ledger_reply *reply);

static void ask_run(struct monitor *m, ledger_reply_fn *reply)
{
    struct question *question = new_question(m);
    if (ledger_ask_run(m->ledger, run_record_fields, RUN_RECORD_FIELDS, reply, question) < 0)
        free_question(question);
}

static void everything_is_read(struct monitor *m)
{
    m->is_reading = false;
    m->events.on_change(m->data);
    if (m->end_is_near && !m->is_finished) {
        ask_run(m, on_run_end);
    }
    follow(m);
}

/* The hash (two replies: the task's, then its details). */
static void on_details(void *data, const struct ledger_reply *reply)
{
    struct question *question = data;
    struct monitor *m = question->monitor;
    if (!is_answer(m, question, reply)) {
        free_question(question);
        return;
    }
    const char *details = ledger_value_text(reply);
    struct board_task task = *board_task(m->board, question->task);
    if (details && task.state != BOARD_RUNNING)
        set_task(m, question->task, &task, details);
    free_question(question);
    if (++m->answered == m->plan->task_count)
        everything_is_read(m);
    else if (m->answered == m->asked)
        ask_tasks(m);
}

static void on_hash(void *data, const struct ledger_reply *reply)
{
    struct question *question = data;
    struct monitor *m = question->monitor;
    struct board_task task;
    if (is_answer(m, question, reply)) {
        task_record_from_hash(&task, reply->raw, board_task(m->board, question->task));
        board_set_task(m->board, question->task, &task);
    }
    free_question(question);
}

static void ask_task(struct monitor *m, size_t index)
{
    char task[TASK_KEY_SIZE];
    plan_key(m->plan, index, task);
    struct question *question = new_question(m);
    question->task = index;
    if (ledger_ask_task(m->ledger, task, task_record_fields, TASK_RECORD_FIELDS, on_hash, question) < 0) {
        free_question(question);
        return;
    }
    question = new_question(m);
    question->task = index;
    if (ledger_ask_details(m->ledger, task, on_details, question) < 0)
        free_question(question);
}

static void ask_tasks(struct monitor *m)
{
    size_t end = m->asked + READ_CHUNK;
    for (; m->asked < end && m->asked < m->plan->task_count; m->asked++)
        ask_task(m, m->asked);
}

/* As it was before its end. */
static void set_open_run(struct monitor *m, const struct board_run *run)
{
    struct board_run open = *run;
    open.state = BOARD_RUN_RUNNING;
    open.finished_ms = 0;
    board_set_run(m->board, &open);
}

/* Tasks of a finished run were put back; by now they may have ended again. */
static void reopen(struct monitor *m, const struct board_run *run)
{
    m->is_finished = m->end_is_near = false;
    set_open_run(m, run);
    reaper_watch(&m->reaper);
    m->events.on_reopened(m->data);
}

/* Another controller may have replaced it since we last held the lease. */
static bool is_our_run(const struct monitor *m, const struct redisReply *hash)
{
    auto_buffer id = {0};
    buffer_add_utf8(&id, run_record_id(hash), strlen(run_record_id(hash)));
    return id.length == 0 || strcmp(id.data, board_run_id(m->board)) == 0;
}

static void take_run(struct monitor *m, const struct board_run *run, const char *cancel)
{
    bool is_over = run->state == BOARD_RUN_FINISHED;
    m->read_reruns = run->reruns;
    if (m->is_finished && (!is_over || run->reruns != board_run(m->board)->reruns))
        reopen(m, run);
    if (is_over) {
        m->end_is_near = true; /* told when everything was read */
        if (!m->is_finished)
            set_open_run(m, run);
        return;
    }
    board_set_run(m->board, run);
    if (*cancel)
        m->events.on_cancelling(m->data, run->cancel_kind, cancel);
}

/* Only now is it known whether the tasks of a finished run were put back. */
static void on_run_start(void *data, const struct ledger_reply *reply)
{
    struct question *question = data;
    struct monitor *m = question->monitor;
    unsigned round = question->round;
    bool is_wanted = is_answer(m, question, reply);
    free_question(question);
    if (!is_wanted)
        return;
    struct board_run run;
    const char *cancel = run_record_from_hash(&run, reply->raw);
    if (!is_our_run(m, reply->raw)) { /* our lease is gone with it, which its owner will find out */
        monitor_stop(m);
        return;
    }
    take_run(m, &run, cancel);
    if (m->round != round)
        return;
    if (m->is_finished) /* and wasn't put back: it is what it is */
        everything_is_read(m);
    else
        ask_tasks(m);
}

static void on_slots(void *data, const struct ledger_reply *reply)
{
    struct question *question = data;
    if (is_answer(question->monitor, question, reply))
        worker_joined(question->monitor, question->worker, ledger_value_text(reply));
    free_question(question);
}

static void ask_slots(struct monitor *m, const char *worker)
{
    struct question *question = new_question(m);
    question->worker = memory_text(worker);
    if (ledger_ask_worker(m->ledger, worker, "slots", on_slots, question) < 0)
        free_question(question);
}

static bool is_listed(const struct ledger_reply *list, const char *name)
{
    for (size_t i = 0; i < ledger_list_count(list); i++)
        if (strcmp(ledger_list_text(list, i), name) == 0)
            return true;
    return false;
}

static void on_workers(void *data, const struct ledger_reply *reply)
{
    struct question *question = data;
    struct monitor *m = question->monitor;
    bool is_wanted = is_answer(m, question, reply);
    free_question(question);
    if (!is_wanted)
        return;
    for (size_t i = m->worker_count; i-- > 0;)
        if (!is_listed(reply, m->workers[i]))
            worker_left(m, m->workers[i], false);
    for (size_t i = 0; i < ledger_list_count(reply); i++)
        ask_slots(m, ledger_list_text(reply, i));
}

/* The stream's end is noted before anything is read: what happens meanwhile is read again from the stream. */
static void on_stream_end(void *data, const struct ledger_reply *reply)
{
    struct question *question = data;
    struct monitor *m = question->monitor;
    bool is_wanted = is_answer(m, question, reply);
    free_question(question);
    if (!is_wanted)
        return;
    const struct ledger_event last = ledger_last_event(reply);
    struct event event;
    event_parse(&event, last.fields);
    memory_copy_text(m->last_id, sizeof(m->last_id), last.id ? last.id : "0-0");
    m->last_number = event.number;
}

static void ask_stream_end(struct monitor *m)
{
    struct question *question = new_question(m);
    if (ledger_ask_last_event(m->ledger, on_stream_end, question) < 0)
        free_question(question);
}

static void ask_workers(struct monitor *m)
{
    struct question *question = new_question(m);
    if (ledger_ask_workers(m->ledger, on_workers, question) < 0)
        free_question(question);
}

static void read_everything(struct monitor *m)
{
    m->round++;
    m->is_reading = true;
    m->is_reopened = false;
    m->asked = m->answered = 0;
    ask_stream_end(m);
    ask_run(m, on_run_start);
    ask_workers(m);
}

/* The same while an XREAD may be under way: its answer will be one of an earlier round, and ignored. */
static void read_again(struct monitor *m)
{
    m->is_following = false;
    read_everything(m);
}

/* Cancelling a run whose tasks have all ended by then changes nothing; one with too many failures has failed. */
static enum board_run_state ended_run_state(const struct monitor *m, enum cancel_kind kind)
{
    bool is_cut = board_count(m->board, BOARD_CANCELLED) > 0;
    return is_cut && kind != CANCEL_NONE && kind != CANCEL_FAILURES ? BOARD_RUN_CANCELLED : BOARD_RUN_FINISHED;
}

/* Everything was read after the run had said that it is finished: now the board is the verdict. */
static void on_run_end(void *data, const struct ledger_reply *reply)
{
    struct question *question = data;
    struct monitor *m = question->monitor;
    bool is_wanted = is_answer(m, question, reply);
    free_question(question);
    if (!is_wanted || m->is_finished)
        return;
    struct board_run run;
    run_record_from_hash(&run, reply->raw);
    size_t open = board_count(m->board, BOARD_QUEUED) + board_count(m->board, BOARD_RUNNING);
    if (run.reruns != m->read_reruns) { /* what was read is of before */
        read_again(m);
        return;
    }
    if (open > 0 || run.state != BOARD_RUN_FINISHED) {
        m->end_is_near = false; /* reading everything says so again */
        start_again_soon(m, "the run says that it is finished, but its tasks don't");
        return;
    }
    m->is_finished = true;
    reaper_rest(&m->reaper);
    run.state = ended_run_state(m, run.cancel_kind);
    board_set_run(m->board, &run);
    m->events.on_change(m->data);
    m->events.on_finished(m->data);
}

/* ---- following the stream ---- */

static void apply_task_event(struct monitor *m, size_t index, const struct event *event)
{
    const struct board_task *before = board_task(m->board, index);
    enum board_state state_before = before->state;
    struct board_task task = *before;
    const char *details = task_record_apply_event(&task, event);
    bool has_ended = task.state >= BOARD_PASSED && state_before < BOARD_PASSED;
    if (set_task(m, index, &task, details) && has_ended)
        m->events.on_task_end(m->data, index);
}

/* The reason is told and not kept: whenever the run is read again it is told again. */
static void apply_cancelling(struct monitor *m, const struct event *event)
{
    const char *reason = event->fields[EVENT_REASON];
    struct board_run run = *board_run(m->board);
    run.cancel_kind = event->cancel_kind;
    board_set_run(m->board, &run);
    m->events.on_cancelling(m->data, run.cancel_kind, reason ? reason : "");
}

/* How many tasks have failed so far; none, when tasks are put back. */
static void apply_failed(struct monitor *m, size_t failed)
{
    struct board_run run = *board_run(m->board);
    run.failed = failed;
    board_set_run(m->board, &run);
}

static void apply_worker_event(struct monitor *m, const char *worker, const struct event *event)
{
    if (event->kind == EVENT_JOINED) {
        worker_joined(m, worker, event->fields[EVENT_SLOTS]);
        log_debug("worker.joined", LOG_TEXT("worker", worker));
        return;
    }
    worker_left(m, worker, event->kind == EVENT_BURIED);
    if (event->kind == EVENT_BURIED)
        log_warn("worker.lost", LOG_TEXT("worker", worker));
}

static void apply_run_event(struct monitor *m, const struct event *event)
{
    const char *worker = event->fields[EVENT_WORKER];
    switch (event->kind) {
    case EVENT_CANCELLING:
        apply_cancelling(m, event);
        break;
    case EVENT_JOINED:
    case EVENT_LEFT:
    case EVENT_BURIED:
        if (worker)
            apply_worker_event(m, worker, event);
        break;
    case EVENT_FINISHED:
        m->end_is_near = true;
        break;
    default:
        break;
    }
}

static void apply_event(struct monitor *m, const struct event *event)
{
    const char *task = event->fields[EVENT_TASK];
    ptrdiff_t index = task ? plan_find(m->plan, task) : -1;
    m->events_seen++;
    if (m->is_finished && event->kind == EVENT_RERUN)
        m->is_reopened = true;
    if (event->kind == EVENT_RERUN || event->fields[EVENT_FAILED])
        apply_failed(m, (size_t)event->failed);
    if (index >= 0)
        apply_task_event(m, (size_t)index, event);
    else
        apply_run_event(m, event);
}

/* false: a number is missing, and everything must be read again. */
static bool apply_entries(struct monitor *m, const struct ledger_reply *reply)
{
    for (size_t i = 0; i < ledger_event_count(reply); i++) {
        const struct ledger_event entry = ledger_event(reply, i);
        struct event event;
        event_parse(&event, entry.fields);
        if (event.number != m->last_number + 1)
            return false;
        m->last_number++;
        memory_copy_text(m->last_id, sizeof(m->last_id), entry.id ? entry.id : "");
        apply_event(m, &event);
    }
    return true;
}

static void on_pause_over(uv_timer_t *timer)
{
    follow(timer->data);
}

static void on_stream(void *data, const struct ledger_reply *reply)
{
    struct question *question = data;
    struct monitor *m = question->monitor;
    bool is_wanted = !is_stale(question);
    free_question(question);
    m->is_following = false;
    if (reply->outcome == LEDGER_LOST)
        return;       /* the link's next life goes on from last_id */
    if (!is_wanted) { /* everything was read meanwhile, which goes on from a last_id of its own */
        follow(m);
        return;
    }
    if (reply->outcome == LEDGER_TROUBLE) {
        start_again_soon(m, reply->text);
        return;
    }
    bool has_gap = !apply_entries(m, reply);
    if (ledger_event_count(reply) > 0)
        m->events.on_change(m->data);
    if (has_gap)
        log_info("events.gap", LOG_INT("after", (int64_t)m->last_number));
    if (has_gap || m->is_reopened || (m->end_is_near && !m->is_finished))
        read_everything(m);
    else
        uv_timer_start(&m->pause, on_pause_over, PAUSE_MS, 0);
}

static void follow(struct monitor *m)
{
    if (!m->is_watching || m->is_reading || m->is_following)
        return;
    struct question *question = new_question(m);
    if (ledger_follow_events(m->ledger, m->events_link, m->last_id, on_stream, question) < 0)
        free_question(question);
    else
        m->is_following = true;
}

/* ---- outside ---- */

void monitor_init(struct monitor *m, uv_loop_t *loop, struct ledger *ledger, struct redis_link *events_link,
                  const struct plan *plan, struct board *board, unsigned lease_ms,
                  const struct monitor_events *events, void *data)
{
    *m = (struct monitor){.loop = loop,
                          .ledger = ledger,
                          .events_link = events_link,
                          .plan = plan,
                          .board = board,
                          .events = *events,
                          .data = data};
    reaper_init(&m->reaper, loop, ledger, lease_ms);
    uv_timer_init(loop, &m->retry);
    uv_timer_init(loop, &m->pause);
    m->retry.data = m->pause.data = m;
}

void monitor_watch(struct monitor *m)
{
    m->is_watching = true;
    if (!m->is_finished)
        reaper_watch(&m->reaper);
    read_everything(m);
}

void monitor_read_again(struct monitor *m)
{
    if (m->is_watching)
        read_again(m);
}

void monitor_events_up(struct monitor *m)
{
    follow(m);
}

void monitor_stop(struct monitor *m)
{
    m->is_watching = m->is_reading = false;
    m->round++;
    reaper_rest(&m->reaper);
    uv_timer_stop(&m->retry);
    uv_timer_stop(&m->pause);
}

void monitor_close(struct monitor *m, uv_close_cb closed)
{
    monitor_stop(m);
    for (size_t i = 0; i < m->worker_count; i++)
        free(m->workers[i]);
    free(m->workers);
    m->workers = NULL;
    m->worker_count = 0;
    reaper_close(&m->reaper, closed);
    uv_close((uv_handle_t *)&m->retry, closed);
    uv_close((uv_handle_t *)&m->pause, closed);
}
