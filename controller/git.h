/*
 * What git answers, asked as a program of its own and once, before the loop runs.
 *
 * It only looks: no lock, no hook, no monitor, no network, no prompt; and it is told nothing of our environment but
 * where programs and its own configuration are, since whatever it starts may be read by the user whom specs run as.
 */
#pragma once
#include <stdint.h>

#include "shared/buffer.h"
#include "shared/error.h"

/*
 * The output of `git -C <folder> <words…>`, appended; `words` ends with NULL. -1 with err: git's first line of
 * complaint, or that it isn't there, or that it was not done by `deadline_mono_ms`; then it is killed.
 */
int git_ask(const char *folder, const char *const *words, uint64_t deadline_mono_ms, struct buffer *out,
            struct error *err);
