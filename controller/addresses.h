/* The addresses at which people and workers reach what the controller listens on. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/options.h"
#include "shared/redis_link.h"

bool addresses_is_loopback(const char *address);

/* The address to connect to when `bind` is listened on; borrowed. */
const char *addresses_reachable(const char *bind);

/* The report's URL: below FUNKYTOWN_URL if that is set, else where it listens. */
void addresses_report(const struct options *options, int port, char *url, size_t size);

/* No worker has come: what to do about it, or where to look. */
void addresses_say_no_worker(const struct options *options, const struct redis_address *redis, char *text,
                             size_t size);
