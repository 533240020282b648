#include "controller/board.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/board_private.h"
#include "shared/json.h"
#include "shared/memory.h"
#include "shared/utf8.h"

enum { RUN_TEXT_LIMIT = 1024 };

static const char *const state_names[] = {"queued", "running", "passed",    "failed",
                                          "flaky",  "error",   "cancelled", "skipped"};
static const char *const run_state_names[] = {"running", "finished", "cancelled"};
static const char *const verdict_names[] = {NULL, "passed", "failed", "error", "cancelled", "skipped"};

const char *board_state_name(enum board_state state)
{
    return state_names[state];
}

const char *board_run_state_name(enum board_run_state state)
{
    return run_state_names[state];
}

const char *board_verdict_name(enum board_verdict verdict)
{
    return verdict_names[verdict];
}

static const char *plan_text(const struct plan_task *task, enum board_column_id id)
{
    switch (id) {
    case BOARD_SPEC:
        return task->spec;
    case BOARD_VIEWPORT:
        return task->viewport;
    case BOARD_BROWSER:
        return task->browser;
    case BOARD_RUNNER:
    case BOARD_COLUMNS:
        break;
    }
    return task->runner;
}

static void fill_column(struct board_column *column, const struct plan *plan, enum board_column_id id)
{
    struct text_pool pool = {0};
    size_t capacity = 0;
    column->index = memory_zeroed(plan->task_count, sizeof(*column->index));
    for (size_t i = 0; i < plan->task_count; i++) {
        const char *text = plan_text(&plan->tasks[i], id);
        if (!text_pool_number(&pool, text_pool_take(&pool, text), &column->index[i]))
            continue;
        if (column->count == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            column->names = memory_resize(column->names, capacity, sizeof(*column->names));
        }
        column->names[column->count++] = text;
    }
    text_pool_close(&pool);
}

/* The text if it is UTF-8; else a copy that is, which is also put into *made, to be freed. */
static const char *utf8_text(const char *text, char **made)
{
    auto_buffer clean = {0};
    size_t length = text ? strlen(text) : 0;
    if (utf8_is_valid(text, length))
        return text;
    buffer_add_utf8(&clean, text, length);
    *made = buffer_take(&clean);
    return *made;
}

struct board *board_new(const struct plan *plan, const char *run_id, const char *epoch)
{
    struct board *board = memory_zeroed(1, sizeof(*board));
    board->plan = plan;
    auto_free char *made = NULL;
    board->run_id = memory_text(utf8_text(run_id, &made));
    board->epoch = memory_text(epoch);
    board->newest = BOARD_NOBODY;
    board->entries = memory_zeroed(plan->task_count, sizeof(*board->entries));
    board->sums.counts[BOARD_QUEUED] = plan->task_count;
    for (int id = 0; id < BOARD_COLUMNS; id++)
        fill_column(&board->columns[id], plan, (enum board_column_id)id);
    return board;
}

static void free_run_texts(struct board *board)
{
    free(board->source);
    free(board->branch);
    free(board->url);
}

void board_free(struct board *board)
{
    if (board == NULL)
        return;
    for (int id = 0; id < BOARD_COLUMNS; id++) {
        free(board->columns[id].names);
        free(board->columns[id].index);
    }
    text_pool_close(&board->workers);
    text_pool_close(&board->messages);
    text_pool_close(&board->titles);
    text_pool_close(&board->files);
    error_pool_close(&board->errors);
    for (size_t i = 0; i < board->plan->task_count; i++)
        free((void *)(uintptr_t)board->entries[i].task.failures);
    text_pool_close(&board->roster_names);
    cJSON_Delete(board->history);
    free(board->roster);
    free(board->entries);
    free(board->epoch);
    free(board->run_id);
    free_run_texts(board);
    free(board);
}

static bool has_ended(const struct board_task *task)
{
    return task->state != BOARD_QUEUED && task->state != BOARD_RUNNING;
}

static bool is_measured(const struct board_task *task)
{
    return has_ended(task) && task->state != BOARD_CANCELLED;
}

