#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/http_fields.h"
#include "controller/http_target.h"
#include "shared/buffer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void an_address_is_split_and_then_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        const char *wanted; /* segments in brackets, queries as {name=value}; NULL: refused */
    } rows[] = {
        {"/", "[]"},
        {"/a", "[a]"},
        {"/a/", "[a][]"},
        {"//a", "[][a]"},
        {"/a%2Fb/c", "[a/b][c]"},
        {"/%41%e2%82%ac", "[A\xe2\x82\xac]"},
        {"/a+b%20c", "[a+b c]"},
        {"/../%2e%2e/.", "[..][..][.]"},
        {"http://host:1/a?b", "[a]{b=}"},
        {"http://host", NULL},
        {"https://host/a", NULL},
        {"/a?b=c&d=%26&e", "[a]{b=c}{d=&}{e=}"},
        {"/a?b=c+d%2B&&=x", "[a]{b=c d+}{=x}"},
        {"/a?b=c=d", "[a]{b=c=d}"},
        {"/a?", "[a]"},
        {"/a?b?c", "[a]{b?c=}"},
        {"", NULL},
        {"a", NULL},
        {"*", NULL},
        {"?a", NULL},
        {"/%", NULL},
        {"/%4", NULL},
        {"/%4g", NULL},
        {"/%g4", NULL},
        {"/%00", NULL},
        {"/%c0%af", NULL},
        {"/\xff", NULL},
        {"/a?b=%", NULL},
        {"/a?%=b", NULL},
        {"/1/2/3/4/5/6/7/8/9/10/11/12", "[1][2][3][4][5][6][7][8][9][10][11][12]"},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13", NULL},
        {"/?1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_target target;
        auto_buffer found = {0};
        bool is_parsed = http_target_parse(&target, rows[i].uri);
        for (size_t s = 0; s < target.segment_count; s++)
            buffer_format(&found, "[%s]", target.segments[s]);
        for (size_t q = 0; q < target.query_count; q++)
            buffer_format(&found, "{%s=%s}", target.queries[q].name, target.queries[q].value);
        if (is_parsed != (rows[i].wanted != NULL))
            fail_msg("%s: %s", rows[i].uri, found.data);
        if (is_parsed)
            assert_string_equal(found.data, rows[i].wanted);
        http_target_close(&target);
    }
}

static void a_path_is_like_a_pattern(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *pattern;
        const char *wanted; /* the arguments; NULL: no match */
    } rows[] = {
        {"/", "/", ""},
        {"/a", "/", NULL},
        {"/", "/a", NULL},
        {"/a", "/a", ""},
        {"/a/", "/a", NULL},
        {"/ab", "/a", NULL},
        {"/a", "/ab", NULL},
        {"/A", "/a", NULL},
        {"/a/b/c", "/a/{x}/c", "b "},
        {"/a//c", "/a/{x}/c", NULL},
        {"/a/b%2Fc/c", "/a/{x}/c", "b/c "},
        {"/a/b/c/d", "/a/{x}/c", NULL},
        {"/a/b/c", "/{x}/{y}/{z}", "a b c "},
        {"/f/a/b", "/f/{file*}", "a "},
        {"/f/a", "/f/{file*}", "a "},
        {"/f/", "/f/{file*}", NULL},
        {"/f", "/f/{file*}", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_target target;
        const char *arguments[HTTP_ARGUMENTS] = {NULL};
        auto_buffer found = {0};
        assert_true(http_target_parse(&target, rows[i].uri));
        bool matches = http_target_matches(&target, rows[i].pattern, arguments);
        buffer_text(&found, "");
        for (size_t a = 0; a < HTTP_ARGUMENTS && arguments[a]; a++)
            buffer_format(&found, "%s ", arguments[a]);
        if (matches != (rows[i].wanted != NULL))
            fail_msg("%s and %s", rows[i].uri, rows[i].pattern);
        if (matches)
            assert_string_equal(found.data, rows[i].wanted);
        http_target_close(&target);
    }
}

static void query_keys_are_known_or_strangers(void **state)
{
    (void)state;
    struct http_target target;
    assert_true(http_target_parse(&target, "/?limit=1&limit=2&q"));
    assert_string_equal(http_target_query(&target, "limit"), "1");
    assert_string_equal(http_target_query(&target, "q"), "");
    assert_null(http_target_query(&target, "sort"));
    assert_null(http_target_stranger(&target, "q limit"));
    assert_string_equal(http_target_stranger(&target, "q limits"), "limit");
    assert_string_equal(http_target_stranger(&target, "limit"), "q");
    assert_string_equal(http_target_stranger(&target, ""), "limit");
    http_target_close(&target);
}

