/* What the kernel tells of a process in /proc/<pid>/stat, see proc(5). */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct proc_stat {
    char state;                     /* 'Z', 'X': it has ended */
    unsigned long long start_ticks; /* after the machine's start, in sysconf(_SC_CLK_TCK) a second */
    unsigned long long resident_pages;
};

/* Zeroes and false: there is no such process, or it isn't shown to us. */
bool proc_stat_read(pid_t pid, struct proc_stat *stat);
