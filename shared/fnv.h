/*
 * FNV-1a with 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): tells texts apart that nobody has chosen to be
 * alike. Against malice it is no help.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define FNV_BASIS 0xcbf29ce484222325u /* the hash of nothing */

/* The hash of what `hash` is of, followed by these bytes. */
uint64_t fnv_add(uint64_t hash, const void *bytes, size_t length);
