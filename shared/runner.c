#include "shared/runner.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- built-in runners --- */

static const struct {
    const char *name;
    const char *definition;
} builtins[] = {
    {"playwright", "{\"argv\":[\"node\",\"{playwright}\",\"test\",\"--project={viewport}-{browser}\",\"--workers=1\","
                   "\"--forbid-only\",\"--output={output}\",\"--add-reporter={reporter}\",\"{spec_regex}\"]}"},
};

const char *runner_builtin(const char *name)
{
    for (size_t i = 0; i < COUNT(builtins); i++)
        if (strcmp(builtins[i].name, name) == 0)
            return builtins[i].definition;
    return NULL;
}

const char *runner_builtin_name(size_t index)
{
    return index < COUNT(builtins) ? builtins[index].name : NULL;
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

/* --- placeholders --- */

enum placeholder_kind {
    PLACEHOLDER_TEXT,
    PLACEHOLDER_NUMBER,
    PLACEHOLDER_SPEC,
    PLACEHOLDER_SPECS,
    PLACEHOLDER_REGEX,
    PLACEHOLDER_EVENTS, /* a text whose runner speaks the event protocol */
};

struct placeholder {
    const char *text;
    enum placeholder_kind kind;
    size_t offset;       /* in struct runner_values; TEXT, EVENTS and NUMBER */
    const char *without; /* what to do when it has no value; NULL: no user can come across that */
};

#define WITHOUT_SIZE "give the viewport a width and a height in the spec map"

static const struct placeholder placeholders[] = {
    {"{spec}", PLACEHOLDER_SPEC, 0, NULL},
    {"{specs...}", PLACEHOLDER_SPECS, 0, NULL},
    {"{spec_regex}", PLACEHOLDER_REGEX, 0, NULL},
    {"{viewport}", PLACEHOLDER_TEXT, offsetof(struct runner_values, viewport), NULL},
    {"{browser}", PLACEHOLDER_TEXT, offsetof(struct runner_values, browser), NULL},
    {"{width}", PLACEHOLDER_NUMBER, offsetof(struct runner_values, width), WITHOUT_SIZE},
    {"{height}", PLACEHOLDER_NUMBER, offsetof(struct runner_values, height), WITHOUT_SIZE},
    {"{events}", PLACEHOLDER_EVENTS, offsetof(struct runner_values, events), NULL},
    {"{artifacts}", PLACEHOLDER_TEXT, offsetof(struct runner_values, artifacts), NULL},
    {"{output}", PLACEHOLDER_TEXT, offsetof(struct runner_values, output), NULL},
    {"{playwright}", PLACEHOLDER_TEXT, offsetof(struct runner_values, playwright),
     "install the npm package @playwright/test in SPEC_ROOT"},
    {"{reporter}", PLACEHOLDER_EVENTS, offsetof(struct runner_values, reporter), NULL},
};

static bool is_word(unsigned char byte)
{
    return isalnum(byte) || byte == '_';
}

/* The length of the "{word}" or "{word...}" that starts here, or 0. */
static size_t placeholder_length(const char *text)
{
    if (text[0] != '{' || !is_word((unsigned char)text[1]) || isdigit((unsigned char)text[1]))
        return 0;
    size_t length = 2;
    while (is_word((unsigned char)text[length]))
        length++;
    if (strncmp(text + length, "...", 3) == 0)
        length += 3;
    return text[length] == '}' ? length + 1 : 0;
}

/* The next one from `from` on in `text`, or NULL. */
static const char *next_placeholder(const char *text, const char *from, size_t *length)
{
    for (const char *brace = strchr(from, '{'); brace != NULL; brace = strchr(brace + 1, '{')) {
        bool is_shell = brace > text && brace[-1] == '$';
        *length = is_shell ? 0 : placeholder_length(brace);
        if (*length > 0)
            return brace;
    }
    return NULL;
}

/* NULL: no such placeholder. */
static const struct placeholder *find_placeholder(const char *text, size_t length)
{
    for (size_t i = 0; i < COUNT(placeholders); i++)
        if (strlen(placeholders[i].text) == length && memcmp(placeholders[i].text, text, length) == 0)
            return &placeholders[i];
    return NULL;
}

/* Whether a placeholder of that kind is in one of these checked templates. */
static bool mentions(char *const *templates, enum placeholder_kind kind)
{
    for (; *templates != NULL; templates++) {
        const char *p = *templates;
        for (size_t length; (p = next_placeholder(*templates, p, &length)) != NULL; p += length)
            if (find_placeholder(p, length)->kind == kind)
                return true;
    }
    return false;
}

/* --- parsing --- */

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
    [DEFINITION_JUNIT] = {"junit", false, {FORM_LATER, NULL, 0, 0}},
    [DEFINITION_ARTIFACTS] = {"artifacts", false, {FORM_LATER, NULL, 0, 0}},
};

