#include "worker/removal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/memory.h"

enum {
    DEPTH_MAX = 8,       /* two descriptors are open for each level; what lies deeper is moved up first */
    PASSES_MAX = 100000, /* should somebody who can't be killed go on filling a folder */
};

/* A folder that may not be opened yet gets its mode through an O_PATH descriptor, which needs no right to it. */
int removal_open(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat info;
    if (fd < 0 && errno == EACCES) {
        char link[64];
        auto_close int place = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
        if (place >= 0 && chmod(link, 0700) == 0)
            fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } else if (fd >= 0 && fstat(fd, &info) == 0 && (info.st_mode & 0700) != 0700) {
        fchmod(fd, 0700);
    }
    return fd;
}

static void find_mount(int fd, struct statx *mount)
{
    *mount = (struct statx){0};
    statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, mount);
}

void removal_begin(struct removal *r, int fd)
{
    find_mount(fd, &r->mount);
}

/* A bind mount is on the same device, and yet another place. */
bool removal_is_here(const struct removal *r, int fd)
{
    struct statx its;
    find_mount(fd, &its);
    return its.stx_dev_major == r->mount.stx_dev_major && its.stx_dev_minor == r->mount.stx_dev_minor &&
           its.stx_mnt_id == r->mount.stx_mnt_id;
}

/* The descriptor stays the caller's. */
static DIR *open_list(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
    if (copy >= 0 && list == NULL)
        close(copy);
    return list;
}

static bool empty_folder(struct removal *r, DIR *folder, int depth);

static bool move_up(struct removal *r, int parent, const char *name)
{
    char moved[32];
    snprintf(moved, sizeof(moved), "moved-up-%u", r->moved++);
    return renameat(parent, name, dirfd(r->top), moved) == 0;
}

/* Empties and removes a folder of the tree; one that lies too deep is moved up instead. */
static bool clear_inner(struct removal *r, int parent, const char *name, int fd, int depth)
{
    if (!removal_is_here(r, fd)) {
        errno = EBUSY;
        return false;
    }
    if (depth == DEPTH_MAX)
        return move_up(r, parent, name);
    DIR *folder = open_list(fd);
    if (folder == NULL)
        return false;
    empty_folder(r, folder, depth);
    closedir(folder);
    return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

/* A folder of somebody else can't be opened, but if it is empty it can be removed. Whether it has gone. */
static bool remove_folder(struct removal *r, int parent, const char *name, int depth)
{
    auto_close int fd = removal_open(parent, name);
    int reason = errno;
    if (fd >= 0)
        return clear_inner(r, parent, name, fd, depth);
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
        return true;
    errno = reason;
    return false;
}

static bool remove_entry(struct removal *r, int parent, const char *name, int depth)
{
    bool is_gone = unlinkat(parent, name, 0) == 0 || (errno == EISDIR && remove_folder(r, parent, name, depth + 1));
    if (is_gone) {
        r->removed++;
    } else if (r->failed == 0) {
        r->failed = errno;
        memory_copy_text(r->what, sizeof(r->what), name);
    }
    return is_gone;
}

static bool is_skipped(const struct removal *r, int depth, const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
           (depth == 0 && r->is_needed && r->is_needed(r->data, name));
}

/* Again and again, until a pass finds nothing to remove: listings may leave out what comes while they are read. */
static bool empty_folder(struct removal *r, DIR *folder, int depth)
{
    bool is_all, has_removed;
    do {
        is_all = true;
        has_removed = false;
        rewinddir(folder);
        for (const struct dirent *entry; (entry = readdir(folder));) {
            if (is_skipped(r, depth, entry->d_name))
                continue;
            bool is_gone = remove_entry(r, dirfd(folder), entry->d_name, depth);
            is_all &= is_gone;
            has_removed |= is_gone;
        }
    } while (has_removed && ++r->passes < PASSES_MAX);
    return is_all && !has_removed;
}

bool removal_empty(struct removal *r, int fd)
{
    r->top = open_list(fd);
    if (r->top == NULL) {
        r->failed = errno;
        return false;
    }
    bool is_empty = empty_folder(r, r->top, 0);
    closedir(r->top);
    return is_empty;
}

bool removal_remove(const char *path)
{
    struct removal r = {0};
    auto_close int fd = removal_open(AT_FDCWD, path);
    if (fd >= 0) {
        removal_begin(&r, fd);
        removal_empty(&r, fd);
    }
    return rmdir(path) == 0 || errno == ENOENT;
}
