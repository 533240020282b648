/*
 * Why not child.c: that is for processes of the loop, and these are asked before there is one. Both outputs are read
 * as they come, since a program that is not read stands still.
 */
#include "shared/asking.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/memory.h"

enum { READ_SIZE = 65536, OUTPUT_LIMIT = 256 << 20 };

/* Pipes: [0] is read, [1] written. */
struct pipes {
    int input[2], output[2], complaint[2]; /* -1: closed */
};

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pipes(struct pipes *p)
{
    int *const ends[] = {p->input, p->output, p->complaint};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        close_end(&ends[i][0]);
        close_end(&ends[i][1]);
    }
}

static int open_pipes(struct pipes *p, struct error *err)
{
    *p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
    if (pipe2(p->input, O_CLOEXEC) == 0 && pipe2(p->output, O_CLOEXEC) == 0 && pipe2(p->complaint, O_CLOEXEC) == 0)
        return 0;
    return error_errno(err, errno, "pipe");
}

static int spawn(pid_t *pid, const struct asking *asking, const struct pipes *p)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    if (asking->watches_us)
        posix_spawn_file_actions_adddup2(&files, p->input[0], STDIN_FILENO);
    else
        posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, p->output[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, p->complaint[1], STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &pipe_signal);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    char *const *argv = (char *const *)(uintptr_t)asking->argv;
    int failed = posix_spawnp(pid, argv[0], &files, &attributes, argv, asking->env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

/* What there is; its end closes ours. */
static void take_part(int *fd, struct buffer *into)
{
    char *room = buffer_reserve(into, READ_SIZE);
    ssize_t length = read(*fd, room, READ_SIZE);
    if (length > 0)
        buffer_added(into, (size_t)length);
    else if (length == 0 || errno != EINTR)
        close_end(fd);
}

/* Until both have ended; false: they haven't by the deadline, or there is no end to it. */
static bool listen_to(const struct asking *asking, struct pipes *p)
{
    while (p->output[0] >= 0 || p->complaint[0] >= 0) {
        struct pollfd wanted[] = {{p->output[0], POLLIN, 0}, {p->complaint[0], POLLIN, 0}};
        uint64_t now = clock_mono_ms();
        if (now >= asking->deadline_mono_ms || asking->output->length > OUTPUT_LIMIT ||
            asking->complaint->length > OUTPUT_LIMIT)
            return false;
        if (poll(wanted, 2, (int)(asking->deadline_mono_ms - now)) <= 0)
            continue;
        if (wanted[0].revents)
            take_part(&p->output[0], asking->output);
        if (wanted[1].revents)
            take_part(&p->complaint[0], asking->complaint);
    }
    return true;
}

static int wait_for(pid_t pid, bool has_ended, const char *name, int *status, struct error *err)
{
    if (!has_ended)
        kill(-pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        continue;
    return has_ended ? 0 : error_set(err, ERROR_SYSTEM, "%s didn't end in time", name);
}

int asking_run(const struct asking *asking, int *status, struct error *err)
{
    struct pipes p;
    pid_t pid;
    int result = open_pipes(&p, err);
    if (result == 0) {
        int failed = spawn(&pid, asking, &p);
        close_end(&p.input[0]);
        close_end(&p.output[1]);
        close_end(&p.complaint[1]);
        result = failed ? error_errno(err, failed, "%s", asking->argv[0])
                        : wait_for(pid, listen_to(asking, &p), asking->argv[0], status, err);
    }
    if (result == 0 && asking->line)
        *asking->line = p.input[1], p.input[1] = -1;
    close_pipes(&p);
    return result;
}

static bool is_among(const char *variable, const char *const *names)
{
    size_t length = strcspn(variable, "=");
    for (; *names; names++)
        if (strlen(*names) == length && strncmp(*names, variable, length) == 0)
            return true;
    return false;
}

char **asking_environment_without(const char *const *names)
{
    size_t total = 0, count = 0;
    while (environ[total])
        total++;
    char **all = memory_zeroed(total + 1, sizeof(*all));
    for (size_t i = 0; i < total; i++)
        if (!is_among(environ[i], names))
            all[count++] = memory_text(environ[i]);
    return all;
}

void asking_free_environment(char **environment)
{
    for (char **v = environment; *v; v++)
        free(*v);
    free(environment);
}
