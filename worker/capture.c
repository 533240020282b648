#include "worker/capture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/memory.h"

void capture_init(struct capture *c, size_t head_limit, size_t tail_limit)
{
    *c = (struct capture){.head_limit = head_limit, .tail_limit = tail_limit};
}

static void add_to_ring(struct capture *c, const char *bytes, size_t length)
{
    if (c->tail_limit == 0)
        return;
    if (c->ring == NULL)
        c->ring = memory_zeroed(c->tail_limit, 1);
    if (length > c->tail_limit) {
        bytes += length - c->tail_limit;
        length = c->tail_limit;
    }
    size_t until_wrap = c->tail_limit - c->ring_at;
    size_t first = length < until_wrap ? length : until_wrap;
    memcpy(c->ring + c->ring_at, bytes, first);
    memcpy(c->ring, bytes + first, length - first);
    c->ring_at = (c->ring_at + length) % c->tail_limit;
}

void capture_add(struct capture *c, const char *bytes, size_t length)
{
    c->total += length;
    size_t room = c->head_limit - c->head.length;
    size_t first = length < room ? length : room;
    if (first > 0)
        buffer_add(&c->head, bytes, first);
    if (length > first)
        add_to_ring(c, bytes + first, length - first);
}

uint64_t capture_dropped(const struct capture *c)
{
    uint64_t beyond = c->total - c->head.length;
    return beyond > c->tail_limit ? beyond - c->tail_limit : 0;
}

/* The bytes of the ring, oldest first. */
static void add_tail(const struct capture *c, struct buffer *out)
{
    uint64_t beyond = c->total - c->head.length;
    if (beyond == 0 || c->tail_limit == 0)
        return;
    if (beyond >= c->tail_limit) {
        buffer_add(out, c->ring + c->ring_at, c->tail_limit - c->ring_at);
        buffer_add(out, c->ring, c->ring_at);
    } else {
        buffer_add(out, c->ring, (size_t)beyond);
    }
}

void capture_text(const struct capture *c, struct buffer *out)
{
    auto_buffer kept = {0};
    buffer_add(&kept, c->head.data, c->head.length);
    uint64_t dropped = capture_dropped(c);
    if (dropped > 0) {
        buffer_add_utf8(out, kept.data, kept.length);
        if (kept.length > 0 && kept.data[kept.length - 1] != '\n')
            buffer_text(out, "\n");
        buffer_format(out, "… %" PRIu64 " bytes left out …\n", dropped);
        buffer_clear(&kept);
    }
    add_tail(c, &kept);
    buffer_add_utf8(out, kept.data, kept.length);
}

void capture_clear(struct capture *c)
{
    buffer_clear(&c->head);
    c->ring_at = 0;
    c->total = 0;
}

void capture_close(struct capture *c)
{
    buffer_close(&c->head);
    free(c->ring);
    *c = (struct capture){0};
}
