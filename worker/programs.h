/*
 * The programs of the built-in runners, which come with npm packages: found as Node resolves these, in the spec root
 * or in a folder above it. Once, when the worker starts.
 */
#pragma once
#include <stddef.h>

struct programs {
    char **paths; /* of each built-in runner, by its number; NULL in it: the package isn't installed */
    size_t count;
};

void programs_find(struct programs *programs, const char *root);
void programs_close(struct programs *programs);
