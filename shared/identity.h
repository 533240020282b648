/*
 * Who holds the controller's lease, in words that tell another process on the same machine whether the holder still
 * lives.
 *
 *     <host>/<boot id>/<pid namespace>/<pid>/<start time of the pid>/<nonce>
 *
 * A controller that was killed and started again need not wait for its own lease to run out.
 */
#pragma once
#include <stdbool.h>

enum { IDENTITY_SIZE = 256 };

void identity_make(char identity[IDENTITY_SIZE]);

/* Whether `holder` was a process here that has ended. false when that can't be known. */
bool identity_is_dead(const char *holder);
