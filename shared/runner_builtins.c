#include "shared/runner_builtins.h"

#include <assert.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "runner_files.h"
#include "shared/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct embedded_file *runner_builtin(const char *name)
{
    for (size_t i = 0; i < runner_files_count; i++)
        if (strcmp(runner_files[i].name, name) == 0)
            return &runner_files[i];
    return NULL;
}

const char *runner_builtin_name(size_t index)
{
    return index < runner_files_count ? runner_files[index].name : NULL;
}

char *runner_builtin_text(size_t index, const char *member)
{
    cJSON *file = cJSON_Parse((const char *)runner_files[index].body);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(file, member));
    assert(text != NULL);
    char *copy = memory_text(text);
    cJSON_Delete(file);
    return copy;
}

const char *runner_for_spec(const char *spec)
{
    static const struct {
        const char *infix;
        const char *runner;
    } infixes[] = {{".cy.", "cypress"}, {".wdio.", "webdriver"}, {".e2e.", "webdriver"}};
    const char *slash = strrchr(spec, '/');
    const char *file = slash ? slash + 1 : spec;
    for (size_t i = 0; i < COUNT(infixes); i++)
        if (strstr(file, infixes[i].infix) != NULL)
            return infixes[i].runner;
    return "playwright";
}
