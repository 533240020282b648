/*
 * Specs run as the same user as our own processes. So these close their memory and environment, where passwords
 * are, to everybody else: then /proc/<pid>/environ, mem, fd and ptrace() are root's alone. The price: there are
 * no core files.
 */
#pragma once

/* At the start of the process. What it forks inherits it, what it starts (exec) doesn't. */
void secrecy_begin(void);
