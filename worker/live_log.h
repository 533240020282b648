/*
 * What a runner has put out so far, told to Redis while it runs: for who follows it on the page, and so that something
 * is left of an attempt whose worker is killed. The settlement brings all of it and doesn't depend on this.
 *
 *     idle ──begin──► following ──end──► idle
 *
 * An attempt that is over before the first look costs nothing, one that puts out nothing more costs nothing either, and
 * one that never stops to is told so seldom that it stays below 64 KiB a second.
 */
#pragma once
#include <stdbool.h>
#include <uv.h>

#include "shared/ledger.h"
#include "worker/capture.h"

struct live_log {
    uv_timer_t timer;
    struct ledger *ledger;        /* borrowed */
    const struct capture *output; /* borrowed */
    const char *task, *token;     /* borrowed while it follows */
    uint64_t told_bytes;
    bool is_asking; /* one at a time, or a slow link would pile them up */
    void (*on_closed)(void *data);
    void *data;
};

/* To be closed. Its storage must stay until no reply can come any more. */
void live_log_init(struct live_log *log, uv_loop_t *loop, struct ledger *ledger, const struct capture *output);

void live_log_begin(struct live_log *log, const char *task, const char *token);
void live_log_end(struct live_log *log);
void live_log_close(struct live_log *log, void (*closed)(void *data), void *data);
