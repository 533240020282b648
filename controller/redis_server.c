#include "controller/redis_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/child.h"
#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/in_path.h"
#include "shared/log.h"
#include "shared/memory.h"

enum {
    QUICK_DEATH_MS = 5000, /* it died before it could have served anybody */
    QUICK_DEATHS = 3,
};

struct redis_server {
    uv_loop_t *loop;
    const struct options *options;
    void (*on_failed)(void *data, const struct error *reason);
    void (*stopped)(void *data);
    void *data;
    struct child child;
    uv_timer_t timer; /* until the next start; until KILL */
    char folder[PATH_MAX], log_path[PATH_MAX];
    const char *program;
    int lock, port;
    uint64_t started_ms;
    int quick_deaths;
    bool is_stopping;
};

/* ---- where and what ---- */

static const char *find_program(void)
{
    if (in_path("redis-server"))
        return "redis-server";
    return in_path("valkey-server") ? "valkey-server" : NULL;
}

/* The port if it can be bound there, else (or for 0) a free one; -1: the address isn't ours. */
static int choose_port(const char *address, int port, struct error *err)
{
    char service[8];
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found = NULL;
    snprintf(service, sizeof(service), "%d", port);
    int failed = getaddrinfo(address, service, &hints, &found);
    if (failed != 0)
        return error_set(err, ERROR_CONFIG,
                         "FUNKYTOWN_REDIS_BIND: found \"%s\", wanted an address of this machine (%s)", address,
                         gai_strerror(failed));
    struct sockaddr_storage bound;
    socklen_t length = found->ai_addrlen;
    memcpy(&bound, found->ai_addr, length);
    freeaddrinfo(found);
    auto_close int fd = socket(bound.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&bound, length) < 0) {
        if (errno == EADDRINUSE && port != 0)
            return choose_port(address, 0, err);
        return error_errno(err, errno, "FUNKYTOWN_REDIS_BIND: %s", address);
    }
    getsockname(fd, (struct sockaddr *)&bound, &length);
    return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                             : ((struct sockaddr_in *)&bound)->sin_port);
}

static int make_folder(const char *path, struct error *err)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_errno(err, errno, "FUNKYTOWN_DATA_DIR: %s", path);
    return 0;
}

static int open_folder(struct redis_server *s, struct error *err)
{
    char absolute[PATH_MAX], lock_path[PATH_MAX + 8];
    const char *data_dir = s->options->data_dir;
    if (make_folder(data_dir, err) < 0)
        return -1;
    if (realpath(data_dir, absolute) == NULL)
        return error_errno(err, errno, "FUNKYTOWN_DATA_DIR: %s", data_dir);
    if (snprintf(s->folder, sizeof(s->folder), "%s/redis", absolute) >= (int)sizeof(s->folder) ||
        snprintf(s->log_path, sizeof(s->log_path), "%s/redis.log", absolute) >= (int)sizeof(s->log_path))
        return error_set(err, ERROR_CONFIG, "FUNKYTOWN_DATA_DIR: %s: the path is too long", data_dir);
    if (make_folder(s->folder, err) < 0)
        return -1;
    snprintf(lock_path, sizeof(lock_path), "%s/lock", absolute);
    s->lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock < 0)
        return error_errno(err, errno, "FUNKYTOWN_DATA_DIR: %s", lock_path);
    if (flock(s->lock, LOCK_EX | LOCK_NB) < 0)
        return error_set(
            err, ERROR_CONFIG,
            "FUNKYTOWN_DATA_DIR: found \"%s\", which another controller uses; wanted a folder of its own", data_dir);
    return 0;
}

/* ---- configuration: lines of redis.conf, quoted so that no value can end its line ---- */

static void add_value(struct buffer *config, const char *name, const char *prefix, const char *value)
{
    buffer_format(config, "%s \"%s", name, prefix);
    for (const unsigned char *p = (const unsigned char *)value; *p; p++)
        buffer_format(config, "\\x%02x", *p);
    buffer_text(config, "\"\n");
}

static void add_access(struct buffer *config, const struct options *o)
{
    if (o->redis_password == NULL) {
        buffer_text(config, "protected-mode no\n");
        return;
    }
    add_value(config, "requirepass", "", o->redis_password);
    if (o->redis_username && strcmp(o->redis_username, "default") != 0) {
        buffer_text(config, "user ");
        add_value(config, o->redis_username, ">", o->redis_password);
        config->length--; /* the same line goes on */
        buffer_text(config, " on ~* &* +@all\n");
    }
}

static char *make_config(const struct redis_server *s)
{
    auto_buffer config = {0};
    buffer_format(&config,
                  "port %d\nbind %s\ndaemonize no\nlogfile \"\"\nsave \"\"\nappendonly yes\nappendfsync everysec\n"
                  "maxmemory-policy noeviction\ntcp-keepalive 60\n",
                  s->port, s->options->redis_bind);
    if (s->options->redis_db >= 16)
        buffer_format(&config, "databases %d\n", s->options->redis_db + 1);
    add_value(&config, "dir", "", s->folder);
    add_access(&config, s->options);
    return buffer_take(&config);
}

