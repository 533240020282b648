/*
 * What is tested: the identity that a run has besides its plan, so that no result of other code is carried over.
 *
 *     FUNKYTOWN_SOURCE, as it is
 *     the CI's own commit variable, as it is
 *     "<commit>", or "<commit>+<hash>" of what differs from it     where SPEC_ROOT is in a work tree of git
 *     "specs:<hash>" of the plan's spec files                      where at least one of them can be seen
 *     ""                                                           nothing can be seen
 *
 * What a run itself writes never changes it (work_tree.h). Files are hashed by their contents: the
 * plan's specs and, in the order of their paths, other files up to 10,000 and 64 MiB in all. What is beyond that, and
 * any single file of more than 64 MiB, counts by its size and time.
 */
#pragma once
#include <stdbool.h>

#include "controller/plan.h"
#include "shared/options.h"

enum source_kind { SOURCE_NONE, SOURCE_TOLD, SOURCE_CI, SOURCE_GIT, SOURCE_SPECS };
enum { SOURCE_ID_SIZE = 160, SOURCE_BRANCH_SIZE = 256, SOURCE_URL_SIZE = 1024 };

struct source {
    enum source_kind kind;
    char id[SOURCE_ID_SIZE];
    char branch[SOURCE_BRANCH_SIZE]; /* "": unknown */
    char url[SOURCE_URL_SIZE];       /* of the CI's job, "": none */
};

/* Asks the environment, git and the files; to be called before the loop runs. Says in the log why git was no help. */
void source_find(struct source *source, const struct options *options, const struct plan *plan);

/* Whether a text is a link that people may be given to click: http or https, with a host, and nobody's password. */
bool source_is_link(const char *text);

/* An id for people: hashes cut to ten digits, "none" for "". Valid until the next four calls. */
const char *source_shown(const char *id);
