#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "shared/json.h"

/* A literal and its length, so that NUL may stand in it. */
#define BYTES(literal) literal, sizeof(literal) - 1

static void good_texts_become_trees(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        const char *wanted; /* printed again */
    } rows[] = {
        {BYTES("null"), "null"},
        {BYTES("\xef\xbb\xbf [1]\n"), "[1]"},
        {BYTES(" { } "), "{}"},
        {BYTES("[ ]"), "[]"},
        {BYTES("[0,-1.5e+2,1E2,10]"), "[0,-150,100,10]"},
        {BYTES("{\"a\":[true,false,{\"b\":null}]}"), "{\"a\":[true,false,{\"b\":null}]}"},
        {BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83C\\udfb5\""),
         "\"\\\"\\\\/\\b\\f\\n\\r\\t\xc3\xa9\xf0\x9f\x8e\xb5\""},
        {BYTES("{\"a\":1,\"a\":2}"), "{\"a\":1,\"a\":2}"},
        {BYTES("\"\x7f\""), "\"\x7f\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cJSON *root;
        struct error err = {0};
        if (json_parse(&root, rows[i].bytes, rows[i].length, &err) < 0)
            fail_msg("%s: %s", rows[i].bytes, err.text);
        char *text = cJSON_PrintUnformatted(root);
        assert_string_equal(text, rows[i].wanted);
        cJSON_free(text);
        cJSON_Delete(root);
    }
}

static void bad_texts_are_refused_at_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        const char *error;
    } rows[] = {
        {BYTES(""), "line 1 column 1: found the end, wanted a value"},
        {BYTES("\xef\xbb\xbf"), "line 1 column 1: found the end, wanted a value"},
        {BYTES("\n \n"), "line 3 column 1: found the end, wanted a value"},
        {BYTES("1 2"), "line 1 column 3: found '2', wanted the end"},
        {BYTES("1\0"), "line 1 column 2: found byte 0x00, wanted the end"},
        {BYTES("[1\0]"), "line 1 column 3: found byte 0x00, wanted ',' or ']'"},
        {BYTES("[1,\f2]"), "line 1 column 4: found byte 0x0c, wanted a value"},
        {BYTES("[1,]"), "line 1 column 4: found ']', wanted a value"},
        {BYTES("[1 2]"), "line 1 column 4: found '2', wanted ',' or ']'"},
        {BYTES("{\"a\" 1}"), "line 1 column 6: found '1', wanted ':' after a key"},
        {BYTES("{a:1}"), "line 1 column 2: found 'a', wanted a key in double quotes"},
        {BYTES("{\"a\":1"), "line 1 column 7: found the end, wanted ',' or '}'"},
        {BYTES("{\"a\":}"), "line 1 column 6: found '}', wanted a value"},
        {BYTES("// no\n{}"), "line 1 column 1: found '/', wanted a value"},
        {BYTES("nul"), "line 1 column 1: found 'n', wanted a value"},
        {BYTES("NaN"), "line 1 column 1: found 'N', wanted a value"},
        {BYTES("'a'"), "line 1 column 1: found ''', wanted a value"},
        {BYTES("01"), "line 1 column 2: found '1', wanted the end"},
        {BYTES("-"), "line 1 column 2: found the end, wanted a digit"},
        {BYTES("1.e1"), "line 1 column 3: found 'e', wanted a digit"},
        {BYTES("1e+"), "line 1 column 4: found the end, wanted a digit"},
        {BYTES("1e+-1"), "line 1 column 4: found '-', wanted a digit"},
        {BYTES("+1"), "line 1 column 1: found '+', wanted a value"},
        {BYTES(" 1234567890123456789012345678901234567890123456789012345678901"),
         "line 1 column 2: found '1', wanted a number of at most 60 characters"},
        {BYTES("\"a"), "line 1 column 3: found the end, wanted '\"' at the end of the text"},
        {BYTES("[\"a\n\"]"),
         "line 1 column 4: found a line break, wanted control characters in a text written as \\n, "
         "\\t or \\u00XX"},
        {BYTES("\"a\0b\""),
         "line 1 column 3: found byte 0x00, wanted control characters in a text written as \\n, \\t or "
         "\\u00XX"},
        {BYTES("\"\\x\""), "line 1 column 3: found 'x', wanted one of \" \\ / b f n r t u after '\\'"},
        {BYTES("\"\\"), "line 1 column 3: found the end, wanted one of \" \\ / b f n r t u after '\\'"},
        {BYTES("\"\\u12g4\""), "line 1 column 6: found 'g', wanted four hexadecimal digits after \\u"},
        {BYTES("\"\\u0000\""), "line 1 column 4: found '0', wanted a text without NUL"},
        {BYTES("\"\\ud800\""), "line 1 column 4: found 'd', wanted a pair of surrogates"},
        {BYTES("\"\\ud800\\u0041\""), "line 1 column 4: found 'd', wanted a pair of surrogates"},
        {BYTES("\"\\udc00\""), "line 1 column 4: found 'd', wanted a pair of surrogates"},
        {BYTES("\"\xc3\xa9\xff\""), "line 1 column 3: found byte 0xff, wanted UTF-8"},
        {BYTES("\"\xed\xa0\x80\""), "line 1 column 2: found byte 0xed, wanted UTF-8"},
        {BYTES("[\xc3\xa9]"), "line 1 column 2: found '\xc3\xa9', wanted a value"},
        {BYTES("[\xc2\x9b]"), "line 1 column 2: found U+009B, wanted a value"},
        {BYTES("\xe2\x80\xae"), "line 1 column 1: found U+202E, wanted a value"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cJSON *root;
        struct error err = {0};
        assert_int_equal(json_parse(&root, rows[i].bytes, rows[i].length, &err), -1);
        assert_string_equal(err.text, rows[i].error);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_null(root);
    }
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    char text[2 * (JSON_DEPTH_MAX + 1)];
    struct cJSON *root;
    struct error err = {0};
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_int_equal(json_parse(&root, text, (size_t)2 * JSON_DEPTH_MAX, &err), 0);
    cJSON_Delete(root);

    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_int_equal(json_parse(&root, text, sizeof(text), &err), -1);
    assert_string_equal(err.text, "line 1 column 65: found '[', wanted at most 64 levels of lists and objects");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts_become_trees),
        cmocka_unit_test(bad_texts_are_refused_at_their_place),
        cmocka_unit_test(depth_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
