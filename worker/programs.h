/*
 * The programs of the built-in runners, which come with npm packages: found as Node resolves these, in the spec root
 * or in a folder above it, through symbolic links; and which version of the package that is. Once, when the worker
 * starts.
 */
#pragma once
#include <stddef.h>

/* Both are lists of each built-in runner, by its number. */
struct programs {
    char **paths;    /* NULL in it: the package isn't installed */
    char **versions; /* NULL in it: not known */
    size_t count;
};

void programs_find(struct programs *programs, const char *root);
void programs_close(struct programs *programs);
