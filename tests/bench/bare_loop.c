#include "bare_loop.h"

#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void spawn(void)
{
    static const char *const argv[] = {BARE_PROGRAM, NULL};
    pid_t pid;
    if (posix_spawn(&pid, argv[0], NULL, NULL, (char *const *)argv, environ) != 0)
        abort();
}

void bare_loop(long starts, long at_a_time)
{
    long started = 0, ended = 0;
    while (started < at_a_time && started < starts) {
        spawn();
        started++;
    }
    while (ended < starts) {
        siginfo_t info;
        if (waitid(P_PGID, 0, &info, WEXITED) < 0)
            abort();
        ended++;
        if (started < starts) {
            spawn();
            started++;
        }
    }
}
