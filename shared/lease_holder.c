#include "shared/lease_holder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "shared/memory.h"
#include "shared/proc_stat.h"

/* The first line of a small file; "" if it can't be read. */
static void read_line(const char *path, char *text, size_t size)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, size - 1) : 0;
    text[length > 0 ? length : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

static unsigned long long namespace(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (unsigned long long)info.st_ino : 0;
}

/* What all processes have in common whose pids and start times mean the same; whether that is known. */
static bool make_place(char *place, size_t size)
{
    char host[65] = "", boot[64];
    unsigned long long pids = namespace("/proc/self/ns/pid");
    gethostname(host, sizeof(host) - 1);
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
    snprintf(place, size, "%s/%s/%llu.%llu", host, boot, pids, namespace("/proc/self/ns/time"));
    return boot[0] && pids > 0;
}

void lease_holder_make(char identity[LEASE_HOLDER_SIZE])
{
    char place[LEASE_HOLDER_SIZE - 64];
    unsigned long long nonce = 0;
    struct proc_stat self;
    proc_stat_read(getpid(), &self);
    uv_random(NULL, NULL, &nonce, sizeof(nonce), 0, NULL);
    make_place(place, sizeof(place));
    snprintf(identity, LEASE_HOLDER_SIZE, "%s/%d/%llu/%016llx", place, getpid(), self.start_ticks, nonce);
}

enum lease_holder_life lease_holder_look(const char *holder)
{
    char place[LEASE_HOLDER_SIZE - 64];
    int pid;
    unsigned long long start;
    bool is_known = make_place(place, sizeof(place));
    size_t length = strlen(place);
    if (!is_known || strncmp(holder, place, length) != 0 || sscanf(holder + length, "/%d/%llu/", &pid, &start) != 2 ||
        pid <= 0)
        return LEASE_HOLDER_UNKNOWN;
    struct proc_stat seen;
    if (!proc_stat_read(pid, &seen)) /* with hidepid= another user's process is there for kill(2) alone */
        return kill(pid, 0) < 0 && errno == ESRCH ? LEASE_HOLDER_DEAD : LEASE_HOLDER_UNKNOWN;
    if (start == 0)
        return LEASE_HOLDER_UNKNOWN;
    bool has_ended = seen.state == 'Z' || seen.state == 'X'; /* and nobody has asked for its status yet */
    return seen.start_ticks != start || has_ended ? LEASE_HOLDER_DEAD : LEASE_HOLDER_ALIVE;
}
