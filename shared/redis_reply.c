#include "shared/redis_reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

const char *redis_reply_text(const struct redisReply *reply)
{
    bool is_text = reply && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS);
    return is_text ? reply->str : NULL;
}

const char *redis_reply_bytes(const struct redisReply *reply, size_t *length)
{
    const char *text = redis_reply_text(reply);
    *length = text ? (size_t)reply->len : 0;
    return text;
}

const char *redis_reply_error(const struct redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_ERROR ? reply->str : NULL;
}

size_t redis_reply_count(const struct redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
}

const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t index)
{
    return index < redis_reply_count(reply) ? reply->element[index] : NULL;
}

int64_t redis_reply_integer(const struct redisReply *reply, int64_t fallback)
{
    if (reply && reply->type == REDIS_REPLY_INTEGER)
        return reply->integer;
    const char *text = redis_reply_text(reply);
    if (text == NULL || *text == '\0')
        return fallback;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return *end == '\0' && errno == 0 ? value : fallback;
}

const char *redis_reply_field(const struct redisReply *pairs, const char *name)
{
    for (size_t i = 0; i + 1 < redis_reply_count(pairs); i += 2) {
        const char *found = redis_reply_text(pairs->element[i]);
        if (found && strcmp(found, name) == 0)
            return redis_reply_text(pairs->element[i + 1]);
    }
    return NULL;
}
