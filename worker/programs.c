#include "worker/programs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "shared/asking.h"
#include "shared/clock.h"
#include "shared/file.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/options.h"
#include "shared/runner_builtins.h"

enum { ASKING_MS = 60000 };

/* ---- in node_modules ---- */

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

/* ---- in Yarn's archives ---- */

/* The nearest .pnp.cjs; the caller frees. NULL: there is none. */
static char *find_pnp(const char *root)
{
    char folder[PATH_MAX];
    memory_copy_text(folder, sizeof(folder), root);
    for (;;) {
        auto_free char *path = memory_format("%s/.pnp.cjs", folder);
        if (access(path, R_OK) == 0)
            return take(path);
        char *slash = strrchr(folder, '/');
        if (slash == NULL || folder[0] == '\0')
            return NULL;
        *slash = '\0';
    }
}

static char *take_text(const cJSON *answer, const char *name)
{
    return memory_text(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, name)));
}

static void read_answer(struct programs *programs, const cJSON *answer)
{
    programs->node_options = take_text(answer, "nodeOptions");
    for (size_t i = 0; i < programs->count; i++) {
        const cJSON *found = cJSON_GetObjectItemCaseSensitive(answer, runner_builtin_name(i));
        programs->paths[i] = take_text(found, "path");
        programs->versions[i] = take_text(found, "version");
    }
}

static int ask(const char *const *argv, struct buffer *output, struct error *err)
{
    const char *secrets[OPTIONS_SECRETS_MAX + 1];
    options_secret_names(secrets);
    char **environment = asking_environment_without(secrets);
    auto_buffer complaint = {0};
    int status;
    const struct asking asking = {
        .argv = argv,
        .env = environment,
        .deadline_mono_ms = clock_mono_ms() + ASKING_MS,
        .output = output,
        .complaint = &complaint,
    };
    int result = asking_run(&asking, &status, err);
    asking_free_environment(environment);
    return result;
}

/* {"playwright": {"package", "program"}, …} */
static char *format_question(const struct programs *programs)
{
    cJSON *question = cJSON_CreateObject();
    for (size_t i = 0; i < programs->count; i++) {
        auto_free char *package = runner_builtin_text(i, "package");
        auto_free char *program = runner_builtin_text(i, "program");
        cJSON *one = cJSON_AddObjectToObject(question, runner_builtin_name(i));
        cJSON_AddStringToObject(one, "package", package);
        cJSON_AddStringToObject(one, "program", program);
    }
    char *text = cJSON_PrintUnformatted(question);
    cJSON_Delete(question);
    return text;
}

static void find_in_pnp(struct programs *programs, const char *pnp, const char *root, const char *script)
{
    struct error err;
    cJSON *answer = NULL;
    auto_buffer output = {0};
    auto_free char *question = format_question(programs);
    const char *const argv[] = {"node", script, pnp, root, question, NULL};
    if (ask(argv, &output, &err) == 0 &&
        json_parse(&answer, output.data ? output.data : "", output.length, &err) == 0)
        read_answer(programs, answer);
    else
        log_warn("programs.unknown", LOG_TEXT("file", pnp), LOG_TEXT("reason", err.text));
    cJSON_Delete(answer);
}

/* ---- all of them ---- */

void programs_find(struct programs *programs, const char *root, const char *script)
{
    *programs = (struct programs){0};
    while (runner_builtin_name(programs->count) != NULL)
        programs->count++;
    programs->paths = memory_zeroed(programs->count, sizeof(*programs->paths));
    programs->versions = memory_zeroed(programs->count, sizeof(*programs->versions));
    auto_free char *pnp = script ? find_pnp(root) : NULL;
    if (pnp)
        find_in_pnp(programs, pnp, root, script);
    for (size_t i = 0; i < programs->count; i++)
        if (programs->paths[i] == NULL)
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
    free(programs->node_options);
    *programs = (struct programs){0};
}
