#include "shared/record.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/bounds.h"
#include "shared/form.h"
#include "shared/json.h"
#include "shared/json_writer.h"

enum { OUTCOMES = RECORD_LOST + 1 };

static const uint64_t BYTES_MAX = UINT64_C(1) << 53; /* what a JSON number says exactly */

static const char *const outcome_names[OUTCOMES] = {
    [RECORD_PASSED] = "passed",   [RECORD_FAILED] = "failed",     [RECORD_ERROR] = "error",
    [RECORD_SKIPPED] = "skipped", [RECORD_RELEASED] = "released", [RECORD_LOST] = "lost",
};

const char *record_outcome_name(enum record_outcome outcome)
{
    return outcome_names[outcome];
}

int record_outcome_parse(const char *name)
{
    for (int i = 0; i < OUTCOMES; i++)
        if (strcmp(outcome_names[i], name) == 0)
            return i;
    return -1;
}

/* ---- writing ---- */

static void add_run(struct buffer *out, const struct record_run *run)
{
    json_add_key(out, "max_rss_bytes"), json_add_uint(out, run->max_rss_bytes);
    json_add_key(out, "cpu_ms"), json_add_uint(out, run->cpu_ms);
    json_add_key(out, "strays"), json_add_uint(out, run->strays);
    json_add_key(out, "log_bytes"), json_add_uint(out, run->log_bytes);
    json_add_key(out, "log_dropped_bytes"), json_add_uint(out, run->log_dropped_bytes);
    json_add_key(out, "unreadable_lines"), json_add_uint(out, run->unreadable_lines);
    if (run->unreadable_sample)
        json_add_key(out, "unreadable_sample"), json_add_text(out, run->unreadable_sample);
    json_add_key(out, "attachments_dropped"), json_add_uint(out, run->attachments_dropped);
    json_add_key(out, "tests_dropped"), json_add_uint(out, run->tests_dropped);
    json_add_key(out, "tests"), buffer_text(out, run->tests);
}

void record_format(const struct record *record, struct buffer *out)
{
    buffer_text(out, "{");
    json_add_key(out, "version"), json_add_uint(out, RECORD_VERSION);
    json_add_key(out, "attempt"), json_add_uint(out, record->attempt);
    json_add_key(out, "outcome"), json_add_text(out, record_outcome_name(record->outcome));
    json_add_key(out, "reason"), json_add_text(out, record->reason);
    json_add_key(out, "worker"), json_add_text(out, record->worker);
    json_add_key(out, "started_ms"), json_add_int(out, record->started_ms);
    json_add_key(out, "duration_ms"), json_add_uint(out, record->duration_ms);
    if (record->run)
        add_run(out, record->run);
    buffer_text(out, "}");
}

/* ---- reading ---- */

static uint64_t number_of(const cJSON *object, const char *name, uint64_t max)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item) || !(item->valuedouble > 0))
        return 0;
    return item->valuedouble < (double)max ? (uint64_t)item->valuedouble : max;
}

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static const char *text_or_empty(const cJSON *object, const char *name)
{
    const char *text = text_of(object, name);
    return text ? text : "";
}

static int check_version(const cJSON *tree, struct error *err)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(tree, "version");
    if (version == NULL || (cJSON_IsNumber(version) && version->valuedouble == RECORD_VERSION))
        return 0;
    return form_refuse(version, &(struct form_place){.key = "version"}, err, "%d", RECORD_VERSION);
}

static int read_outcome(struct record *record, const cJSON *tree, struct error *err)
{
    static const struct form_place place = {.key = "outcome"};
    int outcome = record_outcome_parse(text_or_empty(tree, "outcome"));
    if (outcome < 0)
        return form_refuse(cJSON_GetObjectItemCaseSensitive(tree, "outcome"), &place, err,
                           "passed, failed, error, skipped, released or lost");
    record->outcome = (enum record_outcome)outcome;
    return 0;
}

static void read_run(struct record_source *source)
{
    const cJSON *tree = source->tree;
    const cJSON *tests = cJSON_GetObjectItemCaseSensitive(tree, "tests");
    source->tests = cJSON_IsArray(tests) ? cJSON_PrintUnformatted(tests) : NULL;
    source->run = (struct record_run){
        .max_rss_bytes = number_of(tree, "max_rss_bytes", BYTES_MAX),
        .cpu_ms = number_of(tree, "cpu_ms", BOUNDS_DURATION_MAX_MS),
        .strays = number_of(tree, "strays", BOUNDS_COUNT_MAX),
        .log_bytes = number_of(tree, "log_bytes", BYTES_MAX),
        .log_dropped_bytes = number_of(tree, "log_dropped_bytes", BYTES_MAX),
        .unreadable_lines = number_of(tree, "unreadable_lines", BOUNDS_COUNT_MAX),
        .unreadable_sample = text_of(tree, "unreadable_sample"),
        .attachments_dropped = number_of(tree, "attachments_dropped", BOUNDS_COUNT_MAX),
        .tests_dropped = number_of(tree, "tests_dropped", BOUNDS_COUNT_MAX),
        .tests = source->tests ? source->tests : "[]",
    };
    source->record.run = &source->run;
}

static int read_record(struct record_source *source, struct error *err)
{
    const cJSON *tree = source->tree;
    struct record *record = &source->record;
    if (!cJSON_IsObject(tree))
        return form_refuse(tree, NULL, err, "an object");
    if (check_version(tree, err) < 0 || read_outcome(record, tree, err) < 0)
        return -1;
    record->attempt = (unsigned)number_of(tree, "attempt", BOUNDS_COUNT_MAX);
    record->reason = text_or_empty(tree, "reason");
    record->worker = text_or_empty(tree, "worker");
    record->started_ms = (int64_t)number_of(tree, "started_ms", BOUNDS_TIME_MAX_MS);
    record->duration_ms = number_of(tree, "duration_ms", BOUNDS_DURATION_MAX_MS);
    if (record->outcome <= RECORD_SKIPPED)
        read_run(source);
    return 0;
}

int record_parse(struct record_source *source, const char *bytes, size_t length, struct error *err)
{
    *source = (struct record_source){0};
    if (json_parse(&source->tree, bytes, length, err) == 0 && read_record(source, err) == 0)
        return 0;
    record_close(source);
    return error_wrap(err, "record");
}

void record_close(struct record_source *source)
{
    cJSON_Delete(source->tree);
    free(source->tests);
    *source = (struct record_source){0};
}
