/*
 * FNV-1a with 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): tells texts apart, unless somebody has chosen
 * them to have the same hash.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define FNV_BASIS 0xcbf29ce484222325u /* the hash of nothing */

/* The hash of these bytes behind those that `hash` is of. */
uint64_t fnv_add(uint64_t hash, const void *bytes, size_t length);
