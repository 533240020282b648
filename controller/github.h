/*
 * A step of GitHub Actions (GITHUB_ACTIONS=true): its runner obeys commands in what we print, and specs have a say in
 * that. So all that is printed stands between a `::stop-commands::` and its end, whose token nobody knows beforehand, but
 * for the commands of our own. Elsewhere all of this does nothing.
 */
#pragma once
#include <stdbool.h>

#include "controller/export/export_format.h"
#include "shared/options.h"

enum { GITHUB_TOKEN_SIZE = 33 };

struct github {
    char token[GITHUB_TOKEN_SIZE]; /* "": we are elsewhere */
};

/* Before anything untrusted is printed, and after all of it. */
void github_open(struct github *github);
void github_close(struct github *github);

/* How the run ended: annotations, and the step's summary in the file that GITHUB_STEP_SUMMARY names. */
void github_tell(const struct github *github, const struct options *options, const struct export_run *run);
