/*
 * The record of an attempt: one JSON object, as it lies in `funkytown:attempts:<task>` and goes to the page.
 * ARCHITECTURE.md shows it. Whoever runs attempts writes it with record_format(), whoever looks at them later reads
 * it with record_parse(); for an attempt that nobody reports a script writes it (lost_record of lua/prelude.lua),
 * and a test reads that with record_parse() too. Pure.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "shared/buffer.h"
#include "shared/error.h"

/* Counts up when a member changes its meaning or goes; members that are added leave it as it is. */
enum { RECORD_VERSION = 1 };

enum record_outcome { RECORD_PASSED, RECORD_FAILED, RECORD_ERROR, RECORD_SKIPPED, RECORD_RELEASED, RECORD_LOST };

/* What the runner and its tests came to; not of an attempt that was handed back or lost. */
struct record_run {
    uint64_t max_rss_bytes; /* of the largest process */
    uint64_t cpu_ms;
    uint64_t strays; /* processes that the runner left behind */
    uint64_t log_bytes, log_dropped_bytes;
    uint64_t unreadable_lines;     /* of its events */
    const char *unreadable_sample; /* the first of them; NULL: none */
    uint64_t attachments_dropped, tests_dropped;
    const char *tests; /* JSON: the list of ARCHITECTURE.md */
};

struct record {
    unsigned attempt; /* from 1 */
    enum record_outcome outcome;
    const char *reason, *worker;
    int64_t started_ms; /* Unix time */
    uint64_t duration_ms;
    const struct record_run *run; /* NULL: it was released or lost */
};

/* Appends the record. Its texts are valid UTF-8. */
void record_format(const struct record *record, struct buffer *out);

/* A record that was read, and what its texts borrow from. */
struct record_source {
    struct record record;
    struct record_run run;
    struct cJSON *tree; /* owned */
    char *tests;        /* owned */
};

/*
 * 0, to be closed; or -1 with ERROR_CONFIG, "record: outcome: found X, wanted Y", and there is nothing to close.
 * Members that aren't known are skipped; one that is missing is 0, "" or an empty list, but for the outcome. Numbers
 * are kept between bounds (bounds.h). A record without a version is of version 1.
 */
int record_parse(struct record_source *source, const char *bytes, size_t length, struct error *err);
void record_close(struct record_source *source);

/* "passed", … -1: no such word. */
const char *record_outcome_name(enum record_outcome outcome);
int record_outcome_parse(const char *name);
