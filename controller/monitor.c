#include "controller/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/task_record.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/redis_reply.h"

enum {
    READ_CHUNK = 512, /* task hashes asked for at a time */
    STREAM_CHUNK = 1000,
    STREAM_BLOCK_MS = 10000,
    COMMAND_TIMEOUT_MS = 10000,
    RETRY_MS = 500,
    PAUSE_MS = 20, /* nobody sees it, and what happens meanwhile costs one read instead of one each */
};

static void read_everything(struct monitor *m);
static void follow(struct monitor *m);

struct step {
    struct monitor *monitor;
    unsigned round;
    size_t task;
    char *worker; /* owned; NULL: none */
};

static struct step *new_step(struct monitor *m)
{
    struct step *step = memory_zeroed(1, sizeof(*step));
    *step = (struct step){.monitor = m, .round = m->round};
    return step;
}

static void free_step(struct step *step)
{
    free(step->worker);
    free(step);
}

static bool is_stale(const struct step *step)
{
    return step->round != step->monitor->round;
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
    uv_timer_start(&m->retry, on_retry, RETRY_MS, 0);
}

/* Whether an answer says what was asked for. A refusal (the server is loading, or busy) begins everything again. */
static bool is_answer(struct monitor *m, const struct step *step, const struct redisReply *reply)
{
    if (is_stale(step) || reply == NULL)
        return false;
    const char *refusal = redis_reply_error(reply);
    if (refusal)
        start_again_soon(m, refusal);
    return refusal == NULL;
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
    board_worker_joined(m->board, worker, task_record_slots(slots));
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
    cJSON *tree = details ? task_record_apply_details(task, details) : NULL;
    bool is_changed = board_set_task(m->board, index, task);
    cJSON_Delete(tree);
    return is_changed;
}

static const char *element_text(const struct redisReply *reply, size_t index)
{
    const char *text = redis_reply_text(redis_reply_at(reply, index));
    return text ? text : "";
}

/* ---- reading everything ---- */

static void ask_tasks(struct monitor *m);
static void on_run_end(void *data, const struct redisReply *reply);

static void ask(struct monitor *m, redis_reply_fn *reply, int argc, const char *const *argv)
{
    struct step *step = new_step(m);
    if (redis_link_send(m->ledger->link, COMMAND_TIMEOUT_MS, reply, step, argc, argv, NULL) < 0)
        free_step(step);
}

