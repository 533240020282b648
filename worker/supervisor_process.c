#include "worker/supervisor_process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/memory.h"
#include "shared/secrecy.h"
#include "shared/process_tree.h"
#include "worker/supervisor.h"

/* Where the socket is, behind the standard streams. */
enum { SOCKET = 3 };

/* Between two passes of a sweep; an ending child cuts it short. */
enum { PASS_MS_MIN = 1, PASS_MS_MAX = 32 };

/* What a runner must not learn. */
static const char *const credentials[] = {"REDIS_PASSWORD", "REDIS_USERNAME", "FUNKYTOWN_TOKEN"};

/*
 *   idle --RUN--> running --the runner ended, and children are left; or KILL--> sweeping --no child is left--> idle
 *                    └────────── the runner ended, and no child is left ────────────────────────────────────────┘
 */
enum phase { IDLE, RUNNING, SWEEPING };

struct supervisor_process {
    enum phase phase;
    bool alone; /* the worker has gone: exit when idle */

    pid_t runner; /* 0 once it was reaped */
    struct runner_end end;
    uint64_t cpu_us;

    uint64_t sweep_until_ms;
    int pass_ms;
    bool stuck; /* the last pass ended nobody */
    struct process_list children;

    sigset_t waiting_mask; /* lets SIGCHLD through */
    posix_spawnattr_t attributes;
    char **inherited; /* the worker's environment without credentials; ends with NULL */
    char **argv;      /* of the runner to start; room for as many pointers as an order can name */
    char **env;
    _Alignas(struct supervisor_order) char order[SUPERVISOR_ORDER_MAX];
};

static void on_sigchld(int signal)
{
    (void)signal; /* that ppoll() returns is all */
}

/* The name of a "NAME=value" with its '='. */
static size_t name_length(const char *variable)
{
    const char *equals = strchr(variable, '=');
    return equals ? (size_t)(equals - variable) + 1 : strlen(variable);
}

static bool same_name(const char *a, const char *b)
{
    size_t length = name_length(a);
    return length == name_length(b) && memcmp(a, b, length) == 0;
}

static bool is_credential(const char *variable)
{
    for (size_t i = 0; i < sizeof(credentials) / sizeof(credentials[0]); i++) {
        size_t length = strlen(credentials[i]);
        if (strncmp(variable, credentials[i], length) == 0 && variable[length] == '=')
            return true;
    }
    return false;
}

/* Credentials are also wiped from the memory that /proc/<pid>/environ shows: a runner could look at its parent's. */
static void inherit_environment(struct supervisor_process *p)
{
    size_t count = 0;
    while (environ[count])
        count++;
    p->inherited = memory_zeroed(count + 1, sizeof(*p->inherited));
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_credential(environ[i]))
            explicit_bzero(environ[i], strlen(environ[i]));
        else
            p->inherited[kept++] = environ[i];
    }
    p->argv = memory_zeroed(SUPERVISOR_ORDER_MAX, sizeof(*p->argv));
    p->env = memory_zeroed(SUPERVISOR_ORDER_MAX + kept, sizeof(*p->env));
}

/* Standard streams for the runners, the socket for itself, and nothing else. */
static int arrange_descriptors(int worker_socket, int output)
{
    int null = open("/dev/null", O_RDONLY);
    int sources[] = {null, output, output, worker_socket};
    /* Out of the way first, as any of them may have one of the numbers that are to be filled. */
    for (int i = 0; i <= SOCKET; i++)
        if ((sources[i] = fcntl(sources[i], F_DUPFD, SOCKET + 1)) < 0)
            return -1;
    for (int i = 0; i <= SOCKET; i++)
        if (dup2(sources[i], i) < 0)
            return -1;
    closefrom(SOCKET + 1);
    return fcntl(SOCKET, F_SETFD, FD_CLOEXEC);
}

/*
 * Ignores all signals by which a terminal, a service manager or a spec could end it before its runners: the worker
 * says when. Runners start with the default of every signal and nothing blocked.
 */
