/* Output with a cap: the first bytes and the last ones are kept, what lies between is counted and dropped. Pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "shared/buffer.h"

struct capture {
    size_t head_limit, tail_limit; /* bytes */
    struct buffer head;
    char *ring;     /* the tail, tail_limit bytes, made when the head is full; owned */
    size_t ring_at; /* where the next byte goes */
    uint64_t total; /* bytes seen */
};

void capture_init(struct capture *c, size_t head_limit, size_t tail_limit);
void capture_add(struct capture *c, const char *bytes, size_t length);

/* Bytes that were dropped. */
uint64_t capture_dropped(const struct capture *c);

/*
 * Appends what was kept, as valid UTF-8, with the line "… N bytes left out …" in the gap, between line breaks. Where
 * the gap cuts a character in two, each part becomes U+FFFD.
 */
void capture_text(const struct capture *c, struct buffer *out);

void capture_clear(struct capture *c); /* for the next attempt; keeps its memory */
void capture_close(struct capture *c);
