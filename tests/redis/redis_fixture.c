#include "tests/redis/redis_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "shared/memory.h"
#include "shared/redis_reply.h"

enum { CONNECT_RETRY_MS = 2, START_TRIES = 5 };

static void __attribute__((noreturn, format(printf, 1, 2))) give_up(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

/* ---- the server ---- */

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    auto_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        give_up("no free port on 127.0.0.1: %s", strerror(errno));
    return ntohs(address.sin_port);
}

void redis_fixture_open(struct redis_fixture *fixture, const char *const *arguments)
{
    const char *folder = getenv("TMPDIR");
    *fixture = (struct redis_fixture){.port = free_port(), .pidfd = -1};
    snprintf(fixture->folder, sizeof(fixture->folder), "%s/funkytown-redis-XXXXXX", folder ? folder : "/tmp");
    if (mkdtemp(fixture->folder) == NULL)
        give_up("%s: %s", fixture->folder, strerror(errno));
    for (size_t i = 0; arguments && arguments[i]; i++) {
        if (i == FIXTURE_ARGUMENTS)
            give_up("more than %d arguments for the server", FIXTURE_ARGUMENTS);
        fixture->arguments[i] = arguments[i];
    }
    /* hiredis writes to a connection that the server may have closed. */
    signal(SIGPIPE, SIG_IGN);
}

static void __attribute__((noreturn)) become_server(const struct redis_fixture *fixture, pid_t parent)
{
    char port[8];
    snprintf(port, sizeof(port), "%d", fixture->port);
    const char *argv[24] = {"redis-server", "--port", port,           "--bind", "127.0.0.1", "--dir", fixture->folder,
                            "--save",       "",       "--appendonly", "no",     "--logfile", "log"};
    size_t count = 13;
    for (size_t i = 0; fixture->arguments[i]; i++)
        argv[count++] = fixture->arguments[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    signal(SIGPIPE, SIG_DFL);
    int devnull = open("/dev/null", O_RDWR);
    dup2(devnull, STDIN_FILENO);
    dup2(devnull, STDOUT_FILENO);
    execvp("redis-server", (char *const *)(uintptr_t)argv);
    argv[0] = "valkey-server";
    execvp("valkey-server", (char *const *)(uintptr_t)argv);
    perror("redis-server");
    _exit(127);
}

static void reap(struct redis_fixture *fixture)
{
    waitpid(fixture->pid, NULL, 0);
    close(fixture->pidfd);
    fixture->pid = 0;
    fixture->pidfd = -1;
}

/* Whether the server ends within so many ms. */
static bool has_ended(const struct redis_fixture *fixture, int wait_ms)
{
    struct pollfd exit = {.fd = fixture->pidfd, .events = POLLIN};
    return poll(&exit, 1, wait_ms) > 0;
}

static const char *password_of(const struct redis_fixture *fixture)
{
    for (size_t i = 0; fixture->arguments[i]; i++)
        if (strcmp(fixture->arguments[i], "--requirepass") == 0)
            return fixture->arguments[i + 1];
    return NULL;
}

/* Whether what answers there is the server that we started: somebody else may have taken the port before it. */
static bool is_ours(struct redis_fixture *fixture, redisContext *context)
{
    char line[32];
    if (password_of(fixture))
        freeReplyObject(redisCommand(context, "AUTH %s", password_of(fixture)));
    redisReply *reply = redisCommand(context, "INFO server");
    const char *info = redis_reply_text(reply);
    snprintf(line, sizeof(line), "process_id:%d\r\n", (int)fixture->pid);
    bool is_same = info && strstr(info, line);
    freeReplyObject(reply);
    return is_same;
}

static bool try_start(struct redis_fixture *fixture)
{
    pid_t parent = getpid();
    fixture->pid = fork();
    if (fixture->pid == 0)
        become_server(fixture, parent);
    fixture->pidfd = fixture->pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, fixture->pid, 0);
    if (fixture->pidfd < 0)
        give_up("can't start a redis-server: %s", strerror(errno));
    while (!has_ended(fixture, CONNECT_RETRY_MS)) {
        redisContext *context = redisConnect("127.0.0.1", fixture->port);
        if (context && context->err == 0 && is_ours(fixture, context)) {
            fixture->admin = context;
            return true;
        }
        redisFree(context);
    }
    reap(fixture);
    return false;
}

