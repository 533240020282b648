/* A write whose body is any bytes: only states that can run again, counts in bounds, refusals that name the place. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/board.h"
#include "controller/http/http_body.h"
#include "shared/buffer.h"
#include "tests/fuzz/fuzz.h"

static const enum board_state again[] = {BOARD_FAILED, BOARD_ERROR, BOARD_CANCELLED, BOARD_FLAKY, BOARD_SKIPPED};
enum { AGAIN = sizeof(again) / sizeof(again[0]) };

static void require_same(const struct http_rerun *rerun)
{
    struct http_rerun same;
    struct error err;
    auto_buffer body = {0};
    buffer_text(&body, "{\"status\":[");
    const char *comma = "";
    for (size_t i = 0; i < AGAIN; i++) {
        if ((rerun->states & 1u << again[i]) == 0)
            continue;
        buffer_format(&body, "%s\"%s\"", comma, board_state_name(again[i]));
        comma = ",";
    }
    buffer_text(&body, "]");
    if (rerun->has_count)
        buffer_format(&body, ",\"expected_count\":%zu", rerun->expected_count);
    buffer_text(&body, "}");
    require(http_body_parse_rerun(&same, body.data, body.length, &err) == 0);
    require(same.states == rerun->states && same.has_count == rerun->has_count);
    require(same.expected_count == rerun->expected_count);
}

static void require_rerun(const char *bytes, size_t size)
{
    struct http_rerun rerun;
    struct error err = {0};
    if (http_body_parse_rerun(&rerun, bytes, size, &err) < 0) {
        fuzz_require_refusal(&err, ERROR_CONFIG);
        return;
    }
    unsigned allowed = 0;
    for (size_t i = 0; i < AGAIN; i++)
        allowed |= 1u << again[i];
    require(rerun.states != 0 && (rerun.states & ~allowed) == 0);
    require(rerun.expected_count <= INT32_MAX && (rerun.has_count || rerun.expected_count == 0));
    require_same(&rerun);
}

static void require_empty(const char *bytes, size_t size)
{
    struct error err = {0};
    if (http_body_parse_empty(bytes, size, &err) < 0) {
        fuzz_require_refusal(&err, ERROR_CONFIG);
        return;
    }
    size_t braces = 0;
    size_t start = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (size_t i = start; i < size; i++) {
        require(strchr("{} \t\r\n", bytes[i]) != NULL && bytes[i] != '\0');
        braces += bytes[i] == '{' || bytes[i] == '}';
    }
    require(size == 0 || braces == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    require_rerun((const char *)data, size);
    require_empty((const char *)data, size);
    return 0;
}
