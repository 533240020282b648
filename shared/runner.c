#include "shared/runner.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/embedded.h"
#include "shared/memory.h"
#include "shared/runner_template.h"

enum {
    DEFINITION_ARGV,
    DEFINITION_ENV,
    DEFINITION_CWD,
    DEFINITION_BUNDLE,
    DEFINITION_EXIT,
    DEFINITION_JUNIT,
    DEFINITION_ARTIFACTS,
    DEFINITION_COUNT
};

static const struct form_key definition_keys[DEFINITION_COUNT] = {
    [DEFINITION_ARGV] = {"argv", false, {FORM_LIST, "a list: the program and its arguments", 1, 0}},
    [DEFINITION_ENV] = {"env", false, {FORM_OBJECT, "an object of environment variables", 0, 0}},
    [DEFINITION_CWD] = {"cwd", false, {FORM_PATH, "a folder's path", 1, 1024}},
    [DEFINITION_BUNDLE] = {"bundle", false, {FORM_LATER, NULL, 0, 0}},
    [DEFINITION_EXIT] = {"exit", false, {FORM_OBJECT, "an object: exit status -> result", 0, 0}},
    [DEFINITION_JUNIT] = {"junit", false, {FORM_PATH, "a file's path", 1, 1024}},
    [DEFINITION_ARTIFACTS] = {"artifacts", false, {FORM_LATER, NULL, 0, 0}},
};

static size_t list_length(char *const *list)
{
    size_t count = 0;
    while (list[count] != NULL)
        count++;
    return count;
}

static void free_list(char **list)
{
    for (char **p = list; p != NULL && *p != NULL; p++)
        free(*p);
    free(list);
}

static int parse_argv(struct runner *runner, const struct cJSON *list, const struct form_place *place,
                      struct error *err)
{
    const struct form_rule rule = {FORM_TEXT, "an argument", 1, 0};
    if (form_check_all(list, &rule, place, err) < 0)
        return -1;
    free_list(runner->argv);
    runner->argv = memory_zeroed((size_t)cJSON_GetArraySize(list) + 1, sizeof(*runner->argv));
    struct form_place here = {.parent = place};
    const struct cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (runner_template_check(item->valuestring, true, &here, err) < 0)
            return -1;
        runner->argv[here.index++] = memory_text(item->valuestring);
    }
    return 0;
}

static bool is_word(unsigned char byte)
{
    return isalnum(byte) || byte == '_';
}

static bool is_variable_name(const char *name)
{
    if (isdigit((unsigned char)name[0]))
        return false;
    size_t length = 0;
    while (is_word((unsigned char)name[length]))
        length++;
    return length > 0 && name[length] == '\0';
}

static int check_variable(const struct cJSON *item, const struct form_place *place, struct error *err)
{
    if (!is_variable_name(item->string))
        return form_refuse_text(item->string, place, err, "a variable's name of letters, digits and '_'");
    if (strncmp(item->string, "FUNKYTOWN_", 10) == 0)
        return form_refuse_text(item->string, place, err, "one without FUNKYTOWN_: those are set for every runner");
    return runner_template_check(item->valuestring, false, place, err);
}

/* In the place of the one that has its name. */
static void set_variable(struct runner *runner, const struct cJSON *item)
{
    size_t count = list_length(runner->env), name_length = strlen(item->string), i = 0;
    while (i < count &&
           (strncmp(runner->env[i], item->string, name_length) != 0 || runner->env[i][name_length] != '='))
        i++;
    if (i == count) {
        runner->env = memory_resize(runner->env, count + 2, sizeof(*runner->env));
        runner->env[count + 1] = NULL;
    } else {
        free(runner->env[i]);
    }
    runner->env[i] = memory_format("%s=%s", item->string, item->valuestring);
}

static int parse_env(struct runner *runner, const struct cJSON *object, const struct form_place *place,
                     struct error *err)
{
    const struct form_rule rule = {FORM_TEXT, "a variable's value as a text", 0, 0};
    if (form_check_all(object, &rule, place, err) < 0)
        return -1;
    const struct cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        struct form_place here = {.parent = place, .key = item->string};
        if (check_variable(item, &here, err) < 0)
            return -1;
        set_variable(runner, item);
    }
    return 0;
}

/* 0 to 255, or -1. Only as it is usually written, so that no status has two keys. */
static int exit_status(const char *text)
{
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > 3 || text[length] != '\0' || (text[0] == '0' && length > 1))
        return -1;
    long status = strtol(text, NULL, 10);
    return status <= 255 ? (int)status : -1;
}

static int parse_exit(struct runner *runner, const struct cJSON *object, const struct form_place *place,
                      struct error *err)
{
    const char *wanted = "\"passed\", \"failed\", \"error\" or \"skipped\"";
    const struct form_rule rule = {FORM_TEXT, wanted, 1, 0};
    if (form_check_all(object, &rule, place, err) < 0)
        return -1;
    const struct cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        struct form_place here = {.parent = place, .key = item->string};
        int status = exit_status(item->string);
        if (status < 0)
            return form_refuse_text(item->string, &here, err, "an exit status from 0 to 255");
        int result = task_result_parse(item->valuestring);
        if (result < 0 || result == TASK_UNKNOWN)
            return form_refuse(item, &here, err, "%s", wanted);
        runner->exit_results[status] = (signed char)result;
    }
    return 0;
}

