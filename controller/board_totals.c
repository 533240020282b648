/* The numbers of the summary, from sums that the board keeps: whoever asks pays for no walk over the tasks. */
#include "controller/board.h"

#include <math.h>
#include <string.h>

#include "controller/board_private.h"

enum { ETA_TASKS = 5 }; /* fewer durations say nothing about the rest */

uint64_t board_bound_ms(const struct board *board)
{
    uint64_t slots = board->most_slots ? board->most_slots : 1;
    uint64_t share_ms = board->longest_ms > 0 ? board->sums.compute_ms / slots : 0;
    return share_ms > board->longest_ms ? share_ms : board->longest_ms;
}

static void estimate(const struct board *board, int64_t now_ms, struct board_totals *totals)
{
    const struct board_sums *sums = &board->sums;
    size_t left = sums->counts[BOARD_QUEUED] + sums->counts[BOARD_RUNNING];
    totals->has_eta = board->run.state == BOARD_RUN_RUNNING && sums->measured >= ETA_TASKS && board->slots > 0;
    if (!totals->has_eta)
        return;
    double n = (double)sums->measured, k = (double)left;
    double mean = (double)sums->duration_ms / n;
    double variance = fmax(0, ((double)sums->duration_squares - n * mean * mean) / (n - 1));
    double deviation = sqrt(variance);
    double slots = fmax(1, fmin((double)board->slots, k));

    double running = (double)sums->clocked;
    double done = running * (double)now_ms - (double)sums->started_ms;
    double work = k * mean - fmin(fmax(done, 0), running * mean);
    double wide = 2 * deviation * sqrt(k + k * k / n);
    double tail = (1 - 1 / slots) * fmin(mean + 2 * deviation, (double)board->longest_ms);
    totals->eta_low_ms = (uint64_t)(fmax(0, work - wide) / slots);
    totals->eta_high_ms = left > 0 ? (uint64_t)((work + wide) / slots + tail) : 0;
}

void board_totals(const struct board *board, int64_t now_ms, struct board_totals *totals)
{
    const struct board_sums *sums = &board->sums;
    const struct board_run *run = &board->run;
    int64_t end_ms = run->finished_ms > 0 ? run->finished_ms : now_ms;
    int64_t wall_ms = run->started_ms > 0 ? end_ms - run->started_ms - run->idle_ms : 0;
    *totals = (struct board_totals){
        .state = run->state,
        .verdict = board_verdict(board),
        .total = board_total(board),
        .excluded = board->plan->exclusion_count,
        .tests_passed = sums->tests_passed,
        .tests_failed = sums->tests_failed,
        .tests_skipped = sums->tests_skipped,
        .tests_flaky = sums->tests_flaky,
        .started_ms = run->started_ms,
        .finished_ms = run->finished_ms,
        .wall_ms = wall_ms > 0 ? (uint64_t)wall_ms : 0,
        .idle_ms = (uint64_t)run->idle_ms,
        .compute_ms = sums->compute_ms,
        .bound_ms = board_bound_ms(board),
        .efficiency = -1,
        .workers_live = board->workers_in[BOARD_WORKER_LIVE],
        .workers_lost = board->workers_in[BOARD_WORKER_LOST],
    };
    memcpy(totals->counts, sums->counts, sizeof(totals->counts));
    if (totals->wall_ms > 0 && totals->bound_ms > 0)
        totals->efficiency = fmin(1, (double)totals->bound_ms / (double)totals->wall_ms);
    estimate(board, now_ms, totals);
}
