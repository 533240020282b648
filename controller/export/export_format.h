/*
 * The formats that a run is written in. A writer is given the run, each of its tasks in the order of the plan, and
 * the end; what it writes it appends to its buffer, which may be emptied in between. So a format never holds more
 * than one task, or a block of small ones, however large the run is. Pure.
 *
 *     junit.xml      Surefire's form (https://maven.apache.org/surefire/maven-surefire-plugin/xsd/surefire-test-report.xsd)
 *                    within a <testsuites>, as GitLab, Jenkins, Azure and Buildkite read it
 *     results.json   CTRF (https://ctrf.io)
 *     failed.txt     a line for each test that failed, as compilers print theirs: file:line: message
 *     report.html    the page with the run in it (export_html.h)
 */
#pragma once
#include "controller/export/export_case.h"
#include "controller/export/export_name.h"
#include "shared/buffer.h"

struct export_run {
    struct board *board; /* its texts are numbered when it is written down (text_pool.h) */
    const struct plan *plan;
    int64_t now_ms; /* Unix time */
};

struct export_writer {
    const struct export_format *format;
    const struct export_run *run; /* borrowed */
    struct buffer out;
    size_t counts[EXPORT_STATUSES]; /* of the cases so far */
    size_t tasks;
    /* Of report.html: the tasks that are not in `out` yet, the first of them, and how much output it holds. */
    struct buffer block;
    size_t block_first, log_bytes;
};

struct export_format {
    const char *type;   /* MIME */
    size_t split_bytes; /* a file that is larger goes on in another one, which is a whole one too; 0: never */
    void (*begin)(struct export_writer *writer);
    void (*task)(struct export_writer *writer, const struct export_task *task, const struct export_cases *cases);
    void (*end)(struct export_writer *writer);
};

extern const struct export_format export_formats[EXPORT_FORMATS];

/* The run must stay. To be closed. */
void export_writer_begin(struct export_writer *writer, enum export_name name, const struct export_run *run);
void export_writer_task(struct export_writer *writer, const struct export_task *task,
                        const struct export_cases *cases);
void export_writer_end(struct export_writer *writer);
void export_writer_close(struct export_writer *writer);
