/*
 * Where a link connects to: the address that it was given, or the node of a cluster that has our keys, as another node
 * has named it (MOVED). Either of them may be gone, so that they take turns. A name may stand for several addresses,
 * which are tried one after the other. Pure: looking a name up and connecting are the link's.
 */
#pragma once
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct redis_address;

enum { REDIS_ROUTE_ADDRESSES = 8, REDIS_ROUTE_NAME_SIZE = 256, REDIS_ROUTE_IP_SIZE = INET6_ADDRSTRLEN + 16 };

/* All zero but for the address, which is borrowed. */
struct redis_route {
    const struct redis_address *address;
    char node[REDIS_ROUTE_NAME_SIZE]; /* of a cluster: the one with our keys; "": none was named */
    int node_port;
    bool is_led;                                          /* this attempt is to that node; else to the address */
    char place[2 * REDIS_ROUTE_NAME_SIZE + 64];           /* where it is connected or tries to, for people */
    struct sockaddr_storage found[REDIS_ROUTE_ADDRESSES]; /* what the name stands for */
    size_t found_count, found_next;
};

/* An attempt begins. The name to look up, or the path of a socket; borrowed until the next turn. */
const char *redis_route_begin(struct redis_route *route);

/* Whether it is the path of a socket: then nothing is looked up, and there is no port. */
bool redis_route_is_path(const struct redis_route *route);
int redis_route_port(const struct redis_route *route);

/* What the name stands for; NULL: nothing. */
void redis_route_found(struct redis_route *route, const struct addrinfo *found);

/* The next of these addresses as text, or false: there is no other one. */
bool redis_route_next(struct redis_route *route, char ip[REDIS_ROUTE_IP_SIZE]);

/* An attempt or a connection is over. `is_named`: because a node named another one, which is next. */
void redis_route_turn(struct redis_route *route, bool is_named);

/* Takes the node from a refusal (redis_refusal.h). false: it names none. */
bool redis_route_name_node(struct redis_route *route, const char *refusal);

/* Where the leader was led to is where all keys are. */
void redis_route_learn(struct redis_route *route, const struct redis_route *leader);
