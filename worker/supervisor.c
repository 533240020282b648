#include "worker/supervisor.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/memory.h"
#include "shared/process_tree.h"
#include "worker/supervisor_process.h"

enum {
    READ_BYTES = 64 * 1024,
    READS_PER_TURN = 4,                       /* so that one noisy runner doesn't keep the loop from the others */
    OUTPUT_PIPE_BYTES = 256 * 1024,           /* as much as one turn takes */
    PATIENCE_MS = SUPERVISOR_SWEEP_MS + 5000, /* with a supervisor that was told to kill, or to end */
    RECOVERY_MS = SUPERVISOR_SWEEP_MS,
    RECOVERY_PASS_MS = 5,
};

/* A supervisor process that lives, and the worker's end of its socket. */
struct process {
    uv_poll_t poll;
    struct supervisor *owner;
    int socket;
    pid_t pid;
    struct process *next;
};

/* Children belong to the whole worker process, and so does this list of those that are supervisors. */
static struct process *live_processes;

enum phase { IDLE, RUNNING, RECOVERING, CLOSING };

struct supervisor {
    uv_loop_t *loop;
    const struct supervisor_events *events;
    void *data;
    void (*closed)(void *data);
    enum phase phase;
    unsigned references; /* the owner's, and one for each open handle */

    struct process *process; /* NULL: the next run starts one */
    struct buffer order;
    uv_timer_t timer; /* with a process: patience; without: the next pass of a recovery */
    uint64_t recovery_until_ms;
    struct process_list orphans;

    uv_poll_t output_poll, fifo_poll;
    int output, output_writer; /* the writer is for supervisors, and keeps the pipe open between them */
    int fifo;
    struct stat fifo_stat;
    char fifo_path[PATH_MAX];
    char bytes[READ_BYTES];
};

/* ---- handles ---- */

static void release(struct supervisor *s)
{
    if (--s->references > 0)
        return;
    void (*closed)(void *) = s->closed;
    void *data = s->data;
    unlink(s->fifo_path);
    memory_cleanup_close(&s->output);
    memory_cleanup_close(&s->output_writer);
    memory_cleanup_close(&s->fifo);
    buffer_close(&s->order);
    process_list_close(&s->orphans);
    free(s);
    if (closed)
        closed(data);
}

static void on_handle_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void on_process_closed(uv_handle_t *handle)
{
    struct process *process = handle->data;
    struct supervisor *s = process->owner;
    free(process);
    release(s);
}

/* Does nothing for a handle that was never opened. */
static void close_handle(uv_handle_t *handle)
{
    if (handle->type != UV_UNKNOWN_HANDLE)
        uv_close(handle, on_handle_closed);
}

static void finish_closing(struct supervisor *s)
{
    close_handle((uv_handle_t *)&s->timer);
    release(s);
}

/* ---- output and events ---- */

typedef void (*deliver_fn)(void *data, const char *bytes, size_t length);

/* Delivers one read of at most `limit` bytes; how many there were, 0 when there is nothing now. */
static size_t deliver(struct supervisor *s, int fd, deliver_fn to, size_t limit)
{
    ssize_t length = read(fd, s->bytes, limit < READ_BYTES ? limit : READ_BYTES);
    if (length <= 0)
        return 0;
    to(s->data, s->bytes, (size_t)length);
    return (size_t)length;
}

static void read_some(struct supervisor *s, int fd, deliver_fn to)
{
    for (int i = 0; i < READS_PER_TURN && s->phase != CLOSING; i++)
        if (deliver(s, fd, to, READ_BYTES) < READ_BYTES)
            return;
}

static void on_output_ready(uv_poll_t *poll, int status, int events)
{
    struct supervisor *s = poll->data;
    (void)status, (void)events;
    read_some(s, s->output, s->events->on_output);
}

static void on_fifo_ready(uv_poll_t *poll, int status, int events)
{
    struct supervisor *s = poll->data;
    (void)status, (void)events;
    read_some(s, s->fifo, s->events->on_event);
}

