#include "controller/gzip.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>

#include <zlib.h>

void gzip_add(struct buffer *out, const void *bytes, size_t length, int level)
{
    enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8 };
    z_stream stream = {0};
    int made = deflateInit2(&stream, level, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    assert(made == Z_OK && length <= UINT_MAX);
    size_t room = deflateBound(&stream, (uLong)length);
    stream.next_in = (unsigned char *)(uintptr_t)bytes;
    stream.avail_in = (unsigned)length;
    stream.next_out = (unsigned char *)buffer_reserve(out, room);
    stream.avail_out = (unsigned)room;
    made = deflate(&stream, Z_FINISH);
    assert(made == Z_STREAM_END);
    (void)made;
    buffer_added(out, stream.total_out);
    deflateEnd(&stream);
}
