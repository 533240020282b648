/*
 * The request's address, taken apart. Pure.
 *
 *     /api/v1/runs/current/tasks/task%3Aa%2Fb%3A0?limit=5      segments api, v1, runs, current, tasks, "task:a/b:0"
 *
 * Segments are split first and decoded then, so an escaped slash doesn't split. Nothing is made of dots: a path is
 * compared with what is known, never used as the name of a file.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { HTTP_SEGMENTS = 12, HTTP_QUERIES = 16, HTTP_ARGUMENTS = 4 };

struct http_query {
    const char *name;
    const char *value; /* "" without one */
};

/* The texts are valid UTF-8 without NUL, owned by the target. Zeroed storage is an empty target. */
struct http_target {
    char *storage;
    const char *authority; /* of http://host:port/…, which counts more than Host; NULL: the address is a path */
    const char *segments[HTTP_SEGMENTS]; /* "/" has one, which is empty */
    size_t segment_count;
    struct http_query queries[HTTP_QUERIES];
    size_t query_count;
};

/* false: it doesn't start with a slash (or http://host/), has a bad escape, isn't UTF-8, has too many parts. */
bool http_target_parse(struct http_target *target, const char *uri);
void http_target_close(struct http_target *target);

/* The value of a query key, the first of several; NULL: it isn't there. */
const char *http_target_query(const struct http_target *target, const char *name);

/* The first query key that is not a word of `allowed` ("status q limit"); NULL: all are. */
const char *http_target_stranger(const struct http_target *target, const char *allowed);

/*
 * Whether the path is like the pattern "/api/v1/runs/{run}/tasks". A {name} takes one segment that is not empty,
 * {name*} at the end takes all that are left; arguments[] are what was taken, in order ({name*}: the first of them).
 */
bool http_target_matches(const struct http_target *target, const char *pattern,
                         const char *arguments[HTTP_ARGUMENTS]);
