#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "shared/buffer.h"
#include "shared/runner.h"
#include "shared/runner_template.h"

static int parse_for(struct runner *runner, const char *name, const char *version, const char *definition,
                     struct error *err)
{
    struct cJSON *json = cJSON_Parse(definition);
    assert_non_null(json);
    struct form_place all = {.key = "runners"}, place = {.parent = &all, .key = name};
    const char *versions[16] = {NULL};
    int number = runner_builtin_number(name);
    assert_true(number < (int)(sizeof(versions) / sizeof(versions[0])));
    if (number >= 0)
        versions[number] = version;
    int result = runner_parse(runner, name, versions, json, &place, err);
    cJSON_Delete(json);
    return result;
}

static int parse(struct runner *runner, const char *name, const char *definition, struct error *err)
{
    return parse_for(runner, name, NULL, definition, err);
}

static void parse_good(struct runner *runner, const char *name, const char *definition)
{
    struct error err = {0};
    if (parse(runner, name, definition, &err) < 0)
        fail_msg("%s", err.text);
}

/* The elements with '|' between them. */
static void assert_list(char *const *list, const char *wanted)
{
    auto_buffer text = {0};
    buffer_text(&text, "");
    for (size_t i = 0; list[i] != NULL; i++)
        buffer_format(&text, "%s%s", i > 0 ? "|" : "", list[i]);
    assert_string_equal(text.data, wanted);
}

static void a_definition_is_kept(void **state)
{
    (void)state;
    struct runner r;
    parse_good(&r, "smoke",
               "{\"argv\":[\"bash\",\"-c\",\"a\\nb\",\"{spec}\"],\"env\":{\"A\":\"b=c\",\"_9\":\"\"},\"cwd\":\"x/y\","
               "\"exit\":{\"0\":\"failed\",\"7\":\"passed\",\"77\":\"skipped\",\"255\":\"failed\"}}");
    assert_string_equal(r.name, "smoke");
    assert_list(r.argv, "bash|-c|a\nb|{spec}");
    assert_list(r.env, "A=b=c|_9=");
    assert_string_equal(r.cwd, "x/y");
    assert_int_equal(r.exit_results[0], TASK_FAILED);
    assert_int_equal(r.exit_results[1], TASK_FAILED);
    assert_int_equal(r.exit_results[2], TASK_ERROR);
    assert_int_equal(r.exit_results[7], TASK_PASSED);
    assert_int_equal(r.exit_results[77], TASK_SKIPPED);
    assert_int_equal(r.exit_results[255], TASK_FAILED);
    runner_close(&r);
    assert_null(r.argv);
}

static void what_is_left_out_has_a_default(void **state)
{
    (void)state;
    struct runner r;
    parse_good(&r, "smoke", "{\"argv\":[\"true\"]}");
    assert_list(r.env, "");
    assert_null(r.cwd);
    assert_int_equal(r.exit_results[0], TASK_PASSED);
    assert_int_equal(r.exit_results[1], TASK_FAILED);
    for (int status = 2; status < 256; status++)
        assert_int_equal(r.exit_results[status], TASK_ERROR);
    runner_close(&r);
}

static void a_builtin_can_be_changed_in_part(void **state)
{
    (void)state;
    struct runner builtin, changed;
    parse_good(&builtin, "playwright", "{}");
    parse_good(&changed, "playwright", "{\"env\":{\"CI\":\"1\"}}");
    for (size_t i = 0; builtin.argv[i] != NULL || changed.argv[i] != NULL; i++)
        assert_string_equal(changed.argv[i], builtin.argv[i]);
    assert_list(changed.env, "CI=1");
    runner_close(&changed);

    parse_good(&changed, "playwright", "{\"env\":{\"CI\":\"1\",\"B\":\"2\"}}");
    assert_list(changed.env, "CI=1|B=2");
    runner_close(&changed);

    parse_good(&changed, "playwright", "{\"argv\":[\"npx\",\"playwright\",\"test\",\"{spec}\"]}");
    assert_list(changed.argv, "npx|playwright|test|{spec}");
    runner_close(&changed);
    runner_close(&builtin);
}

