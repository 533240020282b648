/* What a failed test said, as a list of failures shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/message_lines.h"

static void the_lines_that_say_something_are_kept(void **state)
{
    (void)state;
    enum { ALONE = false, BESIDE = true };
    static const struct {
        const char *message;
        bool has_values;
        const char *lines;
    } rows[] = {
        {NULL, ALONE, ""},
        {"", ALONE, ""},
        {"\n \n\t\n", ALONE, ""},
        {"boom", ALONE, "boom"},
        {"\n\n  boom  \r\n\r\nbang\n", ALONE, "boom\nbang"},
        {"1\n2\n3\n4", ALONE, "1\n2\n3"},
        {"Error: not equal\n\nExpected: 3\nReceived: 2", ALONE, "Error: not equal\nExpected: 3\nReceived: 2"},
        {"Error: not equal\n\nExpected: 3\nReceived: 2", BESIDE, "Error: not equal"},
        {"Error: expect(locator).toHaveText(expected) failed\n\nLocator:  locator('h1')\nExpected string: \"a\"\n"
         "Received string: \"b\"\nTimeout:  5000ms\n\nCall log:\n  - waiting for locator('h1')\n",
         BESIDE, "Error: expect(locator).toHaveText(expected) failed\nLocator: locator('h1')\nTimeout: 5000ms"},
        {"Expected: it to end", BESIDE, "Expected: it to end"}, /* there is nothing else */
        {"Error: x\nExpectedly: it broke", BESIDE, "Error: x\nExpectedly: it broke"},
        {"Error: x\n    at f (a.ts:1:2)\n    at g", ALONE, "Error: x"},
        {"Error: x\nat last", ALONE, "Error: x\nat last"},
        {"\033[31mError:\033[39m x\033]0;title\a\n\x01y", ALONE, "Error: x\ny"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char lines[MESSAGE_LINES_SIZE];
        message_lines_set(lines, rows[i].message, rows[i].has_values);
        if (strcmp(lines, rows[i].lines) != 0)
            fail_msg("row %zu: \"%s\", wanted \"%s\"", i, lines, rows[i].lines);
    }
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    char message[4 * 1000], lines[MESSAGE_LINES_SIZE];
    memset(message, 'a', sizeof(message));
    for (size_t i = 0; i < 4; i++)
        message[1000 * i + 999] = '\n';
    message[sizeof(message) - 1] = '\0';
    message_lines_set(lines, message, false);
    assert_int_equal(strlen(lines), MESSAGE_LINES_SIZE - 1);
    assert_int_equal(lines[MESSAGE_LINE_SIZE - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lines_that_say_something_are_kept),
        cmocka_unit_test(long_lines_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