static void ask_run(struct monitor *m, redis_reply_fn *reply)
{
    const char *argv[2 + TASK_RECORD_RUN_FIELDS] = {"HMGET", m->ledger->keys.names[LEDGER_RUN]};
    memcpy(argv + 2, task_record_run_fields, sizeof(task_record_run_fields));
    ask(m, reply, 2 + TASK_RECORD_RUN_FIELDS, argv);
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
static void on_details(void *data, const struct redisReply *reply)
{
    struct step *step = data;
    struct monitor *m = step->monitor;
    if (!is_answer(m, step, reply)) {
        free_step(step);
        return;
    }
    const char *details = redis_reply_text(reply);
    struct board_task task = *board_task(m->board, step->task);
    if (details && task.state != BOARD_RUNNING)
        set_task(m, step->task, &task, details);
    free_step(step);
    if (++m->answered == m->plan->task_count)
        everything_is_read(m);
    else if (m->answered == m->asked)
        ask_tasks(m);
}

static void on_hash(void *data, const struct redisReply *reply)
{
    struct step *step = data;
    struct monitor *m = step->monitor;
    struct board_task task;
    if (is_answer(m, step, reply)) {
        task_record_from_hash(&task, reply, board_task(m->board, step->task));
        board_set_task(m->board, step->task, &task);
    }
    free_step(step);
}

static void ask_task(struct monitor *m, size_t index)
{
    char task[TASK_KEY_SIZE], key[LEDGER_KEY_SIZE];
    plan_key(m->plan, index, task);
    ledger_task_key(&m->ledger->keys, task, key);
    const char *hash[2 + TASK_RECORD_FIELDS] = {"HMGET", key};
    memcpy(hash + 2, task_record_fields, sizeof(task_record_fields));
    const char *details[] = {"HGET", m->ledger->keys.names[LEDGER_DETAILS], task};
    struct step *step = new_step(m);
    step->task = index;
    if (redis_link_send(m->ledger->link, COMMAND_TIMEOUT_MS, on_hash, step, 2 + TASK_RECORD_FIELDS, hash, NULL) < 0) {
        free_step(step);
        return;
    }
    step = new_step(m);
    step->task = index;
    if (redis_link_send(m->ledger->link, COMMAND_TIMEOUT_MS, on_details, step, 3, details, NULL) < 0)
        free_step(step);
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
    buffer_add_utf8(&id, task_record_run_id(hash), strlen(task_record_run_id(hash)));
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

/* Only now it is known whether the tasks of a finished run were put back. */
static void on_run_start(void *data, const struct redisReply *reply)
{
    struct step *step = data;
    struct monitor *m = step->monitor;
    unsigned round = step->round;
    bool is_wanted = is_answer(m, step, reply);
    free_step(step);
    if (!is_wanted)
        return;
    struct board_run run;
    const char *cancel = task_record_run(&run, reply);
    if (!is_our_run(m, reply)) { /* our lease is gone with it, which its owner will find out */
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

static void on_slots(void *data, const struct redisReply *reply)
{
    struct step *step = data;
    if (is_answer(step->monitor, step, reply))
        worker_joined(step->monitor, step->worker, redis_reply_text(reply));
    free_step(step);
}

static void ask_slots(struct monitor *m, const char *worker)
{
    char key[LEDGER_KEY_SIZE];
    ledger_worker_key(&m->ledger->keys, worker, key);
    const char *argv[] = {"HGET", key, "slots"};
    struct step *step = new_step(m);
    step->worker = memory_text(worker);
    if (redis_link_send(m->ledger->link, COMMAND_TIMEOUT_MS, on_slots, step, 3, argv, NULL) < 0)
        free_step(step);
}

static bool is_listed(const struct redisReply *list, const char *name)
{
    for (size_t i = 0; i < redis_reply_count(list); i++)
        if (strcmp(element_text(list, i), name) == 0)
            return true;
    return false;
}

static void on_workers(void *data, const struct redisReply *reply)
{
    struct step *step = data;
    struct monitor *m = step->monitor;
    bool is_wanted = is_answer(m, step, reply);
    free_step(step);
    if (!is_wanted)
        return;
    for (size_t i = m->worker_count; i-- > 0;)
        if (!is_listed(reply, m->workers[i]))
            worker_left(m, m->workers[i], false);
    for (size_t i = 0; i < redis_reply_count(reply); i++)
        ask_slots(m, element_text(reply, i));
}

/* The stream's end is noted before anything is read: what happens meanwhile is read again from the stream. */
static void on_stream_end(void *data, const struct redisReply *reply)
{
    struct step *step = data;
    struct monitor *m = step->monitor;
    bool is_wanted = is_answer(m, step, reply);
    free_step(step);
    if (!is_wanted)
        return;
    const struct redisReply *last = redis_reply_at(reply, 0);
    const char *id = redis_reply_text(redis_reply_at(last, 0));
    const char *number = redis_reply_field(redis_reply_at(last, 1), "n");
    memory_copy_text(m->last_id, sizeof(m->last_id), id ? id : "0-0");
    m->last_number = number ? strtoull(number, NULL, 10) : 0;
}

static void read_everything(struct monitor *m)
{
    const struct ledger_keys *keys = &m->ledger->keys;
    m->round++;
    m->is_reading = true;
    m->is_reopened = false;
    m->asked = m->answered = 0;
    ask(m, on_stream_end, 6, (const char *const[]){"XREVRANGE", keys->names[LEDGER_EVENTS], "+", "-", "COUNT", "1"});
    ask_run(m, on_run_start);
    ask(m, on_workers, 4, (const char *const[]){"ZRANGE", keys->names[LEDGER_WORKERS], "0", "-1"});
}

/* The same while the stream may be followed: that answer will be one of an earlier round. */
static void read_again(struct monitor *m)
{
    m->is_following = false;
    read_everything(m);
}

/* Who cancels a run whose tasks have all ended by then cancels nothing; too many failures are failures. */
static enum board_run_state ended_run_state(const struct monitor *m, enum cancel_kind kind)
{
    bool is_cut = board_count(m->board, BOARD_CANCELLED) > 0;
    return is_cut && kind != CANCEL_NONE && kind != CANCEL_FAILURES ? BOARD_RUN_CANCELLED : BOARD_RUN_FINISHED;
}

/* Everything was read after the run had said that it is finished: now the board is the verdict. */
static void on_run_end(void *data, const struct redisReply *reply)
{
    struct step *step = data;
    struct monitor *m = step->monitor;
    bool is_wanted = is_answer(m, step, reply);
    free_step(step);
    if (!is_wanted || m->is_finished)
        return;
    struct board_run run;
    task_record_run(&run, reply);
    size_t open = board_count(m->board, BOARD_QUEUED) + board_count(m->board, BOARD_RUNNING);
    if (run.reruns != m->read_reruns) { /* what was read is of before */
        read_again(m);
        return;
    }
    if (open > 0 || run.state != BOARD_RUN_FINISHED) {
        m->end_is_near = false; /* reading everything says so again */
        start_again_soon(m, "the run says that it is finished, its tasks don't");
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

static void apply_task_event(struct monitor *m, size_t index, const struct redisReply *fields)
{
    const struct board_task *before = board_task(m->board, index);
    enum board_state state_before = before->state;
    struct board_task task = *before;
    const char *details = task_record_apply_event(&task, fields);
    bool has_ended = task.state >= BOARD_PASSED && state_before < BOARD_PASSED;
    if (set_task(m, index, &task, details) && has_ended)
        m->events.on_task_end(m->data, index);
}

/* Why the run is being cancelled is told once more, when it is: nobody need have the run as it was. */
static void apply_cancelling(struct monitor *m, const struct redisReply *fields)
{
    const char *why = redis_reply_field(fields, "why");
    struct board_run run = *board_run(m->board);
    run.cancel_kind = task_record_cancel_kind(redis_reply_field(fields, "kind"));
    board_set_run(m->board, &run);
    m->events.on_cancelling(m->data, run.cancel_kind, why ? why : "");
}

/* How many tasks have failed so far; none, when tasks are put back. */
static void apply_failed(struct monitor *m, size_t failed)
{
    struct board_run run = *board_run(m->board);
    run.failed = failed;
    board_set_run(m->board, &run);
}

static void apply_event(struct monitor *m, const struct redisReply *fields)
{
    const char *event = redis_reply_field(fields, "e");
    const char *task = redis_reply_field(fields, "t");
    const char *worker = redis_reply_field(fields, "w");
    ptrdiff_t index = task ? plan_find(m->plan, task) : -1;
    m->events_seen++;
    if (event == NULL)
        return;
    if (m->is_finished && strcmp(event, "rerun") == 0)
        m->is_reopened = true;
    if (strcmp(event, "rerun") == 0)
        apply_failed(m, 0);
    else if (redis_reply_field(fields, "k"))
        apply_failed(m, task_record_failed(redis_reply_field(fields, "k")));
    if (index >= 0) {
        apply_task_event(m, (size_t)index, fields);
    } else if (strcmp(event, "cancelling") == 0) {
        apply_cancelling(m, fields);
    } else if (worker && strcmp(event, "joined") == 0) {
        worker_joined(m, worker, redis_reply_field(fields, "slots"));
        log_debug("worker.joined", LOG_TEXT("worker", worker));
    } else if (worker && (strcmp(event, "left") == 0 || strcmp(event, "buried") == 0)) {
        worker_left(m, worker, event[0] == 'b');
        if (event[0] == 'b')
            log_warn("worker.lost", LOG_TEXT("worker", worker));
    } else if (strcmp(event, "finished") == 0) {
        m->end_is_near = true;
    }
}

/* false: a number is missing, and everything must be read again. */
static bool apply_entries(struct monitor *m, const struct redisReply *entries)
{
    for (size_t i = 0; i < redis_reply_count(entries); i++) {
        const struct redisReply *entry = redis_reply_at(entries, i);
        const struct redisReply *fields = redis_reply_at(entry, 1);
        const char *number = redis_reply_field(fields, "n");
        if (number == NULL || strtoull(number, NULL, 10) != m->last_number + 1)
            return false;
        m->last_number++;
        memory_copy_text(m->last_id, sizeof(m->last_id), element_text(entry, 0));
        apply_event(m, fields);
    }
    return true;
}

static void on_pause_over(uv_timer_t *timer)
{
    follow(timer->data);
}

static void on_stream(void *data, const struct redisReply *reply)
{
    struct step *step = data;
    struct monitor *m = step->monitor;
    bool is_wanted = !is_stale(step);
    free_step(step);
    m->is_following = false;
    if (reply == NULL)
        return;       /* the link's next life goes on from last_id */
    if (!is_wanted) { /* everything was read meanwhile, which goes on from a last_id of its own */
        follow(m);
        return;
    }
    if (redis_reply_error(reply)) {
        start_again_soon(m, redis_reply_error(reply));
        return;
    }
    const struct redisReply *entries = redis_reply_at(redis_reply_at(reply, 0), 1);
    bool has_gap = !apply_entries(m, entries);
    if (redis_reply_count(entries) > 0)
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
    char count[16], block[16];
    if (!m->is_watching || m->is_reading || m->is_following)
        return;
    snprintf(count, sizeof(count), "%d", STREAM_CHUNK);
    snprintf(block, sizeof(block), "%d", STREAM_BLOCK_MS);
    const char *argv[] = {"XREAD",   "COUNT", count, "BLOCK", block, "STREAMS", m->ledger->keys.names[LEDGER_EVENTS],
                          m->last_id};
    struct step *step = new_step(m);
    if (redis_link_send(m->events_link, STREAM_BLOCK_MS + COMMAND_TIMEOUT_MS, on_stream, step, 8, argv, NULL) < 0)
        free_step(step);
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
