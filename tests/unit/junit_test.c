/* JUnit files as tools write them, and what is told of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "shared/buffer.h"
#include "shared/memory.h"
#include "worker/junit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[] = "/tmp/junit_test.XXXXXX";

static void add_event(void *data, const cJSON *event, const char *text)
{
    struct buffer *told = data;
    auto_free char *line = cJSON_PrintUnformatted(event);
    assert_string_equal(text, "out.xml");
    buffer_format(told, "%s\n", line);
}

/* The events, one a line; NULL: there was no file. */
static char *read_file(const char *path)
{
    struct buffer told = {0};
    if (junit_read(path, "out.xml", add_event, &told))
        return buffer_take(&told);
    assert_int_equal(told.length, 0);
    return NULL;
}

static char *read_text(const char *text, size_t length)
{
    auto_free char *path = memory_format("%s/out.xml", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    char *told = read_file(path);
    unlink(path);
    return told;
}

#define TEST(title, more, status) "{\"event\":\"test\",\"title\":[" title "]," more ",\"status\":\"" status "\"}\n"
#define SPEC(status)              "{\"event\":\"spec\",\"status\":\"" status "\"}\n"
#define ERROR(message)            "{\"event\":\"error\",\"error\":{\"message\":\"out.xml" message "\"}}\n"

static const struct {
    const char *what, *xml, *told;
} cases[] = {
    {"pytest: a failure with its text, a class that isn't the suite's name",
     "<?xml version=\"1.0\" encoding=\"utf-8\"?><testsuites><testsuite name=\"pytest\" errors=\"0\" failures=\"1\" "
     "skipped=\"1\" tests=\"3\"><testcase classname=\"t.test_a.TestCart\" name=\"test_adds\" time=\"0.5\"/>"
     "<testcase classname=\"t.test_a\" name=\"test_sum\" time=\"1.0\"><failure message=\"assert 1 == 2\">def "
     "test():\n"
     "&gt; assert</failure></testcase><testcase classname=\"t.test_a\" name=\"later\" time=\"0\"><skipped "
     "type=\"pytest.skip\" message=\"not here\">a.py:3</skipped></testcase></testsuite></testsuites>",
     TEST("\"pytest\",\"t.test_a.TestCart\",\"test_adds\"", "\"duration_ms\":500", "passed")
         TEST("\"pytest\",\"t.test_a\",\"test_sum\"",
              "\"duration_ms\":1000,\"error\":{\"message\":\"assert 1 == 2\",\"stack\":\"def test():\\n> assert\"}",
              "failed") TEST("\"pytest\",\"t.test_a\",\"later\"", "\"duration_ms\":0", "skipped") SPEC("failed")},
    {"Vitest: the class is the suite's name; a message in its attribute alone",
     "<testsuites><testsuite name=\"a.test.ts\"><testcase classname=\"a.test.ts\" name=\"cart &gt; adds\" "
     "time=\"0.001\"/></testsuite></testsuites>",
     TEST("\"a.test.ts\",\"cart > adds\"", "\"duration_ms\":1", "passed") SPEC("passed")},
    {"Robot Framework: suites in suites, one of them without tests",
     "<testsuite name=\"Shop\" failures=\"1\"><testsuite name=\"Empty\"/><testsuite name=\"Cart\" failures=\"1\">"
     "<testcase name=\"Adds\" classname=\"Shop.Cart\"><failure type=\"AssertionError\"/></testcase></testsuite>"
     "</testsuite>",
     TEST("\"Shop\",\"Cart\",\"Shop.Cart\",\"Adds\"", "\"duration_ms\":0,\"error\":{\"message\":\"AssertionError\"}",
          "failed") SPEC("failed")},
    {"Surefire: passed when it was run again; failed again; a comma in the time",
     "<testsuite name=\"S\" failures=\"1\" flakes=\"1\"><testcase name=\"a\" time=\"1,234.5\"><flakyFailure "
     "message=\"no\"/><system-out>&lt;failure/&gt;</system-out></testcase><testcase name=\"b\"><failure "
     "message=\"no\"/><rerunFailure message=\"no\"/></testcase></testsuite>",
     TEST("\"S\",\"a\"", "\"duration_ms\":1234500", "flaky")
         TEST("\"S\",\"b\"", "\"duration_ms\":0,\"error\":{\"message\":\"no\"}", "failed") SPEC("failed")},
    {"an error is a failure; the first line of the text is the message; where it is",
     "<testsuite><testcase name=\"a\" file=\"a.py\" line=\"7\"><error>\n  boom\nmore</error></testcase></testsuite>",
     TEST("\"a\"",
          "\"duration_ms\":0,\"file\":\"a.py\",\"line\":7,\"error\":{\"message\":\"boom\",\"stack\":\"boom\\nmore\"}",
          "failed") SPEC("failed")},
    {"GoogleTest: what was not run; the worst of all that is said",
     "<testsuites><testsuite name=\"S\"><testcase name=\"a\" status=\"notrun\" result=\"suppressed\"/><testcase "
     "name=\"b\" status=\"run\" result=\"failed\"/><testcase name=\"c\"><skipped/><error/></testcase></testsuite>"
     "</testsuites>",
     TEST("\"S\",\"a\"", "\"duration_ms\":0", "skipped")
         TEST("\"S\",\"b\"", "\"duration_ms\":0,\"error\":{\"message\":\"failed without a message\"}", "failed")
             TEST("\"S\",\"c\"", "\"duration_ms\":0,\"error\":{}", "failed") SPEC("failed")},
    {"all skipped", "<testsuite><testcase name=\"a\"><skipped/></testcase></testsuite>",
     TEST("\"a\"", "\"duration_ms\":0", "skipped") SPEC("skipped")},
    {"no testcase is told nothing of", "<testsuites tests=\"0\"/>", ""},
    {"a suite that counts more failures than its testcases have, told once",
     "<testsuites failures=\"2\"><testsuite name=\"S\" failures=\"2\"><testcase name=\"a\"/></testsuite>"
     "</testsuites>",
     TEST("\"S\",\"a\"", "\"duration_ms\":0", "passed")
         ERROR(": found 0 failures in the suite \\\"S\\\", which counts 2") SPEC("passed")},
    {"cut off: what was told stands",
     "<testsuite>\n<testcase name=\"a\"><failure message=\"no\"/></testcase>\n<testcase name=\"b\"",
     TEST("\"a\"", "\"duration_ms\":0,\"error\":{\"message\":\"no\"}", "failed") ERROR(" line 3: unclosed token")},
    {"an empty file", "", ERROR(" line 1: no element found")},
    {"another kind of file", "<html><testcase name=\"a\"/></html>",
     ERROR(" line 1: found something else than <testsuites> or <testsuite>: html")},
    {"a DOCTYPE", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><testsuite>&x;</testsuite>",
     ERROR(" line 1: found a DOCTYPE: a")},
    {"elements at odd places: a suite in a testcase is none, and one in it ends nothing",
     "<testsuite name=\"S\"><failure/><testcase name=\"a\"><testsuite name=\"T\"><testcase><failure/></testcase>"
     "</testsuite></testcase></testsuite>",
     TEST("\"S\",\"a\"", "\"duration_ms\":0,\"error\":{}", "failed") SPEC("failed")},
};

static void files_are_told_as_events(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        auto_free char *told = read_text(cases[i].xml, strlen(cases[i].xml));
        if (told == NULL || strcmp(told, cases[i].told) != 0)
            fail_msg("%s: found\n%swanted\n%s", cases[i].what, told ? told : "no file\n", cases[i].told);
    }
}

