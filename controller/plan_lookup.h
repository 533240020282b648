/*
 * A task's key and back: plan_key() and plan_find() of plan.h, and what plan_find() needs. Group names are unique
 * from here on, so a key stands for one task.
 */
#pragma once
#include "shared/error.h"

struct plan;

/* Puts the groups in the order of their names. 0, or -1 with ERROR_CONFIG: two groups have one name. */
int plan_lookup_build(struct plan *plan, struct error *err);