static int refuse_unknown_placeholder(const char *text, size_t length, const struct form_place *place,
                                      struct error *err)
{
    auto_free char *found = memory_text_n(text, length);
    auto_buffer known = {0};
    for (size_t i = 0; i < COUNT(placeholders); i++)
        buffer_format(&known, "%s%s", i > 0 ? " " : "", placeholders[i].text);
    return form_refuse_as(found, place, err, "one of %s", known.data);
}

/* `is_argument`: whether "{specs...}" may be all of it. */
static int check_template(const char *text, bool is_argument, const struct form_place *place, struct error *err)
{
    const char *p = text;
    for (size_t length; (p = next_placeholder(text, p, &length)) != NULL; p += length) {
        const struct placeholder *placeholder = find_placeholder(p, length);
        if (placeholder == NULL)
            return refuse_unknown_placeholder(p, length, place, err);
        bool alone = is_argument && strlen(text) == length;
        if (placeholder->kind == PLACEHOLDER_SPECS && !alone)
            return form_refuse_as("{specs...} with something else", place, err, "it as an argument of its own");
    }
    return 0;
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
        if (check_template(item->valuestring, true, &here, err) < 0)
            return -1;
        runner->argv[here.index++] = memory_text(item->valuestring);
    }
    return 0;
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
    return check_template(item->valuestring, false, place, err);
}

static int parse_env(struct runner *runner, const struct cJSON *object, const struct form_place *place,
                     struct error *err)
{
    const struct form_rule rule = {FORM_TEXT, "a variable's value as a text", 0, 0};
    if (form_check_all(object, &rule, place, err) < 0)
        return -1;
    free_list(runner->env);
    runner->env = memory_zeroed((size_t)cJSON_GetArraySize(object) + 1, sizeof(*runner->env));
    size_t count = 0;
    const struct cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        struct form_place here = {.parent = place, .key = item->string};
        if (check_variable(item, &here, err) < 0)
            return -1;
        runner->env[count++] = memory_format("%s=%s", item->string, item->valuestring);
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
    const char *wanted = "\"passed\", \"failed\" or \"error\"";
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

/* Those of FORM_LATER never come here. */
static int (*const definition_parsers[DEFINITION_COUNT])(struct runner *, const struct cJSON *,
                                                         const struct form_place *, struct error *) = {
    [DEFINITION_ARGV] = parse_argv,
    [DEFINITION_ENV] = parse_env,
    [DEFINITION_CWD] = parse_cwd,
    [DEFINITION_EXIT] = parse_exit,
};

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
    return 0;
}

static int apply_builtin(struct runner *runner, const char *name, struct error *err)
{
    const char *text = runner_builtin(name);
    if (text == NULL)
        return 0;
    struct cJSON *definition = cJSON_Parse(text);
    assert(definition != NULL);
    int result = apply(runner, definition, NULL, err);
    cJSON_Delete(definition);
    return result;
}

int runner_parse(struct runner *runner, const char *name, const struct cJSON *definition,
                 const struct form_place *place, struct error *err)
{
    *runner = (struct runner){.name = memory_text(name), .env = memory_zeroed(1, sizeof(char *))};
    memset(runner->exit_results, TASK_ERROR, sizeof(runner->exit_results));
    runner->exit_results[0] = TASK_PASSED;
    runner->exit_results[1] = TASK_FAILED;
    if (apply_builtin(runner, name, err) < 0 || apply(runner, definition, place, err) < 0) {
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
    *runner = (struct runner){0};
}

bool runner_reports_tests(const struct runner *runner)
{
    return mentions(runner->argv, PLACEHOLDER_EVENTS) || mentions(runner->env, PLACEHOLDER_EVENTS);
}

bool runner_needs_spec(const struct runner *runner)
{
    static const enum placeholder_kind kinds[] = {PLACEHOLDER_SPEC, PLACEHOLDER_SPECS, PLACEHOLDER_REGEX};
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (mentions(runner->argv, kinds[i]) || mentions(runner->env, kinds[i]))
            return true;
    return false;
}

/* --- expansion --- */

static void add_regex_text(struct buffer *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (strchr("\\^$.|?*+()[]{}", *p) != NULL)
            buffer_text(out, "\\");
        buffer_add(out, p, 1);
    }
}

/*
 * Runners match file arguments anywhere in the absolute path and, unless the expression stands between slashes,
 * without regard to case: a.spec.ts would run data.spec.ts as well.
 */
