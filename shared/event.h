/*
 * What flows through the two streams, written down once: `funkytown:events`, from which the controller's board lives,
 * and `funkytown:signals`, which wakes the workers. The scripts write them (emit and signal of lua/prelude.lua) and C
 * reads them; a test compares the tables with the scripts. Pure.
 *
 * Every event has a number, a time and its name. Which fields it has besides, its row says (event.c):
 *
 *     number        counts the run's events without a gap          flaky        0, 1: it passed after a failure
 *     at_ms         Redis' clock                                   duration_ns  of the attempt
 *     event         its name                                       reason       why; may be empty
 *     task, worker  key, id                                        failed       of the run's tasks, so far
 *     attempt       its number, from 1                             details      JSON for the board; may be empty
 *     result        passed, failed, error, skipped;                kind         of a cancellation: asked, deadline, …
 *                   unknown: it goes on                            slots, host, pid   of a worker
 *
 * An event that has no row here is OTHER, and is to be skipped: a script of another version may tell more. Fields
 * that an event's row doesn't have aren't read, and numbers are kept between bounds (bounds.h).
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "shared/task.h"

struct redisReply;

enum event_kind {
    EVENT_OTHER,
    EVENT_OPENED,
    EVENT_JOINED,
    EVENT_LEFT,
    EVENT_BURIED, /* the worker's lease ran out, and nothing of it is left */
    EVENT_CLAIMED,
    EVENT_SETTLED,
    EVENT_RETRIED, /* settled as failed, and waits again */
    EVENT_RELEASED,
    EVENT_LOST,
    EVENT_CANCELLING, /* the run */
    EVENT_CANCELLED,  /* the task */
    EVENT_RERUN,
    EVENT_FINISHED, /* the run */
    EVENT_REPAIRED, /* by an audit, after a number that no event has */
    EVENT_KINDS
};

enum event_field {
    EVENT_NUMBER,
    EVENT_AT,
    EVENT_NAME,
    EVENT_TASK,
    EVENT_WORKER,
    EVENT_ATTEMPT,
    EVENT_RESULT,
    EVENT_FLAKY,
    EVENT_DURATION,
    EVENT_REASON,
    EVENT_FAILED,
    EVENT_DETAILS,
    EVENT_KIND,
    EVENT_SLOTS,
    EVENT_HOST,
    EVENT_PID,
    EVENT_FIELDS
};

struct event {
    enum event_kind kind;
    const char *fields[EVENT_FIELDS]; /* as they stand there; NULL: not told. Borrowed from the reply. */
    uint64_t number;                  /* 0: none */
    int64_t at_ms;
    unsigned attempt;
    int result; /* enum task_result; -1: no word of ours */
    bool is_flaky;
    uint64_t duration_ms;
    uint64_t failed;
    enum cancel_kind cancel_kind;
};

/* `pairs`: the names and values of an entry of the stream: name, value, … */
void event_parse(struct event *event, const struct redisReply *pairs);

/* "": OTHER. */
const char *event_name(enum event_kind kind);
const char *event_field_name(enum event_field field);

/* Whether the events of this kind have the field. */
bool event_has(enum event_kind kind, enum event_field field);

enum event_signal { SIGNAL_OTHER, SIGNAL_OPENED, SIGNAL_CANCELLED, SIGNAL_FINISHED, SIGNALS };

/* The same for an entry of the other stream. */
enum event_signal event_signal_parse(const struct redisReply *pairs);
const char *event_signal_name(enum event_signal signal);
