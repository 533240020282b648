/*
 * Who holds a lease, in words that tell another process on the same machine whether the holder still lives.
 *
 *     <host>/<boot id>/<pid namespace>.<time namespace>/<pid>/<start time of the pid>/<nonce>
 *
 * So a program that was killed and started again need not wait for its own old lease to run out.
 */
#pragma once

enum { LEASE_HOLDER_SIZE = 256 };

enum lease_holder_life {
    LEASE_HOLDER_UNKNOWN, /* on another machine, or the system doesn't tell */
    LEASE_HOLDER_ALIVE,
    LEASE_HOLDER_DEAD,
};

void lease_holder_make(char identity[LEASE_HOLDER_SIZE]);

/* `holder` is any text. DEAD only with a proof: where /proc hides others' processes one that isn't shown may live. */
enum lease_holder_life lease_holder_look(const char *holder);
