#include "controller/text_pool.h"

#include <stdlib.h>
#include <string.h>

#include "shared/fnv.h"
#include "shared/memory.h"

enum { FIRST_BUCKETS = 64 };

struct text_pool_entry {
    struct text_pool_entry *next; /* in its bucket */
    size_t hash;
    size_t users;
    uint32_t round; /* the one that `number` was given in; 0: never */
    uint32_t number;
    char text[];
};

/* The high bits are folded into those that choose the bucket. */
static size_t hash_of(const char *text)
{
    uint64_t hash = fnv_add(FNV_BASIS, text, strlen(text));
    return (size_t)(hash ^ hash >> 32);
}

static struct text_pool_entry *entry_of(const char *text)
{
    return (struct text_pool_entry *)(void *)((char *)(uintptr_t)text - offsetof(struct text_pool_entry, text));
}

static struct text_pool_entry **bucket_of(const struct text_pool *pool, size_t hash)
{
    return &pool->buckets[hash & (pool->bucket_count - 1)];
}

static struct text_pool_entry *find(const struct text_pool *pool, const char *text, size_t hash)
{
    if (pool->bucket_count == 0)
        return NULL;
    struct text_pool_entry *entry = *bucket_of(pool, hash);
    while (entry && (entry->hash != hash || strcmp(entry->text, text) != 0))
        entry = entry->next;
    return entry;
}

static void grow(struct text_pool *pool)
{
    struct text_pool old = *pool;
    pool->bucket_count = old.bucket_count ? old.bucket_count * 2 : FIRST_BUCKETS;
    pool->buckets = memory_zeroed(pool->bucket_count, sizeof(struct text_pool_entry *));
    for (size_t i = 0; i < old.bucket_count; i++) {
        struct text_pool_entry *next;
        for (struct text_pool_entry *entry = old.buckets[i]; entry; entry = next) {
            struct text_pool_entry **bucket = bucket_of(pool, entry->hash);
            next = entry->next;
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    free(old.buckets);
}

const char *text_pool_take(struct text_pool *pool, const char *text)
{
    if (text == NULL)
        return NULL;
    size_t hash = hash_of(text);
    struct text_pool_entry *entry = find(pool, text, hash);
    if (entry == NULL) {
        if (pool->count == pool->bucket_count)
            grow(pool);
        size_t size = strlen(text) + 1;
        entry = memory_zeroed(1, sizeof(*entry) + size);
        memcpy(entry->text, text, size);
        entry->hash = hash;
        struct text_pool_entry **bucket = bucket_of(pool, hash);
        entry->next = *bucket;
        *bucket = entry;
        pool->count++;
    }
    entry->users++;
    return entry->text;
}

void text_pool_drop(struct text_pool *pool, const char *text)
{
    if (text == NULL)
        return;
    struct text_pool_entry *entry = entry_of(text);
    if (--entry->users > 0)
        return;
    struct text_pool_entry **link = bucket_of(pool, entry->hash);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    free(entry);
    pool->count--;
}

const char *text_pool_find(const struct text_pool *pool, const char *text)
{
    struct text_pool_entry *entry = find(pool, text, hash_of(text));
    return entry ? entry->text : NULL;
}

void text_pool_renumber(struct text_pool *pool)
{
    pool->round++;
    pool->next_number = 0;
}

bool text_pool_number(struct text_pool *pool, const char *text, uint32_t *number)
{
    struct text_pool_entry *entry = entry_of(text);
    /* Rounds of entries count from 1, so that a zeroed entry has no number. */
    bool is_first = entry->round != pool->round + 1;
    if (is_first) {
        entry->round = pool->round + 1;
        entry->number = pool->next_number++;
    }
    *number = entry->number;
    return is_first;
}

void text_pool_close(struct text_pool *pool)
{
    for (size_t i = 0; i < pool->bucket_count; i++) {
        struct text_pool_entry *next;
        for (struct text_pool_entry *entry = pool->buckets[i]; entry; entry = next) {
            next = entry->next;
            free(entry);
        }
    }
    free(pool->buckets);
    *pool = (struct text_pool){0};
}
