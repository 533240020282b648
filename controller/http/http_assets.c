#include "controller/http/http_assets.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "controller/gzip.h"
#include "controller/http/http_fields.h"
#include "controller/http/http_reply.h"
#include "controller/http/http_request.h"
#include "controller/http/reporter_private.h"
#include "page_files.h"
#include "shared/file.h"
#include "shared/fnv.h"
#include "shared/memory.h"

/* More than a page needs; less than a home folder that somebody put an index file into. */
enum { FILES_MAX = 1000, FOLDERS_DEEP = 8, BYTES_MAX = 64 * 1024 * 1024 };

/* The built-in page uses its own files only, and makes no markup from text. */
static const char built_in_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'";

/* Somebody's own page may hold scripts and styles inline; it still loads nothing from elsewhere. */
static const char own_policy[] = "default-src 'self' 'unsafe-inline' data: blob:; base-uri 'none'; "
                                 "form-action 'none'; frame-ancestors 'none'";

static const char cache_for_ever[] = "public, max-age=31536000, immutable";
static const char cache_checked[] = "no-cache";

struct http_asset {
    char *path; /* below the folder */
    char *bytes;
    size_t size;
    struct MHD_Response *plain, *zipped; /* zipped NULL: it wouldn't be smaller */
};

static const char html_type[] = "text/html; charset=utf-8";

static const struct {
    const char *suffix;
    const char *type;
} types[] = {
    {".html", html_type},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".gif", "image/gif"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".woff", "font/woff"},
    {".wasm", "application/wasm"},
    {".webmanifest", "application/manifest+json"},
    {".txt", HTTP_TEXT},
    {".md", HTTP_TEXT},
};

