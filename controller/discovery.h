/*
 * A spec map of what a folder's own configurations list: those of Playwright, Cypress and WebdriverIO.
 *
 * The runners are asked, and only they: by the scripts of controller/discover, which are embedded, in a Node of their
 * own with a time limit, before the loop runs. What comes back is the text of a spec map, which is parsed as any
 * other. They get our environment without its secrets.
 *
 * Web servers that the runner's starts would reuse are left running when there are local workers, and end with `line`:
 * when it is closed, or when we die. They are nobody's children then, so no sweep over ours meets them.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/error.h"
#include "shared/options.h"

/* Owned. */
struct discovery {
    char *root;   /* SPEC_ROOT of what was found: absolute, symbolic links resolved */
    char *map;    /* the spec map's text */
    char **notes; /* a line for each thing that the map could not know; ends with NULL */
    int line;     /* what the specs' web servers live as long as; -1: nothing was asked */
};

#define DISCOVERY_NONE ((struct discovery){.line = -1})

/* Whether it is a place to look at, a folder or somebody's configuration, and no spec map. */
bool discovery_is_wanted(const char *place);

/*
 * Asks for options->map_file, with the options' filters. 0, or -1: with ERROR_CONFIG, what the user can mend; then
 * `discovery` is empty.
 */
int discovery_ask(struct discovery *discovery, const struct options *options, struct error *err);

/* Writes the map as spec_context_map.json into its root, unless there is one. `path`: of the file, owned by the caller. */
int discovery_write(const struct discovery *discovery, char **path, struct error *err);
void discovery_close(struct discovery *discovery);
