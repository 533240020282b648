/*
 * What went wrong, in words, each once: a broken service fails a thousand tests with one error. They are counted, and
 * freed when the last user drops them. As with text_pool, a round of numbers is how a table of them is written.
 * Zeroed storage is an empty pool.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/board.h"

struct error_pool_entry;

struct error_pool {
    struct error_pool_entry **buckets; /* private */
    size_t bucket_count;               /* a power of two */
    size_t count;
    uint32_t round;
    uint32_t next_number;
};

/* The stored copy, valid until it is dropped as often as it was taken. */
const struct board_error *error_pool_take(struct error_pool *pool, const struct board_error *error);

/* `error` is what error_pool_take() returned, or NULL. */
void error_pool_drop(struct error_pool *pool, const struct board_error *error);

/* The id of its cause (controller/causes.h); `error` is what error_pool_take() returned. */
const char *error_pool_cause(const struct board_error *error);

/* Starts numbering anew. */
void error_pool_renumber(struct error_pool *pool);

/* The number of a stored error in this round. Returns whether it got it just now. */
bool error_pool_number(struct error_pool *pool, const struct board_error *error, uint32_t *number);

/* Frees all of them, whoever holds them. */
void error_pool_close(struct error_pool *pool);
