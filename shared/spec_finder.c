#include "shared/spec_finder.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/buffer.h"
#include "shared/memory.h"

/* A root with more files than this isn't a folder of specs. */
enum { FILE_LIMIT = 200000, DEPTH_LIMIT = 32 };

void spec_finder_init(struct spec_finder *finder, const char *root)
{
    *finder = (struct spec_finder){.root = root};
}

static void remember(struct spec_finder *finder, const char *path)
{
    if (finder->count == finder->capacity) {
        finder->capacity = finder->capacity ? finder->capacity * 2 : 256;
        finder->paths = memory_resize(finder->paths, finder->capacity, sizeof(*finder->paths));
    }
    finder->paths[finder->count++] = memory_text(path);
}

static void walk(struct spec_finder *finder, const char *below, int depth)
{
    char folder_path[PATH_MAX];
    snprintf(folder_path, sizeof(folder_path), "%s/%s", finder->root, below);
    DIR *folder = opendir(folder_path);
    if (folder == NULL)
        return;
    for (const struct dirent *entry; finder->count < FILE_LIMIT && (entry = readdir(folder));) {
        char path[PATH_MAX], full[PATH_MAX];
        struct stat info;
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "node_modules") == 0)
            continue;
        if (snprintf(path, sizeof(path), "%s%s%s", below, *below ? "/" : "", entry->d_name) >= (int)sizeof(path) ||
            snprintf(full, sizeof(full), "%s/%s", finder->root, path) >= (int)sizeof(full) || lstat(full, &info) < 0)
            continue;
        if (S_ISREG(info.st_mode))
            remember(finder, path);
        else if (S_ISDIR(info.st_mode) && depth < DEPTH_LIMIT)
            walk(finder, path, depth + 1);
    }
    closedir(folder);
}

static bool ends_with_path(const char *path, const char *trailing)
{
    size_t length = strlen(path), tail = strlen(trailing);
    return length > tail + 1 && path[length - tail - 1] == '/' && strcmp(path + length - tail, trailing) == 0;
}

/* Whether the file is there, and the root still above it when all symbolic links are followed. */
static bool is_inside(const struct spec_finder *finder, const char *spec)
{
    char joined[PATH_MAX], real[PATH_MAX], root[PATH_MAX];
    if (snprintf(joined, sizeof(joined), "%s/%s", finder->root, spec) >= (int)sizeof(joined) ||
        realpath(joined, real) == NULL || realpath(finder->root, root) == NULL)
        return false;
    size_t length = strlen(root);
    return strncmp(real, root, length) == 0 && (real[length] == '/' || strcmp(root, "/") == 0);
}

char *spec_finder_find(struct spec_finder *finder, const char *spec, struct error *err)
{
    if (is_inside(finder, spec))
        return memory_text(spec);
    if (!finder->is_walked) {
        walk(finder, "", 0);
        finder->is_walked = true;
    }
    const char *found = NULL;
    size_t count = 0;
    auto_buffer names = {0};
    for (size_t i = 0; i < finder->count; i++) {
        if (!ends_with_path(finder->paths[i], spec))
            continue;
        found = finder->paths[i];
        buffer_format(&names, "%s%s", count++ ? ", " : "", finder->paths[i]);
    }
    if (count > 1) {
        error_set(err, ERROR_CONFIG, "several specs match %s: %s", spec, names.data);
        return NULL;
    }
    if (count == 0) {
        error_set(err, ERROR_CONFIG, "no such spec: %s is not in %s", spec, finder->root);
        return NULL;
    }
    return memory_text(found);
}

void spec_finder_close(struct spec_finder *finder)
{
    for (size_t i = 0; i < finder->count; i++)
        free(finder->paths[i]);
    free(finder->paths);
    *finder = (struct spec_finder){0};
}
