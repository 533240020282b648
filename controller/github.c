#include "controller/github.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/export/export_github.h"
#include "shared/buffer.h"
#include "shared/log.h"
#include "shared/memory.h"

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* ---- commands ---- */

static void stop_commands(const struct github *g)
{
    printf("::stop-commands::%s\n", g->token);
    fflush(stdout);
}

static void go_on(const struct github *g)
{
    printf("::%s::\n", g->token);
    fflush(stdout);
}

void github_open(struct github *g)
{
    unsigned char random[GITHUB_TOKEN_SIZE / 2];
    const char *is_there = variable("GITHUB_ACTIONS");
    *g = (struct github){0};
    if (is_there == NULL || strcmp(is_there, "true") != 0)
        return;
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        abort(); /* the kernel gives so few bytes whole */
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(g->token + 2 * i, 3, "%02x", random[i]);
    stop_commands(g);
}

void github_close(struct github *g)
{
    if (g->token[0])
        go_on(g);
    g->token[0] = '\0';
}

/* ---- places ---- */

/* The nearest folder that is a work tree of git; what was checked out, where there is none. Owned by the caller. */
static char *find_repository(const char *spec_root)
{
    const char *workspace = variable("GITHUB_WORKSPACE");
    auto_free char *at = memory_text(spec_root);
    for (char *slash; at && *at; *slash = '\0') {
        auto_free char *inside = memory_format("%s/.git", at);
        if (access(inside, F_OK) == 0)
            return take(at);
        slash = strrchr(at, '/');
    }
    return workspace ? realpath(workspace, NULL) : NULL;
}

static void tell_annotations(const struct github *g, const struct options *options, const struct export_run *run)
{
    auto_buffer out = {0};
    auto_free char *spec_root = realpath(options->spec_root, NULL);
    auto_free char *repository = find_repository(spec_root);
    const struct export_github_place place = {spec_root, repository};
    export_github_add_annotations(&out, run, &place);
    if (out.length == 0)
        return;
    go_on(g);
    fwrite(out.data, 1, out.length, stdout);
    stop_commands(g);
}

/* ---- the summary ---- */

static int write_all(int fd, const struct buffer *text)
{
    for (size_t written = 0; written < text->length;) {
        ssize_t count = write(fd, text->data + written, text->length - written);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        written += (size_t)count;
    }
    return 0;
}

/* Others write to the same file, and GitHub's limit is that of all of it. */
static int append(const char *path, const struct export_run *run)
{
    auto_buffer text = {0};
    struct stat info;
    auto_close int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || fstat(fd, &info) < 0)
        return -1;
    if (info.st_size < EXPORT_GITHUB_SUMMARY_BYTES)
        export_github_add_summary(&text, run, (size_t)(EXPORT_GITHUB_SUMMARY_BYTES - info.st_size));
    return write_all(fd, &text);
}

void github_tell(const struct github *g, const struct options *options, const struct export_run *run)
{
    const char *summary = variable("GITHUB_STEP_SUMMARY");
    if (g->token[0] == '\0')
        return;
    tell_annotations(g, options, run);
    if (summary && append(summary, run) < 0)
        log_warn("summary.unwritten", LOG_TEXT("file", summary), LOG_TEXT("reason", strerror(errno)));
}
