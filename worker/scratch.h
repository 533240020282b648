/*
 * Folders for what runners write: one for the worker, one below it for each slot.
 *
 * The worker's folder is locked as long as the worker lives, so that the next one can tell what a killed worker left
 * (browsers' profiles, hundreds of megabytes) and remove it.
 *
 * Whatever specs leave is removed, also below folders that they have closed to themselves; but no link is followed,
 * and nothing is touched on the other side of a mount. What can't be removed stays, and the slot gets another folder.
 */
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "shared/error.h"

struct scratch {
    char path[PATH_MAX]; /* absolute */
    int lock;            /* -1: not open */
};

/* Makes a folder below TMPDIR (or /tmp), removes abandoned ones. 0 or -1. */
int scratch_open(struct scratch *scratch, struct error *err);

/* Where a file of that name is, or would be, in the folder. 0, or -1: the path is too long. */
int scratch_path(const struct scratch *scratch, const char *name, char path[PATH_MAX], struct error *err);

/* Writes a file into the folder. */
int scratch_write(const struct scratch *scratch, const char *name, const void *bytes, size_t length,
                  struct error *err);

bool scratch_close(struct scratch *scratch); /* removes it with all that is in it; whether all of it has gone */

/* A folder of one attempt. */
struct scratch_folder {
    char path[PATH_MAX];
    const char *kind;          /* the last part of it is "tmp"; or "tmp-2", when two before it could not be emptied */
    unsigned left;             /* how many these are */
    struct timespec untouched; /* its change time when it was known to be empty; {0}: not known */
};

/* What one attempt may write into, all of them in the slot's folder and emptied when it has ended. */
struct scratch_slot {
    char path[PATH_MAX];
    int parent;                      /* the worker's folder; borrowed */
    int unusable;                    /* errno, when it has gone and can't be made again; 0: it is there */
    struct timespec untouched;       /* as above; when nothing was in it but what is ours */
    struct scratch_folder tmp;       /* TMPDIR */
    struct scratch_folder output;    /* a runner's own output folder */
    struct scratch_folder artifacts; /* FUNKYTOWN_ARTIFACTS */
};

int scratch_slot_open(struct scratch_slot *slot, const struct scratch *scratch, int index, struct error *err);

/*
 * 0, or 1 and err says what had to be left behind. Either way the next attempt finds nothing of this one in its
 * folders; if there can't be any, the slot is unusable.
 */
int scratch_slot_empty(struct scratch_slot *slot, struct error *err);
