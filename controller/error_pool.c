#include "controller/error_pool.h"

#include <stdlib.h>
#include <string.h>

#include "controller/causes.h"
#include "shared/fnv.h"
#include "shared/memory.h"

enum { FIRST_BUCKETS = 64 };

struct error_pool_entry {
    struct board_error error;      /* its texts stand in `texts` */
    struct error_pool_entry *next; /* in its bucket */
    size_t hash;
    size_t users;
    uint32_t round; /* the one that `number` was given in; 0: never */
    uint32_t number;
    char cause[CAUSES_ID_SIZE]; /* found out once for all that have this error */
    char texts[];
};

static uint64_t add_hash(uint64_t hash, const char *text)
{
    return text ? fnv_add(hash, text, strlen(text) + 1) : fnv_add(hash, "\xff", 1);
}

static size_t hash_of(const struct board_error *error)
{
    uint64_t hash = add_hash(add_hash(add_hash(FNV_BASIS, error->message), error->expected), error->received);
    return (size_t)(hash ^ hash >> 32);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_error(const struct board_error *a, const struct board_error *b)
{
    return same_text(a->message, b->message) && same_text(a->expected, b->expected) &&
           same_text(a->received, b->received);
}

static struct error_pool_entry *entry_of(const struct board_error *error)
{
    return (struct error_pool_entry *)(uintptr_t)error; /* its first member */
}

static struct error_pool_entry **bucket_of(const struct error_pool *pool, size_t hash)
{
    return &pool->buckets[hash & (pool->bucket_count - 1)];
}

static void grow(struct error_pool *pool)
{
    struct error_pool old = *pool;
    pool->bucket_count = old.bucket_count ? old.bucket_count * 2 : FIRST_BUCKETS;
    pool->buckets = memory_zeroed(pool->bucket_count, sizeof(struct error_pool_entry *));
    for (size_t i = 0; i < old.bucket_count; i++) {
        struct error_pool_entry *next;
        for (struct error_pool_entry *entry = old.buckets[i]; entry; entry = next) {
            struct error_pool_entry **bucket = bucket_of(pool, entry->hash);
            next = entry->next;
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    free(old.buckets);
}

static size_t size_of(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* Copies the text to *at, which moves behind it. */
static const char *copy_text(char **at, const char *text)
{
    char *copy = *at;
    if (text == NULL)
        return NULL;
    memcpy(copy, text, size_of(text));
    *at += size_of(text);
    return copy;
}

static struct error_pool_entry *new_entry(const struct board_error *error)
{
    size_t size = size_of(error->message) + size_of(error->expected) + size_of(error->received);
    struct error_pool_entry *entry = memory_zeroed(1, sizeof(*entry) + size);
    char *at = entry->texts;
    entry->error.message = copy_text(&at, error->message);
    entry->error.expected = copy_text(&at, error->expected);
    entry->error.received = copy_text(&at, error->received);
    causes_format_id(causes_number(error->message, error->expected, error->received), entry->cause);
    return entry;
}

const struct board_error *error_pool_take(struct error_pool *pool, const struct board_error *error)
{
    size_t hash = hash_of(error);
    if (pool->count == pool->bucket_count)
        grow(pool);
    struct error_pool_entry **bucket = bucket_of(pool, hash), *entry = *bucket;
    while (entry && (entry->hash != hash || !same_error(&entry->error, error)))
        entry = entry->next;
    if (entry == NULL) {
        entry = new_entry(error);
        entry->hash = hash;
        entry->next = *bucket;
        *bucket = entry;
        pool->count++;
    }
    entry->users++;
    return &entry->error;
}

void error_pool_drop(struct error_pool *pool, const struct board_error *error)
{
    if (error == NULL)
        return;
    struct error_pool_entry *entry = entry_of(error);
    if (--entry->users > 0)
        return;
    struct error_pool_entry **link = bucket_of(pool, entry->hash);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    free(entry);
    pool->count--;
}

const char *error_pool_cause(const struct board_error *error)
{
    return entry_of(error)->cause;
}

void error_pool_renumber(struct error_pool *pool)
{
    pool->round++;
    pool->next_number = 0;
}

bool error_pool_number(struct error_pool *pool, const struct board_error *error, uint32_t *number)
{
    struct error_pool_entry *entry = entry_of(error);
    bool is_first = entry->round != pool->round + 1; /* from 1, so that a zeroed entry has no number */
    if (is_first) {
        entry->round = pool->round + 1;
        entry->number = pool->next_number++;
    }
    *number = entry->number;
    return is_first;
}

void error_pool_close(struct error_pool *pool)
{
    for (size_t i = 0; i < pool->bucket_count; i++) {
        struct error_pool_entry *next;
        for (struct error_pool_entry *entry = pool->buckets[i]; entry; entry = next) {
            next = entry->next;
            free(entry);
        }
    }
    free(pool->buckets);
    *pool = (struct error_pool){0};
}