static const char *type_of(const char *path)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        size_t suffix = strlen(types[i].suffix);
        if (length > suffix && strcasecmp(path + length - suffix, types[i].suffix) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

/* "app-5YQK2XAB.js": the build puts a hash of the content there, so the name never means anything else. */
static bool has_hash(const char *path)
{
    const char *dash = strrchr(path, '-');
    size_t length = dash ? strspn(dash + 1, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") : 0;
    return length >= 8 && dash[1 + length] == '.';
}

static void make_tag(const struct http_asset *asset, const char *suffix, char tag[32])
{
    snprintf(tag, 32, "\"%016" PRIx64 "%s\"", fnv_add(FNV_BASIS, asset->bytes, asset->size), suffix);
}

/* Makes the responses of an asset whose path and bytes are set. */
static void prepare(struct http_asset *asset, bool is_page, bool is_built_in)
{
    enum { WORTH_ZIPPING = 512 };
    const char *type = is_page ? html_type : type_of(asset->path);
    const char *policy = strcmp(type, html_type) != 0 ? HTTP_POLICY_DATA : is_built_in ? built_in_policy : own_policy;
    const char *cache = is_built_in && !is_page && has_hash(asset->path) ? cache_for_ever : cache_checked;
    const char *vary = is_page ? "Accept, Accept-Encoding" : "Accept-Encoding";
    char tag[32];
    asset->plain = http_response_static(asset->bytes, asset->size, type, cache, policy);
    make_tag(asset, "", tag);
    http_response_field(asset->plain, MHD_HTTP_HEADER_ETAG, tag);
    http_response_field(asset->plain, MHD_HTTP_HEADER_VARY, vary);

    auto_buffer zipped = {0};
    if (asset->size >= WORTH_ZIPPING)
        gzip_add(&zipped, asset->bytes, asset->size, 9);
    if (zipped.length == 0 || zipped.length >= asset->size)
        return;
    asset->zipped = http_response_take(&zipped, type, cache, policy);
    make_tag(asset, "-gzip", tag);
    http_response_field(asset->zipped, MHD_HTTP_HEADER_ETAG, tag);
    http_response_field(asset->zipped, MHD_HTTP_HEADER_VARY, vary);
    http_response_field(asset->zipped, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
}

static struct http_asset *add(struct http_assets *assets, const char *path)
{
    assets->files = memory_resize(assets->files, assets->count + 1, sizeof(*assets->files));
    struct http_asset *asset = &assets->files[assets->count++];
    *asset = (struct http_asset){.path = memory_text(path)};
    return asset;
}

/* ---- from a folder */

struct folder {
    struct http_assets *assets;
    char *root;  /* its real path */
    char *index; /* the real path of the index file, which is not among the files */
    size_t bytes;
};

static int read_file(const char *path, struct http_asset *asset, struct error *err)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return error_errno(err, errno, "%s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_CONFIG, "%s: found no regular file, wanted one", path);
    asset->bytes = file_read(path, &asset->size, err);
    return asset->bytes ? 0 : -1;
}

static int read_folder(struct folder *folder, const char *path, int depth, struct error *err);

/* One entry of a folder, named from the root. */
static int read_entry(struct folder *folder, const char *path, int depth, struct error *err)
{
    struct stat status;
    auto_free char *full = memory_format("%s/%s", folder->root, path);
    if (lstat(full, &status) < 0)
        return 0; /* gone in the meantime */
    if (S_ISDIR(status.st_mode))
        return depth < FOLDERS_DEEP ? read_folder(folder, path, depth + 1, err) : 0;
    auto_free char *real = realpath(full, NULL);
    size_t root = strlen(folder->root);
    bool is_inside = real && strncmp(real, folder->root, root) == 0 && real[root] == '/';
    if (!is_inside || strcmp(real, folder->index) == 0 || stat(real, &status) < 0 || !S_ISREG(status.st_mode))
        return 0;
    struct http_asset *asset = add(folder->assets, path);
    if (read_file(real, asset, err) < 0)
        return -1;
    folder->bytes += asset->size;
    if (folder->assets->count > FILES_MAX || folder->bytes > BYTES_MAX)
        return error_set(
            err, ERROR_CONFIG,
            "%s: holds more than %d files or %d MiB, all of which would be served: give the page a folder "
            "of its own",
            folder->root, FILES_MAX, BYTES_MAX >> 20);
    return 0;
}

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

/* `path` is below the root, "" for the root itself. */
static int read_folder(struct folder *folder, const char *path, int depth, struct error *err)
{
    auto_free char *full = memory_format("%s/%s", folder->root, path);
    __attribute__((cleanup(close_folder))) DIR *entries = opendir(full);
    if (entries == NULL)
        return error_errno(err, errno, "%s", full);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        auto_free char *below = *path ? memory_format("%s/%s", path, entry->d_name) : memory_text(entry->d_name);
        if (read_entry(folder, below, depth, err) < 0)
            return -1;
    }
    return 0;
}

static int open_folder(struct http_assets *assets, const char *index_file, struct error *err)
{
    auto_free char *index = realpath(index_file, NULL);
    if (index == NULL)
        return error_errno(err, errno, "%s", index_file);
    assets->page = memory_zeroed(1, sizeof(*assets->page));
    assets->page->path = memory_text(index_file);
    if (read_file(index, assets->page, err) < 0)
        return -1;
    /* The folder that the name stands in, which need not be the one that a link leads to. */
    const char *slash = strrchr(index_file, '/');
    auto_free char *named = slash ? memory_text_n(index_file, (size_t)(slash - index_file) + 1) : memory_text(".");
    auto_free char *root = realpath(named, NULL);
    if (root == NULL)
        return error_errno(err, errno, "%s", named);
    if (strcmp(root, "/") == 0)
        return error_set(err, ERROR_CONFIG, "%s: give the page a folder of its own", index_file);
    struct folder folder = {.assets = assets, .root = root, .index = index};
    if (read_folder(&folder, "", 0, err) < 0)
        return -1;
    prepare(assets->page, true, false);
    for (size_t i = 0; i < assets->count; i++)
        prepare(&assets->files[i], false, false);
    return 0;
}

/* ---- built in */

static void open_built_in(struct http_assets *assets)
{
    for (size_t i = 0; i < page_files_count; i++) {
        const struct embedded_file *file = &page_files[i];
        bool is_page = strcmp(file->path, "index.html") == 0;
        struct http_asset *asset;
        if (is_page) {
            asset = assets->page = memory_zeroed(1, sizeof(*assets->page));
            asset->path = memory_text(file->path);
        } else {
            asset = add(assets, file->path);
        }
        asset->size = file->size;
        asset->bytes = memory_text_n((const char *)file->body, file->size);
        prepare(asset, is_page, true);
    }
    assert(assets->page != NULL);
}

int http_assets_open(struct http_assets *assets, const char *index_file, struct error *err)
{
    *assets = (struct http_assets){0};
    if (index_file == NULL) {
        open_built_in(assets);
        return 0;
    }
    if (open_folder(assets, index_file, err) == 0)
        return 0;
    http_assets_close(assets);
    error_wrap(err, "HTML_INDEX_FILE");
    err->code = ERROR_CONFIG;
    return -1;
}

static void close_asset(struct http_asset *asset)
{
    if (asset->plain)
        MHD_destroy_response(asset->plain);
    if (asset->zipped)
        MHD_destroy_response(asset->zipped);
    free(asset->path);
    free(asset->bytes);
}

void http_assets_close(struct http_assets *assets)
{
    if (assets->page)
        close_asset(assets->page);
    for (size_t i = 0; i < assets->count; i++)
        close_asset(&assets->files[i]);
    free(assets->page);
    free(assets->files);
    *assets = (struct http_assets){0};
}

/* ---- replies */

/* 304, with the headers that a cache would update. */
static void reply_unchanged(struct http_request *request, struct MHD_Response *full)
{
    struct MHD_Response *response =
        http_response_static("", 0, NULL, MHD_get_response_header(full, MHD_HTTP_HEADER_CACHE_CONTROL),
                             MHD_get_response_header(full, "Content-Security-Policy"));
    http_response_field(response, MHD_HTTP_HEADER_ETAG, MHD_get_response_header(full, MHD_HTTP_HEADER_ETAG));
    http_response_field(response, MHD_HTTP_HEADER_VARY, MHD_get_response_header(full, MHD_HTTP_HEADER_VARY));
    http_reply(request, MHD_HTTP_NOT_MODIFIED, response);
}

static void reply(struct http_request *request, const struct http_asset *asset)
{
    bool is_zipped =
        asset->zipped && http_fields_take_gzip(http_request_field(request, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    struct MHD_Response *response = is_zipped ? asset->zipped : asset->plain;
    const char *tag = MHD_get_response_header(response, MHD_HTTP_HEADER_ETAG);
    if (http_fields_have_tag(http_request_field(request, MHD_HTTP_HEADER_IF_NONE_MATCH), tag))
        reply_unchanged(request, response);
    else
        http_reply_shared(request, MHD_HTTP_OK, response);
}

void http_assets_reply_page(struct http_request *request)
{
    reply(request, request->reporter->assets.page);
}

bool http_assets_reply_file(struct http_request *request, size_t first)
{
    const struct http_assets *assets = &request->reporter->assets;
    auto_buffer path = {0};
    for (size_t i = first; i < request->target.segment_count; i++) {
        buffer_text(&path, i > first ? "/" : "");
        buffer_text(&path, request->target.segments[i]);
    }
    for (size_t i = 0; i < assets->count; i++) {
        if (path.data && strcmp(assets->files[i].path, path.data) == 0) {
            reply(request, &assets->files[i]);
            return true;
        }
    }
    return false;
}
