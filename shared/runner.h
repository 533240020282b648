/*
 * What starts a spec: the definition of a runner, as the spec map gives it and as it travels to workers in Redis.
 *
 *     { "argv": ["bash", "{spec}"], "env": {"A": "b"}, "cwd": "sub",
 *       "exit": {"0": "passed", "1": "failed", "3": "error"} }
 *
 * "bundle", "junit" and "artifacts" are refused as long as nothing acts upon them.
 *
 * The controller checks definitions with runner_parse() before anything is written; the worker parses them again.
 *
 * argv and env are templates, expanded without a shell. A {word} is a placeholder, and one that isn't listed here is
 * refused; any other brace stands for itself, and so does a shell's ${word}. What was put in is not looked at again,
 * but an argument that starts with '-' where its template doesn't is refused: a program would take it for an option.
 *
 *     {spec}        the spec's path below the spec root; with several, the first
 *     {specs...}    alone in its argument: one argument for each spec
 *     {spec_regex}  a regular expression, /^…$/ and escaped, that matches the absolute paths of just these specs
 *     {viewport} {browser} {width} {height} {events} {artifacts}    as the FUNKYTOWN_… of these names
 *     {output}      the attempt's own folder for a runner that wipes its output folder at start
 *     {playwright}  Playwright's cli.js, found below the spec root
 *     {reporter}    our reporter for that runner
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/error.h"
#include "shared/form.h"
#include "shared/task.h"

struct cJSON;

struct runner {
    char *name;
    char **argv;                   /* templates; ends with NULL, at least one element */
    char **env;                    /* "NAME=value" templates; ends with NULL */
    char *cwd;                     /* below the spec root; NULL: the spec root */
    signed char exit_results[256]; /* exit status -> enum task_result */
};

/*
 * Parses one definition. `place` is where it stands, for errors; NULL: they start with its own keys ("argv[1]: …").
 * 0, or -1 with ERROR_CONFIG; then `runner` is empty. Unknown keys, wrong types and unknown {placeholders} are
 * refused. What the definition of a built-in's name leaves out stays as it is built in; the others need "argv".
 */
int runner_parse(struct runner *runner, const char *name, const struct cJSON *definition,
                 const struct form_place *place, struct error *err);
void runner_close(struct runner *runner);

/* Whether a template names the spec. One that doesn't runs for any task, whether its spec is a file or not. */
bool runner_needs_spec(const struct runner *runner);

/* Whether a template asks for {reporter} or {events}: it tells of every test, and its silence is an error. */
bool runner_reports_tests(const struct runner *runner);

/* The built-in runner of that name as a JSON text to be parsed, or NULL. */
const char *runner_builtin(const char *name);

/* The name of built-in number `index`, or NULL after the last. */
const char *runner_builtin_name(size_t index);

/* The runner for a spec that names none: *.cy.* cypress, *.wdio.* and *.e2e.* webdriver, else playwright. */
const char *runner_for_spec(const char *spec);

/* What placeholders stand for, borrowed. NULL, and 0 for sizes: not known; then a runner that asks for it can't
 * start. */
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
    const char *playwright;
    const char *reporter;
};

struct runner_command {
    char **argv; /* ends with NULL */
    char **env;  /* "NAME=value", on top of the inherited ones; ends with NULL */
};

/*
 * Pure: the program's arguments and environment for this start. 0, and `command` is the caller's
 * (runner_command_close); or -1 with ERROR_CONFIG naming the placeholder that has no value or the argument that would
 * be taken for an option, and `command` is empty.
 */
int runner_expand(const struct runner *runner, const struct runner_values *values, struct runner_command *command,
                  struct error *err);
void runner_command_close(struct runner_command *command);
