/*
 * The stream of changes: server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 *
 *     sleeping ──frame timer, the board is ahead──► due ──► sending ──► sleeping
 *         └──────ping timer───────────────────────► due
 *
 * All streams become due together, at most every limits.frame_ms, and those that were at the same sequence number
 * share a frame. Nothing is queued for a slow client: when it has taken its frame it gets one with all that came
 * since. When the reporter stops everybody is due, and the last event says in which state the run was left.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

struct http_frame;
struct http_request;
struct http_stream;
struct reporter;
LIST_HEAD(http_stream_list, http_stream);

struct http_events {
    struct http_stream_list streams;
    size_t stream_count;
    uv_timer_t frame_timer;        /* streams are due */
    uv_timer_t ping_timer;         /* streams are silent */
    uint64_t framed_ms;            /* uv_now() when streams were last due */
    struct http_frame *last_frame; /* may serve others as well; NULL: none */
    struct http_frame *end_frame;  /* what all streams end with; NULL: not made */
    int open_handles;
    void (*closed)(void *data);
};

void http_events_start(struct reporter *reporter);

/* Replies with a stream that starts where the request says: ?since= or Last-Event-ID, "<epoch>:<seq>". */
void http_events_reply(struct http_request *request);

/* The board has changed, or is another one. */
void http_events_changed(struct reporter *reporter);

/* Wakes all streams, as the reporter is stopping: each gets what it hasn't, then "end" with the summary. */
void http_events_end(struct reporter *reporter);

/* There are no streams any more. Calls `closed` with the reporter later. */
void http_events_close(struct reporter *reporter, void (*closed)(void *data));
