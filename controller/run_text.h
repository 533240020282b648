/*
 * What a terminal says of a run, in words: a line for a task that ended badly, the counts, and at the end the causes, what
 * was flaky, skipped and slow. Pure. Everything that comes from specs is made harmless here.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "controller/board.h"
#include "controller/plan.h"
#include "shared/buffer.h"

struct run_text {
    const struct plan *plan;
    const struct board *board;
    bool has_colour;
    size_t columns; /* of the terminal; 0: there is none, and lines may be as long as they are */
};

/* The escape sequence `code`, or "" without colours. */
const char *run_text_colour(const struct run_text *t, const char *code);

/* "group › spec [viewport browser]" */
void run_text_add_name(struct buffer *out, const struct run_text *t, size_t task);

/* How a task ended, and the first line of what it said, as far as a row of the terminal has room for it. */
void run_text_add_end(struct buffer *out, const struct run_text *t, size_t task);

/* "21/46  ✓ 21 passed  ▸ 2 running"; the time that it took, and what is left. */
size_t run_text_done(const struct board *board);
void run_text_add_counts(struct buffer *out, const struct run_text *t);
void run_text_add_times(struct buffer *out, const struct run_text *t, int64_t now_ms);

/* Each is nothing when there is nothing to tell, and never more than a few dozen lines. */
void run_text_add_causes(struct buffer *out, const struct run_text *t);
void run_text_add_flaky(struct buffer *out, const struct run_text *t);
void run_text_add_skipped(struct buffer *out, const struct run_text *t);
void run_text_add_slowest(struct buffer *out, const struct run_text *t);

/* "3 of 46 tasks unfinished: a, b, …" */
void run_text_add_unfinished(struct buffer *out, const struct run_text *t);

/* Untrusted text as printable characters, cut to `limit` bytes. */
void run_text_add_harmless(struct buffer *out, const char *text, size_t limit);

/* How many bytes of a line fit into so many columns: an escape sequence takes none, a character takes one. */
size_t run_text_fit(const char *text, size_t columns);
