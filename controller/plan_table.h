/* A plan as a table for people: what --dry-run prints. */
#pragma once
#include "controller/plan.h"
#include "shared/buffer.h"

/* Appended: a row for each task, then one for each exclusion with its reason, then a line of counts. Nothing in it is a
 * control character but line feeds. */
void plan_table_format(const struct plan *plan, struct buffer *out);
