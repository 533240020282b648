#include "shared/in_path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool in_path(const char *program)
{
    const char *path = getenv("PATH");
    for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
        char full[PATH_MAX];
        size_t length = strcspn(p, ":");
        snprintf(full, sizeof(full), "%.*s/%s", (int)length, p, program);
        if (access(full, X_OK) == 0)
            return true;
        p += length + (p[length] == ':');
    }
    return false;
}
