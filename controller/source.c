#include "controller/source.h"

#include <fcntl.h>
#include <limits.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/export/export_name.h"
#include "controller/work_tree.h"
#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/memory.h"
#include "shared/spec_finder.h"
#include "shared/utf8.h"

enum {
    GIT_LIMIT_MS = 10000,
    CONTENT_LIMIT = 64 << 20, /* bytes that are read, of all files together that aren't specs of the plan */
    FILE_LIMIT = 10000,
    HASH_DIGITS = 32, /* 128 bits: nobody meets a second one by accident */
    SHOWN_DIGITS = 10,
};

/* ---- texts ---- */

/* With the zero at its end, so that no two texts run into one. */
static void add_text(SHA2_CTX *sha, const char *text)
{
    SHA256Update(sha, (const uint8_t *)text, strlen(text) + 1);
}

/* A name that can stand in a line for people; another one, or one that is too long, is replaced by its hash. */
static void set_id(struct source *source, enum source_kind kind, const char *text)
{
    uint32_t code;
    size_t length = strlen(text), i = 0;
    for (size_t sequence; i < length; i += sequence)
        if ((sequence = utf8_printable((const unsigned char *)text + i, length - i, &code)) == 0)
            break;
    source->kind = kind;
    if (i == length && length < sizeof(source->id)) {
        memory_copy_text(source->id, sizeof(source->id), text);
        return;
    }
    SHA2_CTX sha;
    char hex[SHA256_DIGEST_STRING_LENGTH];
    SHA256Init(&sha);
    add_text(&sha, text);
    SHA256End(&sha, hex);
    snprintf(source->id, sizeof(source->id), "sha256:%s", hex);
}

static const char *variable(const char *name)
{
    const char *value = name ? getenv(name) : NULL;
    return value && *value ? value : NULL;
}

bool source_is_link(const char *text)
{
    const char *host = strncmp(text, "https://", 8) == 0  ? text + 8
                       : strncmp(text, "http://", 7) == 0 ? text + 7
                                                          : "";
    size_t length = strcspn(host, "/?#");
    bool is_plain = length > 0 && memchr(host, '@', length) == NULL;
    for (const char *p = text; is_plain && *p; p++)
        is_plain = *p > ' ' && *p < 0x7f && strchr("\"<>\\^`{|}", *p) == NULL;
    return is_plain;
}

const char *source_shown(const char *id)
{
    static char texts[4][SOURCE_ID_SIZE];
    static unsigned next;
    char *text = texts[next++ % 4];
    size_t length = 0;
    for (const char *p = id; *p && length + 1 < SOURCE_ID_SIZE;) {
        size_t digits = strspn(p, "0123456789abcdef");
        size_t part = digits == 0 ? 1 : digits >= HASH_DIGITS ? SHOWN_DIGITS : digits;
        for (size_t i = 0; i < part && length + 1 < SOURCE_ID_SIZE; i++)
            text[length++] = p[i];
        p += digits ? digits : 1;
    }
    text[length] = '\0';
    return length > 0 ? text : "none";
}

/* ---- what a CI says ---- */

static const struct {
    const char *commit;
    const char *branches[2]; /* the first that is set */
    const char *links[2];    /* the first whose variables are all set */
} systems[] = {
    {"GITHUB_SHA",
     {"GITHUB_HEAD_REF", "GITHUB_REF_NAME"},
     {"{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"}},
    {"CI_COMMIT_SHA", {"CI_COMMIT_REF_NAME"}, {"{CI_JOB_URL}", "{CI_PIPELINE_URL}"}},
    {"BUILD_SOURCEVERSION",
     {"BUILD_SOURCEBRANCHNAME"},
     {"{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}"}},
    {"GIT_COMMIT", {"GIT_BRANCH"}, {"{BUILD_URL}"}},
    {"BUILDKITE_COMMIT", {"BUILDKITE_BRANCH"}, {"{BUILDKITE_BUILD_URL}"}},
    {"CIRCLE_SHA1", {"CIRCLE_BRANCH"}, {"{CIRCLE_BUILD_URL}"}},
};
enum { SYSTEMS = sizeof(systems) / sizeof(systems[0]) };

/* A value within an address: what can't stand there is escaped. */
static void add_escaped(struct buffer *out, const char *value)
{
    for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
        if (*p <= ' ' || *p >= 0x7f || strchr("\"<>\\^`{|}", *p))
            buffer_format(out, "%%%02X", *p);
        else
            buffer_add(out, p, 1);
    }
}

