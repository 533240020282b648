#include "controller/git.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/memory.h"

enum { WORDS = 32, READ_SIZE = 65536, OUTPUT_LIMIT = 256 << 20 };

/* Output and complaints, each through a pipe of its own. */
struct asking {
    pid_t pid;
    int out, complaints; /* -1: ended */
    struct buffer *output;
    struct buffer complaint;
};

/* ---- starting ---- */

static const char *const fixed_words[] = {
    "git", "--no-pager",          "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c",  "protocol.allow=never"};
static const char *const fixed_variables[] = {"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0",
                                              "GIT_NO_LAZY_FETCH=1"};
static const char *const passed_variables[] = {"PATH",
                                               "HOME",
                                               "XDG_CONFIG_HOME",
                                               "TMPDIR",
                                               "GIT_CONFIG_GLOBAL",
                                               "GIT_CONFIG_SYSTEM",
                                               "GIT_CONFIG_NOSYSTEM",
                                               "GIT_CEILING_DIRECTORIES",
                                               "GIT_DISCOVERY_ACROSS_FILESYSTEM"};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void make_words(const char *folder, const char *const *words, const char *all[WORDS + 1])
{
    size_t count = COUNT(fixed_words);
    memcpy(all, fixed_words, sizeof(fixed_words));
    all[count++] = "-C";
    all[count++] = folder;
    for (; *words && count < WORDS; words++)
        all[count++] = *words;
    all[count] = NULL;
}

static char **make_environment(void)
{
    char **all = memory_zeroed(COUNT(fixed_variables) + COUNT(passed_variables) + 1, sizeof(*all));
    size_t count = 0;
    for (size_t i = 0; i < COUNT(fixed_variables); i++)
        all[count++] = memory_text(fixed_variables[i]);
    for (size_t i = 0; i < COUNT(passed_variables); i++) {
        const char *value = getenv(passed_variables[i]);
        if (value)
            all[count++] = memory_format("%s=%s", passed_variables[i], value);
    }
    return all;
}

static void free_environment(char **all)
{
    for (char **v = all; *v; v++)
        free(*v);
    free(all);
}

/* A group of its own: what git starts, a filter for instance, can be killed with it. */
static int spawn(pid_t *pid, int output, int complaints, const char *const *words)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t pipe_signal;
    char **environment = make_environment();
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, complaints, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &pipe_signal);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    int failed = posix_spawnp(pid, "git", &files, &attributes, (char *const *)(uintptr_t)words, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    free_environment(environment);
    return failed;
}

static int start(struct asking *a, const char *const *words, struct error *err)
{
    int out[2], complaints[2];
    if (pipe2(out, O_CLOEXEC) < 0)
        return error_errno(err, errno, "pipe");
    if (pipe2(complaints, O_CLOEXEC) < 0) {
        int failed = errno;
        close(out[0]);
        close(out[1]);
        return error_errno(err, failed, "pipe");
    }
    int failed = spawn(&a->pid, out[1], complaints[1], words);
    close(out[1]);
    close(complaints[1]);
    a->out = out[0];
    a->complaints = complaints[0];
    return failed ? error_errno(err, failed, "git") : 0;
}

/* ---- listening ---- */

/* What there is; the end closes the descriptor. */
static void take_part(int *fd, struct buffer *into)
{
    char *room = buffer_reserve(into, READ_SIZE);
    ssize_t length = read(*fd, room, READ_SIZE);
    if (length > 0) {
        buffer_added(into, (size_t)length);
    } else if (length == 0 || errno != EINTR) {
        close(*fd);
        *fd = -1;
    }
}

static bool is_too_long(const struct asking *a)
{
    return a->output->length > OUTPUT_LIMIT || a->complaint.length > OUTPUT_LIMIT;
}

/* Until both have ended; false: they haven't by the deadline. */
static bool listen_to(struct asking *a, uint64_t deadline_mono_ms)
{
    while (a->out >= 0 || a->complaints >= 0) {
        struct pollfd wanted[] = {{a->out, POLLIN, 0}, {a->complaints, POLLIN, 0}};
        uint64_t now = clock_mono_ms();
        if (now >= deadline_mono_ms || is_too_long(a))
            return false;
        if (poll(wanted, 2, (int)(deadline_mono_ms - now)) <= 0)
            continue;
        if (wanted[0].revents)
            take_part(&a->out, a->output);
        if (wanted[1].revents)
            take_part(&a->complaints, &a->complaint);
    }
    return true;
}

static int judge(struct asking *a, bool has_ended, struct error *err)
{
    int status = 0;
    if (!has_ended)
        kill(-a->pid, SIGKILL);
    while (waitpid(a->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!has_ended)
        return error_set(err, ERROR_SYSTEM, "git didn't end in time");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    size_t length = a->complaint.data ? strcspn(a->complaint.data, "\n") : 0;
    if (length == 0)
        return error_set(err, ERROR_SYSTEM, "git ended with status %d", status);
    return error_set(err, ERROR_SYSTEM, "git: %.*s", (int)length, a->complaint.data);
}

int git_ask(const char *folder, const char *const *words, uint64_t deadline_mono_ms, struct buffer *out,
            struct error *err)
{
    const char *all[WORDS + 1];
    struct asking a = {.out = -1, .complaints = -1, .output = out};
    make_words(folder, words, all);
    int result = start(&a, all, err);
    if (result == 0)
        result = judge(&a, listen_to(&a, deadline_mono_ms), err);
    if (a.out >= 0)
        close(a.out);
    if (a.complaints >= 0)
        close(a.complaints);
    buffer_close(&a.complaint);
    return result;
}
