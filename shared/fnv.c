#include "shared/fnv.h"

uint64_t fnv_add(uint64_t hash, const void *bytes, size_t length)
{
    for (const unsigned char *p = bytes; length > 0; p++, length--)
        hash = (hash ^ *p) * 0x100000001b3u;
    return hash;
}
