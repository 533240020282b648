/*
 * A process that must not outlive the controller: the embedded Redis, the workers on this machine.
 *
 * It is started in a session of its own (a Ctrl-C of the terminal is ours to pass on), and learns when we die,
 * however we die: the kernel sends it SIGTERM; or, when it has a line, SIGCONT, so that it sees the line's end even
 * if somebody had stopped it.
 *
 * The line is a socket of whole messages, as its standard input. Unlike an environment or a pipe, nobody but its two
 * ends can open it, so it may hold secrets before the other end has closed itself to others (shared/secrecy.h).
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#include "shared/error.h"

struct child_end {
    pid_t pid;
    int status;      /* as a shell says it: the exit status, or 128 + signal */
    bool has_spoken; /* it said something on its line */
};

struct child {
    pid_t pid; /* 0: not running */
    int pidfd;
    int line;           /* our end of it; -1: none */
    struct child *next; /* of all that run */
    uv_poll_t poll;
    void (*on_exit)(void *data, const struct child_end *end);
    void *data;
};

struct child_command {
    const char *const *argv; /* ends with NULL; argv[0] is looked up in PATH */
    const char *const *env;  /* "NAME=value" on top of ours, "NAME": without that one; ends with NULL; NULL: none */
    const char *input;       /* what it reads from standard input (at most 32 KiB); NULL: /dev/null */
    const char *const *line; /* instead of `input`: a line that holds these messages; ends with NULL; NULL: no line */
    int output;              /* where standard output and error go; -1: ours */
};

/* Zeroed `child`. 0, and on_exit comes exactly once; or -1 (no such program), and it never does. */
int child_start(struct child *child, uv_loop_t *loop, const struct child_command *command,
                void (*on_exit)(void *data, const struct child_end *end), void *data, struct error *err);

/* Does nothing when it isn't running. A stopped child is continued, so that it gets the signal. */
void child_signal(struct child *child, int number);

/*
 * Continues it if somebody has stopped it. One that runs gets no signal: who is at its end may be looked at by a
 * debugger or a leak checker, which stops its threads one by one and would wait for ever for what SIGCONT takes back.
 */
void child_wake(struct child *child);

/* Whether a process was started here, and isn't reaped yet. */
bool child_is_ours(pid_t pid);
