#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/buffer.h"
#include "shared/file.h"
#include "shared/memory.h"
#include "shared/options.h"

static int clear_environment(void **state)
{
    size_t count;
    const struct option *rows = options_table(&count);
    (void)state;
    for (size_t i = 0; i < count; i++)
        unsetenv(rows[i].env);
    return 0;
}

static int load(struct options *options, enum program program, char **argv, struct error *err)
{
    enum options_action action;
    int argc = 0;
    while (argv[argc])
        argc++;
    return options_load(options, program, argc, argv, &action, err);
}

static void defaults(void **state)
{
    (void)state;
    struct options o;
    struct error err;
    assert_int_equal(load(&o, PROGRAM_CONTROLLER, (char *[]){"program", NULL}, &err), 0);
    assert_null(o.redis_host);
    assert_int_equal(o.redis_port, 6379);
    assert_string_equal(o.map_file, "specs/spec_context_map.json");
    assert_string_equal(o.prefix, "");
    assert_int_equal(o.lease_s, 15);
    assert_int_equal(o.log_level, LOG_LEVEL_INFO);
    assert_int_equal(load(&o, PROGRAM_WORKER, (char *[]){"program", NULL}, &err), 0);
    assert_string_equal(o.redis_host, "localhost");
    assert_int_equal(o.slots, 1);
}

static void flag_over_environment_over_default(void **state)
{
    (void)state;
    struct options o;
    struct error err;
    setenv("FUNKYTOWN_LEASE_S", "7", 1);
    setenv("REDIS_HOST", "", 1); /* set to nothing is not set */
    assert_int_equal(load(&o, PROGRAM_CONTROLLER, (char *[]){"program", NULL}, &err), 0);
    assert_int_equal(o.lease_s, 7);
    assert_null(o.redis_host);
    assert_int_equal(load(&o, PROGRAM_CONTROLLER, (char *[]){"program", "--lease-s", "8", NULL}, &err), 0);
    assert_int_equal(o.lease_s, 8);
    char *all[] = {"program", "--once", "--lease-s=9", "--workers", "3", "map.json", NULL};
    assert_int_equal(load(&o, PROGRAM_CONTROLLER, all, &err), 0);
    assert_int_equal(o.lease_s, 9);
    assert_true(o.once);
    assert_int_equal(o.workers, 3);
    assert_string_equal(o.map_file, "map.json");
}

static void a_place_and_what_of_it(void **state)
{
    (void)state;
    struct options o;
    struct error err;
    assert_int_equal(load(&o, PROGRAM_CONTROLLER, (char *[]){"program", "init", "init", NULL}, &err), 0);
    assert_true(o.init);
    assert_string_equal(o.map_file, "init");
    assert_null(options_filter(&o));

    char *filters[] = {"program", "--dry-run", "--grep", "a b", "--tag=x", "--only-changed", "shop", NULL};
    assert_int_equal(load(&o, PROGRAM_CONTROLLER, filters, &err), 0);
    assert_true(o.dry_run);
    assert_string_equal(o.grep, "a b");
    assert_string_equal(o.tag, "x");
    assert_string_equal(o.only_changed, "");
    assert_string_equal(o.map_file, "shop");
    assert_string_equal(options_filter(&o), "--grep");

    assert_int_equal(load(&o, PROGRAM_CONTROLLER, (char *[]){"program", "--only-changed=main", NULL}, &err), 0);
    assert_string_equal(o.only_changed, "main");
    assert_string_equal(options_filter(&o), "--only-changed");
    assert_int_equal(load(&o, PROGRAM_WORKER, (char *[]){"program", "--dry-run", NULL}, &err), -1);
}

