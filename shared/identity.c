#include "shared/identity.h"

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

/* The first line of a small file; "" if it can't be read. */
static void read_line(const char *path, char *text, size_t size)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, size - 1) : 0;
    text[length > 0 ? length : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

/* Of a process: field 22 of /proc/<pid>/stat and the state, field 3 (proc(5)), counted behind the name, which may
 * hold anything. start 0: there is no such process, or it isn't shown. */
struct sight {
    unsigned long long start;
    char state;
};

static struct sight look_at(long pid)
{
    char path[64], line[1024];
    struct sight sight = {0};
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    read_line(path, line, sizeof(line));
    const char *p = strrchr(line, ')');
    if (p && p[1] == ' ')
        sight.state = p[2];
    for (int field = 2; p && field < 22; field++)
        p = strchr(p + 1, ' ');
    if (p)
        sight.start = strtoull(p + 1, NULL, 10);
    return sight;
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

void identity_make(char identity[IDENTITY_SIZE])
{
    char place[IDENTITY_SIZE - 64];
    unsigned long long nonce = 0;
    uv_random(NULL, NULL, &nonce, sizeof(nonce), 0, NULL);
    make_place(place, sizeof(place));
    snprintf(identity, IDENTITY_SIZE, "%s/%d/%llu/%016llx", place, getpid(), look_at(getpid()).start, nonce);
}

enum identity_life identity_look(const char *holder)
{
    char place[IDENTITY_SIZE - 64];
    int pid;
    unsigned long long start;
    bool is_known = make_place(place, sizeof(place));
    size_t length = strlen(place);
    if (!is_known || strncmp(holder, place, length) != 0 || sscanf(holder + length, "/%d/%llu/", &pid, &start) != 2 ||
        pid <= 0)
        return IDENTITY_UNKNOWN;
    struct sight seen = look_at(pid);
    if (seen.start == 0) /* with hidepid= another user's process is there for kill(2) alone */
        return kill(pid, 0) < 0 && errno == ESRCH ? IDENTITY_DEAD : IDENTITY_UNKNOWN;
    if (start == 0)
        return IDENTITY_UNKNOWN;
    bool has_ended = seen.state == 'Z' || seen.state == 'X'; /* and nobody has asked for its status yet */
    return seen.start != start || has_ended ? IDENTITY_DEAD : IDENTITY_ALIVE;
}
