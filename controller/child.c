#include "controller/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child, between fork and exec: never returns. A failure travels back as errno through `report`. */
static void become(const struct child_command *command, int input, int report, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(0);
    dup2(input, STDIN_FILENO);
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

/* A pipe that already holds the text, or /dev/null. */
static int open_input(const char *text)
{
    int ends[2];
    if (text == NULL)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
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

static void on_poll_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;
    siginfo_t info = {0};
    waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED);
    close(child->pidfd);
    child->pid = 0;
    child->on_exit(child->data, info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status);
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
                void (*on_exit)(void *data, int status), void *data, struct error *err)
{
    int input = open_input(command->input);
    if (input < 0)
        return error_errno(err, errno, "input of %s", command->argv[0]);
    int failed = fork_it(child, command, input, err);
    close(input);
    if (failed < 0)
        return -1;
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
    if (child->pid > 0)
        kill(child->pid, number);
}
