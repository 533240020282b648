/*
 * Redis' words are no interface that it promises to keep, but for the first one; and within a script that first word
 * stands anywhere: until Redis 6.2 as "ERR Error running script (call to f_1f…): @user_script:9: @user_script: 9:
 * -READONLY You can't …", from 7.0 on as "READONLY You can't … script: 1f…, on @user_script:9.". Nobody else
 * needs to know that.
 */
#include "shared/redis_refusal.h"

#include <stdlib.h>
#include <string.h>

#include "shared/memory.h"

/* A code is the first word, of the reply itself or of what a script ran into. */
static bool has_code(const char *text, const char *code)
{
    size_t length = strlen(code);
    if (strncmp(text, code, length) == 0 && text[length] == ' ')
        return true;
    const char *inner = strstr(text, "@user_script");
    inner = inner ? strstr(inner, ": -") : NULL;
    return inner && strncmp(inner + 3, code, length) == 0 && inner[3 + length] == ' ';
}

/* Of a command itself; or of one within a script, in the words of Redis 6 and 7.0, and of later ones. */
static bool is_denied(const char *text)
{
    return has_code(text, "NOPERM") || strstr(text, "The user executing the script can't") ||
           strstr(text, "ACL failure in script");
}

static bool is_password(const char *text)
{
    return has_code(text, "NOAUTH") || has_code(text, "WRONGPASS") || strstr(text, "invalid password") ||
           strstr(text, "without any password") || strstr(text, "no password is set");
}

/* UNBLOCKED: a blocked command of who was a master until now. */
static bool is_replica(const char *text)
{
    return has_code(text, "READONLY") || has_code(text, "MASTERDOWN") || has_code(text, "UNBLOCKED");
}

static bool is_cluster(const char *text)
{
    return has_code(text, "CROSSSLOT") || strstr(text, "not allowed in cluster mode");
}

enum redis_refusal redis_refusal_of(const char *text)
{
    if (has_code(text, "NOSCRIPT"))
        return REDIS_REFUSAL_UNKNOWN_SCRIPT;
    if (is_denied(text))
        return REDIS_REFUSAL_DENIED;
    if (is_password(text))
        return REDIS_REFUSAL_PASSWORD;
    if (is_replica(text))
        return REDIS_REFUSAL_REPLICA;
    if (has_code(text, "MOVED"))
        return REDIS_REFUSAL_MOVED;
    return is_cluster(text) ? REDIS_REFUSAL_CLUSTER : REDIS_REFUSAL_OTHER;
}

void redis_refusal_words(const char *text, char *words, size_t size)
{
    const char *inner = strstr(text, "@user_script");
    inner = inner ? strstr(inner, ": -") : NULL;
    memory_copy_text(words, size, inner ? inner + 3 : text);
    char *script = strstr(words, " script: ");
    if (script)
        *script = '\0';
    for (size_t length = strlen(words); length > 0 && words[length - 1] == ' ';)
        words[--length] = '\0';
}

/* "MOVED 3999 10.0.0.7:6381". A node that doesn't know its own name or address leaves it out, or says "?". */
bool redis_refusal_node(const char *text, char *host, size_t size, int *port)
{
    const char *slot = strchr(text, ' '), *node = slot ? strchr(slot + 1, ' ') : NULL;
    const char *colon = node ? strrchr(node, ':') : NULL;
    if (colon == NULL)
        return false;
    char *end;
    size_t length = (size_t)(colon - node - 1);
    long number = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || number < 1 || number > 65535 || length >= size)
        return false;
    memcpy(host, node + 1, length);
    host[length] = '\0';
    if (strcmp(host, "?") == 0)
        *host = '\0';
    *port = (int)number;
    return true;
}
