#include "controller/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/memory.h"

/* Children belong to the whole process, and so does this list of those that were started here. */
static struct child *live_children;

bool child_is_ours(pid_t pid)
{
    for (const struct child *child = live_children; child; child = child->next)
        if (child->pid == pid)
            return true;
    return false;
}

/* In the child, between fork and exec: never returns. A failure travels back as errno through `report`. */
static void become(const struct child_command *command, int input, int report, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid();
    prctl(PR_SET_PDEATHSIG, command->line ? SIGCONT : SIGTERM);
    if (getppid() != parent)
        _exit(0);
    dup2(input, STDIN_FILENO);
    fcntl(STDIN_FILENO, F_SETFD, 0); /* it may have had that number */
    if (command->output >= 0) {
        dup2(command->output, STDOUT_FILENO);
        dup2(command->output, STDERR_FILENO);
    }
    for (size_t i = 0; command->env && command->env[i]; i++)
        putenv((char *)(uintptr_t)command->env[i]);
    fcntl(report, F_SETFD, FD_CLOEXEC);
    syscall(SYS_close_range, 3u, (unsigned)report - 1, 0u);
    syscall(SYS_close_range, (unsigned)report + 1, ~0u, 0u);
    execvp(command->argv[0], (char *const *)(uintptr_t)command->argv);
    int failed = errno;
    if (write(report, &failed, sizeof(failed)) < 0)
        _exit(126);
    _exit(127);
}

/* A pipe that already holds the text. */
static int open_pipe(const char *text)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    ssize_t written = write(ends[1], text, strlen(text));
    close(ends[1]);
    if (written == (ssize_t)strlen(text))
        return ends[0];
    close(ends[0]);
    errno = E2BIG;
    return -1;
}

/* The child's end of a line that already holds the messages, and an empty one behind them. */
static int open_line(struct child *child, const char *const *messages)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    auto_close int ours = ends[0];
    auto_close int its = ends[1];
    for (const char *const *message = messages; *message; message++)
        if (send(ours, *message, strlen(*message), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            return -1;
    if (send(ours, "", 0, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return -1;
    child->line = ours;
    int input = its;
    ours = its = -1;
    return input;
}

static int open_input(struct child *child, const struct child_command *command)
{
    child->line = -1;
    if (command->line)
        return open_line(child, command->line);
    if (command->input)
        return open_pipe(command->input);
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void close_line(struct child *child)
{
    memory_cleanup_close(&child->line);
    child->line = -1;
}

/* To be asked when it is dead: by then all that it said has arrived. */
static bool has_spoken(const struct child *child)
{
    char byte;
    return child->line >= 0 && recv(child->line, &byte, sizeof(byte), MSG_DONTWAIT) > 0;
}

static void forget(struct child *child)
{
    struct child **link = &live_children;
    while (*link != child)
        link = &(*link)->next;
    *link = child->next;
    child->pid = 0;
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;
    siginfo_t info = {0};
    waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED);
    close(child->pidfd);
    const struct child_end end = {
        .pid = child->pid,
        .status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status,
        .has_spoken = has_spoken(child),
    };
    close_line(child);
    forget(child);
    child->on_exit(child->data, &end);
}

static void on_ended(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    uv_close((uv_handle_t *)poll, on_poll_closed);
}

static int fork_it(struct child *child, const struct child_command *command, int input, struct error *err)
{
    int report[2], failed = 0;
    if (pipe2(report, O_CLOEXEC) < 0)
        return error_errno(err, errno, "pipe");
    pid_t parent = getpid();
    child->pid = fork();
    if (child->pid == 0)
        become(command, input, report[1], parent);
    close(report[1]);
    if (child->pid < 0)
        error_errno(err, errno, "fork");
    else if (read(report[0], &failed, sizeof(failed)) == (ssize_t)sizeof(failed)) {
        waitpid(child->pid, NULL, 0);
        child->pid = -1;
        error_errno(err, failed, "%s", command->argv[0]);
    }
    close(report[0]);
    if (child->pid > 0)
        return 0;
    child->pid = 0;
    return -1;
}

int child_start(struct child *child, uv_loop_t *loop, const struct child_command *command,
                void (*on_exit)(void *data, const struct child_end *end), void *data, struct error *err)
{
    int input = open_input(child, command);
    if (input < 0)
        return error_errno(err, errno, "input of %s", command->argv[0]);
    int failed = fork_it(child, command, input, err);
    close(input);
    if (failed < 0) {
        close_line(child);
        return -1;
    }
    child->next = live_children;
    live_children = child;
    child->on_exit = on_exit;
    child->data = data;
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0u);
    uv_poll_init(loop, &child->poll, child->pidfd);
    child->poll.data = child;
    uv_poll_start(&child->poll, UV_READABLE, on_ended);
    return 0;
}

void child_signal(struct child *child, int number)
{
    if (child->pid <= 0)
        return;
    kill(child->pid, number);
    child_wake(child);
}

void child_wake(struct child *child)
{
    siginfo_t info = {0};
    if (child->pid > 0 && waitid(P_PIDFD, (id_t)child->pidfd, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid > 0)
        kill(child->pid, SIGCONT);
}
