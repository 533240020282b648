/*
 * A JUnit file of any bytes: what is told of it the judge can read, a failure is never followed by good news of all,
 * and where the rest couldn't be read there is no good news at all.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "shared/memory.h"
#include "tests/fuzz/fuzz.h"
#include "worker/judge.h"
#include "worker/junit.h"

struct told {
    struct judge judge;
    bool has_failure, has_error, has_spec;
};

static const char *text_of(const cJSON *event, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, name));
    return text ? text : "";
}

static void on_event(void *data, const cJSON *event, const char *text)
{
    struct told *told = data;
    const char *kind = text_of(event, "event"), *status = text_of(event, "status");
    require(strcmp(text, "junit") == 0 && !told->has_spec);
    told->has_failure |= strcmp(kind, "test") == 0 && strcmp(status, "failed") == 0;
    told->has_error |= strcmp(kind, "error") == 0;
    told->has_spec |= strcmp(kind, "spec") == 0;
    if (told->has_spec)
        require((strcmp(status, "failed") == 0) == told->has_failure);
    judge_take(&told->judge, event, text);
}

static void require_verdict(const struct told *told)
{
    const struct runner runner = {.exit_results = {[0] = TASK_PASSED}};
    const struct runner_end end = {.kind = RUNNER_EXITED};
    struct verdict verdict;
    judge_verdict(&told->judge, &runner, &end, "runner", 0, &verdict);
    require(told->judge.unreadable_lines == 0 && fuzz_is_line(verdict.reason));
    if (told->has_failure)
        require(verdict.result == TASK_FAILED);
    else if (told->has_error || !told->has_spec)
        require(verdict.result == TASK_ERROR);
    else
        require(verdict.result == TASK_PASSED || verdict.result == TASK_SKIPPED);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    static char path[] = "/tmp/junit_fuzz.XXXXXX";
    static int fd = -1;
    if (fd < 0)
        fd = mkstemp(path);
    require(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, bytes, length, 0) == (ssize_t)length);
    struct told told = {0};
    judge_init(&told.judge);
    told.judge.expects_events = true;
    require(junit_read(path, "junit", on_event, &told));
    require_verdict(&told);
    judge_close(&told.judge);
    return 0;
}
