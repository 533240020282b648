#include "worker/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/memory.h"

#define NAME_PREFIX "funkytown-worker-"

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)walk;
    if (kind == FTW_DNR && chmod(path, 0700) == 0) /* a spec made it unreadable */
        nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    remove(path);
    return 0;
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *base_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    return tmp && *tmp == '/' ? tmp : "/tmp";
}

static int lock_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
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
            remove_tree(path);
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

void scratch_close(struct scratch *scratch)
{
    if (scratch->lock < 0)
        return;
    remove_tree(scratch->path);
    close(scratch->lock);
    scratch->lock = -1;
}

static int make_folder(char path[PATH_MAX], const char *parent, const char *name, struct error *err)
{
    if (snprintf(path, PATH_MAX, "%s/%s", parent, name) >= PATH_MAX)
        return error_set(err, ERROR_SYSTEM, "%s/%s: the path is too long", parent, name);
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_errno(err, errno, "%s", path);
    return 0;
}

int scratch_slot_open(struct scratch_slot *slot, const struct scratch *scratch, int index, struct error *err)
{
    char name[32];
    snprintf(name, sizeof(name), "slot-%d", index);
    if (make_folder(slot->path, scratch->path, name, err) < 0 ||
        make_folder(slot->tmp.path, slot->path, "tmp", err) < 0 ||
        make_folder(slot->output.path, slot->path, "output", err) < 0 ||
        make_folder(slot->artifacts.path, slot->path, "artifacts", err) < 0)
        return -1;
    return 0;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Returns whether it was empty. */
static bool remove_entries(const char *path)
{
    bool was_empty = true;
    DIR *folder = opendir(path);
    if (folder == NULL) { /* a spec removed it, or made it unreadable or a file */
        remove_tree(path);
        mkdir(path, 0700);
        return false;
    }
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char inner[PATH_MAX];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        was_empty = false;
        if (snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name) < (int)sizeof(inner))
            remove_tree(inner);
    }
    closedir(folder);
    return was_empty;
}

/*
 * Most attempts write into few of their folders. A folder whose change time (which nobody can set) is that of when it
 * was seen to be empty still is; a time is only trusted when it was some while ago, as the file system's clock ticks
 * slowly.
 */
static void empty_folder(struct scratch_folder *folder)
{
    struct stat info;
    bool is_folder = lstat(folder->path, &info) == 0 && S_ISDIR(info.st_mode);
    if (is_folder && folder->untouched.tv_sec && is_same_time(info.st_ctim, folder->untouched))
        return;
    bool is_old = is_folder && info.st_ctim.tv_sec + 2 <= time(NULL);
    bool was_empty = remove_entries(folder->path);
    folder->untouched = was_empty && is_old ? info.st_ctim : (struct timespec){0};
}

void scratch_slot_empty(struct scratch_slot *slot)
{
    mkdir(slot->path, 0700); /* should a spec have removed it */
    empty_folder(&slot->tmp);
    empty_folder(&slot->output);
    empty_folder(&slot->artifacts);
}
