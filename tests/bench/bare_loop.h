/*
 * The baseline of the benchmarks: a posix_spawn() loop that starts a program which does nothing, so many at a time,
 * and waits for each. Nothing that starts a process for a task can be quicker.
 */
#pragma once

#define BARE_PROGRAM "/bin/true"

/* Aborts when a process can't be started. Waits for children of the caller's own process group only. */
void bare_loop(long starts, long at_a_time);
