#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/log.h"
#include "shared/memory.h"

/* What is written to standard error meanwhile, as a text of the caller's. */
static char *written(void (*act)(void))
{
    char text[4096];
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    act();
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    return memory_text_n(text, length);
}

static void log_hostile_values(void)
{
    log_warn("task.failed", LOG_TEXT("plain", "a-b.c/d"), LOG_TEXT("empty", ""), LOG_INT("n", -3),
             LOG_TEXT("hostile", "two words \"quoted\"\nlevel=error \033[31m\xff back\\slash"));
}

static void one_event_is_one_line_of_logfmt(void **state)
{
    (void)state;
    log_open("test", LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    auto_free char *line = written(log_hostile_values);
    assert_string_equal(strstr(line, " level="),
                        " level=warn program=test event=task.failed plain=a-b.c/d empty=\"\" n=-3 "
                        "hostile=\"two words \\\"quoted\\\"\\nlevel=error \\u001b[31m\xef\xbf\xbd back\\\\slash\"\n");
    assert_int_equal(strncmp(line, "ts=20", 5), 0);
}

static void one_event_is_one_line_of_json(void **state)
{
    (void)state;
    log_open("test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    auto_free char *line = written(log_hostile_values);
    assert_string_equal(strstr(line, ",\"level\""),
                        ",\"level\":\"warn\",\"program\":\"test\",\"event\":\"task.failed\",\"plain\":\"a-b.c/d\","
                        "\"empty\":\"\",\"n\":-3,\"hostile\":\"two words \\\"quoted\\\"\\nlevel=error \\u001b[31m"
                        "\xef\xbf\xbd back\\\\slash\"}\n");
}

static void log_debug_line(void)
{
    log_debug("nothing.here");
}

static void what_is_below_the_level_is_not_written(void **state)
{
    (void)state;
    log_open("test", LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    auto_free char *line = written(log_debug_line);
    assert_string_equal(line, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_event_is_one_line_of_logfmt),
        cmocka_unit_test(one_event_is_one_line_of_json),
        cmocka_unit_test(what_is_below_the_level_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
