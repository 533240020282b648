#include "shared/event.h"

#include <string.h>

#include "shared/bounds.h"
#include "shared/redis_reply.h"

static const char *const field_names[EVENT_FIELDS] = {
    [EVENT_NUMBER] = "number", [EVENT_AT] = "at_ms",      [EVENT_NAME] = "event",
    [EVENT_TASK] = "task",     [EVENT_WORKER] = "worker", [EVENT_ATTEMPT] = "attempt",
    [EVENT_RESULT] = "result", [EVENT_FLAKY] = "flaky",   [EVENT_DURATION] = "duration_ns",
    [EVENT_REASON] = "reason", [EVENT_FAILED] = "failed", [EVENT_DETAILS] = "details",
    [EVENT_KIND] = "kind",     [EVENT_SLOTS] = "slots",   [EVENT_HOST] = "host",
    [EVENT_PID] = "pid",
};

#define HAS(field) (1u << EVENT_##field)
#define ALL        (HAS(NUMBER) | HAS(AT) | HAS(NAME))
#define ATTEMPT    (ALL | HAS(TASK) | HAS(WORKER) | HAS(ATTEMPT))
#define GIVEN_BACK (ATTEMPT | HAS(RESULT) | HAS(REASON))
#define ENDED      (GIVEN_BACK | HAS(FLAKY) | HAS(DURATION) | HAS(FAILED) | HAS(DETAILS))

static const struct {
    const char *name;
    unsigned fields;
} rows[EVENT_KINDS] = {
    [EVENT_OTHER] = {"", ALL},
    [EVENT_OPENED] = {"opened", ALL},
    [EVENT_JOINED] = {"joined", ALL | HAS(WORKER) | HAS(SLOTS) | HAS(HOST) | HAS(PID)},
    [EVENT_LEFT] = {"left", ALL | HAS(WORKER)},
    [EVENT_BURIED] = {"buried", ALL | HAS(WORKER)},
    [EVENT_CLAIMED] = {"claimed", ATTEMPT},
    [EVENT_SETTLED] = {"settled", ENDED},
    [EVENT_RETRIED] = {"retried", ENDED},
    [EVENT_RELEASED] = {"released", GIVEN_BACK},
    [EVENT_LOST] = {"lost", GIVEN_BACK},
    [EVENT_CANCELLING] = {"cancelling", ALL | HAS(KIND) | HAS(REASON)},
    [EVENT_CANCELLED] = {"cancelled", ALL | HAS(TASK) | HAS(REASON)},
    [EVENT_RERUN] = {"rerun", ALL | HAS(TASK)},
    [EVENT_FINISHED] = {"finished", ALL},
    [EVENT_REPAIRED] = {"repaired", ALL},
};

static const char *const signal_names[SIGNALS] = {
    [SIGNAL_OTHER] = "",
    [SIGNAL_OPENED] = "opened",
    [SIGNAL_CANCELLED] = "cancelled",
    [SIGNAL_FINISHED] = "finished",
};

const char *event_name(enum event_kind kind)
{
    return rows[kind].name;
}

const char *event_field_name(enum event_field field)
{
    return field_names[field];
}

bool event_has(enum event_kind kind, enum event_field field)
{
    return (rows[kind].fields & 1u << field) != 0;
}

static enum event_kind parse_kind(const char *name)
{
    for (int kind = EVENT_OTHER + 1; name && kind < EVENT_KINDS; kind++)
        if (strcmp(rows[kind].name, name) == 0)
            return (enum event_kind)kind;
    return EVENT_OTHER;
}

void event_parse(struct event *event, const struct redisReply *pairs)
{
    *event = (struct event){.kind = parse_kind(redis_reply_field(pairs, field_names[EVENT_NAME]))};
    const char **fields = event->fields;
    for (int field = 0; field < EVENT_FIELDS; field++)
        if (event_has(event->kind, (enum event_field)field))
            fields[field] = redis_reply_field(pairs, field_names[field]);
    event->number = (uint64_t)bounds_number(fields[EVENT_NUMBER], INT64_MAX);
    event->at_ms = bounds_number(fields[EVENT_AT], BOUNDS_TIME_MAX_MS);
    event->attempt = (unsigned)bounds_number(fields[EVENT_ATTEMPT], BOUNDS_COUNT_MAX);
    event->result = task_result_parse(fields[EVENT_RESULT] ? fields[EVENT_RESULT] : "");
    event->is_flaky = fields[EVENT_FLAKY] && strcmp(fields[EVENT_FLAKY], "1") == 0;
    event->duration_ms = bounds_ns_to_ms(fields[EVENT_DURATION]);
    event->failed = (uint64_t)bounds_number(fields[EVENT_FAILED], BOUNDS_COUNT_MAX);
    event->cancel_kind = cancel_kind_told(fields[EVENT_KIND]);
}

enum event_signal event_signal_parse(const struct redisReply *pairs)
{
    const char *name = redis_reply_field(pairs, field_names[EVENT_NAME]);
    for (int signal = SIGNAL_OTHER + 1; name && signal < SIGNALS; signal++)
        if (strcmp(signal_names[signal], name) == 0)
            return (enum event_signal)signal;
    return SIGNAL_OTHER;
}

const char *event_signal_name(enum event_signal signal)
{
    return signal_names[signal];
}
