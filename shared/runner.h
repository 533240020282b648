/*
 * What starts a spec: the definition of a runner, as the spec map gives it and as it travels to workers in Redis.
 *
 *     { "argv": ["bash", "{spec}"], "env": {"A": "b"}, "cwd": "sub",
 *       "exit": {"0": "passed", "1": "failed", "77": "skipped"}, "junit": "{output}/junit.xml" }
 *
 * "bundle" and "artifacts" are refused as long as they have no effect.
 *
 * The controller checks definitions with runner_parse() before anything is written; the worker parses them again.
 *
 * argv and env are templates (runner_template.h); runner_builtins.h has the runners that nobody needs to define.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/error.h"
#include "shared/form.h"
#include "shared/runner_builtins.h"
#include "shared/task.h"

struct cJSON;

struct runner {
    char *name;
    char **argv;    /* templates; ends with NULL, at least one element */
    char **env;     /* "NAME=value" templates; ends with NULL */
    char *reporter; /* the file that {reporter} stands for, among those that come with the worker */
    char *lister;   /* the reporter that lists the projects of its configuration; NULL: there is none */
    char *lister_argument;
    char *cwd;                     /* below the spec root; NULL: the spec root */
    char *junit;                   /* template of the file that it leaves (worker/junit.h); NULL: none */
    signed char exit_results[256]; /* exit status -> enum task_result */
};

/*
 * Parses one definition. `place` is where it stands, for errors; NULL: they start with its own keys ("argv[1]: …").
 * 0, or -1 with ERROR_CONFIG; then `runner` is empty. Unknown keys, wrong types and unknown {placeholders} are
 * refused. What the definition of a built-in's name leaves out stays as it is built in, variable by variable; the
 * others need "argv". `versions`: of each built-in's package, by its number; NULL, or NULL in it: the newest.
 */
int runner_parse(struct runner *runner, const char *name, const char *const *versions, const struct cJSON *definition,
                 const struct form_place *place, struct error *err);
void runner_close(struct runner *runner);
