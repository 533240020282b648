#include "controller/git.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "shared/asking.h"
#include "shared/memory.h"

enum { WORDS = 32 };

static const char *const fixed_words[] = {
    "git", "--no-pager",          "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c",  "protocol.allow=never"};
static const char *const fixed_variables[] = {"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0",
                                              "GIT_NO_LAZY_FETCH=1"};
static const char *const passed_variables[] = {"PATH",
                                               "HOME",
                                               "XDG_CONFIG_HOME",
                                               "TMPDIR",
                                               "GIT_CONFIG_GLOBAL",
                                               "GIT_CONFIG_SYSTEM",
                                               "GIT_CONFIG_NOSYSTEM",
                                               "GIT_CEILING_DIRECTORIES",
                                               "GIT_DISCOVERY_ACROSS_FILESYSTEM"};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void make_words(const char *folder, const char *const *words, const char *all[WORDS + 1])
{
    size_t count = COUNT(fixed_words);
    memcpy(all, fixed_words, sizeof(fixed_words));
    all[count++] = "-C";
    all[count++] = folder;
    for (; *words && count < WORDS; words++)
        all[count++] = *words;
    all[count] = NULL;
}

static char **make_environment(void)
{
    char **all = memory_zeroed(COUNT(fixed_variables) + COUNT(passed_variables) + 1, sizeof(*all));
    size_t count = 0;
    for (size_t i = 0; i < COUNT(fixed_variables); i++)
        all[count++] = memory_text(fixed_variables[i]);
    for (size_t i = 0; i < COUNT(passed_variables); i++) {
        const char *value = getenv(passed_variables[i]);
        if (value)
            all[count++] = memory_format("%s=%s", passed_variables[i], value);
    }
    return all;
}

/* What it said, when it ended badly. */
static int refuse(int status, const struct buffer *complaint, struct error *err)
{
    size_t length = complaint->data ? strcspn(complaint->data, "\n") : 0;
    if (length == 0)
        return error_set(err, ERROR_SYSTEM, "git ended with status %d", status);
    return error_set(err, ERROR_SYSTEM, "git: %.*s", (int)length, complaint->data);
}

int git_ask(const char *folder, const char *const *words, uint64_t deadline_mono_ms, struct buffer *out,
            struct error *err)
{
    const char *all[WORDS + 1];
    auto_buffer complaint = {0};
    char **environment = make_environment();
    int status;
    make_words(folder, words, all);
    const struct asking asking = {
        .argv = all,
        .env = environment,
        .deadline_mono_ms = deadline_mono_ms,
        .output = out,
        .complaint = &complaint,
    };
    int result = asking_run(&asking, &status, err);
    asking_free_environment(environment);
    if (result == 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return refuse(status, &complaint, err);
    return result;
}