/* All that is in the pipe now. The amount is asked for first, so that it ends even if somebody goes on writing. */
static void drain(struct supervisor *s, int fd, deliver_fn to)
{
    int left = 0;
    ioctl(fd, FIONREAD, &left);
    while (left > 0 && s->phase != CLOSING) {
        size_t length = deliver(s, fd, to, (size_t)left);
        if (length == 0)
            return;
        left -= (int)length;
    }
}

static void end_run(struct supervisor *s, const struct runner_end *end)
{
    uv_timer_stop(&s->timer);
    drain(s, s->fifo, s->events->on_event);
    drain(s, s->output, s->events->on_output);
    if (s->phase == CLOSING)
        return;
    s->phase = IDLE;
    s->events->on_end(s->data, end);
}

static int watch_pipe(struct supervisor *s, uv_poll_t *poll, int fd, uv_poll_cb ready, struct error *err)
{
    int status = uv_poll_init(s->loop, poll, fd);
    if (status < 0)
        return error_errno(err, -status, "watching a pipe");
    poll->data = s;
    s->references++;
    uv_poll_start(poll, UV_READABLE, ready);
    return 0;
}

static int open_output(struct supervisor *s, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno, "a pipe for the output");
    s->output = ends[0];
    s->output_writer = ends[1];
    /* Refused to users who have many pipes; the smaller one will do. */
    fcntl(s->output, F_SETPIPE_SZ, OUTPUT_PIPE_BYTES);
    return watch_pipe(s, &s->output_poll, s->output, on_output_ready, err);
}

/* A FIFO open for both has a reader and a writer at all times: nobody blocks in opening it, and it never ends. */
static int make_fifo(struct supervisor *s, struct error *err)
{
    unlink(s->fifo_path);
    if (mkfifo(s->fifo_path, 0600) < 0)
        return error_errno(err, errno, "%s", s->fifo_path);
    int fd = open(s->fifo_path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &s->fifo_stat) < 0)
        error_errno(err, errno, "%s", s->fifo_path);
    return fd;
}

static int open_fifo(struct supervisor *s, const char *folder, struct error *err)
{
    auto_free char *absolute = realpath(folder, NULL);
    if (absolute == NULL)
        return error_errno(err, errno, "%s", folder);
    int length = snprintf(s->fifo_path, sizeof(s->fifo_path), "%s/events", absolute);
    if (length >= (int)sizeof(s->fifo_path)) {
        s->fifo_path[0] = '\0';
        return error_errno(err, ENAMETOOLONG, "%s", folder);
    }
    s->fifo = make_fifo(s, err);
    return s->fifo < 0 ? -1 : watch_pipe(s, &s->fifo_poll, s->fifo, on_fifo_ready, err);
}

/* A spec may have removed or replaced it. The descriptor's number stays, and so its handle does. */
static int restore_fifo(struct supervisor *s, struct error *err)
{
    struct stat now;
    if (lstat(s->fifo_path, &now) == 0 && now.st_dev == s->fifo_stat.st_dev && now.st_ino == s->fifo_stat.st_ino)
        return 0;
    auto_close int fd = make_fifo(s, err);
    if (fd < 0)
        return -1;
    uv_poll_stop(&s->fifo_poll);
    dup3(fd, s->fifo, O_CLOEXEC);
    uv_poll_start(&s->fifo_poll, UV_READABLE, on_fifo_ready);
    return 0;
}

/* ---- the supervisor process ---- */

