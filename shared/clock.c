#include "shared/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

uint64_t clock_mono_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_mono_ms(void)
{
    return clock_mono_ns() / 1000000u;
}

int64_t clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_format_duration(uint64_t duration_ms, char *text, size_t size)
{
    uint64_t seconds = duration_ms / 1000;
    uint64_t h = seconds / 3600, m = seconds / 60 % 60, s = seconds % 60;
    if (h > 0)
        snprintf(text, size, "%" PRIu64 "h%" PRIu64 "m%" PRIu64 "s", h, m, s);
    else if (m > 0)
        snprintf(text, size, "%" PRIu64 "m%" PRIu64 "s", m, s);
    else
        snprintf(text, size, "%" PRIu64 "s", s);
}

void clock_format_utc(int64_t wall_ms, char *text, size_t size)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t used = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + used, size - used, ".%03dZ", (int)(wall_ms % 1000));
}
