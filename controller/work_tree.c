#include "controller/work_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "controller/git.h"
#include "shared/memory.h"

enum { DEEPEST_SUBMODULE = 8 };

/* Folders that runners write beside specs, ignored by git or not; "a/b" where the name b says too little. */
static const char *const outputs[] = {
    "test-results",        "playwright-report", "blob-report",  "cypress/videos",
    "cypress/screenshots", "cypress/downloads", "node_modules", "allure-results",
    "mochawesome-report",  ".nyc_output",       ".funkytown",
};

struct look {
    struct work_tree *tree;
    const struct work_tree_own *own;
    char data[PATH_MAX], report[PATH_MAX]; /* its folders; "": there is none yet, so nothing is in it */
    uint64_t deadline_mono_ms;
    struct error *err;
};

/* ---- lists of paths ---- */

void paths_add(struct paths *paths, const char *path)
{
    if (paths->count == paths->capacity) {
        paths->capacity = paths->capacity ? paths->capacity * 2 : 64;
        paths->list = memory_resize(paths->list, paths->capacity, sizeof(*paths->list));
    }
    paths->list[paths->count++] = memory_text(path);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void paths_sort(struct paths *paths)
{
    size_t kept = 0;
    if (paths->count > 0)
        qsort(paths->list, paths->count, sizeof(*paths->list), compare);
    for (size_t i = 0; i < paths->count; i++) {
        if (kept > 0 && strcmp(paths->list[kept - 1], paths->list[i]) == 0)
            free(paths->list[i]);
        else
            paths->list[kept++] = paths->list[i];
    }
    paths->count = kept;
}

bool paths_have(const struct paths *sorted, const char *path)
{
    return sorted->count > 0 && bsearch(&path, sorted->list, sorted->count, sizeof(*sorted->list), compare);
}

void paths_close(struct paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->list[i]);
    free(paths->list);
    *paths = (struct paths){0};
}

