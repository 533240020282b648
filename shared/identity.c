#include "controller/identity.h"

#include <fcntl.h>
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

/* Field 22 of /proc/<pid>/stat (proc(5)), counted behind the name, which may hold anything; 0: no such process. */
static unsigned long long start_time(long pid)
{
    char path[64], line[1024];
    unsigned long long start = 0;
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    read_line(path, line, sizeof(line));
    const char *p = strrchr(line, ')');
    for (int field = 2; p && field < 22; field++)
        p = strchr(p + 1, ' ');
    if (p)
        start = strtoull(p + 1, NULL, 10);
    return start;
}

/* What all processes here have in common. */
static void make_place(char *place, size_t size)
{
    char host[65] = "", boot[64];
    struct stat namespace = {0};
    gethostname(host, sizeof(host) - 1);
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
    stat("/proc/self/ns/pid", &namespace);
    snprintf(place, size, "%s/%s/%llu", host, boot, (unsigned long long)namespace.st_ino);
}

void identity_make(char identity[IDENTITY_SIZE])
{
    char place[IDENTITY_SIZE - 64];
    unsigned long long nonce = 0;
    uv_random(NULL, NULL, &nonce, sizeof(nonce), 0, NULL);
    make_place(place, sizeof(place));
    snprintf(identity, IDENTITY_SIZE, "%s/%d/%llu/%016llx", place, getpid(), start_time(getpid()), nonce);
}

bool identity_is_dead(const char *holder)
{
    char place[IDENTITY_SIZE - 64];
    long pid;
    unsigned long long start;
    make_place(place, sizeof(place));
    size_t length = strlen(place);
    if (strncmp(holder, place, length) != 0 || sscanf(holder + length, "/%ld/%llu/", &pid, &start) != 2)
        return false;
    return start_time(pid) != start;
}
