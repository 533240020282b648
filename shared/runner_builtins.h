/*
 * The runners that come with the program. Each is a file, runners/<name>.json, which is embedded:
 *
 *     {"package": "@playwright/test", "program": "cli.js", "reporter": "playwright.mjs", "runner": {"argv": […]},
 *      "lister": {"reporter": "playwright_projects.mjs", "argument": "--list"},
 *      "older": [{"before": "1.63", "runner": {"argv": […], "env": {…}}}]}
 *
 * "runner" is the definition, as a spec map would give it. In it {<name>} stands for the program, a file of the npm
 * package, and {reporter} for one of the reporters that come with the worker. The worker finds out where the
 * package is installed, and in which version.
 *
 * "lister", which may be missing, is how to ask for the projects of the runner's configuration: the same command
 * without {project}, with this reporter and one more argument.
 *
 * "older", which may be missing, is put over "runner" for an older package. Its rows begin with the oldest; the first
 * one whose "before" is above the installed version is taken.
 */
#pragma once
#include <stddef.h>

struct cJSON;
struct embedded_file;

/* The file of the built-in runner of that name, or NULL: none has it. */
const struct embedded_file *runner_builtin(const char *name);

/* The name of built-in number `index`, or NULL after the last. */
const char *runner_builtin_name(size_t index);

/* The number of the built-in of that name, or -1. */
int runner_builtin_number(const char *name);

/*
 * What to put over the definition of a built-in whose parsed file is `file` when `version` of its package is
 * installed ("1.56.1"): borrowed from `file`; NULL: nothing. A version that is NULL or no version is the newest.
 */
const struct cJSON *runner_builtin_older(const struct cJSON *file, const char *version);

/* A text of its file ("package", "program", "reporter"); the caller frees. */
char *runner_builtin_text(size_t index, const char *member);

/* A text of its lister ("reporter", "argument"); the caller frees. NULL: it has none. */
char *runner_builtin_lister(size_t index, const char *member);

/* The runner for a spec that names none: *.cy.* cypress, *.wdio.* and *.e2e.* webdriver, else playwright. */
const char *runner_for_spec(const char *spec);
