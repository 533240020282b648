/*
 * Where a spec is: at its path under the spec root or, for bare names, below it by its trailing path.
 *
 * The root is walked once, when the first bare name comes; node_modules and hidden folders are left out.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/error.h"

struct spec_finder {
    const char *root; /* borrowed */
    char **paths;     /* of all files, below the root; owned */
    size_t count, capacity;
    bool is_walked;
};

void spec_finder_init(struct spec_finder *finder, const char *root);

/*
 * The path below the root, owned by the caller. NULL with err: "no such spec: …", or which files match.
 * Never leads out of the root, symbolic links included.
 */
char *spec_finder_find(struct spec_finder *finder, const char *spec, struct error *err);

void spec_finder_close(struct spec_finder *finder);
