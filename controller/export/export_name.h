/* The names of a run's files, for those who write them and those who must tell them from other people's. Pure. */
#pragma once
#include <stdbool.h>

#include "shared/buffer.h"

enum export_name { EXPORT_JUNIT, EXPORT_RESULTS, EXPORT_FAILED_LIST, EXPORT_HTML, EXPORT_FORMATS };

/* "junit.xml", … */
const char *export_name_of(enum export_name name);

/* What stands behind the name of a file that isn't whole. */
#define EXPORT_UNFINISHED ".part"

/* "junit.xml", "junit-2.xml": part 1, part 2. */
void export_name_add(struct buffer *out, enum export_name name, unsigned part);

/* Whether a file is one of these, finished or not. */
bool export_name_is_ours(const char *file);
