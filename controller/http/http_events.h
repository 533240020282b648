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

struct http_request;
struct reporter;

/* Replies with a stream that starts where the request says: ?since= or Last-Event-ID, "<epoch>:<seq>". */
void http_events_reply(struct http_request *request);

/* The board has changed, or is another one. */
void http_events_changed(struct reporter *reporter);

/* Wakes all streams, now that the reporter is stopping: each gets what it hasn't, then "end" with the summary. */
void http_events_end(struct reporter *reporter);

/* Lets go of what is kept for streams to come. */
void http_events_forget(struct reporter *reporter);
