#include "made_reply.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "shared/memory.h"

struct redisReply *made_reply(const char *const *texts, size_t count)
{
    struct redisReply *list = memory_zeroed(1, sizeof(*list));
    list->type = REDIS_REPLY_ARRAY;
    list->elements = count;
    list->element = memory_zeroed(count + 1, sizeof(struct redisReply *));
    for (size_t i = 0; i < count; i++) {
        struct redisReply *item = list->element[i] = memory_zeroed(1, sizeof(*item));
        item->type = texts[i] ? REDIS_REPLY_STRING : REDIS_REPLY_NIL;
        item->str = memory_text(texts[i]);
        item->len = texts[i] ? strlen(texts[i]) : 0;
    }
    return list;
}

void made_reply_free(struct redisReply *reply)
{
    for (size_t i = 0; i < reply->elements; i++) {
        free(reply->element[i]->str);
        free(reply->element[i]);
    }
    free(reply->element);
    free(reply);
}
