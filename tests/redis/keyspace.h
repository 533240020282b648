/* What is in Redis, as sorted lines: "task:a:0.status = waiting", "taskqueue[0] = task:a:0" (keyspace.lua). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "tests/redis/redis_fixture.h"

struct keyspace {
    char digest[41]; /* of every value as it is, moments included */
    char last_event[64];
    char **lines; /* sorted; without the prefix */
    size_t count;
};

/* `seen`: the events after this one; "0-0": all of them. */
void keyspace_read(struct keyspace *keyspace, struct redis_fixture *fixture, const char *prefix, const char *seen);
void keyspace_close(struct keyspace *keyspace);

bool keyspace_has(const struct keyspace *keyspace, const char *line);
/* How many lines start so. */
size_t keyspace_count(const struct keyspace *keyspace, const char *start);

/* Sorts lines as those of a keyspace are. */
void keyspace_sort(char **lines, size_t count);
/* Whether both hold the same lines; says on standard error which only one of them has. */
bool keyspace_equal(char *const *wanted, size_t wanted_count, char *const *found, size_t found_count);
