/*
 * The run as a terminal shows it: a line that redraws itself where standard output is a terminal, plain lines
 * elsewhere; failures as they happen; a summary at the end. What is said is run_text's.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "controller/board.h"
#include "controller/plan.h"

struct progress {
    uv_loop_t *loop;
    const struct plan *plan;
    const struct board *board; /* NULL: no run yet */
    uv_timer_t timer;
    bool is_terminal;
    bool has_colour, is_redrawn; /* what it can do, and is wanted to */
    bool is_drawn;               /* the line stands on the terminal */
    uint64_t last_plain_ms;      /* monotonic: of the last plain line */
    size_t last_plain_done;
    const char *no_worker; /* why none may have come; borrowed */
    uint64_t watched_ms;   /* monotonic: since when workers have been looked for */
    bool has_worker;       /* one has been there, or it was said that none is */
};

void progress_open(struct progress *progress, uv_loop_t *loop, const struct plan *plan);

/* The run is open: begin to draw. `url` is the report's address, `no_worker` what to do when nobody works. */
void progress_start(struct progress *progress, const struct board *board, const char *url, const char *no_worker);

/* How we came to the run, in a line: resumed, with how much is carried over; or served, as nothing was run now. */
void progress_resumed(struct progress *progress);
void progress_served(struct progress *progress, bool was_watched_elsewhere);

/* Told to stop before the end. */
void progress_interrupted(struct progress *progress, bool is_fresh);

/* After the summary: the run goes on. */
void progress_go_on(struct progress *progress);

/* A task has become complete. */
void progress_task_end(struct progress *progress, size_t task);

/* One line for people, out of the progress line's way. */
void progress_say(struct progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * One line when the program ends before the run has: why, how many tasks are unfinished and the first of them, and
 * what was missing ("": nobody knows). A second line says where they are, if there is a run.
 */
void progress_unfinished(struct progress *progress, const char *why, const char *missing);

/* The causes of what failed, the slowest specs, the verdict, where the report is, and its folder (NULL: it has none). */
void progress_summary(struct progress *progress, const char *report, const char *folder);

/* Takes the line away; `closed` gets the timer, whose data is `progress`. */
void progress_close(struct progress *progress, uv_close_cb closed);
