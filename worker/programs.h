/*
 * The programs of the built-in runners, which come with npm packages: found as Node resolves these, in the spec root
 * or in a folder above it, through symbolic links; and which version of the package that is. Once, when the worker
 * starts.
 *
 * Where Yarn has put a .pnp.cjs in the place of node_modules, packages are in archives that only this file can find and
 * that Node reads only with it: then Node is asked, and runners are started as `yarn run` would.
 */
#pragma once
#include <stddef.h>

/* The lists are of each built-in runner, by its number. */
struct programs {
    char **paths;    /* NULL in it: the package isn't installed */
    char **versions; /* NULL in it: not known */
    size_t count;
    char *node_options; /* NODE_OPTIONS for all that is started; NULL: as it is */
};

/* `script`: where pnp.cjs of the reporters is; NULL: nobody is asked. */
void programs_find(struct programs *programs, const char *root, const char *script);
void programs_close(struct programs *programs);
