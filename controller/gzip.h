/* Compression as browsers undo it, of what is in memory. */
#pragma once
#include <stddef.h>

#include "shared/buffer.h"

/* Appends the bytes as one gzip member (RFC 1952). `level` is zlib's, 1 (fast) to 9 (small). */
void gzip_add(struct buffer *out, const void *bytes, size_t length, int level);
