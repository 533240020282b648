/*
 * Removes what specs have left, also below folders that they have closed to everybody. No link is followed, and
 * nothing is touched on the other side of a mount, which may be anything: a home, by a bind mount.
 */
#pragma once
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

/* One go, and what came of it. */
struct removal {
    struct statx mount;                                    /* that all of it must be on */
    bool (*is_needed)(const void *data, const char *name); /* of the top folder's entries; NULL: none is */
    const void *data;
    DIR *top;
    unsigned removed, moved, passes;
    int failed;              /* errno of the first entry that stays; 0: none */
    char what[NAME_MAX + 1]; /* its name; "": the folder itself */
};

/* Opens a folder, but no link to one. A folder of ours is first given all rights for us. A descriptor, or -1. */
int removal_open(int parent, const char *name);

/* Nothing will be touched that isn't on the mount that this open folder is on. */
void removal_begin(struct removal *removal, int fd);
bool removal_is_here(const struct removal *removal, int fd);

/* Empties an open folder, but for what is needed. Whether nothing had to be left. */
bool removal_empty(struct removal *removal, int fd);

/* Removes a folder with all that is in it. Whether it has gone. */
bool removal_remove(const char *path);
