/*
 * The bytes that come through the FIFO of a start, as events: lines of NDJSON that arrive in any pieces. Pure.
 *
 * Whose an event is and what it means is the judge's (worker/judge.h lists them all); here is only decided what
 * can't be read at all: no JSON, no object, a line that is too long, or one that leaves doubt about its "event",
 * "spec" or "status".
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/buffer.h"

struct cJSON;

enum { EVENT_LINE_MAX = 256 * 1024 }; /* bytes */

struct event_reader {
    /* Once for each line that isn't blank. `event` NULL: it can't be read. `text`: the line. Both borrowed. */
    void (*on_event)(void *data, const struct cJSON *event, const char *text);
    void *data;
    struct buffer line; /* one that hasn't ended yet */
    bool skipping;      /* the rest of a line that was too long */
};

void event_reader_init(struct event_reader *r,
                       void (*on_event)(void *data, const struct cJSON *event, const char *text), void *data);
void event_reader_feed(struct event_reader *r, const char *bytes, size_t length);

/* Nothing more comes: a last line may lack its end. */
void event_reader_end(struct event_reader *r);

void event_reader_clear(struct event_reader *r); /* for the next start; keeps memory */
void event_reader_close(struct event_reader *r);
