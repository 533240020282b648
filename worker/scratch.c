#include "worker/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/memory.h"
#include "worker/removal.h"

#define NAME_PREFIX "funkytown-worker-"

/* ---- the worker's folder ---- */

static const char *base_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    return tmp && *tmp == '/' ? tmp : "/tmp";
}

static int lock_folder(const char *path)
{
    int fd = removal_open(AT_FDCWD, path);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void remove_abandoned(const char *base)
{
    DIR *folder = opendir(base);
    if (folder == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char path[PATH_MAX];
        struct stat info;
        if (strncmp(entry->d_name, NAME_PREFIX, strlen(NAME_PREFIX)) != 0 ||
            snprintf(path, sizeof(path), "%s/%s", base, entry->d_name) >= (int)sizeof(path) ||
            lstat(path, &info) < 0 || info.st_uid != geteuid())
            continue;
        auto_close int lock = lock_folder(path);
        if (lock >= 0)
            removal_remove(path);
    }
    closedir(folder);
}

/*
 * Between mkdtemp() and the lock another worker could take the folder for abandoned: then it is gone or locked, and
 * another one is made.
 */
int scratch_open(struct scratch *scratch, struct error *err)
{
    char pattern[PATH_MAX];
    scratch->lock = -1;
    remove_abandoned(base_folder());
    for (int tries = 0; tries < 10; tries++) {
        snprintf(pattern, sizeof(pattern), "%s/%sXXXXXX", base_folder(), NAME_PREFIX);
        if (mkdtemp(pattern) == NULL)
            return error_errno(err, errno, "temporary folder %s", pattern);
        scratch->lock = lock_folder(pattern);
        if (scratch->lock >= 0 && realpath(pattern, scratch->path) && access(pattern, W_OK) == 0)
            return 0;
        if (scratch->lock >= 0)
            close(scratch->lock);
    }
    scratch->lock = -1;
    return error_set(err, ERROR_SYSTEM, "temporary folder in %s: somebody keeps removing it", base_folder());
}

int scratch_path(const struct scratch *scratch, const char *name, char path[PATH_MAX], struct error *err)
{
    if (snprintf(path, PATH_MAX, "%s/%s", scratch->path, name) >= PATH_MAX)
        return error_set(err, ERROR_SYSTEM, "%s/%s: the path is too long", scratch->path, name);
    return 0;
}

int scratch_write(const struct scratch *scratch, const char *name, const void *bytes, size_t length,
                  struct error *err)
{
    char path[PATH_MAX];
    if (scratch_path(scratch, name, path, err) < 0)
        return -1;
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
        return error_errno(err, errno, "%s", path);
    return 0;
}

bool scratch_close(struct scratch *scratch)
{
    if (scratch->lock < 0)
        return true;
    bool is_gone = removal_remove(scratch->path);
    close(scratch->lock);
    scratch->lock = -1;
    return is_gone;
}

/* ---- the slots' folders ---- */

static int join_path(char path[PATH_MAX], const char *parent, const char *name, struct error *err)
{
    if (snprintf(path, PATH_MAX, "%s/%s", parent, name) >= PATH_MAX)
        return error_set(err, ERROR_SYSTEM, "%s/%s: the path is too long", parent, name);
    return 0;
}

static const char *last_part(const char *path)
{
    return strrchr(path, '/') + 1;
}

/* Sets the path of the folder that is used after folder->left others had to be left. */
static int name_folder(struct scratch_folder *folder, const struct scratch_slot *slot, struct error *err)
{
    char name[32];
    snprintf(name, sizeof(name), folder->left ? "%s-%u" : "%s", folder->kind, folder->left);
    return join_path(folder->path, slot->path, name, err);
}

static int open_folder_of(struct scratch_slot *slot, struct scratch_folder *folder, const char *kind,
                          struct error *err)
{
    *folder = (struct scratch_folder){.kind = kind};
    if (name_folder(folder, slot, err) < 0)
        return -1;
    if (mkdir(folder->path, 0700) < 0 && errno != EEXIST)
        return error_errno(err, errno, "%s", folder->path);
    return 0;
}

int scratch_slot_open(struct scratch_slot *slot, const struct scratch *scratch, int index, struct error *err)
{
    char name[32];
    snprintf(name, sizeof(name), "slot-%d", index);
    slot->parent = scratch->lock;
    if (join_path(slot->path, scratch->path, name, err) < 0)
        return -1;
    if (mkdir(slot->path, 0700) < 0 && errno != EEXIST)
        return error_errno(err, errno, "%s", slot->path);
    if (open_folder_of(slot, &slot->tmp, "tmp", err) < 0 || open_folder_of(slot, &slot->output, "output", err) < 0 ||
        open_folder_of(slot, &slot->artifacts, "artifacts", err) < 0)
        return -1;
    return 0;
}

/* One of the kind's folders: the one in use, or one that had to be left. */
static bool is_of(const struct scratch_folder *folder, const char *name)
{
    size_t length = strlen(folder->kind);
    if (strncmp(name, folder->kind, length) != 0)
        return false;
    char *end;
    unsigned long number = name[length] == '-' ? strtoul(name + length + 1, &end, 10) : 0;
    return name[length] == '\0' || (number > 0 && *end == '\0' && number <= folder->left);
}

static bool is_needed(const void *data, const char *name)
{
    const struct scratch_slot *slot = data;
    return strcmp(name, "events") == 0 || is_of(&slot->tmp, name) || is_of(&slot->output, name) ||
           is_of(&slot->artifacts, name);
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/*
 * Most attempts write into few of their folders. A folder's change time can't be set by anybody: while it is what it
 * was when the folder was empty, the folder still is. The time is only trusted when it is some while ago, as the file
 * system's clock ticks slowly.
 */
static bool is_untouched(int parent, const char *name, struct timespec untouched, struct stat *info)
{
    *info = (struct stat){0};
    bool is_folder = fstatat(parent, name, info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info->st_mode);
    return is_folder && untouched.tv_sec && is_same_time(info->st_ctim, untouched);
}

static struct timespec trusted_time(const struct stat *before, const struct removal *r)
{
    bool is_trusted = r->removed == 0 && before->st_ctim.tv_sec + 2 <= time(NULL);
    return is_trusted ? before->st_ctim : (struct timespec){0};
}

/* Only where it is needed, as it changes the change time. */
static void set_mode(int fd, mode_t mode)
{
    struct stat info;
    if (fstat(fd, &info) == 0 && (info.st_mode & 07777) != mode)
        fchmod(fd, mode);
}

/* A spec removed it, or made it a file or a link, or it is somebody else's. */
static bool make_again(int slot, const char *name, struct removal *r)
{
    unlinkat(slot, name, 0);
    r->removed++;
    r->failed = mkdirat(slot, name, 0700) == 0 ? 0 : errno;
    return r->failed == 0;
}

/* Whether the folder is as it must be: there, ours, and empty. One that isn't is closed to everybody. */
static bool clear_folder(int slot, const char *name, struct removal *r)
{
    auto_close int fd = removal_open(slot, name);
    if (fd < 0)
        return make_again(slot, name, r);
    if (!removal_is_here(r, fd)) {
        r->failed = EBUSY;
        return false;
    }
    bool is_empty = removal_empty(r, fd);
    set_mode(fd, is_empty ? 0700 : 0);
    return is_empty;
}

/* With the first name that nobody has taken. */
static int replace_folder(struct scratch_slot *slot, int fd, struct scratch_folder *folder)
{
    struct error err;
    int failed;
    folder->untouched = (struct timespec){0};
    do {
        folder->left++;
        failed = name_folder(folder, slot, &err) < 0 ? -1 : mkdirat(fd, last_part(folder->path), 0700);
    } while (failed < 0 && errno == EEXIST);
    return failed;
}

static int say_left(struct error *err, const char *path, const struct removal *r)
{
    error_errno(err, r->failed, "%s%s%s", path, *r->what ? ": " : "", r->what);
    return 1;
}

/* 1: it had to be left, and another one is used from now on. */
static int empty_one(struct scratch_slot *slot, int fd, struct scratch_folder *folder, struct error *err)
{
    struct stat before;
    struct removal r = {0};
    if (is_untouched(fd, last_part(folder->path), folder->untouched, &before))
        return 0;
    removal_begin(&r, fd);
    if (clear_folder(fd, last_part(folder->path), &r)) {
        folder->untouched = trusted_time(&before, &r);
        return 0;
    }
    say_left(err, folder->path, &r);
    if (replace_folder(slot, fd, folder) < 0)
        slot->unusable = errno;
    return 1;
}

/* What lies beside these folders. */
static int empty_around(struct scratch_slot *slot, int fd, struct error *err)
{
    struct stat before;
    struct removal r = {.is_needed = is_needed, .data = slot};
    if (is_untouched(slot->parent, last_part(slot->path), slot->untouched, &before))
        return 0;
    removal_begin(&r, fd);
    bool is_empty = removal_empty(&r, fd);
    slot->untouched = trusted_time(&before, &r);
    return is_empty ? 0 : say_left(err, slot->path, &r);
}

/* Should a spec have removed it, it is made again. */
static int open_slot(struct scratch_slot *slot)
{
    const char *name = last_part(slot->path);
    set_mode(slot->parent, 0700);
    int fd = removal_open(slot->parent, name);
    if (fd >= 0)
        return fd;
    unlinkat(slot->parent, name, 0);
    return mkdirat(slot->parent, name, 0700) == 0 ? removal_open(slot->parent, name) : -1;
}

int scratch_slot_empty(struct scratch_slot *slot, struct error *err)
{
    struct scratch_folder *const folders[] = {&slot->tmp, &slot->output, &slot->artifacts};
    if (slot->artifacts.kind == NULL) /* it was never opened */
        return 0;
    auto_close int fd = open_slot(slot);
    slot->unusable = fd < 0 ? errno : 0;
    if (fd < 0)
        return 0;
    int left = empty_around(slot, fd, err);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        left |= empty_one(slot, fd, folders[i], err);
    return left;
}
