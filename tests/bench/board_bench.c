/* What a board of a hundred thousand tasks costs: a change, the snapshot, its compression, a delta, a sorted page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "controller/board.h"
#include "shared/clock.h"
#include "shared/memory.h"

enum { TASKS = 100000, SPECS = 12500, ROUNDS = 9 };

static void add_map(struct buffer *map)
{
    buffer_text(map, "{\"groups\":[{\"name\":\"group\",\"tasks\":[");
    for (int i = 0; i < SPECS; i++)
        buffer_format(map,
                      "%s{\"spec\":\"tests/area-%d/feature-%d.spec.ts\",\"viewports\":[\"desktop\",\"tablet\"],"
                      "\"browsers\":[\"chrome\",\"firefox\",\"webkit\",\"edge\"]}",
                      i ? "," : "", i % 40, i);
    buffer_text(map, "]}]}");
}

/* Most pass; one in fifty fails with one of 200 messages. */
static void settle(struct board *board, size_t index)
{
    char worker[32], message[96];
    unsigned mixed = (unsigned)index * 2654435761u;
    snprintf(worker, sizeof(worker), "host-%u-1-abcdef", mixed % 50);
    snprintf(message, sizeof(message), "expect(locator).toBeVisible() failed: getByRole('button', %u)", mixed % 200);
    bool is_bad = index % 50 == 7;
    struct board_task task = {.state = is_bad ? BOARD_FAILED : BOARD_PASSED,
                              .attempt = 1,
                              .started_ms = 1764000000000 + (int64_t)index * 37,
                              .duration_ms = 100 + mixed % 20000,
                              .worker = worker,
                              .message = is_bad ? message : NULL,
                              .tests = {.passed = 1 + mixed % 12, .failed = is_bad}};
    board_set_task(board, index, &task);
}

static size_t gzip_bytes(const struct buffer *text)
{
    z_stream stream = {0};
    deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    uLong room = deflateBound(&stream, (uLong)text->length);
    auto_free unsigned char *out = memory_zeroed(room, 1);
    stream.next_in = (unsigned char *)text->data;
    stream.avail_in = (unsigned)text->length;
    stream.next_out = out;
    stream.avail_out = (unsigned)room;
    deflate(&stream, Z_FINISH);
    size_t bytes = stream.total_out;
    deflateEnd(&stream);
    return bytes;
}

static void report(const char *what, uint64_t best_ns, size_t bytes)
{
    printf("%-32s %10.3f ms %12zu bytes\n", what, (double)best_ns / 1e6, bytes);
}

int main(void)
{
    struct plan plan;
    struct error err;
    auto_buffer map = {0}, out = {0};
    add_map(&map);
    if (plan_parse(&plan, map.data, map.length, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    uint64_t start = clock_mono_ns();
    struct board *board = board_new(&plan, "run-bench", "0123456789abcdef");
    report("board_new", clock_mono_ns() - start, 0);
    board_set_run(board, &(struct board_run){.state = BOARD_RUN_RUNNING, .started_ms = 1764000000000});
    board_worker_joined(board, "host-1", 8);

    start = clock_mono_ns();
    for (size_t i = 0; i < TASKS; i++)
        settle(board, i);
    report("board_set_task x 100,000", clock_mono_ns() - start, 0);

    uint64_t best[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    size_t bytes[4] = {0};
#define MEASURE(slot, action)                                                                                        \
    do {                                                                                                             \
        uint64_t from_ = clock_mono_ns();                                                                            \
        action;                                                                                                      \
        uint64_t took_ = clock_mono_ns() - from_;                                                                    \
        best[slot] = took_ < best[slot] ? took_ : best[slot];                                                        \
    } while (0)
    for (int round = 0; round < ROUNDS; round++) {
        buffer_close(&out);
        MEASURE(0, board_add_snapshot(board, 1764000600000, &out));
        bytes[0] = out.length;
        MEASURE(1, bytes[1] = gzip_bytes(&out));

        uint64_t since = board_seq(board);
        for (size_t i = 0; i < 13; i++) {
            struct board_task task = *board_task(board, i * 7001);
            task.attempt++;
            board_set_task(board, i * 7001, &task);
        }
        buffer_clear(&out);
        MEASURE(2, board_add_delta(board, since, 1764000600000, &out));
        bytes[2] = out.length;

        buffer_clear(&out);
        struct board_query query = {.text = "feature-1", .sort = "-duration_ms", .limit = 100};
        MEASURE(3, board_add_tasks(board, &query, &out));
        bytes[3] = out.length;
    }
    report("snapshot", best[0], bytes[0]);
    report("snapshot, gzip -1", best[1], bytes[1]);
    report("delta of 13 tasks", best[2], bytes[2]);
    report("filtered, sorted page of 100", best[3], bytes[3]);
    board_free(board);
    plan_close(&plan);
    return 0;
}
