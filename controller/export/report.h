/*
 * The files that outlive a run: every format of it (export_format.h), in one folder. They are written beside their
 * names and renamed together when all are whole, so that whoever looks finds the last run's or this run's.
 *
 *     idle ──write──► writing ──► on_written(NULL)
 *                        ├──────► on_written(why): nothing was changed
 *                        └─stop─► idle, nobody is told, and nothing was changed
 *
 * Writing to files blocks the loop, for as long as the system takes to copy a few hundred kilobytes into its cache;
 * in between the loop turns.
 */
#pragma once
#include <limits.h>

#include "controller/export/export_format.h"
#include "controller/export/export_walk.h"
#include "shared/error.h"
#include "shared/options.h"

/* A file that grows while the run is read. */
struct report_file {
    int fd;         /* -1: closed */
    unsigned parts; /* junit.xml is 1, junit-2.xml is 2 */
    size_t bytes;   /* of this part */
};

struct report {
    char folder[PATH_MAX]; /* where the files of the last write are; "": there was none */
    struct export_run run;
    struct export_walk walk;
    struct export_writer writers[EXPORT_FORMATS];
    struct report_file files[EXPORT_FORMATS];
    struct error err; /* the first thing that went wrong; no text: nothing */
    bool is_writing, is_latest;
    void (*on_written)(void *data, const struct error *why);
    void *data;
};

/* Makes FUNKYTOWN_REPORT_DIR if that was given. 0, or -1 with ERROR_CONFIG. */
int report_check(const struct options *options, struct error *err);

/* Everything is borrowed until on_written or report_stop(). It may come before this returns. */
void report_write(struct report *report, const struct options *options, struct ledger *ledger,
                  const struct plan *plan, struct board *board,
                  void (*on_written)(void *data, const struct error *why), void *data);
void report_stop(struct report *report);

/* The path of report.html as the last write has it; the caller frees it. */
char *report_page_path(const struct report *report);
