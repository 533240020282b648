/*
 * What Redis tells of a task, made into what the board has of it. Pure.
 *
 * Redis holds what workers wrote, and a worker may be anybody's: whatever stands there, the board can bear the task
 * that comes out. Numbers are kept between bounds (sums over all tasks must not overflow), and what isn't understood
 * counts as not told.
 */
#pragma once
#include <stdint.h>

#include "controller/board.h"
#include "shared/event.h"

struct cJSON;
struct redisReply;

/* The fields of a task's hash that are needed, in the order in which the reply has them. */
enum { TASK_RECORD_FIELDS = 8 };
extern const char *const task_record_fields[TASK_RECORD_FIELDS];

/*
 * The task as its hash has it. `before` is what the board has of it: what the stream has told more exactly than
 * the hash does is kept. The texts are borrowed from the reply.
 */
void task_record_from_hash(struct board_task *task, const struct redisReply *hash, const struct board_task *before);

/*
 * What an event of the stream does to the task. The texts are borrowed from the event, or stay. Returns the details
 * that come with it, as JSON, or NULL.
 */
const char *task_record_apply_event(struct board_task *task, const struct event *event);

/* Of the failed tests that details tell of no more are looked at, nor more bytes of their texts. */
enum { TASK_RECORD_FAILURES_MAX = 100, TASK_RECORD_FAILURES_BYTES = 64 * 1024 };

/* What a task borrows from its details. Zeroed: nothing. */
struct task_record_details {
    struct cJSON *tree;
    struct board_failures failures;
    struct board_failure *rows;
    struct board_error *errors;
};

/*
 * The details of an attempt (ledger_settlement.details, NULL: none); what isn't a JSON object changes nothing. What
 * the task then borrows is in `borrowed`, to be closed after use. Returns whether there was anything to read.
 */
bool task_record_apply_details(struct board_task *task, const char *details, struct task_record_details *borrowed);
void task_record_close_details(struct task_record_details *borrowed);
