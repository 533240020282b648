/*
 * Folders for what runners write: one for the worker, one below it for each slot.
 *
 * The worker's folder is locked as long as the worker lives, so that the next one can tell what a killed worker left
 * (browsers' profiles, hundreds of megabytes) and remove it.
 */
#pragma once
#include <limits.h>
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

void scratch_close(struct scratch *scratch); /* removes it with all that is in it */

/* A folder of one attempt. */
struct scratch_folder {
    char path[PATH_MAX];
    struct timespec untouched; /* its change time when it was known to be empty; {0}: not known */
};

/* What one attempt may write into, all of them in the slot's folder and emptied when it has ended. */
struct scratch_slot {
    char path[PATH_MAX];
    struct scratch_folder tmp;       /* TMPDIR */
    struct scratch_folder output;    /* a runner's own output folder */
    struct scratch_folder artifacts; /* FUNKYTOWN_ARTIFACTS */
};

int scratch_slot_open(struct scratch_slot *slot, const struct scratch *scratch, int index, struct error *err);
void scratch_slot_empty(struct scratch_slot *slot);