/* ---- what doesn't count ---- */

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return length > 0 && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Whether one of the folders of a relative path is an output. */
static bool is_output(const char *path)
{
    for (const char *at = path; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
        for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
            if (is_below(at, outputs[i]))
                return true;
    return false;
}

/* A file of ours in the report's folder; not in a folder of it. */
static bool is_report(const struct look *l, const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    return is_below(path, l->report) && path + strlen(l->report) + 1 == name && l->own->is_report(name);
}

static void add_changed(struct look *l, const char *path)
{
    if (!is_below(path, l->data) && !is_report(l, path))
        paths_add(&l->tree->changed, path);
}

/* ---- submodules ---- */

static char *join(const char *folder, const char *path)
{
    return memory_format("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, path);
}

/* Without a .git of its own git would answer for the work tree around it. */
static bool is_checked_out(const char *folder)
{
    auto_free char *inside = join(folder, ".git");
    struct stat info;
    return lstat(inside, &info) == 0;
}

/* ---- tracked files ---- */

static int look_at_tracked(struct look *l, const char *top, int depth, char *commit, char *branch);

/* The rest of a record behind `count` blanks. */
static const char *skip_words(const char *record, int count)
{
    while (count-- > 0 && record)
        record = strchr(record, ' ') ? strchr(record, ' ') + 1 : NULL;
    return record;
}

/* `state` is "S<commit><tracked><untracked>" (git-status(1)). */
static int look_at_submodule(struct look *l, const char *folder, const char *state, int depth)
{
    char commit[sizeof(l->tree->commit)], branch[sizeof(l->tree->branch)];
    if (depth >= DEEPEST_SUBMODULE || !is_checked_out(folder))
        return 0;
    if (look_at_tracked(l, folder, depth + 1, commit, branch) < 0)
        return -1;
    if (state[1] == 'C')
        buffer_format(&l->tree->submodules, "%s\n%s\n", folder, commit);
    return 0;
}

/* "1 XY sub mH mI mW hH hI path", "u XY sub m1 m2 m3 mW h1 h2 h3 path" */
static int take_entry(struct look *l, const char *top, const char *record, int depth)
{
    const char *path = skip_words(record, record[0] == 'u' ? 10 : 8), *sub = skip_words(record, 2);
    if (path == NULL)
        return 0;
    auto_free char *full = join(top, path);
    if (sub[0] == 'S' && look_at_submodule(l, full, sub, depth) < 0)
        return -1;
    if (sub[0] != 'S' || !is_checked_out(full))
        add_changed(l, full);
    return 0;
}

static int take_status(struct look *l, const char *top, const char *record, int depth, char *commit, char *branch)
{
    static const char oid[] = "# branch.oid ", head[] = "# branch.head ";
    if (strncmp(record, oid, strlen(oid)) == 0)
        memory_copy_text(commit, sizeof(l->tree->commit),
                         strcmp(record + strlen(oid), "(initial)") == 0 ? "unborn" : record + strlen(oid));
    else if (strncmp(record, head, strlen(head)) == 0)
        memory_copy_text(branch, sizeof(l->tree->branch),
                         strcmp(record + strlen(head), "(detached)") == 0 ? "" : record + strlen(head));
    else if (record[0] == '1' || record[0] == 'u')
        return take_entry(l, top, record, depth);
    return 0;
}

static int look_at_tracked(struct look *l, const char *top, int depth, char *commit, char *branch)
{
    static const char *const words[] = {"status",       "--porcelain=v2",       "--branch",
                                        "-z",           "--untracked-files=no", "--ignore-submodules=none",
                                        "--no-renames", "--no-ahead-behind",    NULL};
    auto_buffer out = {0};
    commit[0] = branch[0] = '\0';
    if (git_ask(top, words, l->deadline_mono_ms, &out, l->err) < 0)
        return -1;
    for (size_t at = 0; at < out.length; at += strlen(out.data + at) + 1)
        if (take_status(l, top, out.data + at, depth, commit, branch) < 0)
            return -1;
    return 0;
}

/* ---- what is below the folder ---- */

static int look_below(struct look *l, const char *folder, int depth);

/*
 * "H <mode> <object> <stage>\tpath": a tracked file, in the index as in the folder. "? path": an untracked one.
 * Other letters: files whose changes git was told to ignore.
 */
static int take_file(struct look *l, const char *folder, const char *record, int depth)
{
    const char *tab = strchr(record, '\t');
    bool is_untracked = record[0] == '?';
    const char *path = is_untracked ? record + 2 : tab ? tab + 1 : NULL;
    if (path == NULL)
        return 0;
    auto_free char *full = join(folder, path);
    bool is_submodule = !is_untracked && strncmp(record + 2, "160000 ", 7) == 0;
    if (is_submodule)
        return depth < DEEPEST_SUBMODULE && is_checked_out(full) ? look_below(l, full, depth + 1) : 0;
    if (is_untracked && !is_output(path))
        add_changed(l, full);
    else if (record[0] == 'H')
        paths_add(&l->tree->kept, full);
    return 0;
}

static int look_below(struct look *l, const char *folder, int depth)
{
    static const char *const words[] = {"ls-files",           "-z", "-v", "--stage", "--cached", "--others",
                                        "--exclude-standard", NULL};
    auto_buffer out = {0};
    if (git_ask(folder, words, l->deadline_mono_ms, &out, l->err) < 0)
        return -1;
    for (size_t at = 0; at < out.length; at += strlen(out.data + at) + 1)
        if (take_file(l, folder, out.data + at, depth) < 0)
            return -1;
    return 0;
}

/* ---- outside ---- */

bool work_tree_exists(const char *folder)
{
    char path[PATH_MAX];
    if (realpath(folder, path) == NULL)
        return false;
    for (;;) {
        if (is_checked_out(path))
            return true;
        char *slash = strrchr(path, '/');
        if (slash == NULL || path[1] == '\0')
            return false;
        slash[slash == path] = '\0'; /* the root keeps its slash */
    }
}

static int find_top(struct look *l)
{
    static const char *const words[] = {"rev-parse", "--show-toplevel", NULL};
    auto_buffer out = {0};
    if (git_ask(l->tree->folder, words, l->deadline_mono_ms, &out, l->err) < 0)
        return -1;
    if (out.length > 0 && out.data[out.length - 1] == '\n')
        out.data[out.length - 1] = '\0';
    if (!memory_copy_text(l->tree->top, sizeof(l->tree->top), out.data ? out.data : "") || l->tree->top[0] != '/')
        return error_set(l->err, ERROR_SYSTEM, "git says that there is no work tree");
    return 0;
}

/* What is tracked and differs isn't kept: as `git ls-files` doesn't look into files, that follows only from both. */
static void forget_changed(struct work_tree *tree)
{
    size_t kept = 0;
    for (size_t i = 0; i < tree->kept.count; i++) {
        if (paths_have(&tree->changed, tree->kept.list[i]))
            free(tree->kept.list[i]);
        else
            tree->kept.list[kept++] = tree->kept.list[i];
    }
    tree->kept.count = kept;
}

int work_tree_look(struct work_tree *tree, const char *folder, const struct work_tree_own *own,
                   uint64_t deadline_mono_ms, struct error *err)
{
    struct look l = {.tree = tree, .own = own, .deadline_mono_ms = deadline_mono_ms, .err = err};
    *tree = (struct work_tree){0};
    if (realpath(folder, tree->folder) == NULL)
        return error_set(err, ERROR_SYSTEM, "%s isn't there", folder);
    if (realpath(own->data_folder, l.data) == NULL)
        l.data[0] = '\0';
    if (own->report_folder == NULL || realpath(own->report_folder, l.report) == NULL)
        l.report[0] = '\0';
    if (find_top(&l) < 0 || look_at_tracked(&l, tree->top, 0, tree->commit, tree->branch) < 0 ||
        look_below(&l, tree->folder, 0) < 0) {
        work_tree_close(tree);
        return -1;
    }
    paths_sort(&tree->changed);
    paths_sort(&tree->kept);
    forget_changed(tree);
    return 0;
}

void work_tree_close(struct work_tree *tree)
{
    paths_close(&tree->changed);
    paths_close(&tree->kept);
    buffer_close(&tree->submodules);
}

void work_tree_branch(const char *folder, uint64_t deadline_mono_ms, char *branch, size_t size)
{
    static const char *const words[] = {"symbolic-ref", "--quiet", "--short", "HEAD", NULL};
    auto_buffer out = {0};
    struct error ignored;
    branch[0] = '\0';
    if (!work_tree_exists(folder) || git_ask(folder, words, deadline_mono_ms, &out, &ignored) < 0 || out.length == 0)
        return;
    out.data[strcspn(out.data, "\n")] = '\0';
    memory_copy_text(branch, size, out.data);
}
