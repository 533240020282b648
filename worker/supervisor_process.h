/*
 * The supervisor's own process: what runs after the fork, and what it and the worker say to each other.
 *
 *     worker -> supervisor   struct supervisor_order; the end of the stream: kill everything and exit
 *     supervisor -> worker   struct runner_end, once for each SUPERVISOR_RUN
 *
 * It has one thread, no loop, and descriptors 0 to 3. Being small makes it fast at starting programs, and as its
 * standard streams and working directory are the runner's, posix_spawn() has nothing to arrange.
 */
#pragma once
#include <stdint.h>
#include <stdnoreturn.h>

enum supervisor_order_kind { SUPERVISOR_RUN, SUPERVISOR_TERMINATE, SUPERVISOR_KILL };

/* One message of a SOCK_SEQPACKET socket. RUN: behind it stand cwd, argv and env, as texts that end with a zero. */
struct supervisor_order {
    uint32_t kind; /* enum supervisor_order_kind */
    uint32_t argc;
    uint32_t envc;
};

enum { SUPERVISOR_ORDER_MAX = 128 * 1024 }; /* bytes of one message, below any default socket buffer */

enum { SUPERVISOR_SWEEP_MS = 10 * 1000 }; /* how long killing may take before what is left counts as survivors */

/* To be called in a forked child whose signals are all blocked; `socket` is its end, `output` the runners' pipe. */
noreturn void supervisor_process_main(int socket, int output);
