/* A runner that writes any bytes: no crash, no leak, texts stay clean, and nothing but a pass in all respects passes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/utf8.h"
#include "worker/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact)
        abort();
}

static void require_line(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    require(length < size && utf8_is_valid(text, length));
    for (size_t i = 0; i < length; i++)
        require((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}

static void require_tests(struct judge *j)
{
    unsigned seen = j->counts.passed + j->counts.failed + j->counts.skipped + j->counts.flaky;
    char *text = judge_take_tests(j);
    require(strlen(text) <= JUDGE_TESTS_MAX + 2 && utf8_is_valid(text, strlen(text)));
    cJSON *tests = cJSON_ParseWithOpts(text, NULL, true);
    require(cJSON_IsArray(tests) && (unsigned)cJSON_GetArraySize(tests) + j->tests_dropped == seen);
    cJSON_Delete(tests);
    free(text);
}

static void judge_all(struct judge *j, const char *bytes, size_t length, size_t piece, struct verdict *verdict)
{
    struct runner runner = {0};
    const struct runner_end end = {.kind = RUNNER_EXITED};
    runner.exit_results[0] = TASK_PASSED;
    judge_init(j);
    for (size_t at = 0; at < length; at += piece)
        judge_feed(j, bytes + at, at + piece < length ? piece : length - at);
    judge_verdict(j, &runner, &end, "runner", 0, verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct judge j, again;
    struct verdict verdict, same;
    judge_all(&j, (const char *)data, size, size + 1, &verdict);
    judge_all(&again, (const char *)data, size, 7, &same);
    require(verdict.result == same.result && strcmp(verdict.reason, same.reason) == 0);
    require(j.bad_lines == again.bad_lines);

    require_line(j.message, sizeof(j.message));
    require_line(j.file, sizeof(j.file));
    require_line(j.title, sizeof(j.title));
    require_line(verdict.reason, sizeof(verdict.reason));
    bool silent = j.counts.passed + j.counts.failed + j.counts.skipped + j.counts.flaky == 0 && !j.runner_error &&
                  j.spec_status == TASK_UNKNOWN;
    if (verdict.result == TASK_PASSED && !silent)
        require(j.spec_status == TASK_PASSED && j.counts.failed == 0 && !j.runner_error &&
                j.counts.passed + j.counts.flaky > 0);
    require_tests(&j);
    judge_close(&j);
    judge_close(&again);
    return 0;
}