/* "text {VARIABLE} text"; whether all of them are set and it is a link. */
static bool expand(const char *form, char *url, size_t size)
{
    auto_buffer out = {0};
    while (*form) {
        size_t plain = strcspn(form, "{");
        buffer_add(&out, form, plain);
        form += plain;
        if (*form == '\0')
            break;
        size_t length = strcspn(form, "}");
        auto_free char *name = memory_text_n(form + 1, length - 1);
        const char *value = variable(name);
        if (value == NULL)
            return false;
        add_escaped(&out, value);
        form += length + 1;
    }
    return source_is_link(out.data) && memory_copy_text(url, size, out.data);
}

static void find_ci(struct source *source)
{
    for (size_t i = 0; i < SYSTEMS; i++) {
        if (source->kind == SOURCE_NONE && variable(systems[i].commit))
            set_id(source, SOURCE_CI, variable(systems[i].commit));
        for (size_t k = 0; k < 2; k++) {
            const char *branch = variable(systems[i].branches[k]), *link = systems[i].links[k];
            if (branch && source->branch[0] == '\0')
                memory_copy_text(source->branch, sizeof(source->branch), branch);
            if (link && source->url[0] == '\0' && !expand(link, source->url, sizeof(source->url)))
                source->url[0] = '\0';
        }
    }
}

/* ---- hashing files ---- */

struct hashing {
    SHA2_CTX sha;
    size_t bytes_left, files_left;
};

static void hashing_init(struct hashing *h)
{
    SHA256Init(&h->sha);
    h->bytes_left = CONTENT_LIMIT;
    h->files_left = FILE_LIMIT;
}

static void add_number(struct hashing *h, long long number)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", number);
    add_text(&h->sha, text);
}

static void add_look(struct hashing *h, const struct stat *info)
{
    add_text(&h->sha, "by its looks");
    add_number(h, info->st_size);
    add_number(h, info->st_mtim.tv_sec);
    add_number(h, info->st_mtim.tv_nsec);
}

static void add_content(struct hashing *h, int fd)
{
    uint8_t part[65536];
    long long size = 0;
    for (ssize_t length; size <= CONTENT_LIMIT && (length = read(fd, part, sizeof(part))) > 0; size += length)
        SHA256Update(&h->sha, part, (size_t)length);
    add_number(h, size); /* what follows can't be taken for content */
}

/* A regular file; `must_read`: however much there is of others. */
static void add_regular(struct hashing *h, const char *path, const struct stat *info, bool must_read)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    bool is_within = info->st_size <= CONTENT_LIMIT &&
                     (must_read || (h->files_left > 0 && (size_t)info->st_size <= h->bytes_left));
    add_text(&h->sha, info->st_mode & S_IXUSR ? "program" : "file");
    if (fd < 0 || !is_within) {
        add_look(h, info);
        return;
    }
    if (!must_read) {
        h->bytes_left -= (size_t)info->st_size;
        h->files_left--;
    }
    add_content(h, fd);
}

static void add_path(struct hashing *h, const char *name, const char *path, bool must_read)
{
    struct stat info;
    char target[PATH_MAX];
    add_text(&h->sha, name);
    if (lstat(path, &info) < 0) {
        add_text(&h->sha, "gone");
    } else if (S_ISREG(info.st_mode)) {
        add_regular(h, path, &info, must_read);
    } else if (S_ISLNK(info.st_mode)) {
        ssize_t length = readlink(path, target, sizeof(target) - 1);
        target[length > 0 ? length : 0] = '\0';
        add_text(&h->sha, "link");
        add_text(&h->sha, target);
    } else {
        add_text(&h->sha, "else");
        add_number(h, info.st_mode & S_IFMT);
    }
}

static void end_hash(struct hashing *h, char digits[HASH_DIGITS + 1])
{
    char hex[SHA256_DIGEST_STRING_LENGTH];
    SHA256End(&h->sha, hex);
    snprintf(digits, HASH_DIGITS + 1, "%.*s", HASH_DIGITS, hex);
}

/* ---- the plan's specs ---- */

struct spec {
    const char *name; /* borrowed from the plan */
    char *path;       /* where the worker would find it, without symbolic links; NULL: it isn't there, or too often */
};

struct specs {
    struct spec *list;
    size_t count, seen;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct spec *)a)->name, ((const struct spec *)b)->name);
}

static void find_specs(struct specs *specs, const char *root, const struct plan *plan)
{
    struct spec_finder finder;
    specs->list = memory_zeroed(plan->task_count + 1, sizeof(*specs->list));
    for (size_t i = 0; i < plan->task_count; i++)
        specs->list[i].name = plan->tasks[i].spec;
    qsort(specs->list, plan->task_count, sizeof(*specs->list), compare_names);
    spec_finder_init(&finder, root);
    for (size_t i = 0; i < plan->task_count; i++) {
        struct error ignored;
        const char *name = specs->list[i].name;
        if (specs->count > 0 && strcmp(specs->list[specs->count - 1].name, name) == 0)
            continue;
        auto_free char *found = spec_finder_find(&finder, name, &ignored);
        auto_free char *joined = found ? memory_format("%s/%s", root, found) : NULL;
        char *path = joined ? realpath(joined, NULL) : NULL;
        specs->seen += path != NULL;
        specs->list[specs->count++] = (struct spec){name, path};
    }
    spec_finder_close(&finder);
}

