/* Which project of a configuration a viewport and a browser stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "worker/projects.h"

static struct run_viewport viewports[] = {
    {"desktop", 1280, 720, false}, {"mobile", 393, 851, true}, {"phone", 393, 851, true}};
static struct run_project said[] = {
    {"desktop-edge", "Microsoft Edge"}, {"phone-chrome", "gone"}, {"desktop-opera", "b"}};
static const struct run_policy policy = {
    .digest = "1", .viewports = viewports, .viewport_count = 3, .projects = said, .project_count = 3};

/* One event a word: name/engine, +mobile, +helper. */
static struct projects take_projects(const char *const *words)
{
    struct projects projects = {0};
    for (; *words != NULL; words++) {
        char name[64] = "", engine[64] = "", text[256];
        sscanf(*words, "%63[^/+]/%63[^+]", name, engine);
        if ((*words)[0] == '/')
            snprintf(engine, sizeof(engine), "%s", *words + 1);
        snprintf(text, sizeof(text),
                 "{\"event\":\"project\",\"name\":\"%s\",\"browser\":\"%s\",\"mobile\":%s,\"helper\":%s}", name,
                 engine, strstr(*words, "+mobile") ? "true" : "false", strstr(*words, "+helper") ? "true" : "false");
        cJSON *event = cJSON_Parse(text);
        assert_non_null(event);
        projects_take(&projects, event);
        cJSON_Delete(event);
    }
    return projects;
}

#define LIST(...)                                                                                                    \
    (const char *const[])                                                                                            \
    {                                                                                                                \
        __VA_ARGS__, NULL                                                                                            \
    }
#define STOCK                                                                                                        \
    LIST("setup/chromium+helper", "chromium/chromium", "firefox/firefox", "webkit/webkit",                           \
         "Mobile Chrome/chromium+mobile", "Mobile Safari/webkit+mobile", "Microsoft Edge/edge",                      \
         "Google Chrome/chromium")

static void a_viewport_and_a_browser_stand_for_a_project(void **state)
{
    (void)state;
    const struct {
        const char *const *projects;
        const char *viewport, *browser;
        const char *name, *error;
    } rows[] = {
        {STOCK, "desktop", "chrome", "chromium", NULL},
        {STOCK, "desktop", "chromium", "chromium", NULL},
        {STOCK, "desktop", "firefox", "firefox", NULL},
        {STOCK, "desktop", "webkit", "webkit", NULL},
        {STOCK, "desktop", "safari", "webkit", NULL},
        {STOCK, "desktop", "google-chrome", "Google Chrome", NULL},
        {STOCK, "mobile", "chrome", "Mobile Chrome", NULL},
        {STOCK, "phone", "webkit", "Mobile Safari", NULL},
        {STOCK, "unheard-of", "firefox", "firefox", NULL},
        {STOCK, "desktop", "edge", "Microsoft Edge", NULL},
        {STOCK, "mobile", "firefox", NULL,
         "no project fits mobile-firefox: the runner's configuration has \"setup\", \"chromium\", \"firefox\", "
         "\"webkit\", \"Mobile Chrome\", \"Mobile Safari\", \"Microsoft Edge\", \"Google Chrome\"; say which under "
         "\"projects\" in the spec map"},
        {LIST("a/chromium", "b/firefox"), "phone", "chrome", NULL,
         "there is no project \"gone\", which the spec map names for phone-chrome: the runner's configuration has "
         "\"a\", \"b\""},
        {LIST("a/chromium", "b/firefox"), "desktop", "opera", "b", NULL},
        {LIST("a/chromium", "b/firefox"), "desktop", "chrome", "a", NULL},
        {LIST("a/chromium", "c/chromium"), "desktop", "chrome", NULL,
         "several projects fit desktop-chrome: the runner's configuration has \"a\", \"c\"; say which under "
         "\"projects\" in the spec map"},
        {LIST("a/chromium", "Desktop Chrome/chromium"), "desktop", "chrome", "Desktop Chrome", NULL},
        {LIST("chromium/chromium", "chrome/chromium"), "desktop", "chrome", "chrome", NULL},
        {LIST("desktop-chrome/webkit+mobile", "chrome/chromium"), "desktop", "chrome", "desktop-chrome", NULL},
        {LIST("vivaldi/chromium"), "desktop", "vivaldi", "vivaldi", NULL},
        {LIST("/chromium"), "desktop", "chrome", "", NULL},
        {LIST("/chromium"), "desktop", "firefox", NULL,
         "no project fits desktop-firefox: the runner's configuration has no projects, and is for chromium; say "
         "which "
         "under \"projects\" in the spec map"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct projects projects = take_projects(rows[i].projects);
        char name[256];
        struct error err = {0};
        int result = projects_match(&projects, &policy, rows[i].viewport, rows[i].browser, name, sizeof(name), &err);
        assert_string_equal(err.text, rows[i].error ? rows[i].error : "");
        assert_int_equal(result, rows[i].error ? -1 : 0);
        if (rows[i].name)
            assert_string_equal(name, rows[i].name);
        projects_close(&projects);
    }
}

static void until_somebody_has_asked_it_is_a_guess(void **state)
{
    (void)state;
    char name[256];
    projects_guess(&policy, "desktop", "chrome", name, sizeof(name));
    assert_string_equal(name, "desktop-chrome");
    projects_guess(&policy, "desktop", "edge", name, sizeof(name));
    assert_string_equal(name, "Microsoft Edge");
}

static void what_was_listed_is_kept_for_a_plan(void **state)
{
    (void)state;
    struct projects_memory memory = {0};
    const struct run_policy other = {.digest = "2"};
    struct projects listed = take_projects(LIST("a/chromium")), none = {0};
    assert_null(projects_recall(&memory, &policy, "r"));
    projects_remember(&memory, &policy, "r", &listed);
    projects_remember(&memory, &policy, "silent", &none);
    assert_int_equal(listed.count, 0);
    assert_string_equal(projects_recall(&memory, &policy, "r")->list[0].name, "a");
    assert_int_equal(projects_recall(&memory, &policy, "silent")->count, 0);
    assert_null(projects_recall(&memory, &policy, "s"));

    listed = take_projects(LIST("b/chromium"));
    projects_remember(&memory, &policy, "r", &listed);
    assert_string_equal(projects_recall(&memory, &policy, "r")->list[0].name, "a");
    assert_null(projects_recall(&memory, &other, "r"));
    projects_forget(&memory);
}

static void other_events_are_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"{\"event\":\"test\",\"name\":\"a\",\"browser\":\"b\"}",
                                        "{\"event\":\"project\"}",
                                        "{\"event\":\"project\",\"name\":1,\"browser\":\"b\"}", "[]"};
    struct projects projects = {0};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cJSON *event = cJSON_Parse(texts[i]);
        projects_take(&projects, event);
        cJSON_Delete(event);
    }
    projects_take(&projects, NULL);
    assert_int_equal(projects.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_viewport_and_a_browser_stand_for_a_project),
        cmocka_unit_test(until_somebody_has_asked_it_is_a_guess),
        cmocka_unit_test(what_was_listed_is_kept_for_a_plan),
        cmocka_unit_test(other_events_are_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
