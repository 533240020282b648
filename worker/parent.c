#include "worker/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/memory.h"

#define VARIABLE "FUNKYTOWN_CONTROLLER_FD"

static bool is_line(int fd)
{
    int type = 0;
    socklen_t size = sizeof(type);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* The text of the next message; NULL: it was the empty one, or the controller has gone. */
static char *receive(int line)
{
    char byte;
    ssize_t length = recv(line, &byte, sizeof(byte), MSG_PEEK | MSG_TRUNC);
    if (length <= 0) {
        recv(line, &byte, sizeof(byte), MSG_DONTWAIT);
        return NULL;
    }
    char *text = memory_zeroed((size_t)length + 1, 1);
    recv(line, text, (size_t)length, 0);
    return text;
}

static int take_secrets(struct parent *parent, struct options *options, struct error *err)
{
    char *secret;
    for (size_t i = 0; (secret = receive(parent->line)); i++) {
        if (i == PARENT_SECRETS_MAX) {
            free(secret);
            return error_set(err, ERROR_CONFIG,
                             "found more secrets than there are options for, wanted a controller of this version");
        }
        parent->secrets[i] = secret;
        if (options_take_secret(options, secret, err) < 0)
            return -1;
    }
    return 0;
}

int parent_open(struct parent *parent, struct options *options, struct error *err)
{
    *parent = (struct parent){.line = -1};
    const char *text = getenv(VARIABLE);
    if (text == NULL)
        return 0;
    char *end;
    long fd = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || fd < 0 || fd > 1 << 20 || !is_line((int)fd))
        return error_set(err, ERROR_CONFIG,
                         VARIABLE ": found \"%s\", wanted it unset: only a controller sets it, for its own workers",
                         text);
    unsetenv(VARIABLE);
    parent->line = (int)fd;
    fcntl(parent->line, F_SETFD, FD_CLOEXEC);
    return take_secrets(parent, options, err);
}

void parent_tell_joined(const struct parent *parent)
{
    if (parent->line >= 0)
        send(parent->line, "j", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool parent_has_gone(const struct parent *parent)
{
    char byte;
    ssize_t length = recv(parent->line, &byte, sizeof(byte), MSG_DONTWAIT);
    return length == 0 || (length < 0 && errno != EAGAIN);
}

void parent_close(struct parent *parent)
{
    for (char **secret = parent->secrets; *secret; secret++)
        free(*secret);
    memory_cleanup_close(&parent->line);
    *parent = (struct parent){.line = -1};
}