void redis_fixture_start(struct redis_fixture *fixture)
{
    for (int i = 0; i < START_TRIES; i++)
        if (try_start(fixture))
            return;
    give_up("no redis-server starts on port %d; %s/log may say why", fixture->port, fixture->folder);
}

void redis_fixture_kill(struct redis_fixture *fixture)
{
    if (fixture->pid == 0)
        return;
    redisFree(fixture->admin);
    fixture->admin = NULL;
    kill(fixture->pid, SIGKILL);
    reap(fixture);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void redis_fixture_close(struct redis_fixture *fixture)
{
    redis_fixture_kill(fixture);
    nftw(fixture->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- commands ---- */

static redisReply *command(struct redis_fixture *fixture, const char *format, va_list arguments)
{
    redisReply *reply = redisvCommand(fixture->admin, format, arguments);
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
        give_up("%s: %s", format, reply ? reply->str : fixture->admin->errstr);
    return reply;
}

struct redisReply *redis_fixture_command(struct redis_fixture *fixture, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = command(fixture, format, arguments);
    va_end(arguments);
    return reply;
}

void redis_fixture_do(struct redis_fixture *fixture, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    freeReplyObject(command(fixture, format, arguments));
    va_end(arguments);
}

int64_t redis_fixture_number(struct redis_fixture *fixture, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = command(fixture, format, arguments);
    va_end(arguments);
    int64_t number = redis_reply_integer(reply, INT64_MIN);
    freeReplyObject(reply);
    return number;
}

/* ---- the loop ---- */

static const char *awaited;

/* FIXTURE_PATIENCE_S, if the environment doesn't say otherwise. */
static unsigned patience_s(void)
{
    const char *text = getenv("FIXTURE_PATIENCE_S");
    return text ? (unsigned)strtoul(text, NULL, 10) : FIXTURE_PATIENCE_S;
}

static void on_alarm(int number)
{
    (void)number;
    static const char text[] = "nothing came: ";
    ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);
    written = write(STDERR_FILENO, awaited, strlen(awaited));
    written = write(STDERR_FILENO, "\n", 1);
    _exit(written == 1 ? 2 : 3);
}

void run_until(uv_loop_t *loop, const bool *is_done, const char *what)
{
    awaited = what;
    signal(SIGALRM, on_alarm);
    alarm(patience_s());
    while (!*is_done)
        if (uv_run(loop, UV_RUN_ONCE) == 0 && !*is_done)
            give_up("the loop has nothing left to wait for: %s", what);
    alarm(0);
}

/* ---- answers ---- */

void on_answer(void *data, const struct ledger_reply *reply)
{
    struct answer *answer = data;
    answer_clear(answer);
    answer->has_come = true;
    answer->outcome = reply->outcome;
    answer->trouble = memory_text(reply->text);
    answer->count = redis_reply_count(reply->raw);
    answer->texts = memory_zeroed(answer->count + 1, sizeof(*answer->texts));
    for (size_t i = 0; i < answer->count; i++) {
        const struct redisReply *element = redis_reply_at(reply->raw, i);
        const char *text = redis_reply_text(element);
        answer->texts[i] = text                                   ? memory_text(text)
                           : element->type == REDIS_REPLY_INTEGER ? memory_format("%lld", element->integer)
                                                                  : memory_text("");
    }
}

const char *answer_text(const struct answer *answer, size_t index)
{
    return index < answer->count ? answer->texts[index] : "";
}

void answer_clear(struct answer *answer)
{
    for (size_t i = 0; i < answer->count; i++)
        free(answer->texts[i]);
    free(answer->texts);
    free(answer->trouble);
    *answer = (struct answer){0};
}
