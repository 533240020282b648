#include "controller/clock_watch.h"

/* A clock that is being slewed gains or loses at most 1 ms in a second (NTP does half of that). */
enum { DRIFT = 1000 };

static int64_t drift_ms(const struct clock_watch *watch, uint64_t mono_ms)
{
    return mono_ms > watch->read_ms ? (int64_t)((mono_ms - watch->read_ms) / DRIFT) : 0;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t clock_watch_read(struct clock_watch *watch, int64_t redis_ms, uint64_t sent_ms, uint64_t received_ms)
{
    int64_t least_ms = redis_ms - (int64_t)received_ms, most_ms = redis_ms - (int64_t)sent_ms;
    if (watch->is_known) {
        int64_t drift = drift_ms(watch, received_ms);
        int64_t known_least = watch->least_ms - drift, known_most = watch->most_ms + drift;
        int64_t step_ms = least_ms > known_most ? least_ms - known_most : smaller(most_ms - known_least, 0);
        if (step_ms > CLOCK_WATCH_TOLERANCE_MS || step_ms < -CLOCK_WATCH_TOLERANCE_MS) {
            *watch = (struct clock_watch){true, least_ms, most_ms, received_ms};
            return step_ms;
        }
        /* Small steps don't move the bounds, so that many of them are noticed as one. */
        least_ms = step_ms ? known_least : larger(least_ms, known_least);
        most_ms = step_ms ? known_most : smaller(most_ms, known_most);
    }
    *watch = (struct clock_watch){true, least_ms, most_ms, received_ms};
    return 0;
}

int64_t clock_watch_least(const struct clock_watch *watch, uint64_t mono_ms)
{
    return watch->is_known ? watch->least_ms - drift_ms(watch, mono_ms) + (int64_t)mono_ms : 0;
}
