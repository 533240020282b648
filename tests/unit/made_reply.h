/* A reply of Redis that a test makes: a list of texts. */
#pragma once
#include <stddef.h>

struct redisReply;

/* The texts are copied; NULL becomes nil. To be freed with made_reply_free(). */
struct redisReply *made_reply(const char *const *texts, size_t count);
void made_reply_free(struct redisReply *reply);