static void deep_nesting_and_long_texts_have_limits(void **state)
{
    (void)state;
    struct buffer xml = {0};
    for (int i = 0; i < 100; i++)
        buffer_text(&xml, "<testsuite>");
    auto_free char *deep = read_text(xml.data, xml.length);
    assert_string_equal(deep, ERROR(" line 1: found elements that are nested too deep at testsuite"));

    buffer_clear(&xml);
    buffer_text(&xml, "<testsuite><testcase name=\"a\"><failure>");
    for (int i = 0; i < 5000; i++)
        buffer_text(&xml, "twenty bytes a line\n");
    buffer_text(&xml, "</failure></testcase></testsuite>");
    auto_free char *told = read_text(xml.data, xml.length);
    assert_true(strlen(told) > 30000 && strlen(told) < 40000);
    assert_non_null(strstr(told, SPEC("failed")));
    buffer_close(&xml);
}

static void only_a_file_is_read(void **state)
{
    (void)state;
    auto_free char *missing = memory_format("%s/missing/out.xml", folder);
    auto_free char *pipe = memory_format("%s/pipe", folder);
    auto_free char *link = memory_format("%s/link", folder);
    assert_null(read_file(missing));
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    auto_free char *of_pipe = read_file(pipe), *of_link = read_file(link), *of_folder = read_file(folder);
    assert_string_equal(of_pipe, ERROR(": found something else than a file"));
    assert_string_equal(of_folder, ERROR(": found something else than a file"));
    assert_string_equal(of_link, ERROR(": Too many levels of symbolic links"));
    unlink(pipe);
    unlink(link);
}

static void a_file_without_end_is_left(void **state)
{
    (void)state;
    auto_free char *path = memory_format("%s/large.xml", folder);
    FILE *file = fopen(path, "w");
    fputs("<testsuite><!--", file);
    for (int i = 0; i < 33 * 1024; i++)
        fprintf(file, "%01023d\n", 0);
    assert_int_equal(fclose(file), 0);
    auto_free char *told = read_file(path);
    assert_string_equal(told, ERROR(": found more than 32 MiB"));
    unlink(path);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_told_as_events),
        cmocka_unit_test(deep_nesting_and_long_texts_have_limits),
        cmocka_unit_test(only_a_file_is_read),
        cmocka_unit_test(a_file_without_end_is_left),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
