/*
 * What supervision costs: starts a second of a program that does nothing, by a bare posix_spawn() loop and by
 * supervisors on a loop, so many at a time. The two take turns, so that a busy machine slows down both.
 *
 *     spawn_bench [starts [at_a_time]]
 */
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bare_loop.h"
#include "shared/clock.h"
#include "worker/supervisor.h"

enum { ROUNDS = 20, SLOTS_MAX = 64 };

static const char *const program[] = {BARE_PROGRAM, NULL};

struct bench {
    uv_loop_t loop;
    struct supervisor *slots[SLOTS_MAX];
    long at_a_time;
    long left_to_start, left_to_end;
};

struct slot {
    struct bench *bench;
    int index;
};

static void ignore_bytes(void *data, const char *bytes, size_t length)
{
    (void)data, (void)bytes, (void)length;
}

static void start_next(struct slot *slot)
{
    struct bench *b = slot->bench;
    static const char *const env[] = {"FUNKYTOWN_TASK=task:bench:0", NULL};
    struct error err;
    if (b->left_to_start == 0)
        return;
    b->left_to_start--;
    if (supervisor_run(b->slots[slot->index], program, env, "/", &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
}

static void on_end(void *data, const struct runner_end *end)
{
    struct slot *slot = data;
    assert(end->kind == RUNNER_EXITED && end->code == 0);
    if (--slot->bench->left_to_end == 0)
        uv_stop(&slot->bench->loop);
    start_next(slot);
}

static void run_supervised(struct bench *b, struct slot *slots, long starts)
{
    b->left_to_start = b->left_to_end = starts;
    for (long i = 0; i < b->at_a_time; i++)
        start_next(&slots[i]);
    uv_run(&b->loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv)
{
    long starts = argc > 1 ? strtol(argv[1], NULL, 10) : 20000;
    long at_a_time = argc > 2 ? strtol(argv[2], NULL, 10) : 2;
    if (starts < ROUNDS || at_a_time < 1 || at_a_time > SLOTS_MAX) {
        fprintf(stderr, "usage: spawn_bench [starts [at_a_time]]: wanted at least %d and 1 to %d\n", ROUNDS,
                SLOTS_MAX);
        return 2;
    }
    static const struct supervisor_events events = {ignore_bytes, ignore_bytes, on_end};
    struct bench b = {.at_a_time = at_a_time};
    struct slot slots[SLOTS_MAX];
    char folders[SLOTS_MAX][32];
    uv_loop_init(&b.loop);
    for (int i = 0; i < at_a_time; i++) {
        struct error err;
        slots[i] = (struct slot){&b, i};
        snprintf(folders[i], sizeof(folders[i]), "/tmp/spawn_bench.XXXXXX");
        if (mkdtemp(folders[i]) == NULL)
            abort();
        b.slots[i] = supervisor_start(&b.loop, folders[i], &events, &slots[i], &err);
        if (b.slots[i] == NULL) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
    }

    long each = starts / ROUNDS;
    uint64_t bare_ns = 0, supervised_ns = 0;
    /* Supervisors are children too, but in sessions of their own: the loop doesn't wait for them. */
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t began = clock_mono_ns();
        bare_loop(each, at_a_time);
        uint64_t between = clock_mono_ns();
        run_supervised(&b, slots, each);
        bare_ns += between - began;
        supervised_ns += clock_mono_ns() - between;
    }

    for (int i = 0; i < at_a_time; i++)
        supervisor_close(b.slots[i], NULL);
    uv_run(&b.loop, UV_RUN_DEFAULT);
    for (int i = 0; i < at_a_time; i++)
        rmdir(folders[i]);
    assert(uv_loop_close(&b.loop) == 0);

    double count = (double)(each * ROUNDS);
    printf("%.0f starts of %s, %ld at a time\n", count, program[0], at_a_time);
    printf("bare posix_spawn  %7.2f s  %6.0f a second\n", (double)bare_ns / 1e9, count / ((double)bare_ns / 1e9));
    printf("supervised        %7.2f s  %6.0f a second\n", (double)supervised_ns / 1e9,
           count / ((double)supervised_ns / 1e9));
    printf("supervised / bare %7.3f   (time)\n", (double)supervised_ns / (double)bare_ns);
    return 0;
}
