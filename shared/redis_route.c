/* A file of its own, so that the link's states are one story: nothing here knows whether the link is connected. */
#include "shared/redis_route.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "shared/memory.h"
#include "shared/redis_link.h"
#include "shared/redis_refusal.h"

/* With its scope, without which a link-local address is none: uv_ip6_name() leaves it out. */
static void format_ip(const struct sockaddr_storage *address, char *text, size_t size)
{
    if (address->ss_family != AF_INET6) {
        uv_ip4_name((const struct sockaddr_in *)address, text, size);
        return;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    uv_ip6_name(v6, text, size);
    size_t used = strlen(text);
    if (v6->sin6_scope_id)
        snprintf(text + used, size - used, "%%%u", (unsigned)v6->sin6_scope_id);
}

static const char *host_of(const struct redis_route *r)
{
    return r->is_led ? r->node : r->address->host;
}

static bool is_path(const char *host)
{
    return host[0] == '/';
}

static void set_place(struct redis_route *r)
{
    const struct redis_address *a = r->address;
    char address[REDIS_ROUTE_NAME_SIZE + 8];
    if (is_path(a->host))
        snprintf(address, sizeof(address), "%s", a->host);
    else
        snprintf(address, sizeof(address), "%s:%d", a->host, a->port);
    if (r->is_led)
        snprintf(r->place, sizeof(r->place), "%s:%d, where %s says that our keys are", r->node, r->node_port,
                 address);
    else
        snprintf(r->place, sizeof(r->place), "%s", address);
}

const char *redis_route_begin(struct redis_route *r)
{
    r->found_count = r->found_next = 0;
    set_place(r);
    return host_of(r);
}

bool redis_route_is_path(const struct redis_route *r)
{
    return is_path(host_of(r));
}

int redis_route_port(const struct redis_route *r)
{
    return r->is_led ? r->node_port : r->address->port;
}

void redis_route_found(struct redis_route *r, const struct addrinfo *found)
{
    r->found_count = r->found_next = 0;
    for (const struct addrinfo *a = found; a && r->found_count < REDIS_ROUTE_ADDRESSES; a = a->ai_next)
        memcpy(&r->found[r->found_count++], a->ai_addr, a->ai_addrlen);
}

bool redis_route_next(struct redis_route *r, char ip[REDIS_ROUTE_IP_SIZE])
{
    if (r->found_next == r->found_count)
        return false;
    format_ip(&r->found[r->found_next++], ip, REDIS_ROUTE_IP_SIZE);
    return true;
}

void redis_route_turn(struct redis_route *r, bool is_named)
{
    r->is_led = r->node[0] && (is_named || !r->is_led);
}

bool redis_route_name_node(struct redis_route *r, const char *refusal)
{
    char host[REDIS_ROUTE_NAME_SIZE];
    int port;
    if (!redis_refusal_node(refusal, host, sizeof(host), &port))
        return false;
    if (host[0]) /* else it is the host that said so */
        memory_copy_text(r->node, sizeof(r->node), host);
    else if (!r->is_led)
        memory_copy_text(r->node, sizeof(r->node), r->address->host);
    r->node_port = port;
    return true;
}

void redis_route_learn(struct redis_route *r, const struct redis_route *leader)
{
    memcpy(r->node, leader->node, sizeof(r->node));
    r->node_port = leader->node_port;
}