/* Unsigned sums wrap around, so taking away is adding the negative. */
static void account(struct board_sums *sums, const struct board_task *task, int sign)
{
    size_t step = (size_t)(ptrdiff_t)sign;
    uint64_t factor = (uint64_t)(int64_t)sign;
    sums->counts[task->state] += step;
    sums->tests_passed += factor * task->tests.passed;
    sums->tests_failed += factor * task->tests.failed;
    sums->tests_skipped += factor * task->tests.skipped;
    sums->tests_flaky += factor * task->tests.flaky;
    sums->compute_ms += factor * (task->earlier_ms + task->duration_ms);
    if (is_measured(task)) {
        __extension__ unsigned __int128 square = task->duration_ms;
        square *= task->duration_ms;
        sums->measured += step;
        sums->duration_ms += factor * task->duration_ms;
        sums->duration_squares = sign > 0 ? sums->duration_squares + square : sums->duration_squares - square;
    }
    if (task->state == BOARD_RUNNING && task->started_ms > 0) {
        sums->clocked += step;
        sums->started_ms += sign * task->started_ms;
    }
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_error(const struct board_error *a, const struct board_error *b)
{
    return a == b || (same_text(a->message, b->message) && same_text(a->expected, b->expected) &&
                      same_text(a->received, b->received));
}

static bool same_failure(const struct board_failure *a, const struct board_failure *b)
{
    return a->line == b->line && same_text(a->title, b->title) && same_text(a->file, b->file) &&
           same_error(a->error, b->error);
}

static bool same_failures(const struct board_failures *a, const struct board_failures *b)
{
    if (a == b || a == NULL || b == NULL)
        return a == b;
    bool is_same = a->count == b->count && a->dropped == b->dropped;
    for (size_t i = 0; is_same && i < a->count; i++)
        is_same = same_failure(&a->rows[i], &b->rows[i]);
    return is_same;
}

static bool same_task(const struct board_task *a, const struct board_task *b)
{
    return a->state == b->state && a->attempt == b->attempt && a->started_ms == b->started_ms &&
           a->duration_ms == b->duration_ms && a->earlier_ms == b->earlier_ms && a->line == b->line &&
           memcmp(&a->tests, &b->tests, sizeof(a->tests)) == 0 && same_text(a->worker, b->worker) &&
           same_text(a->message, b->message) && same_text(a->title, b->title) && same_text(a->file, b->file) &&
           same_failures(a->failures, b->failures);
}

static void move_to_newest(struct board *board, uint32_t index)
{
    struct board_entry *entry = &board->entries[index];
    if (entry->seq > 0 && board->newest != index) {
        board->entries[entry->newer].older = entry->older;
        if (entry->older != BOARD_NOBODY)
            board->entries[entry->older].newer = entry->newer;
    }
    if (board->newest != index) {
        entry->older = board->newest;
        if (board->newest != BOARD_NOBODY)
            board->entries[board->newest].newer = index;
        board->newest = index;
    }
    entry->newer = BOARD_NOBODY;
    entry->seq = ++board->seq;
}

/* ---- failures ---- */

static const char *take_utf8(struct text_pool *pool, const char *text)
{
    auto_free char *made = NULL;
    return text_pool_take(pool, utf8_text(text, &made));
}

static const struct board_error *take_error(struct board *board, const struct board_error *error)
{
    auto_free char *message = NULL, *expected = NULL, *received = NULL;
    const struct board_error clean = {.message = utf8_text(error->message, &message),
                                      .expected = utf8_text(error->expected, &expected),
                                      .received = utf8_text(error->received, &received)};
    return error_pool_take(&board->errors, &clean);
}

/* As many of them as there is room for, if `old`, which are kept, go. */
static struct board_failures fitting(const struct board *board, const struct board_failures *failures,
                                     const struct board_failures *old)
{
    size_t room = BOARD_FAILURES_MAX - board->failures_kept + (old ? old->count : 0);
    struct board_failures fit = *failures;
    if (fit.count > room) {
        fit.dropped += fit.count - room;
        fit.count = room;
    }
    return fit;
}

static const struct board_failures *take_failures(struct board *board, const struct board_failures *failures)
{
    if (failures == NULL)
        return NULL;
    struct board_failures *kept = memory_zeroed(1, sizeof(*kept) + failures->count * sizeof(*failures->rows));
    struct board_failure *rows = (struct board_failure *)(void *)(kept + 1);
    for (size_t i = 0; i < failures->count; i++)
        rows[i] = (struct board_failure){.title = take_utf8(&board->titles, failures->rows[i].title),
                                         .error = take_error(board, failures->rows[i].error),
                                         .file = take_utf8(&board->files, failures->rows[i].file),
                                         .line = failures->rows[i].line};
    *kept = (struct board_failures){.count = failures->count, .dropped = failures->dropped, .rows = rows};
    board->failures_kept += kept->count;
    board->failures_dropped += kept->dropped;
    return kept;
}

static void drop_failures(struct board *board, const struct board_failures *failures)
{
    if (failures == NULL)
        return;
    for (size_t i = 0; i < failures->count; i++) {
        text_pool_drop(&board->titles, failures->rows[i].title);
        error_pool_drop(&board->errors, failures->rows[i].error);
        text_pool_drop(&board->files, failures->rows[i].file);
    }
    board->failures_kept -= failures->count;
    board->failures_dropped -= failures->dropped;
    free((void *)(uintptr_t)failures);
}

static bool is_problem(const struct board_task *task)
{
    return task->state == BOARD_FAILED || task->state == BOARD_ERROR;
}

/* What the task has to say itself. */
static const struct board_error *take_own_error(struct board *board, const struct board_task *task)
{
    bool is_told = task->failures && task->failures->count > 0;
    if (!is_problem(task) || (is_told && task->state == BOARD_FAILED))
        return NULL;
    return error_pool_take(&board->errors, &(struct board_error){.message = task->message});
}

size_t board_failure_count(const struct board *board, size_t index)
{
    const struct board_entry *entry = &board->entries[index];
    return (entry->error != NULL) + (entry->task.failures ? entry->task.failures->count : 0);
}

struct board_failure board_failure(const struct board *board, size_t index, size_t number)
{
    const struct board_entry *entry = &board->entries[index];
    const struct board_task *task = &entry->task;
    if (entry->error && number == 0)
        return (struct board_failure){
            .title = task->title, .error = entry->error, .file = task->file, .line = task->line};
    return task->failures->rows[number - (entry->error != NULL)];
}

size_t board_failures_dropped(const struct board *board)
{
    return board->failures_dropped;
}

/* ---- tasks ---- */

/* Stores a task with texts that are UTF-8, but for those of its failures. */
static bool store_task(struct board *board, size_t index, const struct board_task *task)
{
    struct board_entry *entry = &board->entries[index];
    struct board_task old = entry->task;
    const struct board_error *old_error = entry->error;
    if (same_task(&old, task))
        return false;
    account(&board->sums, &old, -1);
    account(&board->sums, task, 1);
    if (has_ended(task) && task->earlier_ms + task->duration_ms > board->longest_ms)
        board->longest_ms = task->earlier_ms + task->duration_ms;

    entry->task = *task;
    entry->task.worker = text_pool_take(&board->workers, task->worker);
    entry->task.message = text_pool_take(&board->messages, task->message);
    entry->task.title = text_pool_take(&board->titles, task->title);
    entry->task.file = text_pool_take(&board->files, task->file);
    entry->task.failures = take_failures(board, task->failures);
    entry->error = take_own_error(board, &entry->task);
    text_pool_drop(&board->workers, old.worker);
    text_pool_drop(&board->messages, old.message);
    text_pool_drop(&board->titles, old.title);
    text_pool_drop(&board->files, old.file);
    drop_failures(board, old.failures);
    error_pool_drop(&board->errors, old_error);
    move_to_newest(board, (uint32_t)index);
    return true;
}

bool board_set_task(struct board *board, size_t index, const struct board_task *task)
{
    auto_free char *worker = NULL, *message = NULL, *title = NULL, *file = NULL;
    struct board_task clean = *task;
    struct board_failures fit;
    clean.worker = utf8_text(task->worker, &worker);
    clean.message = utf8_text(task->message, &message);
    clean.title = utf8_text(task->title, &title);
    clean.file = utf8_text(task->file, &file);
    if (task->failures) {
        fit = fitting(board, task->failures, board->entries[index].task.failures);
        clean.failures = &fit;
    }
    return store_task(board, index, &clean);
}

const struct board_task *board_task(const struct board *board, size_t index)
{
    return &board->entries[index].task;
}

/* The worker's place in the roster; one that never came before gets a place, as LEFT. */
static struct board_worker *roster_entry(struct board *board, const char *worker)
{
    uint32_t number;
    const char *name = text_pool_find(&board->roster_names, worker);
    if (name == NULL)
        name = text_pool_take(&board->roster_names, worker);
    if (text_pool_number(&board->roster_names, name, &number)) {
        if (number == board->roster_capacity) {
            board->roster_capacity = board->roster_capacity ? board->roster_capacity * 2 : 16;
            board->roster = memory_resize(board->roster, board->roster_capacity, sizeof(*board->roster));
        }
        board->roster[number] = (struct board_worker){.state = BOARD_WORKER_LEFT};
        board->workers_in[BOARD_WORKER_LEFT]++;
    }
    return &board->roster[number];
}

static void set_worker(struct board *board, const char *name, enum board_worker_state state, unsigned slots)
{
    struct board_worker *worker = roster_entry(board, name);
    if (worker->state == state && worker->slots == slots)
        return;
    board->workers_in[worker->state]--;
    board->workers_in[state]++;
    board->slots = board->slots - worker->slots + slots;
    if (board->slots > board->most_slots)
        board->most_slots = board->slots;
    *worker = (struct board_worker){.state = state, .slots = slots};
    board->seq++;
}

void board_worker_joined(struct board *board, const char *worker, unsigned slots)
{
    set_worker(board, worker, BOARD_WORKER_LIVE, slots);
}

void board_worker_left(struct board *board, const char *worker, bool lost)
{
    set_worker(board, worker, lost ? BOARD_WORKER_LOST : BOARD_WORKER_LEFT, 0);
}

static bool is_same_run(const struct board_run *a, const struct board_run *b)
{
    return a->state == b->state && a->started_ms == b->started_ms && a->finished_ms == b->finished_ms &&
           a->reopened_ms == b->reopened_ms && a->idle_ms == b->idle_ms && a->reruns == b->reruns &&
           a->failed == b->failed && a->cancel_kind == b->cancel_kind && same_text(a->source, b->source) &&
           same_text(a->branch, b->branch) && same_text(a->url, b->url);
}

/* A copy that is UTF-8 and not too long to be shown; NULL stays NULL. */
static char *shown_copy(const char *text)
{
    auto_free char *made = NULL;
    const char *clean = utf8_text(text, &made);
    return clean ? memory_text_n(clean, utf8_cut(clean, strlen(clean), RUN_TEXT_LIMIT)) : NULL;
}

void board_set_run(struct board *board, const struct board_run *run)
{
    struct board_run copy = *run;
    auto_free char *source = shown_copy(run->source), *branch = shown_copy(run->branch), *url = shown_copy(run->url);
    copy.source = source;
    copy.branch = branch;
    copy.url = url;
    if (is_same_run(&board->run, &copy))
        return;
    free_run_texts(board);
    board->source = take(source);
    board->branch = take(branch);
    board->url = take(url);
    board->run = copy;
    board->seq++;
}

const struct board_run *board_run(const struct board *board)
{
    return &board->run;
}

void board_set_history(struct board *board, const char *json)
{
    struct error ignored;
    cJSON_Delete(board->history);
    if (json_parse(&board->history, json, strlen(json), &ignored) < 0)
        return;
    const cJSON *item;
    bool is_list = cJSON_IsArray(board->history);
    cJSON_ArrayForEach(item, board->history) is_list = is_list && cJSON_IsObject(item);
    if (!is_list) {
        cJSON_Delete(board->history);
        board->history = NULL;
    }
}

const char *board_run_id(const struct board *board)
{
    return board->run_id;
}

const char *board_epoch(const struct board *board)
{
    return board->epoch;
}

uint64_t board_seq(const struct board *board)
{
    return board->seq;
}

size_t board_count(const struct board *board, enum board_state state)
{
    return board->sums.counts[state];
}

size_t board_total(const struct board *board)
{
    return board->plan->task_count;
}

ptrdiff_t board_find(const struct board *board, const char *key)
{
    return plan_find(board->plan, key);
}

enum board_verdict board_verdict(const struct board *board)
{
    const size_t *counts = board->sums.counts;
    if (board->run.state == BOARD_RUN_RUNNING)
        return BOARD_NO_VERDICT;
    if (board->run.state == BOARD_RUN_CANCELLED)
        return BOARD_VERDICT_CANCELLED;
    if (counts[BOARD_FAILED] > 0)
        return BOARD_VERDICT_FAILED;
    if (counts[BOARD_ERROR] > 0)
        return BOARD_VERDICT_ERROR;
    if (counts[BOARD_CANCELLED] > 0)
        return BOARD_VERDICT_CANCELLED;
    size_t good = counts[BOARD_PASSED] + counts[BOARD_FLAKY], total = board_total(board);
    if (total == 0 || good + counts[BOARD_SKIPPED] < total)
        return BOARD_VERDICT_ERROR;
    return good == 0 ? BOARD_VERDICT_SKIPPED : BOARD_VERDICT_PASSED;
}

size_t board_slowest(const struct board *board, size_t *indices, size_t limit)
{
    size_t count = 0;
    for (size_t i = 0; i < board_total(board) && limit > 0; i++) {
        const struct board_task *task = &board->entries[i].task;
        if (!is_measured(task))
            continue;
        if (count == limit && board->entries[indices[count - 1]].task.duration_ms >= task->duration_ms)
            continue;
        size_t place = count < limit ? count++ : count - 1;
        while (place > 0 && board->entries[indices[place - 1]].task.duration_ms < task->duration_ms) {
            indices[place] = indices[place - 1];
            place--;
        }
        indices[place] = i;
    }
    return count;
}

size_t board_changes(const struct board *board, uint64_t since, size_t limit)
{
    size_t count = 0;
    for (uint32_t i = board->newest; i != BOARD_NOBODY && count < limit; i = board->entries[i].older) {
        size_t failures = board_failure_count(board, i);
        if (board->entries[i].seq <= since)
            break;
        count += failures > 1 ? failures : 1;
    }
    return count < limit ? count : limit;
}
