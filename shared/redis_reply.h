/* Shape checks on replies, so that nobody reads ->str before ->type. Borrowed views, valid as long as the reply. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct redisReply;

/* Text of a string or status; NULL for every other shape, a NULL reply included. */
const char *redis_reply_text(const struct redisReply *reply);

/* The same with its length, for what may hold zeros. */
const char *redis_reply_bytes(const struct redisReply *reply, size_t *length);

/* Text of an error reply; NULL for every other shape. */
const char *redis_reply_error(const struct redisReply *reply);

/* How many elements a list has; 0 for every other shape. */
size_t redis_reply_count(const struct redisReply *reply);

/* Element `index` of a list, or NULL. */
const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t index);

/* An integer, or a text that is one; `fallback` for every other shape. */
int64_t redis_reply_integer(const struct redisReply *reply, int64_t fallback);

/* In a flat list of names and values (HGETALL, a stream entry): the value of `name` as text, or NULL. */
const char *redis_reply_field(const struct redisReply *pairs, const char *name);
