/*
 * The page and the files beside it: a table that is made at the start, from what is built in or from a folder.
 *
 * A request's path is looked up in the table and never opened. Each file is a ready response, with an entity tag, and
 * a second one compressed where that is smaller.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/error.h"

struct http_asset;
struct http_request;

struct http_assets {
    struct http_asset *page;
    struct http_asset *files;
    size_t count;
};

/*
 * The built-in page (`index_file` NULL), or a file and the regular files in its folder and below. Dot files are left
 * out, and links that lead out of the folder. -1: the file can't be read, or the folder holds more than a page's:
 * then `assets` is empty.
 */
int http_assets_open(struct http_assets *assets, const char *index_file, struct error *err);
void http_assets_close(struct http_assets *assets);

/* Replies with the page. */
void http_assets_reply_page(struct http_request *request);

/* Replies with the file that the segments of the path from `first` on name, if there is one; whether there was. */
bool http_assets_reply_file(struct http_request *request, size_t first);
