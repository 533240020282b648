/*
 * A process that must not outlive the controller: the embedded Redis, the workers on this machine.
 *
 * It is started in a session of its own (a Ctrl-C of the terminal is ours to pass on) and the kernel sends it SIGTERM
 * when we die, however we die.
 */
#pragma once
#include <sys/types.h>
#include <uv.h>

#include "shared/error.h"

struct child {
    pid_t pid; /* 0: not running */
    int pidfd;
    uv_poll_t poll;
    void (*on_exit)(void *data, int status); /* as a shell says it: the exit status, or 128 + signal */
    void *data;
};

struct child_command {
    const char *const *argv; /* ends with NULL; argv[0] is looked up in PATH */
    const char *const *env;  /* "NAME=value" on top of ours, "NAME": not that one; ends with NULL; NULL: none */
    const char *input;       /* what it reads from standard input (at most 32 KiB); NULL: /dev/null */
    int output;              /* where standard output and error go; -1: ours */
};

/* Zeroed `child`. 0, and on_exit comes exactly once; or -1 (no such program), and it never does. */
int child_start(struct child *child, uv_loop_t *loop, const struct child_command *command,
                void (*on_exit)(void *data, int status), void *data, struct error *err);

void child_signal(struct child *child, int number); /* does nothing when it isn't running */
