/*
 * The controller that started this worker (--workers), at the other end of a line (controller/child.h): secrets come
 * through it, and it is told that the worker has come up. The line ends when the controller dies.
 *
 *     controller -> worker   "NAME=value", one message for each secret; then an empty one
 *     worker -> controller   one byte: it has joined a run
 *
 * The descriptor's number is in FUNKYTOWN_CONTROLLER_FD. A worker that was started by somebody else has none.
 */
#pragma once
#include <stdbool.h>

#include "shared/error.h"
#include "shared/options.h"

enum { PARENT_SECRETS_MAX = 8 };

struct parent {
    int line; /* -1: no such parent */
    char *secrets[PARENT_SECRETS_MAX + 1];
};

/*
 * Takes the secrets into `options`, which borrow them until closed. Called after secrecy_begin(), and before
 * anything is forked: runners must not find the variable. 0, or -1 with ERROR_CONFIG.
 */
int parent_open(struct parent *parent, struct options *options, struct error *err);

void parent_tell_joined(const struct parent *parent);

/* The line is readable: whether that was its end. */
bool parent_has_gone(const struct parent *parent);

void parent_close(struct parent *parent);
