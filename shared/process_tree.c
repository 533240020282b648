#include "shared/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "shared/memory.h"

static void append(struct process_list *list, pid_t pid)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->pids = memory_resize(list->pids, list->capacity, sizeof(*list->pids));
    }
    list->pids[list->count++] = pid;
}

/* The file holds pids in decimal, each followed by a space. */
static void append_from(int fd, struct process_list *list)
{
    char bytes[4096];
    ssize_t length;
    pid_t pid = 0;
    while ((length = read(fd, bytes, sizeof(bytes))) > 0) {
        for (ssize_t i = 0; i < length; i++) {
            if (bytes[i] >= '0' && bytes[i] <= '9') {
                pid = pid * 10 + (bytes[i] - '0');
            } else if (pid > 0) {
                append(list, pid);
                pid = 0;
            }
        }
    }
}

void process_tree_children(pid_t pid, struct process_list *list)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return;
    for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
        char name[300];
        snprintf(name, sizeof(name), "%s/children", thread->d_name);
        auto_close int fd = thread->d_name[0] == '.' ? -1 : openat(dirfd(threads), name, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
            append_from(fd, list);
    }
    closedir(threads);
}

void process_tree_signal(struct process_list *list, int signal)
{
    for (size_t i = 0; i < list->count; i++) {
        kill(list->pids[i], signal);
        process_tree_children(list->pids[i], list);
    }
}

void process_tree_kill(const struct process_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        pid_t group = getpgid(list->pids[i]);
        if (group > 0 && group != getpgrp())
            kill(-group, SIGKILL);
        kill(list->pids[i], SIGKILL);
    }
}

void process_list_close(struct process_list *list)
{
    free(list->pids);
    *list = (struct process_list){0};
}
