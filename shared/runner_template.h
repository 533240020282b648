/*
 * The templates of a runner, and what becomes of them when it starts. Pure.
 *
 * argv and env are templates, expanded without a shell. A {word} is a placeholder, and one that isn't listed here is
 * refused; any other brace stands for itself, and so does a shell's ${word}. What was put in is not looked at again,
 * but an argument that starts with '-' where its template doesn't is refused: a program would take it for an option.
 *
 *     {spec}        the spec's path below the spec root; with several, the first
 *     {specs...}    alone in its argument: one argument for each spec
 *     {spec_regex}  a regular expression, /^…$/ and escaped, that matches the absolute paths of just these specs
 *     {viewport} {browser} {width} {height} {events} {artifacts}    as the FUNKYTOWN_… of these names
 *     {project}     the project of the runner's configuration that the task's viewport and browser stand for; when the
 *                   configuration has none, an argument that asks for it is left out
 *     {output}      the attempt's own folder for a runner that wipes its output folder at start
 *     {playwright}  and so on: the program of the built-in runner of that name, found as Node resolves its package
 *     {reporter}    our reporter for that runner
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/error.h"
#include "shared/form.h"
#include "shared/runner.h"

/* 0, or -1 with ERROR_CONFIG. `is_argument`: whether "{specs...}" may be all of it. */
int runner_template_check(const char *text, bool is_argument, const struct form_place *place, struct error *err);

/* Whether a template names the spec. One that doesn't runs for any task, whether its spec is a file or not. */
bool runner_needs_spec(const struct runner *runner);

/* Whether a template asks for {reporter} or {events}: it tells of every test, and its silence is an error. */
bool runner_reports_tests(const struct runner *runner);

/* Whether a template asks for {project}. */
bool runner_needs_project(const struct runner *runner);

/* What placeholders stand for, borrowed. NULL, or size 0: not known, and a runner that asks for it can't start. */
struct runner_values {
    const char *const *specs; /* ends with NULL, at least one */
    const char *root;         /* the spec root: absolute, symbolic links resolved */
    const char *viewport;
    const char *browser;
    int width;
    int height;
    const char *events;
    const char *artifacts;
    const char *output;
    const char *project;         /* "": there are no projects */
    const char *const *programs; /* of each built-in runner, by its number; NULL in it: not installed */
    const char *reporter;
};

struct runner_command {
    char **argv; /* ends with NULL */
    char **env;  /* "NAME=value", on top of the inherited ones; ends with NULL */
    char *junit; /* the path of the file that it leaves; NULL: none */
};

/*
 * Pure: the program's arguments and environment for this start. 0, and `command` is the caller's
 * (runner_command_close); or -1 with ERROR_CONFIG naming the placeholder that has no value or the argument that would
 * be taken for an option, and `command` is empty.
 */
int runner_expand(const struct runner *runner, const struct runner_values *values, struct runner_command *command,
                  struct error *err);
/* One more argument, at the end. */
void runner_command_add(struct runner_command *command, const char *argument);

void runner_command_close(struct runner_command *command);
