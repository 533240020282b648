/* An address to listen on need not be one to connect to: nobody can connect to 0.0.0.0 or ::. */
#include "controller/addresses.h"

#include <stdio.h>
#include <string.h>

bool addresses_is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 || strcmp(address, "localhost") == 0;
}

const char *addresses_reachable(const char *bind)
{
    if (strcmp(bind, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(bind, "::") == 0 ? "::1" : bind;
}

void addresses_report(const struct options *options, int port, char *url, size_t size)
{
    const char *bind = options->http_bind;
    bool is_any = strcmp(bind, "0.0.0.0") == 0 || strcmp(bind, "::") == 0;
    bool is_v6 = !is_any && strchr(bind, ':');
    const char *given = options->url;
    if (given)
        snprintf(url, size, "%s%sresults", given, given[strlen(given) - 1] == '/' ? "" : "/");
    else
        snprintf(url, size, "http://%s%s%s:%d/results", is_v6 ? "[" : "", is_any ? "localhost" : bind,
                 is_v6 ? "]" : "", port);
}

void addresses_say_no_worker(const struct options *o, const struct redis_address *redis, char *text, size_t size)
{
    if (o->workers > 0)
        snprintf(text, size,
                 "none of the %d local ones has joined a run; their lines above say why, more with --log-level info",
                 o->workers);
    else
        snprintf(text, size, "start some with REDIS_HOST=%s REDIS_PORT=%d%s%s%s", redis->host, redis->port,
                 *o->prefix ? " FUNKYTOWN_PREFIX=" : "", o->prefix,
                 o->redis_password ? " and the REDIS_PASSWORD" : "");
}
