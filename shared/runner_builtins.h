/*
 * The runners that come with the program. Each is a file, runners/<name>.json, which is embedded:
 *
 *     {"package": "@playwright/test", "program": "cli.js", "reporter": "playwright.mjs", "runner": {"argv": […]}}
 *
 * "runner" is the definition, as a spec map would give it. In it {<name>} stands for the program, a file of the npm
 * package, and {reporter} for one of the reporters that come with the worker. The worker finds out where the
 * package is installed.
 */
#pragma once
#include <stddef.h>

struct embedded_file;

/* The file of the built-in runner of that name, or NULL: none has it. */
const struct embedded_file *runner_builtin(const char *name);

/* The name of built-in number `index`, or NULL after the last. */
const char *runner_builtin_name(size_t index);

/* A text of its file ("package", "program", "reporter"); the caller frees. */
char *runner_builtin_text(size_t index, const char *member);

/* The runner for a spec that names none: *.cy.* cypress, *.wdio.* and *.e2e.* webdriver, else playwright. */
const char *runner_for_spec(const char *spec);
