/* What programs print before they give up, and the line of it that is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/error_line.h"

static void the_last_line_that_looks_like_an_error_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *output, *line;
    } rows[] = {
        {NULL, ""},
        {"", ""},
        {"\n \n\t\n---\n", ""},
        {"one\ntwo\n\n", "two"},
        {"Error: first\nError: second\n", "Error: second"},
        {"Error: first\r\nand more\r\n", "Error: first"},
        {"a warning\nmore\nError: the end has no line break", "Error: the end has no line break"},
        {"\x1b[31mError: Project(s) \"desktop-chrome\" not found. Available projects: \"chromium\", "
         "\"firefox\"\x1b[39m\n    at /p/index.js:1:2\n",
         "Error: Project(s) \"desktop-chrome\" not found. Available projects: \"chromium\", \"firefox\""},
        {"error: unknown option '--add-reporter=/a/b.mjs'\n", "error: unknown option '--add-reporter=/a/b.mjs'"},
        {"node:internal/modules/cjs/loader:1080\n  throw err;\n  ^\n\nError: Cannot find module '/x'\n"
         "    at Module._load (node:internal/modules/cjs/loader:1:1) {\n  code: 'MODULE_NOT_FOUND'\n}\n\n"
         "Node.js v20.19.2\n",
         "Error: Cannot find module '/x'"},
        {"Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'x'\n    at a (b:1:1)\n",
         "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'x'"},
        {"TypeError: a\n    at b\n  [cause]: Error: deeper\n      at c\n", "TypeError: a"},
        {"SyntaxError: /p/playwright.config.ts: Unexpected token (3:4)\n\n  1 | const a = 'Error: no';\n> 3 | "
         "'Error: x'\n",
         "SyntaxError: /p/playwright.config.ts: Unexpected token (3:4)"},
        {"Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    import x\n"
         "ModuleNotFoundError: No module named 'x'\n",
         "ModuleNotFoundError: No module named 'x'"},
        {"run.sh: line 3: frob: command not found\nbye\n", "run.sh: line 3: frob: command not found"},
        {"sh: 1: frob: not found\n", "sh: 1: frob: not found"},
        {"npm ERR! missing script: x\n", "npm ERR! missing script: x"},
        {"No version of Cypress is installed in: /c/15.3.0\n\nPlease reinstall Cypress by running: cypress install\n"
         "----------\nCypress executable not found at: /c/15.3.0/Cypress\nCypress Version: 15.3.0\n",
         "Please reinstall Cypress by running: cypress install"},
        {"no Errors today\nall Error-free\n", "all Error-free"},
        {"Uncaught AssertionError\n", "Uncaught AssertionError"},
        {"\xff\xfe\nError: after bytes\n", "Error: after bytes"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[512];
        error_line_find(line, sizeof(line), rows[i].output);
        assert_string_equal(line, rows[i].line);
    }
}

static void a_long_line_is_cut(void **state)
{
    (void)state;
    char output[4096] = "Error: ";
    memset(output + 7, 'x', sizeof(output) - 8);
    output[sizeof(output) - 1] = '\0';
    char line[64];
    error_line_find(line, sizeof(line), output);
    assert_int_equal(strlen(line), sizeof(line) - 1);
    assert_memory_equal(line, "Error: xxx", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_line_that_looks_like_an_error_is_found),
        cmocka_unit_test(a_long_line_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
