/*
 * Whether two plans are the same: a number over all that a plan says, in its order. Two controllers that read equal
 * maps get equal digests, on any machine. It guards against mistakes, not malice.
 */
#pragma once
#include <stdint.h>

struct plan;

uint64_t plan_digest(const struct plan *plan);