static void json_is_preferred_by_quality(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool wanted;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"*/*", false},
        {"application/json", true},
        {"APPLICATION/JSON", true},
        {"application/json, */*", false},
        {"application/json, */*;q=0.1", true},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false},
        {"text/html, application/json", false},
        {"text/html;q=0.9, application/json", true},
        {"text/*;q=0.9, application/*", true},
        {"text/html;q=0, application/json;q=0.001", true},
        {"application/json;q=0", false},
        {"application/json;q=0, */*", false},
        {"application/json; charset=utf-8; q=1.000", true},
        {"application/json ;q=0.5 , text/html ; q=0.4", true},
        {"application/jsonx", false},
        {"application/json;q=banana, text/html;q=0.9", true},
        {",,;;,application/json", true},
        {"application/problem+json", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (http_fields_prefer_json(rows[i].accept) != rows[i].wanted)
            fail_msg("%s", rows[i].accept);
}

static void gzip_is_taken_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *encodings;
        bool wanted;
    } rows[] = {
        {NULL, false},           {"", false},
        {"gzip", true},          {"deflate, gzip;q=1.0, *;q=0.5", true},
        {"identity", false},     {"gzip;q=0", false},
        {"gzip;q=0.000", false}, {"*", true},
        {"*;q=0", false},        {"*, gzip;q=0", false},
        {"x-gzip", true},        {"gzipped", false},
        {"br, zstd", false},     {"GZIP", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (http_fields_take_gzip(rows[i].encodings) != rows[i].wanted)
            fail_msg("%s", rows[i].encodings);
}

static void a_tag_is_one_of_those_named(void **state)
{
    (void)state;
    assert_true(http_fields_have_tag("\"a\"", "\"a\""));
    assert_true(http_fields_have_tag("\"x\", W/\"a\"", "\"a\""));
    assert_true(http_fields_have_tag("*", "\"a\""));
    assert_false(http_fields_have_tag("\"A\"", "\"a\""));
    assert_false(http_fields_have_tag("a", "\"a\""));
    assert_false(http_fields_have_tag("\"a-gzip\"", "\"a\""));
    assert_false(http_fields_have_tag("W/", "\"a\""));
    assert_false(http_fields_have_tag("", "\"a\""));
    assert_false(http_fields_have_tag(NULL, "\"a\""));
}

static void a_range_is_whole_part_or_beyond(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        uint64_t size;
        enum http_range wanted;
        uint64_t first, last;
    } rows[] = {
        {NULL, 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=0-0", 10, HTTP_RANGE_PART, 0, 0},
        {"bytes=9-", 10, HTTP_RANGE_PART, 9, 9},
        {"bytes=-1", 10, HTTP_RANGE_PART, 9, 9},
        {"bytes=-11", 10, HTTP_RANGE_PART, 0, 9},
        {"bytes=5-999999999999999999", 10, HTTP_RANGE_PART, 5, 9},
        {"bytes=10-11", 10, HTTP_RANGE_BEYOND, 0, 0},
        {"bytes=0-0", 0, HTTP_RANGE_BEYOND, 0, 0},
        {"bytes=-1", 0, HTTP_RANGE_BEYOND, 0, 0},
        {"bytes=-0", 10, HTTP_RANGE_BEYOND, 0, 0},
        {"bytes=", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=-", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=1", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=1-x", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=1-2x", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=1-2,4-5", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=5-4", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=+1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"bytes=1234567890123456789-", 10, HTTP_RANGE_WHOLE, 0, 0},
        {"items=0-1", 10, HTTP_RANGE_WHOLE, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t first = 0, last = 0;
        if (http_fields_range(rows[i].range, rows[i].size, &first, &last) != rows[i].wanted)
            fail_msg("%s", rows[i].range);
        if (rows[i].wanted == HTTP_RANGE_PART) {
            assert_int_equal(first, rows[i].first);
            assert_int_equal(last, rows[i].last);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_split_and_then_decoded),
        cmocka_unit_test(a_path_is_like_a_pattern),
        cmocka_unit_test(query_keys_are_known_or_strangers),
        cmocka_unit_test(json_is_preferred_by_quality),
        cmocka_unit_test(gzip_is_taken_or_not),
        cmocka_unit_test(a_tag_is_one_of_those_named),
        cmocka_unit_test(a_range_is_whole_part_or_beyond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
