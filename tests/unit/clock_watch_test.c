/* controller/clock_watch.h: which readings of Redis' clock are steps, and what it must have come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/clock_watch.h"

enum { AHEAD = 1000000 };

static void a_clock_that_goes_as_ours_does_is_not_set(void **state)
{
    (void)state;
    struct clock_watch watch = {0};
    assert_int_equal(clock_watch_least(&watch, 77), 0);
    assert_int_equal(clock_watch_read(&watch, AHEAD + 105, 100, 110), 0);
    assert_int_equal(clock_watch_least(&watch, 110), AHEAD + 105);
    for (uint64_t at = 200; at < 100000; at += 300) {
        assert_int_equal(clock_watch_read(&watch, (int64_t)at + AHEAD + 3, at, at + 20), 0);
        int64_t least = clock_watch_least(&watch, at + 20);
        assert_true(least <= (int64_t)at + 20 + AHEAD && least > (int64_t)at - 20 + AHEAD);
    }
}

/* {when it was asked for, when it came, what Redis' clock said less AHEAD, the step} */
static void a_step_is_what_no_travel_explains(void **state)
{
    (void)state;
    static const struct {
        uint64_t sent_ms, received_ms;
        int64_t redis_ms, least_step, most_step;
    } rows[] = {
        {1000, 1010, 31005, 29900, 30000},    /* forward */
        {1000, 1010, -38995, -40000, -39900}, /* back */
        {1000, 9000, 8999, 0, 0},             /* it was under way for long: read at the end, */
        {1000, 9000, 1001, 0, 0},             /* or at the beginning */
        {1000, 9000, 39000, 29900, 30010},    /* and the clock was set meanwhile */
        {1000, 1010, 1104, 0, 0},             /* too little to matter */
        {1000, 1010, 906, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct clock_watch watch = {0};
        assert_int_equal(clock_watch_read(&watch, AHEAD + 102, 100, 105), 0);
        int64_t step = clock_watch_read(&watch, AHEAD + rows[i].redis_ms, rows[i].sent_ms, rows[i].received_ms);
        if (step < rows[i].least_step || step > rows[i].most_step)
            fail_msg("row %zu: a step of %lld", i, (long long)step);
        uint64_t later = rows[i].received_ms + 1000;
        int64_t now = AHEAD + (int64_t)later + rows[i].least_step;
        assert_int_equal(clock_watch_read(&watch, now, later - 2, later + 2), 0); /* it has been told */
    }
}

/* A reply that was long under way says little, and doesn't make us forget what we knew. */
static void a_long_journey_hides_no_step(void **state)
{
    (void)state;
    struct clock_watch watch = {0};
    assert_int_equal(clock_watch_read(&watch, AHEAD + 102, 100, 105), 0);
    assert_int_equal(clock_watch_read(&watch, AHEAD + 38000, 1000, 41000), 0);
    assert_true(clock_watch_least(&watch, 41000) <= AHEAD + 41000);
    assert_true(clock_watch_least(&watch, 41000) > AHEAD + 41000 - 100);
    assert_true(clock_watch_read(&watch, AHEAD + 71000, 41000, 41010) > 29000);
}

static void small_steps_add_up(void **state)
{
    (void)state;
    struct clock_watch watch = {0};
    int steps = 0;
    for (int i = 0; i < 10; i++)
        steps += clock_watch_read(&watch, AHEAD + 300 * i + 40 * i, (uint64_t)(300 * i), (uint64_t)(300 * i)) > 0;
    assert_int_equal(steps, 3);
}

/* Clocks that are being slewed run apart by half a millisecond in a second. */
static void a_clock_that_is_slewed_is_not_set(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct clock_watch watch = {0};
        for (int64_t at = 0; at < 3600000; at += 1000)
            assert_int_equal(clock_watch_read(&watch, AHEAD + at + sign * at / 2000, (uint64_t)at, (uint64_t)at + 1),
                             0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_goes_as_ours_does_is_not_set),
        cmocka_unit_test(a_step_is_what_no_travel_explains),
        cmocka_unit_test(a_long_journey_hides_no_step),
        cmocka_unit_test(small_steps_add_up),
        cmocka_unit_test(a_clock_that_is_slewed_is_not_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