/* Reaps a process whose socket has ended, as it is dying. Whether it exited by itself, and so left nothing behind. */
static bool bury_process(struct supervisor *s)
{
    struct process *process = take(s->process);
    struct process **link = &live_processes;
    while (*link != process)
        link = &(*link)->next;
    *link = process->next;
    uv_close((uv_handle_t *)&process->poll, on_process_closed);
    close(process->socket);
    /* Its children are ours once it is a zombie, and not before. */
    int status = 0;
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool is_supervisor(pid_t pid)
{
    for (const struct process *process = live_processes; process; process = process->next)
        if (process->pid == pid)
            return true;
    return false;
}

/* One pass over the children that aren't supervisors; how many there were. Reaps only these: libuv has its own. */
static size_t kill_orphans(struct supervisor *s)
{
    struct process_list *list = &s->orphans;
    list->count = 0;
    process_tree_children(getpid(), list);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!is_supervisor(list->pids[i]))
            list->pids[kept++] = list->pids[i];
    list->count = kept;
    process_tree_kill(list);
    for (size_t i = 0; i < list->count; i++)
        waitpid(list->pids[i], NULL, WNOHANG);
    return list->count;
}

static void recover(struct supervisor *s)
{
    size_t left = kill_orphans(s);
    if (left > 0 && clock_mono_ms() < s->recovery_until_ms)
        return;
    struct runner_end end = {.kind = RUNNER_UNKNOWN, .survivors = (unsigned)left};
    if (s->phase == CLOSING)
        finish_closing(s);
    else
        end_run(s, &end);
}

static void on_timer(uv_timer_t *timer)
{
    struct supervisor *s = timer->data;
    if (s->process)
        kill(s->process->pid, SIGKILL); /* its socket ends, and the recovery begins */
    else
        recover(s);
}

static void begin_recovery(struct supervisor *s)
{
    if (s->phase == RUNNING)
        s->phase = RECOVERING;
    s->recovery_until_ms = clock_mono_ms() + RECOVERY_MS;
    uv_timer_start(&s->timer, on_timer, RECOVERY_PASS_MS, RECOVERY_PASS_MS);
    recover(s);
}

static void on_process_gone(struct supervisor *s)
{
    bool peaceful = bury_process(s);
    if (s->phase == RUNNING || (s->phase == CLOSING && !peaceful))
        begin_recovery(s);
    else if (s->phase == CLOSING)
        finish_closing(s);
}

static void on_process_ready(uv_poll_t *poll, int status, int events)
{
    struct process *process = poll->data;
    struct supervisor *s = process->owner;
    (void)status, (void)events;
    struct runner_end end;
    ssize_t length = recv(process->socket, &end, sizeof(end), MSG_DONTWAIT);
    if (length == (ssize_t)sizeof(end)) {
        if (s->phase == RUNNING)
            end_run(s, &end);
    } else if (length == 0 || errno != EAGAIN) {
        on_process_gone(s);
    }
}

/* A signal handler of the loop must not run in the child: nothing is let through until it has its own. */
static pid_t fork_process(int socket, int output)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        supervisor_process_main(socket, output);
    int errnum = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = errnum;
    return pid;
}

static int start_process(struct supervisor *s, struct error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_errno(err, errno, "a socket for the supervisor");
    auto_close int socket = ends[0];
    auto_close int its_socket = ends[1];
    struct process *process = memory_zeroed(1, sizeof(*process));
    int status = uv_poll_init(s->loop, &process->poll, socket);
    if (status < 0) {
        free(process);
        return error_errno(err, -status, "watching a supervisor");
    }
    s->references++;
    process->poll.data = process;
    process->owner = s;
    process->pid = fork_process(its_socket, s->output_writer);
    if (process->pid < 0) {
        error_errno(err, errno, "starting a supervisor");
        uv_close((uv_handle_t *)&process->poll, on_process_closed);
        return -1;
    }
    process->socket = socket;
    socket = -1;
    process->next = live_processes;
    live_processes = process;
    s->process = process;
    uv_poll_start(&process->poll, UV_READABLE, on_process_ready);
    return 0;
}

static int open_all(struct supervisor *s, const char *folder, struct error *err)
{
    if (access("/proc/thread-self/children", R_OK) < 0)
        return error_errno(err, errno, "/proc/thread-self/children (the kernel's CONFIG_PROC_CHILDREN)");
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return error_errno(err, errno, "becoming a child subreaper");
    if (open_output(s, err) < 0 || open_fifo(s, folder, err) < 0)
        return -1;
    return start_process(s, err);
}

