/*
 * What Redis tells of the run and its workers, made into what the board has of them. Pure. Whatever bytes Redis
 * holds, the board can bear what comes out, as with tasks (task_record.h).
 */
#pragma once
#include "controller/board.h"

struct redisReply;

/* The fields of the run's hash that are needed, in the order in which the reply has them. */
enum { RUN_RECORD_FIELDS = 13 };
extern const char *const run_record_fields[RUN_RECORD_FIELDS];

/*
 * The run as its hash has it: running or finished; never cancelled, which only its tasks tell. Its texts are
 * borrowed. Returns why it is being cancelled (borrowed), "": it isn't.
 */
const char *run_record_from_hash(struct board_run *run, const struct redisReply *hash);

/* Whose hash it is, "": nobody's. Borrowed. */
const char *run_record_id(const struct redisReply *hash);

/* How many slots a worker says that it has; 1 for what no worker can have. */
unsigned run_record_slots(const char *text);