static int parse_cwd(struct runner *runner, const struct cJSON *path, const struct form_place *place,
                     struct error *err)
{
    (void)place;
    (void)err;
    free(runner->cwd);
    runner->cwd = memory_text(path->valuestring);
    return 0;
}

/* Other folders may have one that another attempt left, or is writing. */
static int parse_junit(struct runner *runner, const struct cJSON *path, const struct form_place *place,
                       struct error *err)
{
    const char *text = path->valuestring;
    if (strncmp(text, "{output}/", 9) != 0 && strncmp(text, "{artifacts}/", 12) != 0)
        return form_refuse(path, place, err, "a file in {output}/ or {artifacts}/, which are the attempt's own");
    free(runner->junit);
    runner->junit = memory_text(text);
    return runner_template_check(text, false, place, err);
}

/* Those of FORM_LATER never come here. */
static int (*const definition_parsers[DEFINITION_COUNT])(struct runner *, const struct cJSON *,
                                                         const struct form_place *, struct error *) = {
    [DEFINITION_ARGV] = parse_argv, [DEFINITION_ENV] = parse_env,     [DEFINITION_CWD] = parse_cwd,
    [DEFINITION_EXIT] = parse_exit, [DEFINITION_JUNIT] = parse_junit,
};

/* Each test is told once. */
static int check_one_teller(const struct runner *runner, const struct cJSON *junit, const struct form_place *place,
                            struct error *err)
{
    const struct form_place here = {.parent = place, .key = definition_keys[DEFINITION_JUNIT].name};
    if (runner->junit == NULL || !runner_reports_tests(runner))
        return 0;
    return form_refuse(junit, &here, err, "either this or {reporter} and {events}, which tell of the same tests");
}

/* Puts what the definition says over what the runner has. */
static int apply(struct runner *runner, const struct cJSON *definition, const struct form_place *place,
                 struct error *err)
{
    const struct cJSON *members[DEFINITION_COUNT];
    if (form_check_members(definition, definition_keys, DEFINITION_COUNT, members, place, err) < 0)
        return -1;
    for (size_t i = 0; i < DEFINITION_COUNT; i++) {
        struct form_place here = {.parent = place, .key = definition_keys[i].name};
        if (members[i] != NULL && definition_parsers[i](runner, members[i], &here, err) < 0)
            return -1;
        if (i == DEFINITION_ARGV && runner->argv == NULL)
            return form_check(NULL, &definition_keys[i].rule, &here, err);
    }
    return check_one_teller(runner, members[DEFINITION_JUNIT], place, err);
}

static int apply_builtin(struct runner *runner, const char *name, const char *const *versions, struct error *err)
{
    int number = runner_builtin_number(name);
    if (number < 0)
        return 0;
    struct cJSON *all = cJSON_Parse((const char *)runner_builtin(name)->body);
    const struct cJSON *older = runner_builtin_older(all, versions ? versions[number] : NULL);
    int result = apply(runner, cJSON_GetObjectItemCaseSensitive(all, "runner"), NULL, err);
    if (result == 0 && older != NULL)
        result = apply(runner, older, NULL, err);
    cJSON_Delete(all);
    return result;
}

/* One of another name has the reporters of the runner for specs that name none. */
static size_t whose_reporters(const char *name)
{
    const char *whose = runner_builtin(name) ? name : runner_for_spec("");
    return (size_t)runner_builtin_number(whose);
}

int runner_parse(struct runner *runner, const char *name, const char *const *versions, const struct cJSON *definition,
                 const struct form_place *place, struct error *err)
{
    size_t number = whose_reporters(name);
    *runner = (struct runner){
        .name = memory_text(name),
        .env = memory_zeroed(1, sizeof(char *)),
        .reporter = runner_builtin_text(number, "reporter"),
        .lister = runner_builtin_lister(number, "reporter"),
        .lister_argument = runner_builtin_lister(number, "argument"),
    };
    memset(runner->exit_results, TASK_ERROR, sizeof(runner->exit_results));
    runner->exit_results[0] = TASK_PASSED;
    runner->exit_results[1] = TASK_FAILED;
    if (apply_builtin(runner, name, versions, err) < 0 || apply(runner, definition, place, err) < 0) {
        runner_close(runner);
        return -1;
    }
    return 0;
}

void runner_close(struct runner *runner)
{
    free(runner->name);
    free_list(runner->argv);
    free_list(runner->env);
    free(runner->cwd);
    free(runner->junit);
    free(runner->reporter);
    free(runner->lister);
    free(runner->lister_argument);
    *runner = (struct runner){0};
}
