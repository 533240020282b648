/*
 * The projects of a runner's configuration, and which of them a task's viewport and browser stand for.
 *
 * Nobody knows them but the runner, and asking it costs a start. So the first start takes a guess, and only when it
 * ends before any test does the worker ask (worker/start.h); the answer is kept as long as the worker works for the
 * same plan. The rule:
 *
 *     1. what the map's "projects" says of "<viewport>-<browser>"
 *     2. the project of the name <viewport>-<browser>; while nobody has asked, this is the guess
 *     3. of the projects that fit, the one whose name is, but for case and punctuation, "<viewport> <browser>", else
 *        <browser>, else the name of its engine ("chromium"); else the only one that fits
 *
 * One fits that has the engine of the task's browser, is mobile if and only if the viewport is, and isn't there for
 * other projects only (a set-up). A configuration without projects is one that has no name.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/error.h"
#include "shared/run_policy.h"

struct cJSON;

struct project {
    char *name;    /* "": that of a configuration without projects */
    char *browser; /* its engine: "chromium", "edge", "firefox", "webkit" */
    bool is_mobile;
    bool is_helper; /* others depend on it */
};

struct projects {
    struct project *list;
    size_t count;
};

/* An event of a lister: {"event":"project","name":"…","browser":"…","mobile":true,"helper":false}; others are nothing. */
void projects_take(struct projects *projects, const struct cJSON *event);
void projects_close(struct projects *projects);

/* Which project to start; `name` is "" when there are none. 0, or -1 with ERROR_CONFIG, which names those that there are. */
int projects_match(const struct projects *projects, const struct run_policy *policy, const char *viewport,
                   const char *browser, char *name, size_t size, struct error *err);

/* Rules 1 and 2, for when nobody has asked yet. */
void projects_guess(const struct run_policy *policy, const char *viewport, const char *browser, char *name,
                    size_t size);

/* ---- what a worker remembers ---- */

struct known_projects {
    char *runner;
    struct projects projects; /* none: the runner was asked in vain */
};

struct projects_memory {
    char *digest; /* of the plan that the rest is of */
    struct known_projects *list;
    size_t count;
};

/* NULL: nobody has asked this runner. Valid until the next call. */
const struct projects *projects_recall(struct projects_memory *memory, const struct run_policy *policy,
                                       const char *runner);

/* Takes over what was listed, which is empty then. */
void projects_remember(struct projects_memory *memory, const struct run_policy *policy, const char *runner,
                       struct projects *listed);
void projects_forget(struct projects_memory *memory);
