/*
 * What GitHub is told of a run: annotations at the lines that failed, and a summary of the step in Markdown. Pure.
 *
 * No formats of export_format.h: those are files of a folder, made of every attempt's record. These two are bounded and
 * must come even if no file could be written, so the failures that the board has, as the page shows them, are what they are
 * made of, and their causes.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "controller/export/export_format.h"

/* Absolute paths without a link in them; NULL: unknown, then files are said to be where they were told to be. */
struct export_github_place {
    const char *spec_root, *repository;
};

enum {
    EXPORT_GITHUB_ANNOTATIONS = 10,           /* of a step GitHub shows no more */
    EXPORT_GITHUB_SUMMARY_BYTES = 900 * 1024, /* of a step; GitHub drops what is larger than 1 MiB */
};

/* "::error file=e2e/a.ts,line=12,title=…::…" for each of the first causes; no text of a spec ends its line or its part. */
void export_github_add_annotations(struct buffer *out, const struct export_run *run,
                                   const struct export_github_place *place);

/* At most `room` bytes: what doesn't fit is counted. Without room for anything nothing. */
void export_github_add_summary(struct buffer *out, const struct export_run *run, size_t room);

/* The file's path in the repository. false: it is none of it, and nothing was appended. */
bool export_github_add_path(struct buffer *out, const struct export_github_place *place, const char *file);