#define KNOWN                                                                                                        \
    "{spec} {specs...} {spec_regex} {viewport} {browser} {width} {height} {events} {artifacts} {output} {project} "  \
    "{cypress} {mocha} {playwright} {webdriver} "                                                                    \
    "{reporter}"

static void bad_definitions_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *definition, *error;
    } rows[] = {
        {"[]", "runners.r: found an empty list, wanted an object"},
        {"{}", "runners.r.argv: found nothing, wanted a list: the program and its arguments"},
        {"{\"cmd\":1}", "runners.r.cmd: found an unknown key, wanted one of argv, env, cwd, exit, junit"},
        {"{\"argv\":\"bash\"}", "runners.r.argv: found \"bash\", wanted a list: the program and its arguments"},
        {"{\"argv\":[]}", "runners.r.argv: found an empty list, wanted a list: the program and its arguments"},
        {"{\"argv\":[\"a\",\"\"]}", "runners.r.argv[1]: found an empty text, wanted an argument"},
        {"{\"argv\":[\"a\",1]}", "runners.r.argv[1]: found 1, wanted an argument"},
        {"{\"argv\":[\"a\",\"-{sepc}\"]}", "runners.r.argv[1]: found {sepc}, wanted one of " KNOWN},
        {"{\"argv\":[\"{spec}{Spec}\"]}", "runners.r.argv[0]: found {Spec}, wanted one of " KNOWN},
        {"{\"argv\":[\"{{spec_}}\"]}", "runners.r.argv[0]: found {spec_}, wanted one of " KNOWN},
        {"{\"argv\":[\"{spec...}\"]}", "runners.r.argv[0]: found {spec...}, wanted one of " KNOWN},
        {"{\"argv\":[\"a\",\"--spec={specs...}\"]}",
         "runners.r.argv[1]: found {specs...} with something else, wanted it as an argument of its own"},
        {"{\"argv\":[\"{specs...}{specs...}\"]}",
         "runners.r.argv[0]: found {specs...} with something else, wanted it as an argument of its own"},
        {"{\"argv\":[\"a\"],\"env\":[]}",
         "runners.r.env: found an empty list, wanted an object of environment variables"},
        {"{\"argv\":[\"a\"],\"env\":{\"A\":null}}",
         "runners.r.env.A: found null, wanted a variable's value as a text"},
        {"{\"argv\":[\"a\"],\"env\":{\"A\":\"{specs...}\"}}",
         "runners.r.env.A: found {specs...} with something else, wanted it as an argument of its own"},
        {"{\"argv\":[\"a\"],\"env\":{\"A\":\"{x}\"}}", "runners.r.env.A: found {x}, wanted one of " KNOWN},
        {"{\"argv\":[\"a\"],\"env\":{\"A=B\":\"c\"}}",
         "runners.r.env[\"A=B\"]: found \"A=B\", wanted a variable's name of letters, digits and '_'"},
        {"{\"argv\":[\"a\"],\"env\":{\"\":\"c\"}}",
         "runners.r.env[\"\"]: found \"\", wanted a variable's name of letters, digits and '_'"},
        {"{\"argv\":[\"a\"],\"env\":{\"9A\":\"c\"}}",
         "runners.r.env.9A: found \"9A\", wanted a variable's name of letters, digits and '_'"},
        {"{\"argv\":[\"a\"],\"env\":{\"FUNKYTOWN_EVENTS\":\"c\"}}",
         "runners.r.env.FUNKYTOWN_EVENTS: found \"FUNKYTOWN_EVENTS\", wanted one without FUNKYTOWN_: those are set "
         "for "
         "every runner"},
        {"{\"argv\":[\"a\"],\"env\":{\"A\":\"1\",\"B\":\"2\",\"A\":\"3\"}}",
         "runners.r.env.A: found the key a second time, wanted it once"},
        {"{\"argv\":[\"a\"],\"cwd\":\"/tmp\"}", "runners.r.cwd: found \"/tmp\", wanted a relative path"},
        {"{\"argv\":[\"a\"],\"cwd\":\"a/../..\"}", "runners.r.cwd: found \"a/../..\", wanted a path without \"..\""},
        {"{\"argv\":[\"a\"],\"cwd\":\"\"}", "runners.r.cwd: found an empty text, wanted a folder's path"},
        {"{\"argv\":[\"{specs...}\"],\"bundle\":true}", "runners.r.bundle: not supported yet"},
        {"{\"argv\":[\"a\"],\"bundle\":false}", "runners.r.bundle: not supported yet"},
        {"{\"argv\":[\"a\"],\"exit\":[\"passed\"]}",
         "runners.r.exit: found a list, wanted an object: exit status -> result"},
        {"{\"argv\":[\"a\"],\"exit\":{\"0\":\"ok\"}}",
         "runners.r.exit.0: found \"ok\", wanted \"passed\", \"failed\", \"error\" or \"skipped\""},
        {"{\"argv\":[\"a\"],\"exit\":{\"0\":\"unknown\"}}",
         "runners.r.exit.0: found \"unknown\", wanted \"passed\", \"failed\", \"error\" or \"skipped\""},
        {"{\"argv\":[\"a\"],\"exit\":{\"0\":true}}",
         "runners.r.exit.0: found true, wanted \"passed\", \"failed\", \"error\" or \"skipped\""},
        {"{\"argv\":[\"a\"],\"exit\":{\"256\":\"passed\"}}",
         "runners.r.exit.256: found \"256\", wanted an exit status from 0 to 255"},
        {"{\"argv\":[\"a\"],\"exit\":{\"01\":\"passed\"}}",
         "runners.r.exit.01: found \"01\", wanted an exit status from 0 to 255"},
        {"{\"argv\":[\"a\"],\"exit\":{\"-1\":\"passed\"}}",
         "runners.r.exit.-1: found \"-1\", wanted an exit status from 0 to 255"},
        {"{\"argv\":[\"a\"],\"exit\":{\"1x\":\"passed\"}}",
         "runners.r.exit.1x: found \"1x\", wanted an exit status from 0 to 255"},
        {"{\"argv\":[\"a\"],\"junit\":\"out.xml\"}", "runners.r.junit: found \"out.xml\", wanted a file in {output}/ "
                                                     "or {artifacts}/, which are the attempt's own"},
        {"{\"argv\":[\"a\"],\"junit\":\"{output}/../out.xml\"}",
         "runners.r.junit: found \"{output}/../out.xml\", wanted a path without \"..\""},
        {"{\"argv\":[\"a\",\"{events}\"],\"junit\":\"{output}/out.xml\"}",
         "runners.r.junit: found \"{output}/out.xml\", wanted either this or {reporter} and {events}, which tell of "
         "the "
         "same tests"},
        {"{\"argv\":[\"a\"],\"artifacts\":[\"*.png\"]}", "runners.r.artifacts: not supported yet"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct runner r;
        struct error err = {0};
        assert_int_equal(parse(&r, "r", rows[i].definition, &err), -1);
        assert_string_equal(err.text, rows[i].error);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_null(r.argv);
        assert_null(r.name);
    }
}

