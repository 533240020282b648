/*
 * What the history says of a run that another one replaces: the summary that it kept when it finished or, if it never
 * finished, what is known of it. Pure.
 */
#pragma once
#include "shared/buffer.h"

/* Of the run's hash. */
enum { OLD_ID, OLD_TOTAL, OLD_SUMMARY, OLD_SOURCE, OLD_BRANCH, OLD_URL, OLD_STARTED, OLD_FIELDS };
extern const char *const replaced_run_fields[OLD_FIELDS];

/* Adds the summary as JSON. NULL: the run hasn't that field. Whatever bytes Redis has, this is JSON. */
void replaced_run_add_summary(struct buffer *out, const char *const old[OLD_FIELDS]);
