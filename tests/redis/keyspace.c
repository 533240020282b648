#include "tests/redis/keyspace.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "keyspace_script.h"
#include "shared/memory.h"
#include "shared/redis_reply.h"

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void keyspace_sort(char **lines, size_t count)
{
    qsort(lines, count, sizeof(*lines), compare);
}

void keyspace_read(struct keyspace *keyspace, struct redis_fixture *fixture, const char *prefix, const char *seen)
{
    redisReply *reply =
        redis_fixture_command(fixture, "EVAL %s 0 %s %s", (const char *)keyspace_script[0].body, prefix, seen);
    size_t count = redis_reply_count(reply);
    assert(count >= 2);
    snprintf(keyspace->digest, sizeof(keyspace->digest), "%s", redis_reply_text(redis_reply_at(reply, 0)));
    snprintf(keyspace->last_event, sizeof(keyspace->last_event), "%s", redis_reply_text(redis_reply_at(reply, 1)));
    keyspace->count = count - 2;
    keyspace->lines = memory_zeroed(keyspace->count + 1, sizeof(*keyspace->lines));
    for (size_t i = 0; i < keyspace->count; i++)
        keyspace->lines[i] = memory_text(redis_reply_text(redis_reply_at(reply, i + 2)));
    freeReplyObject(reply);
    keyspace_sort(keyspace->lines, keyspace->count);
}

void keyspace_close(struct keyspace *keyspace)
{
    for (size_t i = 0; i < keyspace->count; i++)
        free(keyspace->lines[i]);
    free(keyspace->lines);
    *keyspace = (struct keyspace){0};
}

bool keyspace_has(const struct keyspace *keyspace, const char *line)
{
    return bsearch(&line, keyspace->lines, keyspace->count, sizeof(*keyspace->lines), compare) != NULL;
}

size_t keyspace_count(const struct keyspace *keyspace, const char *start)
{
    size_t count = 0;
    for (size_t i = 0; i < keyspace->count; i++)
        count += strncmp(keyspace->lines[i], start, strlen(start)) == 0;
    return count;
}

bool keyspace_equal(char *const *wanted, size_t wanted_count, char *const *found, size_t found_count)
{
    bool is_equal = true;
    for (size_t w = 0, f = 0; w < wanted_count || f < found_count;) {
        int order = w == wanted_count ? 1 : f == found_count ? -1 : strcmp(wanted[w], found[f]);
        if (order != 0) {
            fprintf(stderr, order < 0 ? "  missing: %s\n" : "  too much: %s\n", order < 0 ? wanted[w] : found[f]);
            is_equal = false;
        }
        w += order <= 0;
        f += order >= 0;
    }
    return is_equal;
}