static void arrange_signals(struct supervisor_process *p)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, wake = {.sa_handler = on_sigchld, .sa_flags = SA_NOCLDSTOP};
    for (int signal = 1; signal < NSIG; signal++)
        sigaction(signal, &ignore, NULL);
    struct sigaction fatal = {.sa_handler = SIG_DFL};
    static const int own_faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < sizeof(own_faults) / sizeof(own_faults[0]); i++)
        sigaction(own_faults[i], &fatal, NULL);
    sigaction(SIGCHLD, &wake, NULL);

    sigset_t only_sigchld, all, none;
    sigemptyset(&only_sigchld);
    sigaddset(&only_sigchld, SIGCHLD);
    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &only_sigchld, NULL);
    p->waiting_mask = none;
    posix_spawnattr_init(&p->attributes);
    posix_spawnattr_setsigdefault(&p->attributes, &all);
    posix_spawnattr_setsigmask(&p->attributes, &none);
    posix_spawnattr_setflags(&p->attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

static void finish(struct supervisor_process *p)
{
    p->phase = IDLE;
    p->end.cpu_ms = p->cpu_us / 1000;
    if (!p->alone)
        send(SOCKET, &p->end, sizeof(p->end), MSG_NOSIGNAL);
}

static void begin_sweep(struct supervisor_process *p)
{
    p->phase = SWEEPING;
    p->sweep_until_ms = clock_mono_ms() + SUPERVISOR_SWEEP_MS;
    p->pass_ms = PASS_MS_MIN;
    p->stuck = false;
}

static void list_children(struct supervisor_process *p)
{
    p->children.count = 0;
    process_tree_children(getpid(), &p->children);
}

/*
 * Kills only children: theirs become ours when they die. That is also the quickest way, and a fork bomb is a race.
 * Only when it ends nobody, everything below them is killed: a child that can't be killed may have children that can.
 */
static void kill_children(struct supervisor_process *p)
{
    list_children(p);
    process_tree_kill(&p->children);
    if (p->stuck)
        process_tree_signal(&p->children, SIGKILL);
}

static void account(struct supervisor_process *p, const struct rusage *usage)
{
    p->cpu_us += (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000u +
                 (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
    uint64_t rss = (uint64_t)usage->ru_maxrss * 1024u;
    if (rss > p->end.max_rss_bytes)
        p->end.max_rss_bytes = rss;
}

static void runner_ended(struct supervisor_process *p, int status)
{
    p->runner = 0;
    p->end.kind = WIFEXITED(status) ? RUNNER_EXITED : RUNNER_SIGNALED;
    p->end.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
}

/* Reaps all that ended. Whether no child is left, which costs no look at /proc. */
static bool reap(struct supervisor_process *p)
{
    for (;;) {
        int status;
        struct rusage usage;
        pid_t pid = wait4(-1, &status, WNOHANG, &usage);
        if (pid <= 0)
            return pid < 0;
        account(p, &usage);
        p->stuck = false;
        if (pid == p->runner)
            runner_ended(p, status);
        else if (p->phase == SWEEPING && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
            p->end.strays++;
    }
}

/* Some child ended, or a pass of the sweep is due. */
static void watch(struct supervisor_process *p)
{
    bool childless = reap(p);
    if (p->phase == RUNNING && p->runner == 0 && !childless)
        begin_sweep(p);
    if (p->phase != IDLE && childless) {
        finish(p);
    } else if (p->phase == SWEEPING && clock_mono_ms() > p->sweep_until_ms) {
        list_children(p);
        p->end.survivors = (unsigned)p->children.count;
        finish(p);
    } else if (p->phase == SWEEPING) {
        kill_children(p);
    }
}

/* Takes `count` texts; where the text behind them begins, or NULL if the order ends before. */
static char *take_texts(char *at, const char *end, char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *zero = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
        if (zero == NULL)
            return NULL;
        texts[i] = at;
        at = zero + 1;
    }
    texts[count] = NULL;
    return at;
}

/* Behind the order's variables come those of the worker that they don't replace. */
static void complete_environment(struct supervisor_process *p, size_t added)
{
    size_t count = added;
    for (char **variable = p->inherited; *variable; variable++) {
        bool replaced = false;
        for (size_t i = 0; i < added && !replaced; i++)
            replaced = same_name(p->env[i], *variable);
        if (!replaced)
            p->env[count++] = *variable;
    }
    p->env[count] = NULL;
}

static void run(struct supervisor_process *p, size_t length)
{
    const struct supervisor_order *order = (const struct supervisor_order *)p->order;
    const char *end = p->order + length;
    char *cwd[2];
    char *at = take_texts(p->order + sizeof(*order), end, cwd, 1);
    at = at ? take_texts(at, end, p->argv, order->argc) : NULL;
    at = at ? take_texts(at, end, p->env, order->envc) : NULL;
    assert(at == end && order->argc > 0);
    complete_environment(p, order->envc);

    p->end = (struct runner_end){.kind = RUNNER_UNKNOWN};
    p->cpu_us = 0;
    /* A runner that was killed may have left the pipe non-blocking, and writers like bash would lose output. */
    fcntl(STDOUT_FILENO, F_SETFL, 0);
    int failed = chdir(cwd[0]) == 0 ? 0 : errno;
    if (failed) {
        p->end.kind = RUNNER_NO_FOLDER;
    } else {
        environ = p->env; /* posix_spawnp() looks for the program in this PATH */
        failed = posix_spawnp(&p->runner, p->argv[0], NULL, &p->attributes, p->argv, p->env);
        if (failed)
            p->end.kind = RUNNER_NOT_STARTED;
    }
    p->end.code = failed;
    if (failed)
        finish(p);
    else
        p->phase = RUNNING;
}

static void terminate(struct supervisor_process *p)
{
    list_children(p);
    process_tree_signal(&p->children, SIGTERM);
}

static void obey(struct supervisor_process *p)
{
    ssize_t length = recv(SOCKET, p->order, sizeof(p->order), 0);
    const struct supervisor_order *order = (const struct supervisor_order *)p->order;
    if (length <= 0) {
        p->alone = true;
        if (p->phase != SWEEPING)
            begin_sweep(p);
        watch(p);
        return;
    }
    assert((size_t)length >= sizeof(*order));
    if (order->kind == SUPERVISOR_RUN) {
        assert(p->phase == IDLE);
        run(p, (size_t)length);
    } else if (p->phase == RUNNING && order->kind == SUPERVISOR_TERMINATE) {
        terminate(p);
    } else if (p->phase == RUNNING && order->kind == SUPERVISOR_KILL) {
        begin_sweep(p);
        watch(p);
    }
}

/* Waits for an order, the end of a child, or the time for the next pass of a sweep. */
static void turn(struct supervisor_process *p)
{
    struct timespec pass = {.tv_nsec = p->pass_ms * 1000000L};
    struct pollfd socket = {.fd = p->alone ? -1 : SOCKET, .events = POLLIN};
    int ready = ppoll(&socket, 1, p->phase == SWEEPING ? &pass : NULL, &p->waiting_mask);
    if (ready > 0) {
        obey(p);
    } else {
        if (ready == 0) {
            p->stuck = p->pass_ms == PASS_MS_MAX;
            p->pass_ms = p->pass_ms < PASS_MS_MAX ? p->pass_ms * 2 : PASS_MS_MAX;
        }
        watch(p);
    }
}

noreturn void supervisor_process_main(int socket, int output)
{
    struct supervisor_process *p = memory_zeroed(1, sizeof(*p));
    prctl(PR_SET_NAME, "supervisor");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    /* If a spec has stopped it, it goes on and sees that its socket has ended; SIGCONT does so even when ignored. */
    prctl(PR_SET_PDEATHSIG, SIGCONT);
    /* Its memory and its socket are as nobody's business as the worker's, also where that one (a test) is open. */
    secrecy_begin();
    setsid();
    inherit_environment(p);
    arrange_signals(p);
    bool ready = arrange_descriptors(socket, output) == 0;
    while (ready && !(p->alone && p->phase == IDLE))
        turn(p);
    /* Not exit(): what the worker registered with atexit() isn't for this process. */
    _exit(ready ? 0 : 1);
}