static void add_regex(struct buffer *out, const struct runner_values *values)
{
    buffer_text(out, "/^");
    add_regex_text(out, values->root);
    buffer_text(out, "/(?:");
    for (size_t i = 0; values->specs[i] != NULL; i++) {
        buffer_text(out, i > 0 ? "|" : "");
        add_regex_text(out, values->specs[i]);
    }
    buffer_text(out, ")$/");
}

/* Whether there was a value to add. */
static bool add_value(struct buffer *out, const struct placeholder *placeholder, const struct runner_values *values)
{
    const char *field = (const char *)values + placeholder->offset;
    switch (placeholder->kind) {
    case PLACEHOLDER_TEXT:
    case PLACEHOLDER_EVENTS: {
        const char *text = *(const char *const *)(const void *)field;
        if (text != NULL)
            buffer_text(out, text);
        return text != NULL;
    }
    case PLACEHOLDER_NUMBER: {
        int number = *(const int *)(const void *)field;
        if (number > 0)
            buffer_format(out, "%d", number);
        return number > 0;
    }
    case PLACEHOLDER_REGEX:
        if (values->root != NULL)
            add_regex(out, values);
        return values->root != NULL;
    default:
        buffer_text(out, values->specs[0]);
        return true;
    }
}

static int expand_template(const char *template, const struct runner_values *values, char **text, struct error *err)
{
    auto_buffer out = {0};
    const char *rest = template, *p;
    for (size_t length; (p = next_placeholder(template, rest, &length)) != NULL; rest = p + length) {
        const struct placeholder *placeholder = find_placeholder(p, length);
        assert(placeholder != NULL);
        buffer_add(&out, rest, (size_t)(p - rest));
        if (!add_value(&out, placeholder, values))
            return error_set(err, ERROR_CONFIG, "%s has no value here%s%s", placeholder->text,
                             placeholder->without ? ": " : "", placeholder->without ? placeholder->without : "");
    }
    buffer_text(&out, rest);
    *text = buffer_take(&out);
    return 0;
}

/* Whoever wrote the '-' in the template wanted an option; a value is none. */
static int check_argument(const char *template, const char *argument, struct error *err)
{
    if (argument[0] != '-' || template[0] == '-')
        return 0;
    return form_refuse_text(argument, NULL, err, "a text that doesn't start with '-'");
}

static int expand_argument(const char *template, const struct runner_values *values, char **argument,
                           struct error *err)
{
    if (expand_template(template, values, argument, err) < 0)
        return -1;
    return check_argument(template, *argument, err);
}

/* One argument for each spec; `*argc` counts them. */
static int expand_specs(const struct runner_values *values, char **arguments, size_t *argc, struct error *err)
{
    for (size_t i = 0; values->specs[i] != NULL; i++) {
        if (check_argument("", values->specs[i], err) < 0)
            return -1;
        arguments[(*argc)++] = memory_text(values->specs[i]);
    }
    return 0;
}

static size_t list_length(char *const *list)
{
    size_t count = 0;
    while (list[count] != NULL)
        count++;
    return count;
}

static int expand(const struct runner *runner, const struct runner_values *values, struct runner_command *command,
                  struct error *err)
{
    size_t specs = 0;
    while (values->specs[specs] != NULL)
        specs++;
    assert(specs > 0);

    size_t argc = 0;
    command->argv = memory_zeroed(list_length(runner->argv) * specs + 1, sizeof(*command->argv));
    for (char **arg = runner->argv; *arg != NULL; arg++) {
        int failed = strcmp(*arg, "{specs...}") == 0 ? expand_specs(values, command->argv, &argc, err)
                                                     : expand_argument(*arg, values, &command->argv[argc++], err);
        if (failed < 0)
            return error_wrap(err, "argv[%zu]", (size_t)(arg - runner->argv));
    }
    size_t count = 0;
    command->env = memory_zeroed(list_length(runner->env) + 1, sizeof(*command->env));
    for (char **variable = runner->env; *variable != NULL; variable++)
        if (expand_template(*variable, values, &command->env[count++], err) < 0)
            return error_wrap(err, "env.%.*s", (int)strcspn(*variable, "="), *variable);
    return 0;
}

int runner_expand(const struct runner *runner, const struct runner_values *values, struct runner_command *command,
                  struct error *err)
{
    *command = (struct runner_command){0};
    int result = expand(runner, values, command, err);
    if (result < 0)
        runner_command_close(command);
    return result;
}

void runner_command_close(struct runner_command *command)
{
    free_list(command->argv);
    free_list(command->env);
    *command = (struct runner_command){0};
}