static void without_a_place_errors_start_with_the_key(void **state)
{
    (void)state;
    struct runner r;
    struct error err = {0};
    struct cJSON *json = cJSON_Parse("{\"argv\":[\"a\",\"{b}\"]}");
    assert_int_equal(runner_parse(&r, "r", NULL, json, NULL, &err), -1);
    assert_string_equal(err.text, "argv[1]: found {b}, wanted one of " KNOWN);
    cJSON_Delete(json);
}

static void builtins_are_good_definitions(void **state)
{
    (void)state;
    for (size_t i = 0; runner_builtin_name(i) != NULL; i++) {
        struct runner r;
        parse_good(&r, runner_builtin_name(i), "{}");
        assert_true(runner_reports_tests(&r) && runner_needs_spec(&r));
        runner_close(&r);
    }
    static const char *const specs[] = {"a.spec.ts", "a.cy.ts", "a.wdio.ts", "a.e2e.ts"};
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
        assert_non_null(runner_builtin(runner_for_spec(specs[i])));
    assert_null(runner_builtin("smoke"));
}

static void the_name_of_a_spec_says_its_runner(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *runner;
    } rows[] = {
        {"a.spec.ts", "playwright"},     {"a.cy.ts", "cypress"},        {"x/a.cy.js", "cypress"},
        {"a.wdio.ts", "webdriver"},      {"x.y/a.e2e.js", "webdriver"}, {"a.cy.d/b.spec.ts", "playwright"},
        {"a.cyan.ts", "playwright"},     {"cy.ts", "playwright"},       {"acy.ts", "playwright"},
        {"e2e/a.spec.ts", "playwright"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(runner_for_spec(rows[i].spec), rows[i].runner);
}

static const char *const one_spec[] = {"tests/a+b.spec.ts", NULL};
static const char *const two_specs[] = {"tests/a+b.spec.ts", "c d.spec.ts", NULL};

static const char *const programs[] = {"/srv/cypress", "/srv/mocha.js", "/srv/cli.js", "/srv/wdio.js"};

static const struct runner_values all_values = {
    .specs = one_spec,
    .root = "/srv/my (specs)",
    .viewport = "mobile",
    .browser = "{spec}",
    .width = 393,
    .height = 851,
    .events = "/run/events",
    .artifacts = "/run/artifacts",
    .output = "/run/output",
    .project = "mobile-chrome",
    .programs = programs,
    .reporter = "/srv/reporter.mjs",
};

static void placeholders_are_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *definition;
        const char *const *specs;
        const char *argv, *env;
    } rows[] = {
        {"{\"argv\":[\"bash\",\"{spec}\"]}", one_spec, "bash|tests/a+b.spec.ts", ""},
        {"{\"argv\":[\"a\",\"{specs...}\",\"z\"]}", one_spec, "a|tests/a+b.spec.ts|z", ""},
        {"{\"argv\":[\"a\",\"{specs...}\",\"z\"]}", two_specs, "a|tests/a+b.spec.ts|c d.spec.ts|z", ""},
        {"{\"argv\":[\"a\",\"{spec}\"]}", two_specs, "a|tests/a+b.spec.ts", ""},
        {"{\"argv\":[\"{spec_regex}\"]}", one_spec, "/^/srv/my \\(specs\\)/(?:tests/a\\+b\\.spec\\.ts)$/", ""},
        {"{\"argv\":[\"{spec_regex}\"]}", two_specs,
         "/^/srv/my \\(specs\\)/(?:tests/a\\+b\\.spec\\.ts|c d\\.spec\\.ts)$/", ""},
        {"{\"argv\":[\"--size={width}x{height},{viewport}\"]}", one_spec, "--size=393x851,mobile", ""},
        {"{\"argv\":[\"{browser}\"]}", one_spec, "{spec}", ""},
        {"{\"argv\":[\"a\",\"-p\",\"{project}\"],\"env\":{\"P\":\"{project}!\"}}", one_spec, "a|-p|mobile-chrome",
         "P=mobile-chrome!"},
        {"{\"argv\":[\"{ spec} {} { }} {1} {a-b} {spec ${HOME} {\\\"spec\\\":1} {{viewport}}\"]}", one_spec,
         "{ spec} {} { }} {1} {a-b} {spec ${HOME} {\"spec\":1} {mobile}", ""},
        {"{\"argv\":[\"a\"],\"env\":{\"E\":\"{events}\",\"F\":\"{artifacts}/{output}\",\"G\":\"\"}}", one_spec, "a",
         "E=/run/events|F=/run/artifacts//run/output|G="},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct runner r;
        struct runner_command command;
        struct error err = {0};
        parse_good(&r, "r", rows[i].definition);
        struct runner_values values = all_values;
        values.specs = rows[i].specs;
        if (runner_expand(&r, &values, &command, &err) < 0)
            fail_msg("%s", err.text);
        assert_list(command.argv, rows[i].argv);
        assert_list(command.env, rows[i].env);
        runner_command_close(&command);
        runner_close(&r);
    }
}

