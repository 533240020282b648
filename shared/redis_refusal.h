/*
 * What an error reply means for the connection that it came on, in the words of Redis 5 to 8 and of Valkey. Pure.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum redis_refusal {
    REDIS_REFUSAL_OTHER,          /* of this command, or of all of them for a while */
    REDIS_REFUSAL_UNKNOWN_SCRIPT, /* it can be taught */
    REDIS_REFUSAL_DENIED,         /* this user may not (Redis' ACL) */
    REDIS_REFUSAL_PASSWORD,       /* or the user's name */
    REDIS_REFUSAL_REPLICA,        /* only a replica says so: the master is another server */
    REDIS_REFUSAL_MOVED,          /* of a cluster: another node has the keys */
    REDIS_REFUSAL_CLUSTER,        /* of a cluster: it can't do what we ask for, on any node */
};

/* `text` is that of the error reply, without its '-'. */
enum redis_refusal redis_refusal_of(const char *text);

/* Its words without those of the script that it happened in: the same reason is then the same text. */
void redis_refusal_words(const char *text, char *words, size_t size);

/* Which node MOVED names. `host` becomes "" where it is the one that was asked. false: it names none. */
bool redis_refusal_node(const char *text, char *host, size_t size, int *port);