/* ---- life ---- */

static void on_exit_of_server(void *data, const struct child_end *end);

/* The last line that it wrote, as what it has to say about its end. */
static void read_last_words(const struct redis_server *s, char *text, size_t size)
{
    char tail[2048];
    auto_close int fd = open(s->log_path, O_RDONLY | O_CLOEXEC);
    off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    off_t from = end > (off_t)sizeof(tail) - 1 ? end - (off_t)sizeof(tail) + 1 : 0;
    ssize_t length = fd >= 0 ? pread(fd, tail, sizeof(tail) - 1, from) : 0;
    while (length > 0 && tail[length - 1] == '\n')
        length--;
    tail[length > 0 ? length : 0] = '\0';
    const char *line = strrchr(tail, '\n');
    memory_copy_text(text, size, line ? line + 1 : tail);
}

static int start_server(struct redis_server *s, struct error *err)
{
    auto_free char *config = make_config(s);
    auto_close int output = open(s->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (output < 0)
        return error_errno(err, errno, "%s", s->log_path);
    const char *argv[] = {s->program, "-", NULL};
    /* Everything of the same user may read what it has in its environment. */
    static const char *const without_secrets[] = {"REDIS_USERNAME", "REDIS_PASSWORD", "FUNKYTOWN_TOKEN", NULL};
    const struct child_command command = {.argv = argv, .env = without_secrets, .input = config, .output = output};
    s->started_ms = clock_mono_ms();
    return child_start(&s->child, s->loop, &command, on_exit_of_server, s, err);
}

static void fail(struct redis_server *s, const struct error *reason)
{
    if (s->on_failed)
        s->on_failed(s->data, reason);
    s->on_failed = NULL;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct redis_server *s = handle->data;
    void (*stopped)(void *data) = s->stopped;
    void *data = s->data;
    if (s->lock >= 0)
        close(s->lock);
    free(s);
    if (stopped)
        stopped(data);
}

static void on_restart(uv_timer_t *timer)
{
    struct redis_server *s = timer->data;
    struct error err;
    if (start_server(s, &err) < 0)
        fail(s, &err);
}

static void on_exit_of_server(void *data, const struct child_end *end)
{
    struct redis_server *s = data;
    char words[512];
    if (s->is_stopping) {
        uv_close((uv_handle_t *)&s->timer, on_timer_closed);
        return;
    }
    read_last_words(s, words, sizeof(words));
    bool is_quick = clock_mono_ms() - s->started_ms < QUICK_DEATH_MS;
    s->quick_deaths = is_quick ? s->quick_deaths + 1 : 0;
    if (s->quick_deaths >= QUICK_DEATHS) {
        struct error err;
        error_set(&err, ERROR_CONFIG, "embedded %s ends again and again: %s", s->program, words);
        fail(s, &err);
        return;
    }
    log_warn("redis_server.died", LOG_INT("pid", end->pid), LOG_INT("status", end->status),
             LOG_TEXT("last_words", words));
    uv_timer_start(&s->timer, on_restart, is_quick ? 200 : 0, 0);
}

struct redis_server *redis_server_start(uv_loop_t *loop, const struct options *options,
                                        void (*on_failed)(void *data, const struct error *reason), void *data,
                                        struct error *err)
{
    struct redis_server *s = memory_zeroed(1, sizeof(*s));
    *s = (struct redis_server){.loop = loop, .options = options, .on_failed = on_failed, .data = data, .lock = -1};
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    s->program = find_program();
    if (s->program == NULL)
        error_set(err, ERROR_CONFIG,
                  "REDIS_HOST isn't set and there is no redis-server or valkey-server in PATH to embed");
    else if (open_folder(s, err) == 0 &&
             (s->port = choose_port(options->redis_bind, options->redis_port, err)) >= 0 && start_server(s, err) == 0)
        return s;
    s->stopped = NULL;
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
    return NULL;
}

int redis_server_port(const struct redis_server *s)
{
    return s->port;
}

static void on_stop_limit(uv_timer_t *timer)
{
    struct redis_server *s = timer->data;
    child_signal(&s->child, SIGKILL);
}

void redis_server_stop(struct redis_server *s, unsigned limit_ms, void (*stopped)(void *data))
{
    s->is_stopping = true;
    s->stopped = stopped;
    if (s->child.pid == 0) {
        uv_close((uv_handle_t *)&s->timer, on_timer_closed);
        return;
    }
    child_signal(&s->child, SIGTERM);
    uv_timer_start(&s->timer, on_stop_limit, limit_ms, 0);
}
