/*
 * What git knows of the folder of specs: the commit, what differs from it, and what is as the commit says.
 *
 * Tracked files count wherever they are in the work tree, as the app under test may lie beside its specs; untracked
 * ones only below the folder. What a run itself writes never counts: what git ignores, the data folder, and what
 * runners leave by convention. Submodules are looked into, to any depth.
 */
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/buffer.h"
#include "shared/error.h"

struct paths {
    char **list; /* owned */
    size_t count, capacity;
};

void paths_add(struct paths *paths, const char *path); /* copied */
void paths_sort(struct paths *paths);                  /* by their bytes, each once */
bool paths_have(const struct paths *sorted, const char *path);
void paths_close(struct paths *paths);

struct work_tree {
    char folder[PATH_MAX];    /* where we were asked to look, without symbolic links */
    char top[PATH_MAX];       /* the work tree's own folder */
    char commit[80];          /* "unborn": none yet */
    char branch[256];         /* "": none, a commit is checked out */
    struct paths changed;     /* absolute: what differs from the commit, or isn't in it; sorted */
    struct paths kept;        /* absolute: files below the folder that are as the commit says; sorted */
    struct buffer submodules; /* those that stand at another commit: "path\ncommit\n" each */
};

/* Whether there is a work tree of git around the folder; asks nobody. */
bool work_tree_exists(const char *folder);

/* What we write ourselves, which is no change. */
struct work_tree_own {
    const char *data_folder;
    const char *report_folder;           /* NULL: it is in the data folder */
    bool (*is_report)(const char *name); /* of a file in it: people may have others there */
};

/* -1 with err: git can't tell; nothing is to be closed. */
int work_tree_look(struct work_tree *tree, const char *folder, const struct work_tree_own *own,
                   uint64_t deadline_mono_ms, struct error *err);
void work_tree_close(struct work_tree *tree);

/* The branch alone; "" where it can't be known. */
void work_tree_branch(const char *folder, uint64_t deadline_mono_ms, char *branch, size_t size);