static void free_specs(struct specs *specs)
{
    for (size_t i = 0; i < specs->count; i++)
        free(specs->list[i].path);
    free(specs->list);
}

static void hash_specs(struct source *source, const struct specs *specs)
{
    struct hashing h;
    char digits[HASH_DIGITS + 1];
    if (specs->seen == 0)
        return;
    hashing_init(&h);
    for (size_t i = 0; i < specs->count; i++) {
        if (specs->list[i].path) {
            add_path(&h, specs->list[i].name, specs->list[i].path, true);
        } else {
            add_text(&h.sha, specs->list[i].name);
            add_text(&h.sha, "not found");
        }
    }
    end_hash(&h, digits);
    source->kind = SOURCE_SPECS;
    snprintf(source->id, sizeof(source->id), "specs:%s", digits);
}

/* ---- git ---- */

/* A path as it is named wherever the work tree lies. */
static const char *name_within(const struct work_tree *tree, const char *path)
{
    size_t length = strlen(tree->top);
    return strncmp(path, tree->top, length) == 0 && path[length] == '/' ? path + length + 1 : path;
}

/* Specs that git ignores, or that lie elsewhere, are what is tested all the same. */
static void add_unseen_specs(struct work_tree *tree, const struct specs *specs, struct paths *must_read)
{
    for (size_t i = 0; i < specs->count; i++) {
        const char *path = specs->list[i].path;
        if (path == NULL || paths_have(&tree->kept, path))
            continue;
        paths_add(must_read, path);
        paths_add(&tree->changed, path);
    }
    paths_sort(must_read);
    paths_sort(&tree->changed);
}

static void set_commit(struct source *source, struct work_tree *tree, const struct specs *specs)
{
    struct hashing h;
    struct paths must_read = {0};
    char digits[HASH_DIGITS + 1];
    add_unseen_specs(tree, specs, &must_read);
    hashing_init(&h);
    for (size_t i = 0; i < tree->changed.count; i++) {
        const char *path = tree->changed.list[i];
        add_path(&h, name_within(tree, path), path, paths_have(&must_read, path));
    }
    if (tree->submodules.length > 0)
        SHA256Update(&h.sha, (const uint8_t *)tree->submodules.data, tree->submodules.length);
    end_hash(&h, digits);
    bool is_clean = tree->changed.count == 0 && tree->submodules.length == 0;
    snprintf(source->id, sizeof(source->id), "%s%s%s", tree->commit, is_clean ? "" : "+", is_clean ? "" : digits);
    source->kind = SOURCE_GIT;
    paths_close(&must_read);
}

static void ask_git(struct source *source, const struct options *options, const struct specs *specs,
                    uint64_t deadline_mono_ms)
{
    struct work_tree tree;
    struct error err;
    const struct work_tree_own own = {options->data_dir, options->report_dir, export_name_is_ours};
    if (!work_tree_exists(options->spec_root))
        return;
    if (work_tree_look(&tree, options->spec_root, &own, deadline_mono_ms, &err) < 0) {
        log_warn("source.unknown", LOG_TEXT("reason", err.text), LOG_TEXT("instead", "a hash of the plan's specs"));
        return;
    }
    set_commit(source, &tree, specs);
    if (source->branch[0] == '\0')
        memory_copy_text(source->branch, sizeof(source->branch), tree.branch);
    work_tree_close(&tree);
}

/* ---- outside ---- */

void source_find(struct source *source, const struct options *options, const struct plan *plan)
{
    static const char *const kinds[] = {"nothing", "FUNKYTOWN_SOURCE", "the CI", "git", "the specs"};
    uint64_t deadline_mono_ms = clock_mono_ms() + GIT_LIMIT_MS;
    *source = (struct source){0};
    if (options->source && *options->source)
        set_id(source, SOURCE_TOLD, options->source);
    find_ci(source);
    if (source->kind == SOURCE_NONE) {
        struct specs specs = {0};
        find_specs(&specs, options->spec_root, plan);
        ask_git(source, options, &specs, deadline_mono_ms);
        if (source->kind == SOURCE_NONE)
            hash_specs(source, &specs);
        free_specs(&specs);
    } else if (source->branch[0] == '\0') {
        work_tree_branch(options->spec_root, deadline_mono_ms, source->branch, sizeof(source->branch));
    }
    log_info("source.found", LOG_TEXT("source", source->id), LOG_TEXT("by", kinds[source->kind]));
}