struct supervisor *supervisor_start(uv_loop_t *loop, const char *folder, const struct supervisor_events *events,
                                    void *data, struct error *err)
{
    struct supervisor *s = memory_zeroed(1, sizeof(*s));
    *s = (struct supervisor){.loop = loop, .events = events, .data = data, .references = 2};
    s->output = s->output_writer = s->fifo = -1;
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    if (open_all(s, folder, err) < 0) {
        supervisor_close(s, NULL);
        return NULL;
    }
    return s;
}

const char *supervisor_fifo(const struct supervisor *s)
{
    return s->fifo_path;
}

/* ---- orders ---- */

static uint32_t add_texts(struct buffer *order, const char *const *texts)
{
    uint32_t count = 0;
    for (; texts[count]; count++)
        buffer_add(order, texts[count], strlen(texts[count]) + 1);
    return count;
}

static int write_order(struct buffer *b, const char *const *argv, const char *const *env, const char *cwd,
                       struct error *err)
{
    struct supervisor_order order = {.kind = SUPERVISOR_RUN};
    buffer_clear(b);
    buffer_add(b, &order, sizeof(order));
    buffer_add(b, cwd, strlen(cwd) + 1);
    order.argc = add_texts(b, argv);
    order.envc = add_texts(b, env);
    memcpy(b->data, &order, sizeof(order));
    if (b->length > SUPERVISOR_ORDER_MAX)
        return error_set(err, ERROR_CONFIG, "found a command line and environment of %zu bytes, wanted at most %d",
                         b->length, SUPERVISOR_ORDER_MAX);
    return 0;
}

/* 0, or an errno value. */
static int send_order(struct supervisor *s, const void *order, size_t length)
{
    return send(s->process->socket, order, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

int supervisor_run(struct supervisor *s, const char *const *argv, const char *const *env, const char *cwd,
                   struct error *err)
{
    if (s->phase != IDLE)
        return error_set(err, ERROR_SYSTEM, "the previous runner is still running");
    if (write_order(&s->order, argv, env, cwd, err) < 0 || restore_fifo(s, err) < 0)
        return -1;
    int errnum = s->process ? send_order(s, s->order.data, s->order.length) : EPIPE;
    if (errnum == EPIPE) {
        if (s->process)
            bury_process(s);
        if (start_process(s, err) < 0)
            return -1;
        errnum = send_order(s, s->order.data, s->order.length);
    }
    if (errnum)
        return error_errno(err, errnum, "telling the supervisor to start a runner");
    s->phase = RUNNING;
    return 0;
}

/* An order that the supervisor doesn't take is lost: when patience is over, the supervisor is killed. */
static void send_order_kind(struct supervisor *s, enum supervisor_order_kind kind)
{
    struct supervisor_order order = {.kind = kind};
    send_order(s, &order, sizeof(order));
}

void supervisor_terminate(struct supervisor *s)
{
    if (s->phase == RUNNING)
        send_order_kind(s, SUPERVISOR_TERMINATE);
}

void supervisor_kill(struct supervisor *s)
{
    if (s->phase != RUNNING)
        return;
    kill(s->process->pid, SIGCONT); /* the spec may have stopped it */
    send_order_kind(s, SUPERVISOR_KILL);
    if (!uv_is_active((uv_handle_t *)&s->timer))
        uv_timer_start(&s->timer, on_timer, PATIENCE_MS, 0);
}

void supervisor_close(struct supervisor *s, void (*closed)(void *data))
{
    assert(s->phase != CLOSING);
    bool recovering = s->phase == RECOVERING;
    s->phase = CLOSING;
    s->closed = closed;
    close_handle((uv_handle_t *)&s->output_poll);
    close_handle((uv_handle_t *)&s->fifo_poll);
    if (s->process) {
        kill(s->process->pid, SIGCONT);
        shutdown(s->process->socket, SHUT_WR);
        uv_timer_start(&s->timer, on_timer, PATIENCE_MS, 0);
    } else if (!recovering) {
        finish_closing(s);
    }
}
