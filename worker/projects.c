#include "worker/projects.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "shared/buffer.h"
#include "shared/form.h"
#include "shared/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { PROJECTS_MAX = 1000, WORDS_SIZE = 512 };

/* ---- the list ---- */

void projects_take(struct projects *projects, const struct cJSON *event)
{
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "event"));
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "name"));
    const char *browser = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "browser"));
    if (kind == NULL || strcmp(kind, "project") != 0 || name == NULL || browser == NULL ||
        projects->count == PROJECTS_MAX)
        return;
    projects->list = memory_resize(projects->list, projects->count + 1, sizeof(*projects->list));
    projects->list[projects->count++] = (struct project){
        .name = memory_text(name),
        .browser = memory_text(browser),
        .is_mobile = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(event, "mobile")),
        .is_helper = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(event, "helper")),
    };
}

void projects_close(struct projects *projects)
{
    for (size_t i = 0; i < projects->count; i++) {
        free(projects->list[i].name);
        free(projects->list[i].browser);
    }
    free(projects->list);
    *projects = (struct projects){0};
}

/* ---- the rule ---- */

/* What people call an engine. Other browsers have projects of their name only. */
static const char *engine_of(const char *browser)
{
    static const struct {
        const char *browser, *engine;
    } rows[] = {
        {"chrome", "chromium"}, {"chromium", "chromium"}, {"google-chrome", "chromium"},
        {"edge", "edge"},       {"msedge", "edge"},       {"microsoft-edge", "edge"},
        {"firefox", "firefox"}, {"safari", "webkit"},     {"webkit", "webkit"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcasecmp(rows[i].browser, browser) == 0)
            return rows[i].engine;
    return "";
}

/* Whether they are the same letters and digits. */
static bool sounds_like(const char *a, const char *b)
{
    for (;;) {
        while (*a != '\0' && ispunct((unsigned char)*a) + isspace((unsigned char)*a) > 0)
            a++;
        while (*b != '\0' && ispunct((unsigned char)*b) + isspace((unsigned char)*b) > 0)
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (*a == '\0')
            return true;
        a++, b++;
    }
}

static bool fits(const struct project *p, const char *engine, const char *browser, bool is_mobile)
{
    bool is_engine = strcmp(p->browser, engine) == 0 || (*engine == '\0' && sounds_like(p->name, browser));
    return is_engine && p->is_mobile == is_mobile && !p->is_helper;
}

static const struct project *find_exactly(const struct projects *projects, const char *name)
{
    for (size_t i = 0; i < projects->count; i++)
        if (strcmp(projects->list[i].name, name) == 0)
            return &projects->list[i];
    return NULL;
}

static void add_names(struct buffer *out, const struct projects *projects)
{
    for (size_t i = 0; i < projects->count; i++) {
        buffer_text(out, i > 0 ? ", " : "");
        form_add_quoted(out, projects->list[i].name);
    }
}

static int refuse(const struct projects *projects, const char *what, const char *combination, const char *advice,
                  struct error *err)
{
    auto_buffer names = {0};
    if (projects->count == 1 && projects->list[0].name[0] == '\0')
        buffer_format(&names, "the runner's configuration has no projects, and is for %s", projects->list[0].browser);
    else
        buffer_text(&names, "the runner's configuration has "), add_names(&names, projects);
    return error_set(err, ERROR_CONFIG, "%s %s: %s%s", what, combination, names.data, advice);
}

#define NAME_ONE "; say which under \"projects\" in the spec map"

/* By name and device; the better the name the sooner. */
static int find_fitting(const struct projects *projects, const char *combination, const char *browser, bool is_mobile,
                        const struct project **found, struct error *err)
{
    const char *engine = engine_of(browser);
    const char *const names[] = {combination, browser, engine};
    const struct project *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < projects->count; i++)
        if (fits(&projects->list[i], engine, browser, is_mobile))
            only = &projects->list[i], count++;
    for (size_t n = 0; n < COUNT(names); n++)
        for (size_t i = 0; i < projects->count; i++) {
            *found = &projects->list[i];
            if (fits(*found, engine, browser, is_mobile) && sounds_like((*found)->name, names[n]))
                return 0;
        }
    *found = only;
    if (count == 1)
        return 0;
    return refuse(projects, count == 0 ? "no project fits" : "several projects fit", combination, NAME_ONE, err);
}

static void combine(const char *viewport, const char *browser, char *out, size_t size)
{
    snprintf(out, size, "%s-%s", viewport, browser);
}

void projects_guess(const struct run_policy *policy, const char *viewport, const char *browser, char *name,
                    size_t size)
{
    combine(viewport, browser, name, size);
    const char *said = run_policy_project(policy, name);
    if (said != NULL)
        memory_copy_text(name, size, said);
}

int projects_match(const struct projects *projects, const struct run_policy *policy, const char *viewport,
                   const char *browser, char *name, size_t size, struct error *err)
{
    char combination[WORDS_SIZE];
    combine(viewport, browser, combination, sizeof(combination));
    projects_guess(policy, viewport, browser, name, size);
    const struct project *found = find_exactly(projects, name);
    if (found != NULL)
        return 0;
    if (run_policy_project(policy, combination) != NULL) {
        auto_buffer what = {0};
        buffer_text(&what, "there is no project ");
        form_add_quoted(&what, name);
        buffer_text(&what, ", which the spec map names for");
        return refuse(projects, what.data, combination, "", err);
    }
    const struct run_viewport *size_of = run_policy_viewport(policy, viewport);
    bool is_mobile = size_of ? size_of->is_mobile : false;
    if (find_fitting(projects, combination, browser, is_mobile, &found, err) < 0)
        return -1;
    memory_copy_text(name, size, found->name);
    return 0;
}

/* ---- what a worker remembers ---- */

void projects_forget(struct projects_memory *memory)
{
    for (size_t i = 0; i < memory->count; i++) {
        free(memory->list[i].runner);
        projects_close(&memory->list[i].projects);
    }
    free(memory->list);
    free(memory->digest);
    *memory = (struct projects_memory){0};
}

const struct projects *projects_recall(struct projects_memory *memory, const struct run_policy *policy,
                                       const char *runner)
{
    if (memory->digest != NULL && strcmp(memory->digest, policy->digest) != 0)
        projects_forget(memory);
    for (size_t i = 0; i < memory->count; i++)
        if (strcmp(memory->list[i].runner, runner) == 0)
            return &memory->list[i].projects;
    return NULL;
}

void projects_remember(struct projects_memory *memory, const struct run_policy *policy, const char *runner,
                       struct projects *listed)
{
    if (projects_recall(memory, policy, runner) != NULL) { /* two slots have asked at the same time */
        projects_close(listed);
        return;
    }
    if (memory->digest == NULL)
        memory->digest = memory_text(policy->digest);
    memory->list = memory_resize(memory->list, memory->count + 1, sizeof(*memory->list));
    memory->list[memory->count++] = (struct known_projects){memory_text(runner), *listed};
    *listed = (struct projects){0};
}
