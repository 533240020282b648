/*
 * Texts that come and go: equal ones are stored once, counted, and freed when the last user drops them.
 *
 * A text can be numbered: each round hands out 0, 1, 2, … in the order in which texts are first asked for, which is
 * how a string table is written without searching for anything. Zeroed storage is an empty pool.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_pool_entry;

struct text_pool {
    struct text_pool_entry **buckets; /* private */
    size_t bucket_count;              /* a power of two */
    size_t count;
    uint32_t round;
    uint32_t next_number;
};

/* The stored copy, valid until it is dropped as often as it was taken; NULL stays NULL. */
const char *text_pool_take(struct text_pool *pool, const char *text);

/* `text` is what text_pool_take() returned, or NULL. */
void text_pool_drop(struct text_pool *pool, const char *text);

/* The stored copy of the text if there is one, else NULL. */
const char *text_pool_find(const struct text_pool *pool, const char *text);

/* Starts numbering anew. */
void text_pool_renumber(struct text_pool *pool);

/* The number of a stored text in this round. Returns whether the text got it just now. */
bool text_pool_number(struct text_pool *pool, const char *text, uint32_t *number);

/* Frees all texts, whoever holds them. */
void text_pool_close(struct text_pool *pool);
