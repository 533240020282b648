#include "controller/run_record.h"

#include <string.h>

#include "shared/bounds.h"
#include "shared/redis_reply.h"

enum { SLOTS_MAX = 1000 }; /* as FUNKYTOWN_SLOTS */

enum {
    RUN_STATE,
    RUN_STARTED,
    RUN_FINISHED,
    RUN_REOPENED,
    RUN_IDLE,
    RUN_CANCEL,
    RUN_CANCEL_KIND,
    RUN_RERUNS,
    RUN_FAILED,
    RUN_SOURCE,
    RUN_BRANCH,
    RUN_URL,
    RUN_ID
};

const char *const run_record_fields[RUN_RECORD_FIELDS] = {
    [RUN_STATE] = "state",
    [RUN_STARTED] = "started_ms",
    [RUN_FINISHED] = "finished_ms",
    [RUN_REOPENED] = "reopened_ms",
    [RUN_IDLE] = "idle_ms",
    [RUN_CANCEL] = "cancel",
    [RUN_CANCEL_KIND] = "cancel_kind",
    [RUN_RERUNS] = "reruns",
    [RUN_FAILED] = "failed",
    [RUN_SOURCE] = "source",
    [RUN_BRANCH] = "branch",
    [RUN_URL] = "source_url",
    [RUN_ID] = "id",
};

static const char *text_or_null(const char *text)
{
    return text && *text ? text : NULL;
}

const char *run_record_from_hash(struct board_run *run, const struct redisReply *hash)
{
    const char *fields[RUN_RECORD_FIELDS];
    for (size_t i = 0; i < RUN_RECORD_FIELDS; i++)
        fields[i] = redis_reply_text(redis_reply_at(hash, i));
    bool is_finished = fields[RUN_STATE] && strcmp(fields[RUN_STATE], "finished") == 0;
    *run = (struct board_run){
        .state = is_finished ? BOARD_RUN_FINISHED : BOARD_RUN_RUNNING,
        .started_ms = bounds_number(fields[RUN_STARTED], BOUNDS_TIME_MAX_MS),
        .finished_ms = is_finished ? bounds_number(fields[RUN_FINISHED], BOUNDS_TIME_MAX_MS) : 0,
        .reopened_ms = bounds_number(fields[RUN_REOPENED], BOUNDS_TIME_MAX_MS),
        .idle_ms = bounds_number(fields[RUN_IDLE], BOUNDS_TIME_MAX_MS),
        .reruns = bounds_number(fields[RUN_RERUNS], BOUNDS_COUNT_MAX),
        .failed = (size_t)bounds_number(fields[RUN_FAILED], BOUNDS_COUNT_MAX),
        .source = text_or_null(fields[RUN_SOURCE]),
        .branch = text_or_null(fields[RUN_BRANCH]),
        .url = text_or_null(fields[RUN_URL]),
    };
    const char *cancel = fields[RUN_CANCEL] ? fields[RUN_CANCEL] : "";
    if (*cancel)
        run->cancel_kind = cancel_kind_told(fields[RUN_CANCEL_KIND]);
    return cancel;
}

const char *run_record_id(const struct redisReply *hash)
{
    const char *id = redis_reply_text(redis_reply_at(hash, RUN_ID));
    return id ? id : "";
}

unsigned run_record_slots(const char *text)
{
    int64_t slots = bounds_number(text, BOUNDS_COUNT_MAX);
    return slots < 1 || slots > SLOTS_MAX ? 1 : (unsigned)slots;
}
