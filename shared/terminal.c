#include "shared/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

bool terminal_takes_escapes(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

bool terminal_takes_colours(int fd)
{
    return terminal_takes_escapes(fd) && !is_set("NO_COLOR");
}

bool terminal_is_watched(int fd)
{
    return isatty(fd) && !is_set("CI");
}