static void refusals_name_option_value_and_what_is_wanted(void **state)
{
    (void)state;
    static const struct {
        char *argv[4];
        const char *text;
    } rows[] = {
        {{"program", "--lease-s", "soon", NULL}, "lease-s: found \"soon\", wanted a whole number from 1 to 3600"},
        {{"program", "--lease-s", "0", NULL}, "lease-s: found \"0\", wanted a whole number from 1 to 3600"},
        {{"program", "--lease-s", "5x", NULL}, "lease-s: found \"5x\", wanted a whole number from 1 to 3600"},
        {{"program", "--lease-s", "99999999999999999999", NULL},
         "lease-s: found \"99999999999999999999\", wanted a whole number from 1 to 3600"},
        {{"program", "--log-level", "loud", NULL}, "log-level: found \"loud\", wanted one of debug|info|warn|error"},
        {{"program", "--lease-s", NULL}, "--lease-s: a value is wanted after it"},
        {{"program", "--slots", "2", NULL}, "--slots: no such option; --help lists them"},
        {{"program", "-x", NULL}, "-x: no such option; --help lists them"},
        {{"program", "a", "b", NULL}, "b: one argument too many; --help tells what is wanted"},
        {{"program", "init", NULL}, "init: a folder or a runner's configuration is wanted after it"},
        {{"program", "init", "a", "b"}, "b: one argument too many; --help tells what is wanted"},
        {{"program", "init", "a", "--dry-run"}, "--dry-run: wanted without init, which only writes a map"},
        {{"program", "--grep", NULL}, "--grep: a value is wanted after it"},
        {{"program", "--only-changedly", NULL}, "--only-changedly: no such option; --help lists them"},
        {{"program", "--dry-run=yes", NULL}, "--dry-run=yes: no such option; --help lists them"},
        {{"program", "--workers", "-1", NULL}, "--workers: found \"-1\", wanted a whole number from 0 to 1000"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct options o;
        struct error err;
        char *argv[5] = {0};
        memcpy(argv, rows[i].argv, sizeof(rows[i].argv));
        assert_int_equal(load(&o, PROGRAM_CONTROLLER, argv, &err), -1);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_string_equal(err.text, rows[i].text);
    }
}

static void secrets_are_masked(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    setenv("REDIS_PASSWORD", "geheim", 1);
    FILE *out = open_memstream(&text, &size);
    options_print_config(out, PROGRAM_CONTROLLER, 2, (char *[]){"program", "--token=secret", NULL});
    fclose(out);
    assert_non_null(strstr(text, "REDIS_PASSWORD=*** (environment)\n"));
    assert_non_null(strstr(text, "FUNKYTOWN_TOKEN=*** (flag)\n"));
    assert_null(strstr(text, "geheim"));
    assert_null(strstr(text, "secret"));
    free(text);
}

static void an_empty_secret_is_none(void **state)
{
    (void)state;
    struct options o;
    struct error err;
    char *text = NULL;
    size_t size;
    char *argv[] = {"program", "--token=", NULL};
    setenv("REDIS_PASSWORD", "", 1);
    assert_int_equal(load(&o, PROGRAM_CONTROLLER, argv, &err), 0);
    assert_null(o.token);
    assert_null(o.redis_password);
    FILE *out = open_memstream(&text, &size);
    options_print_config(out, PROGRAM_CONTROLLER, 2, argv);
    fclose(out);
    assert_non_null(strstr(text, "REDIS_PASSWORD= (default)\n"));
    assert_non_null(strstr(text, "FUNKYTOWN_TOKEN= (flag)\n"));
    free(text);
}

static bool is_listed(char **list, const char *text)
{
    bool is_there = false;
    for (; *list; list++)
        is_there |= strcmp(*list, text) == 0;
    return is_there;
}

/* How we were told something, a flag or the environment, makes no difference to whom we tell it. */
static void workers_are_told_secrets_apart(void **state)
{
    (void)state;
    struct options o, its = {0};
    struct error err;
    char *argv[] = {"program", "--redis-password=a=b", "--token=secret", "--prefix=p:", NULL};
    assert_int_equal(load(&o, PROGRAM_CONTROLLER, argv, &err), 0);
    char **variables = options_for_workers(&o), **secrets = options_secrets_for_workers(&o);
    assert_true(is_listed(variables, "FUNKYTOWN_PREFIX=p:"));
    assert_true(is_listed(variables, "REDIS_PASSWORD") && is_listed(variables, "FUNKYTOWN_TOKEN"));
    assert_string_equal(secrets[0], "REDIS_PASSWORD=a=b");
    assert_null(secrets[1]);

    assert_int_equal(options_take_secret(&its, secrets[0], &err), 0);
    assert_string_equal(its.redis_password, "a=b");
    static const char *const others[] = {"REDIS_PASSWORD", "REDIS_USERNAME=x", "REDIS_PASS=x", "=x", ""};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(options_take_secret(&its, others[i], &err), -1);
    options_free_variables(variables);
    options_free_variables(secrets);
}

/* "| `ENV` | `default` | both | help |", where the README says what the table says. */
static void add_readme_row(struct buffer *row, const struct option *option)
{
    static const char *const programs[] = {"", "controller", "worker", "both"};
    bool has_default = option->fallback && *option->fallback;
    buffer_format(row, has_default ? "| `%s` | `%s` | %s | " : "| `%s` | %s | %s | ", option->env,
                  has_default ? option->fallback : "none", programs[option->programs]);
    for (const char *p = option->help; *p; p++)
        buffer_format(row, *p == '|' ? "\\%c" : "%c", *p);
    buffer_text(row, " |\n");
}

static void the_readme_has_the_same_table(void **state)
{
    (void)state;
    struct error err;
    size_t count, length;
    const struct option *rows = options_table(&count);
    auto_free char *readme = file_read(SOURCE_DIR "/README.md", &length, &err);
    auto_buffer table = {0};
    assert_non_null(readme);
    for (size_t i = 0; i < count; i++)
        add_readme_row(&table, &rows[i]);
    if (strstr(readme, table.data) == NULL) {
        fputs(table.data, stderr);
        fail_msg("README.md's option table must be what stands above");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(defaults, clear_environment),
        cmocka_unit_test_setup(flag_over_environment_over_default, clear_environment),
        cmocka_unit_test_setup(a_place_and_what_of_it, clear_environment),
        cmocka_unit_test_setup(refusals_name_option_value_and_what_is_wanted, clear_environment),
        cmocka_unit_test_setup(secrets_are_masked, clear_environment),
        cmocka_unit_test_setup(an_empty_secret_is_none, clear_environment),
        cmocka_unit_test_setup(workers_are_told_secrets_apart, clear_environment),
        cmocka_unit_test_setup(the_readme_has_the_same_table, clear_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
