/* A runner that does what runners shouldn't: nasty MODE [NUMBER]. What it prints is one fact a line. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void sleep_for_ever(void)
{
    for (;;)
        pause();
}

static void write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0) {
            perror("nasty: write");
            _exit(99);
        }
        bytes += written;
        length -= (size_t)written;
    }
}

/* A grandchild in a session of its own; returns when it lives and its parent is gone. */
static void leave_daemon(void)
{
    int ready[2];
    if (pipe(ready) < 0)
        exit(99);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() > 0)
            _exit(0);
        write_all(ready[1], "", 1);
        sleep_for_ever();
    }
    char byte;
    if (read(ready[0], &byte, 1) != 1 || waitpid(child, NULL, 0) != child)
        exit(99);
}

static int daemon_and_exit(long code)
{
    leave_daemon();
    return (int)code;
}

static int daemon_and_stay(long number)
{
    (void)number;
    leave_daemon();
    printf("runner %d supervisor %d\n", (int)getpid(), (int)getppid());
    fflush(stdout);
    sleep_for_ever();
    return 0;
}

static int deaf(long number)
{
    (void)number;
    signal(SIGTERM, SIG_IGN);
    leave_daemon();
    puts("ready");
    fflush(stdout);
    sleep_for_ever();
    return 0;
}

/* Processes that fork as long as there were fewer than `limit`, each in a session of its own. */
static int bomb(long limit)
{
    atomic_long *born = mmap(NULL, sizeof(*born), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (born == MAP_FAILED)
        return 99;
    pid_t runner = getpid();
    while (atomic_fetch_add(born, 1) < limit) {
        if (fork() == 0)
            setsid();
        if (getpid() == runner && atomic_load(born) > limit / 2)
            return 0;
    }
    if (getpid() != runner)
        sleep_for_ever();
    return 0;
}

/* One process at a time that forks and exits, so that its pid is old as soon as it is known. */
static int chain(long generations)
{
    if (fork() > 0)
        return 0;
    for (long i = 0; i < generations; i++)
        if (fork() > 0)
            _exit(0);
    sleep_for_ever();
    return 0;
}

static int kill_supervisor(long number)
{
    (void)number;
    leave_daemon();
    kill(getppid(), SIGKILL);
    sleep_for_ever();
    return 0;
}

static int stop_supervisor(long number)
{
    (void)number;
    kill(getppid(), SIGSTOP);
    puts("stopped");
    return 0;
}

/* `count` bytes on one line; 0: without end. */
static int flood(long count)
{
    static char bytes[1 << 16];
    memset(bytes, 'x', sizeof(bytes));
    for (long left = count; count == 0 || left > 0; left -= (long)sizeof(bytes))
        write_all(STDOUT_FILENO, bytes, count && left < (long)sizeof(bytes) ? (size_t)left : sizeof(bytes));
    return 0;
}

static int binary(long number)
{
    (void)number;
    char bytes[256];
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    write_all(STDOUT_FILENO, bytes, sizeof(bytes));
    return 0;
}

static int descriptors(long number)
{
    (void)number;
    DIR *folder = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.' && strtol(entry->d_name, NULL, 10) != dirfd(folder))
            puts(entry->d_name);
    closedir(folder);
    return 0;
}

static int open_events(void)
{
    int fd = open(getenv("FUNKYTOWN_EVENTS"), O_WRONLY);
    if (fd < 0) {
        perror("nasty: FUNKYTOWN_EVENTS");
        exit(99);
    }
    return fd;
}

/* `count` lines, each in three writes, each through an opening of its own. */
static int events(long count)
{
    for (long i = 0; i < count; i++) {
        int fd = open_events();
        char text[64];
        snprintf(text, sizeof(text), "\"n\":%ld}", i);
        write_all(fd, "{", 1);
        write_all(fd, text, strlen(text));
        write_all(fd, "\n", 1);
        close(fd);
    }
    return 0;
}

static int remove_fifo(long number)
{
    (void)number;
    return unlink(getenv("FUNKYTOWN_EVENTS")) == 0 ? 0 : 99;
}

static int set_nonblocking(long number)
{
    (void)number;
    return fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK) == 0 ? 0 : 99;
}

static int session(long number)
{
    (void)number;
    struct stat null, input;
    char cwd[PATH_MAX];
    sigset_t blocked;
    int ignored = 0;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int i = 1; i < NSIG; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            ignored++;
    }
    stat("/dev/null", &null);
    fstat(STDIN_FILENO, &input);
    printf("session %s\n", getsid(0) == getpid() && getpgrp() == getpid() ? "own" : "inherited");
    printf("input %s\n", null.st_rdev == input.st_rdev ? "null" : "other");
    printf("blocked %s\n", sigisemptyset(&blocked) ? "none" : "some");
    printf("ignored %d\n", ignored);
    printf("folder %s\n", getcwd(cwd, sizeof(cwd)));
    return 0;
}

/* What a spec could read of its supervisor. */
static int parent_environment(long number)
{
    (void)number;
    char path[64], bytes[65536];
    snprintf(path, sizeof(path), "/proc/%d/environ", (int)getppid());
    int fd = open(path, O_RDONLY);
    ssize_t length = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));
    write_all(STDOUT_FILENO, "environ:", 8);
    write_all(STDOUT_FILENO, bytes, length > 0 ? (size_t)length : 0);
    return 0;
}

static int raise_signal(long number)
{
    signal((int)number, SIG_DFL);
    raise((int)number);
    return 99;
}

static int exit_with(long code)
{
    return (int)code;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *mode;
        int (*act)(long number);
    } rows[] = {
        {"exit", exit_with},
        {"raise", raise_signal},
        {"daemon", daemon_and_exit},
        {"daemon-stay", daemon_and_stay},
        {"deaf", deaf},
        {"bomb", bomb},
        {"chain", chain},
        {"kill-supervisor", kill_supervisor},
        {"stop-supervisor", stop_supervisor},
        {"flood", flood},
        {"binary", binary},
        {"descriptors", descriptors},
        {"events", events},
        {"remove-fifo", remove_fifo},
        {"nonblocking", set_nonblocking},
        {"session", session},
        {"parent-environment", parent_environment},
    };
    const char *mode = argc > 1 ? argv[1] : "";
    long number = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(mode, rows[i].mode) == 0)
            return rows[i].act(number);
    fprintf(stderr, "nasty: no mode \"%s\"\n", mode);
    return 98;
}
