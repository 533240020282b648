#include "worker/programs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/memory.h"
#include "shared/runner_builtins.h"

/* The caller frees; NULL: in none of them. */
static char *find_upwards(const char *root, const char *package, const char *program)
{
    char folder[PATH_MAX];
    memory_copy_text(folder, sizeof(folder), root);
    for (;;) {
        char *path = memory_format("%s/node_modules/%s/%s", folder, package, program);
        if (access(path, R_OK) == 0)
            return path;
        free(path);
        char *slash = strrchr(folder, '/');
        if (slash == NULL || folder[0] == '\0')
            return NULL;
        *slash = '\0';
    }
}

void programs_find(struct programs *programs, const char *root)
{
    *programs = (struct programs){0};
    while (runner_builtin_name(programs->count) != NULL)
        programs->count++;
    programs->paths = memory_zeroed(programs->count, sizeof(*programs->paths));
    for (size_t i = 0; i < programs->count; i++) {
        auto_free char *package = runner_builtin_text(i, "package");
        auto_free char *program = runner_builtin_text(i, "program");
        programs->paths[i] = find_upwards(root, package, program);
    }
}

void programs_close(struct programs *programs)
{
    for (size_t i = 0; i < programs->count; i++)
        free(programs->paths[i]);
    free(programs->paths);
    *programs = (struct programs){0};
}
