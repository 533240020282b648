#include "worker/programs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "shared/file.h"
#include "shared/json.h"
#include "shared/memory.h"
#include "shared/runner_builtins.h"

/* The folder of a package that has this program; the caller frees. NULL: there is none. */
static char *find_upwards(const char *root, const char *package, const char *program)
{
    char folder[PATH_MAX];
    memory_copy_text(folder, sizeof(folder), root);
    for (;;) {
        auto_free char *found = memory_format("%s/node_modules/%s", folder, package);
        auto_free char *path = memory_format("%s/%s", found, program);
        if (access(path, R_OK) == 0)
            return take(found);
        char *slash = strrchr(folder, '/');
        if (slash == NULL || folder[0] == '\0')
            return NULL;
        *slash = '\0';
    }
}

/* The caller frees; NULL: the package doesn't say. */
static char *read_version(const char *folder)
{
    struct error err;
    size_t length;
    cJSON *description = NULL;
    auto_free char *path = memory_format("%s/package.json", folder);
    auto_free char *text = file_read(path, &length, &err);
    if (text == NULL || json_parse(&description, text, length, &err) < 0)
        return NULL;
    char *version = memory_text(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(description, "version")));
    cJSON_Delete(description);
    return version;
}

static void find_program(struct programs *programs, size_t number, const char *root)
{
    auto_free char *package = runner_builtin_text(number, "package");
    auto_free char *program = runner_builtin_text(number, "program");
    auto_free char *folder = find_upwards(root, package, program);
    if (folder == NULL)
        return;
    programs->paths[number] = memory_format("%s/%s", folder, program);
    programs->versions[number] = read_version(folder);
}

void programs_find(struct programs *programs, const char *root)
{
    *programs = (struct programs){0};
    while (runner_builtin_name(programs->count) != NULL)
        programs->count++;
    programs->paths = memory_zeroed(programs->count, sizeof(*programs->paths));
    programs->versions = memory_zeroed(programs->count, sizeof(*programs->versions));
    for (size_t i = 0; i < programs->count; i++)
        find_program(programs, i, root);
}

void programs_close(struct programs *programs)
{
    for (size_t i = 0; i < programs->count; i++) {
        free(programs->paths[i]);
        free(programs->versions[i]);
    }
    free(programs->paths);
    free(programs->versions);
    *programs = (struct programs){0};
}
