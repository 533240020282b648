#include "shared/runner_builtins.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
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

int runner_builtin_number(const char *name)
{
    const struct embedded_file *file = runner_builtin(name);
    return file ? (int)(file - runner_files) : -1;
}

/* The next number of a version, 0 when there are no more: 1.63 is 1.63.0, and so is its preview 1.63.0-beta. */
static unsigned long next_number(const char **version)
{
    if (!isdigit((unsigned char)**version))
        return 0;
    char *end;
    unsigned long number = strtoul(*version, &end, 10);
    *version = *end == '.' ? end + 1 : "";
    return number;
}

static bool is_before(const char *version, const char *bound)
{
    if (!isdigit((unsigned char)*version))
        return false;
    while (*version != '\0' || *bound != '\0') {
        unsigned long a = next_number(&version), b = next_number(&bound);
        if (a != b)
            return a < b;
    }
    return false;
}

const struct cJSON *runner_builtin_older(const struct cJSON *file, const char *version)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(file, "older"))
    {
        const char *bound = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "before"));
        assert(bound != NULL);
        if (version != NULL && is_before(version, bound))
            return cJSON_GetObjectItemCaseSensitive(row, "runner");
    }
    return NULL;
}

static char *text_of(size_t index, const char *object, const char *member)
{
    cJSON *file = cJSON_Parse((const char *)runner_files[index].body);
    const cJSON *from = object ? cJSON_GetObjectItemCaseSensitive(file, object) : file;
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(from, member));
    assert(text != NULL || object != NULL);
    char *copy = memory_text(text);
    cJSON_Delete(file);
    return copy;
}

char *runner_builtin_text(size_t index, const char *member)
{
    return text_of(index, NULL, member);
}

char *runner_builtin_lister(size_t index, const char *member)
{
    return text_of(index, "lister", member);
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
