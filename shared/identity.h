/*
 * Who holds a lease, in words that tell another process on the same machine whether the holder still lives.
 *
 *     <host>/<boot id>/<pid namespace>.<time namespace>/<pid>/<start time of the pid>/<nonce>
 *
 * Who was killed and started again need not wait for its own lease to run out.
 */
#pragma once

enum { IDENTITY_SIZE = 256 };

enum identity_life {
    IDENTITY_UNKNOWN, /* on another machine, or the system doesn't tell */
    IDENTITY_ALIVE,
    IDENTITY_DEAD,
};

void identity_make(char identity[IDENTITY_SIZE]);

/* `holder` is any text. DEAD only with a proof: where /proc hides others' processes one that isn't shown may live. */
enum identity_life identity_look(const char *holder);
