#include "shared/runner_template.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "shared/memory.h"
#include "shared/runner_builtins.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- placeholders --- */

enum placeholder_kind {
    PLACEHOLDER_TEXT,
    PLACEHOLDER_NUMBER,
    PLACEHOLDER_SPEC,
    PLACEHOLDER_SPECS,
    PLACEHOLDER_REGEX,
    PLACEHOLDER_PROGRAM,
    PLACEHOLDER_PROJECT, /* a text; an argument with an empty one is left out */
    PLACEHOLDER_EVENTS,  /* a text whose runner speaks the event protocol */
};

struct placeholder {
    const char *text;
    enum placeholder_kind kind;
    size_t offset; /* in struct runner_values; TEXT, EVENTS and NUMBER. The built-in's number; PROGRAM */
};

static const struct placeholder placeholders[] = {
    {"{spec}", PLACEHOLDER_SPEC, 0},
    {"{specs...}", PLACEHOLDER_SPECS, 0},
    {"{spec_regex}", PLACEHOLDER_REGEX, 0},
    {"{viewport}", PLACEHOLDER_TEXT, offsetof(struct runner_values, viewport)},
    {"{browser}", PLACEHOLDER_TEXT, offsetof(struct runner_values, browser)},
    {"{width}", PLACEHOLDER_NUMBER, offsetof(struct runner_values, width)},
    {"{height}", PLACEHOLDER_NUMBER, offsetof(struct runner_values, height)},
    {"{events}", PLACEHOLDER_EVENTS, offsetof(struct runner_values, events)},
    {"{artifacts}", PLACEHOLDER_TEXT, offsetof(struct runner_values, artifacts)},
    {"{output}", PLACEHOLDER_TEXT, offsetof(struct runner_values, output)},
    {"{project}", PLACEHOLDER_PROJECT, offsetof(struct runner_values, project)},
    {"", PLACEHOLDER_PROGRAM, 0}, /* here they are listed; find_program() knows them */
    {"{reporter}", PLACEHOLDER_EVENTS, offsetof(struct runner_values, reporter)},
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

/* The program of a built-in runner bears its name. */
static bool find_program(const char *text, size_t length, struct placeholder *found)
{
    const char *name;
    for (size_t i = 0; (name = runner_builtin_name(i)) != NULL; i++) {
        if (strlen(name) + 2 != length || memcmp(name, text + 1, length - 2) != 0)
            continue;
        *found = (struct placeholder){.kind = PLACEHOLDER_PROGRAM, .offset = i};
        return true;
    }
    return false;
}

static bool find_placeholder(const char *text, size_t length, struct placeholder *found)
{
    for (size_t i = 0; i < COUNT(placeholders); i++) {
        if (strlen(placeholders[i].text) != length || memcmp(placeholders[i].text, text, length) != 0)
            continue;
        *found = placeholders[i];
        return true;
    }
    return find_program(text, length, found);
}

/* Whether a placeholder of that kind is in this checked template. */
static bool has_kind(const char *template, enum placeholder_kind kind)
{
    const char *p = template;
    struct placeholder found;
    for (size_t length; (p = next_placeholder(template, p, &length)) != NULL; p += length)
        if (find_placeholder(p, length, &found) && found.kind == kind)
            return true;
    return false;
}

static bool mentions(char *const *templates, enum placeholder_kind kind)
{
    for (; *templates != NULL; templates++)
        if (has_kind(*templates, kind))
            return true;
    return false;
}

/* --- checks --- */

static void list_programs(struct buffer *out)
{
    const char *name;
    for (size_t i = 0; (name = runner_builtin_name(i)) != NULL; i++)
        buffer_format(out, " {%s}", name);
}

static int refuse_unknown_placeholder(const char *text, size_t length, const struct form_place *place,
                                      struct error *err)
{
    auto_free char *found = memory_text_n(text, length);
    auto_buffer known = {0};
    for (size_t i = 0; i < COUNT(placeholders); i++) {
        if (placeholders[i].kind == PLACEHOLDER_PROGRAM)
            list_programs(&known);
        else
            buffer_format(&known, "%s%s", i > 0 ? " " : "", placeholders[i].text);
    }
    return form_refuse_as(found, place, err, "one of %s", known.data);
}

int runner_template_check(const char *text, bool is_argument, const struct form_place *place, struct error *err)
{
    const char *p = text;
    for (size_t length; (p = next_placeholder(text, p, &length)) != NULL; p += length) {
        struct placeholder placeholder;
        if (!find_placeholder(p, length, &placeholder))
            return refuse_unknown_placeholder(p, length, place, err);
        bool alone = is_argument && strlen(text) == length;
        if (placeholder.kind == PLACEHOLDER_SPECS && !alone)
            return form_refuse_as("{specs...} with something else", place, err, "it as an argument of its own");
    }
    return 0;
}

bool runner_reports_tests(const struct runner *runner)
{
    return mentions(runner->argv, PLACEHOLDER_EVENTS) || mentions(runner->env, PLACEHOLDER_EVENTS);
}

bool runner_needs_project(const struct runner *runner)
{
    return mentions(runner->argv, PLACEHOLDER_PROJECT) || mentions(runner->env, PLACEHOLDER_PROJECT);
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

static void free_list(char **list)
{
    for (char **p = list; p != NULL && *p != NULL; p++)
        free(*p);
    free(list);
}

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
    case PLACEHOLDER_PROJECT:
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
    case PLACEHOLDER_PROGRAM: {
        const char *program = values->programs ? values->programs[placeholder->offset] : NULL;
        if (program != NULL)
            buffer_text(out, program);
        return program != NULL;
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

/* What is missing, and how to get it. */
static int refuse_no_value(const struct placeholder *placeholder, const struct runner_values *values,
                           struct error *err)
{
    if (placeholder->kind == PLACEHOLDER_PROGRAM) {
        auto_free char *package = runner_builtin_text(placeholder->offset, "package");
        const char *name = runner_builtin_name(placeholder->offset),
                   *root = values->root ? values->root : "SPEC_ROOT";
        return error_set(err, ERROR_CONFIG,
                         "{%s} has no value here: %s is not installed in %s; run `npm install --save-dev %s` there",
                         name, package, root, package);
    }
    if (placeholder->kind == PLACEHOLDER_NUMBER) {
        auto_buffer viewport = {0};
        form_add_quoted(&viewport, values->viewport);
        return error_set(err, ERROR_CONFIG,
                         "%s has no value here: the viewport %s has no size; give it a width and a height under "
                         "\"viewports\" in the spec map",
                         placeholder->text, viewport.data);
    }
    return error_set(err, ERROR_CONFIG, "%s has no value here", placeholder->text);
}

static int expand_template(const char *template, const struct runner_values *values, char **text, struct error *err)
{
    auto_buffer out = {0};
    const char *rest = template, *p;
    for (size_t length; (p = next_placeholder(template, rest, &length)) != NULL; rest = p + length) {
        struct placeholder placeholder;
        bool is_known = find_placeholder(p, length, &placeholder);
        assert(is_known), (void)is_known;
        buffer_add(&out, rest, (size_t)(p - rest));
        if (!add_value(&out, &placeholder, values))
            return refuse_no_value(&placeholder, values, err);
    }
    buffer_text(&out, rest);
    *text = buffer_take(&out);
    return 0;
}

/* A '-' that is written in the template is meant as an option; one that a value brings is not. */
static int check_argument(const char *template, const char *argument, struct error *err)
{
    if (argument[0] != '-' || template[0] == '-')
        return 0;
    return form_refuse_text(argument, NULL, err, "a text that doesn't start with '-'");
}

static bool is_left_out(const char *template, const struct runner_values *values)
{
    return values->project != NULL && values->project[0] == '\0' && has_kind(template, PLACEHOLDER_PROJECT);
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
        if (is_left_out(*arg, values))
            continue;
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
    if (runner->junit && expand_template(runner->junit, values, &command->junit, err) < 0)
        return error_wrap(err, "junit");
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

void runner_command_add(struct runner_command *command, const char *argument)
{
    size_t count = list_length(command->argv);
    command->argv = memory_resize(command->argv, count + 2, sizeof(*command->argv));
    command->argv[count] = memory_text(argument);
    command->argv[count + 1] = NULL;
}

void runner_command_close(struct runner_command *command)
{
    free_list(command->argv);
    free_list(command->env);
    free(command->junit);
    *command = (struct runner_command){0};
}
