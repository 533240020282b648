/* Where what the controller listens on is reached, for people and for workers. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/options.h"
#include "shared/redis_link.h"

bool addresses_is_loopback(const char *address);

/* An address to connect to for one to listen on; borrowed. */
const char *addresses_reachable(const char *bind);

/* The report's URL: below the one that people were given, or where it listens. */
void addresses_report(const struct options *options, int port, char *url, size_t size);

/* No worker has come: what to do about it, or where to look. */
void addresses_say_no_worker(const struct options *options, const struct redis_address *redis, char *text,
                             size_t size);