static void a_builtin_starts_its_own_program(void **state)
{
    (void)state;
    static const struct {
        const char *name, *argv, *env;
    } rows[] = {
        {"playwright",
         "node|/srv/cli.js|test|--project=mobile-chrome|--workers=1|--forbid-only|"
         "--output=/run/output|--add-reporter=/srv/reporter.mjs|"
         "/^/srv/my \\(specs\\)/(?:tests/a\\+b\\.spec\\.ts)$/",
         ""},
        {"cypress",
         "node|/srv/cypress|run|--spec|tests/a+b.spec.ts|--browser|chrome|--reporter|/srv/reporter.mjs|"
         "--config|{\"viewportWidth\":393,\"viewportHeight\":851,"
         "\"videosFolder\":\"/run/artifacts/videos\",\"screenshotsFolder\":\"/run/artifacts/screenshots\"}",
         ""},
        {"mocha", "node|/srv/mocha.js|--forbid-only|--reporter|/srv/reporter.mjs|tests/a+b.spec.ts", ""},
        {"webdriver", "node|/srv/wdio.js|run|/srv/reporter.mjs", "WDIO_SPEC=tests/a+b.spec.ts"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct runner r;
        struct runner_command command;
        struct error err = {0};
        struct runner_values values = all_values;
        values.browser = "chrome";
        parse_good(&r, rows[i].name, "{}");
        assert_int_equal(runner_expand(&r, &values, &command, &err), 0);
        assert_list(command.argv, rows[i].argv);
        assert_list(command.env, rows[i].env);
        runner_command_close(&command);
        runner_close(&r);
    }
}

static void without_projects_an_argument_for_one_is_left_out(void **state)
{
    (void)state;
    struct runner r;
    struct runner_command command;
    struct error err = {0};
    struct runner_values values = all_values;
    values.project = "";
    parse_good(&r, "r",
               "{\"argv\":[\"a\",\"--project={project}\",\"{spec}\",\"{project}\"],\"env\":{\"P\":\"{project}\"}}");
    assert_true(runner_needs_project(&r));
    assert_int_equal(runner_expand(&r, &values, &command, &err), 0);
    assert_list(command.argv, "a|tests/a+b.spec.ts");
    assert_list(command.env, "P=");
    runner_command_close(&command);
    values.project = NULL;
    assert_int_equal(runner_expand(&r, &values, &command, &err), -1);
    assert_string_equal(err.text, "argv[1]: {project} has no value here");
    runner_close(&r);
    parse_good(&r, "r", "{\"argv\":[\"a\",\"${project}\"]}");
    assert_false(runner_needs_project(&r));
    runner_close(&r);
}

static void an_older_package_is_started_its_own_way(void **state)
{
    (void)state;
    static const char by_argument[] = "node|{playwright}|test|--project={project}|--workers=1|"
                                      "--forbid-only|--output={output}|--add-reporter={reporter}|{spec_regex}";
    static const char by_variable[] = "node|{playwright}|test|--project={project}|--workers=1|"
                                      "--forbid-only|--output={output}|{spec_regex}";
    static const struct {
        const char *version, *definition, *argv, *env;
    } rows[] = {
        {NULL, "{}", by_argument, ""},
        {"", "{}", by_argument, ""},
        {"next", "{}", by_argument, ""},
        {"1.63", "{}", by_argument, ""},
        {"1.63.0", "{}", by_argument, ""},
        {"1.63.0-beta-1770000000000", "{}", by_argument, ""},
        {"1.100.0", "{}", by_argument, ""},
        {"2.0.0", "{}", by_argument, ""},
        {"1.62.9", "{}", by_variable, "PW_TEST_REPORTER={reporter}"},
        {"1.62.0-alpha-2026-01-01", "{}", by_variable, "PW_TEST_REPORTER={reporter}"},
        {"1.9", "{}", by_variable, "PW_TEST_REPORTER={reporter}"},
        {"1", "{}", by_variable, "PW_TEST_REPORTER={reporter}"},
        {"1.40.1", "{\"env\":{\"CI\":\"1\"}}", by_variable, "PW_TEST_REPORTER={reporter}|CI=1"},
        {"1.40.1", "{\"env\":{\"PW_TEST_REPORTER\":\"\"}}", by_variable, "PW_TEST_REPORTER="},
        {"1.40.1", "{\"argv\":[\"a\",\"{spec}\"]}", "a|{spec}", "PW_TEST_REPORTER={reporter}"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct runner r;
        struct error err = {0};
        if (parse_for(&r, "playwright", rows[i].version, rows[i].definition, &err) < 0)
            fail_msg("%s", err.text);
        assert_list(r.argv, rows[i].argv);
        assert_list(r.env, rows[i].env);
        assert_true(runner_reports_tests(&r) || rows[i].env[strlen(rows[i].env) - 1] == '=');
        runner_close(&r);
    }
}

static void a_runner_may_do_without_the_spec(void **state)
{
    (void)state;
    static const struct {
        const char *definition;
        bool needs_spec;
    } rows[] = {
        {"{\"argv\":[\"true\",\"{viewport}\",\"${spec}\"]}", false},
        {"{\"argv\":[\"a\",\"--file={spec}\"]}", true},
        {"{\"argv\":[\"a\",\"{specs...}\"]}", true},
        {"{\"argv\":[\"a\",\"{browser}{spec_regex}\"]}", true},
        {"{\"argv\":[\"a\"],\"env\":{\"A\":\"{browser}\",\"B\":\"{spec}\"}}", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct runner r;
        parse_good(&r, "r", rows[i].definition);
        assert_int_equal(runner_needs_spec(&r), rows[i].needs_spec);
        runner_close(&r);
    }
}

static void who_asks_for_the_reporter_or_the_events_reports_tests(void **state)
{
    (void)state;
    static const struct {
        const char *definition;
        bool reports_tests;
    } rows[] = {
        {"{\"argv\":[\"a\",\"{spec}\",\"{artifacts}\",\"{playwright}\"]}", false},
        {"{\"argv\":[\"a\",\"${reporter}\"],\"env\":{\"A\":\"${events}\"}}", false},
        {"{\"argv\":[\"a\",\"--reporter={reporter}\"]}", true},
        {"{\"argv\":[\"a\"],\"env\":{\"A\":\"1\",\"PW_TEST_REPORTER\":\"{reporter}\"}}", true},
        {"{\"argv\":[\"a\",\"{events}\"]}", true},
        {"{\"argv\":[\"a\"],\"env\":{\"OUT\":\"x{events}\"}}", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct runner r;
        parse_good(&r, "r", rows[i].definition);
        assert_int_equal(runner_reports_tests(&r), rows[i].reports_tests);
        runner_close(&r);
    }
}

static void a_value_that_is_not_known_is_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *definition, *error;
    } rows[] = {
        {"{\"argv\":[\"a\",\"w={width}\"]}", "argv[1]: {width} has no value here: the viewport \"tablet\" has no "
                                             "size; give it a width and a height under "
                                             "\"viewports\" in the spec map"},
        {"{\"argv\":[\"{playwright}\"]}",
         "argv[0]: {playwright} has no value here: @playwright/test is not installed in SPEC_ROOT; run "
         "`npm install --save-dev @playwright/test` there"},
        {"{\"argv\":[\"{spec_regex}\"]}", "argv[0]: {spec_regex} has no value here"},
        {"{\"argv\":[\"a\"],\"env\":{\"A\":\"1\",\"B\":\"{events}\"}}", "env.B: {events} has no value here"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct runner r;
        struct runner_command command;
        struct error err = {0};
        parse_good(&r, "r", rows[i].definition);
        const struct runner_values values = {.specs = one_spec, .viewport = "tablet", .browser = "chrome"};
        assert_int_equal(runner_expand(&r, &values, &command, &err), -1);
        assert_string_equal(err.text, rows[i].error);
        assert_null(command.argv);
        runner_close(&r);
    }
}

/* However a worker came by them: a file in a folder "-d", found by its trailing path, or what Redis holds. */
static void what_is_put_in_makes_no_option_of_an_argument(void **state)
{
    (void)state;
    static const char *const odd_spec[] = {"-d/a.ts", NULL};
    static const char *const odd_specs[] = {"a.ts", "-d/a.ts", NULL};
    static const struct {
        const char *definition;
        const char *const *specs;
        const char *viewport;
        const char *error; /* NULL: it is in order */
    } rows[] = {
        {"{\"argv\":[\"a\",\"{spec}\"]}", odd_spec, "v",
         "argv[1]: found \"-d/a.ts\", wanted a text that doesn't start with '-'"},
        {"{\"argv\":[\"a\",\"b\",\"{specs...}\"]}", odd_specs, "v",
         "argv[2]: found \"-d/a.ts\", wanted a text that doesn't start with '-'"},
        {"{\"argv\":[\"{spec}:1\"]}", odd_spec, "v",
         "argv[0]: found \"-d/a.ts:1\", wanted a text that doesn't start with '-'"},
        {"{\"argv\":[\"a\",\"{viewport}{spec}\"]}", odd_spec, "",
         "argv[1]: found \"-d/a.ts\", wanted a text that doesn't start with '-'"},
        {"{\"argv\":[\"a\",\"{viewport}-{spec}\"]}", odd_specs, "",
         "argv[1]: found \"-a.ts\", wanted a text that doesn't start with '-'"},
        {"{\"argv\":[\"a\",\"--file={spec}\",\"{spec_regex}\",\"./{spec}\"],\"env\":{\"A\":\"{spec}\"}}", odd_spec,
         "v", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct runner r;
        struct runner_command command;
        struct error err = {0};
        parse_good(&r, "r", rows[i].definition);
        const struct runner_values values = {.specs = rows[i].specs, .root = "/srv", .viewport = rows[i].viewport};
        int result = runner_expand(&r, &values, &command, &err);
        assert_string_equal(err.text, rows[i].error ? rows[i].error : "");
        assert_int_equal(result, rows[i].error ? -1 : 0);
        runner_command_close(&command);
        runner_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_definition_is_kept),
        cmocka_unit_test(what_is_left_out_has_a_default),
        cmocka_unit_test(a_builtin_can_be_changed_in_part),
        cmocka_unit_test(bad_definitions_are_refused),
        cmocka_unit_test(without_a_place_errors_start_with_the_key),
        cmocka_unit_test(builtins_are_good_definitions),
        cmocka_unit_test(the_name_of_a_spec_says_its_runner),
        cmocka_unit_test(placeholders_are_replaced),
        cmocka_unit_test(a_builtin_starts_its_own_program),
        cmocka_unit_test(without_projects_an_argument_for_one_is_left_out),
        cmocka_unit_test(an_older_package_is_started_its_own_way),
        cmocka_unit_test(a_runner_may_do_without_the_spec),
        cmocka_unit_test(who_asks_for_the_reporter_or_the_events_reports_tests),
        cmocka_unit_test(a_value_that_is_not_known_is_an_error),
        cmocka_unit_test(what_is_put_in_makes_no_option_of_an_argument),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
