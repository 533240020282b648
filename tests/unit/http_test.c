#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/board.h"
#include "controller/http/http_body.h"
#include "controller/http/http_fields.h"
#include "controller/http/http_guard.h"
#include "controller/http/http_target.h"
#include "shared/buffer.h"
#include "shared/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void an_address_is_split_and_then_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        const char *wanted; /* <authority>, segments in brackets, queries as {name=value}; NULL: refused */
    } rows[] = {
        {"/", "[]"},
        {"/a", "[a]"},
        {"/a/", "[a][]"},
        {"//a", "[][a]"},
        {"/a%2Fb/c", "[a/b][c]"},
        {"/%41%e2%82%ac", "[A\xe2\x82\xac]"},
        {"/a+b%20c", "[a+b c]"},
        {"/../%2e%2e/.", "[..][..][.]"},
        {"http://host:1/a?b", "<host:1>[a]{b=}"},
        {"http:///a", "<>[a]"},
        {"http://\xff/a", NULL},
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
        if (is_parsed && target.authority)
            buffer_format(&found, "<%s>", target.authority);
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

static void a_field_has_a_name(void **state)
{
    (void)state;
    assert_true(http_fields_is_name("Content-Type"));
    assert_true(http_fields_is_name("x"));
    assert_true(http_fields_is_name("!#$%&'*+-.^_`|~09azAZ"));
    static const char *const others[] = {"", " x", "x ", "x y", "x\t", "x:", "(x)", "x\xff", "x\n", "\"x\"", "x/y"};
    for (size_t i = 0; i < COUNT(others); i++)
        if (http_fields_is_name(others[i]))
            fail_msg("%s", others[i]);
}

static void a_field_stands_on_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *bytes; /* the name ends where the colon was */
        size_t value;
        bool wanted;
    } rows[] = {
        {"Name\0value", 5, true},        {"Name\0 \t value", 8, true}, {"Name\0", 5, true},
        {"Name\0  ", 7, true},           {"Namex\0value", 4, false},   {"Name\0\r\n value", 8, false},
        {"Namex\0 value\0y", 13, false}, {"Name\0 value", 0, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (http_fields_is_on_one_line(rows[i].bytes, rows[i].bytes + rows[i].value) != rows[i].wanted)
            fail_msg("%zu", i);
}

static void json_is_told_by_its_type(void **state)
{
    (void)state;
    static const char *const json[] = {"application/json", "APPLICATION/JSON", "application/json;charset=utf-8",
                                       "application/json ; charset=utf-8", "application/json;"};
    static const char *const others[] = {
        NULL, "", ";", "text/json", "application/jsonx", "application/problem+json", "application/json, text/html",
    };
    for (size_t i = 0; i < COUNT(json); i++)
        assert_true(http_fields_is_json(json[i]));
    for (size_t i = 0; i < COUNT(others); i++)
        assert_false(http_fields_is_json(others[i]));
}

/* ---- who may write */

static void a_host_is_a_name_or_an_address(void **state)
{
    (void)state;
    static const char *const hosts[] = {
        "x",           "localhost:3000", "127.0.0.1",  "funkytown_controller.svc:1",
        "a-b.C:65535", "[::1]",          "[::1]:3000", "[::ffff:127.0.0.1]:80",
    };
    static const char *const others[] = {
        NULL,   "",    ":",      ":80",    "x:",   "x:0",       "x:65536",  "x:123456", "x:-1",
        "x:1x", "x y", "x/",     "x/y",    "u@x",  "x\n",       "x,y",      "[::1",     "[]",
        "[x]",  "::1", "[::1]x", "[::1]:", "[:]]", "x\xc3\xa9", "http://x", "x%20",     "*",
    };
    for (size_t i = 0; i < COUNT(hosts); i++)
        if (!http_guard_is_host(hosts[i]))
            fail_msg("%s", hosts[i]);
    for (size_t i = 0; i < COUNT(others); i++)
        if (http_guard_is_host(others[i]))
            fail_msg("%s", others[i]);
}

static void a_host_is_ours_by_name_address_or_url(void **state)
{
    (void)state;
    static const char url[] = "https://CI.example:8443/funkytown";
    static const struct {
        const char *host, *bind, *url;
        bool wanted;
    } rows[] = {
        {"localhost", "127.0.0.1", NULL, true},
        {"LOCALHOST:1", "127.0.0.1", NULL, true},
        {"localhost.", "127.0.0.1", NULL, true},
        {"a.b.localhost", "127.0.0.1", NULL, true},
        {"a.localhost.:80", "127.0.0.1", NULL, true},
        {"127.0.0.1", "::1", NULL, true},
        {"127.255.0.1:65535", "127.0.0.1", NULL, true},
        {"[::1]", "127.0.0.1", NULL, true},
        {"[0:0:0:0:0:0:0:1]:3000", "127.0.0.1", NULL, true},
        {"[::ffff:127.0.0.1]", "127.0.0.1", NULL, true},
        {"build-7.lan:3000", "build-7.lan", NULL, true},
        {"BUILD-7.lan.", "build-7.lan", NULL, true},
        {"ci.example", "127.0.0.1", url, true},
        {"CI.EXAMPLE.:8443", "127.0.0.1", url, true},
        {"[fd00::7]:3000", "127.0.0.1", "http://[fd00::7]", true},
        {"localhost..", "127.0.0.1", NULL, false},
        {"xlocalhost", "127.0.0.1", NULL, false},
        {".localhost", "127.0.0.1", NULL, false},
        {"localhost.evil", "127.0.0.1", NULL, false},
        {"127.1", "127.0.0.1", NULL, false},
        {"0x7f.1", "127.0.0.1", NULL, false},
        {"0177.0.0.1", "127.0.0.1", NULL, false},
        {"2130706433", "127.0.0.1", NULL, false},
        {"127.0.0.1.evil", "127.0.0.1", NULL, false},
        {"128.0.0.1", "127.0.0.1", NULL, false},
        {"0.0.0.0", "127.0.0.1", NULL, false},
        {"[::]", "127.0.0.1", NULL, false},
        {"[::ffff:10.0.0.1]", "127.0.0.1", NULL, false},
        {"[::2]", "127.0.0.1", NULL, false},
        {"[127.0.0.1]", "127.0.0.1", NULL, false},
        {"::1", "::1", NULL, false},
        {"ci.example", "127.0.0.1", NULL, false},
        {"ci.example", "127.0.0.1", "ci.example", false},
        {"ci.example", "127.0.0.1", "https://evil.example/ci.example", false},
        {"ci.example", "127.0.0.1", "https://ci.example@evil", false},
        {"https", "127.0.0.1", url, false},
        {"", "127.0.0.1", url, false},
        {".", "127.0.0.1", url, false},
        {"localhost localhost", "127.0.0.1", url, false},
        {"u@localhost", "127.0.0.1", url, false},
        {"localhost:0", "127.0.0.1", url, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (http_guard_is_own_host(rows[i].host, rows[i].bind, rows[i].url) != rows[i].wanted)
            fail_msg("%s, %s, %s", rows[i].host, rows[i].bind, rows[i].url ? rows[i].url : "no url");
    auto_free char *endless = memory_format("%0300d.localhost", 0);
    assert_false(http_guard_is_own_host(endless, "127.0.0.1", NULL));
}

static void a_loopback_address_leads_nowhere_else(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_v6, wanted;
    } rows[] = {
        {"127.0.0.1", false, true},
        {"127.3.2.1", false, true},
        {"::1", true, true},
        {"::ffff:127.0.0.1", true, true},
        {"0.0.0.0", false, false},
        {"10.0.0.127", false, false},
        {"::", true, false},
        {"fe80::1", true, false},
        {"::ffff:10.0.0.1", true, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        void *bytes = rows[i].is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr;
        assert_int_equal(inet_pton(rows[i].is_v6 ? AF_INET6 : AF_INET, rows[i].text, bytes), 1);
        const struct sockaddr *address = rows[i].is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
        if (http_guard_is_loopback(address) != rows[i].wanted)
            fail_msg("%s", rows[i].text);
    }
    assert_false(http_guard_is_loopback(&(struct sockaddr){.sa_family = AF_UNIX}));
}

static void an_origin_is_ours_by_host_or_url(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *host, *url;
        bool wanted;
    } rows[] = {
        {"http://x", "x", NULL, true},
        {"http://x", "X:80", NULL, true},
        {"http://X:80", "x", NULL, true},
        {"https://x", "x", NULL, true},
        {"https://x", "x:443", NULL, true},
        {"HTTPS://x", "x", NULL, true},
        {"http://x:3000", "x:3000", NULL, true},
        {"http://[::1]:3000", "[::1]:3000", NULL, true},
        {"https://x", "x:80", NULL, false},
        {"http://x", "x:443", NULL, false},
        {"http://x", "x:3000", NULL, false},
        {"http://x:3000", "x", NULL, false},
        {"http://x:3000", "x:3001", NULL, false},
        {"http://xy", "x", NULL, false},
        {"http://x", "xy", NULL, false},
        {"http://y", "x", NULL, false},
        {"http://x.y", "x", NULL, false},
        {"http://x/", "x", NULL, false},
        {"http://x ", "x", NULL, false},
        {"http://x http://y", "x", NULL, false},
        {"http://u@x", "x", NULL, false},
        {"http://y@x", "y", NULL, false},
        {"ftp://x", "x", NULL, false},
        {"//x", "x", NULL, false},
        {"x", "x", NULL, false},
        {"null", "null", NULL, false},
        {"", "x", NULL, false},
        {"http://", "x", NULL, false},
        {"http://x:0", "x", NULL, false},
        {"https://ci.example", "10.0.0.1:3000", "https://ci.example/funkytown", true},
        {"https://ci.example", "10.0.0.1:3000", "https://CI.example", true},
        {"https://ci.example:443", "10.0.0.1:3000", "https://ci.example/", true},
        {"http://ci.example:8080", "10.0.0.1:3000", "http://ci.example:8080?x", true},
        {"http://10.0.0.1:3000", "10.0.0.1:3000", "https://ci.example/funkytown", true},
        {"http://ci.example", "10.0.0.1:3000", "https://ci.example/funkytown", false},
        {"https://ci.example", "10.0.0.1:3000", "https://ci.example.evil", false},
        {"https://ci.example", "10.0.0.1:3000", "https://ci.example@evil", false},
        {"https://evil", "10.0.0.1:3000", "https://ci.example/evil", false},
        {"https://ci.example", "10.0.0.1:3000", "ci.example", false},
        {"https://ci.example", "10.0.0.1:3000", "", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (http_guard_is_own_origin(rows[i].origin, rows[i].host, rows[i].url) != rows[i].wanted)
            fail_msg("%s, Host: %s, %s", rows[i].origin, rows[i].host, rows[i].url ? rows[i].url : "no url");
}

static void a_token_is_the_same_in_every_byte(void **state)
{
    (void)state;
    struct http_token token;
    struct error err;
    assert_int_equal(http_guard_set_token(&token, "abc", &err), 0);
    static const char *const held[] = {"Bearer abc", "bearer abc", "BEARER   abc"};
    static const char *const others[] = {
        NULL,          "",
        "Bearer",      "Bearer ",
        "abc",         "Bearerabc",
        "Bearer ab",   "Bearer abcd",
        "Bearer abC",  "Bearer  abc ",
        "Bearer bbc",  "Bearer aabc",
        "Basic abc",   "Bearer abc, Bearer abc",
        "Bearer a",    "Bearer =abc",
        " Bearer abc", "Bearer\tabc",
    };
    for (size_t i = 0; i < COUNT(held); i++)
        assert_true(http_guard_has_token(held[i], &token));
    for (size_t i = 0; i < COUNT(others); i++)
        if (http_guard_has_token(others[i], &token))
            fail_msg("%s", others[i]);

    /* As long as it may be, and longer. */
    char longest[HTTP_TOKEN_MAX + 2] = "", header[HTTP_TOKEN_MAX + 16];
    memset(longest, 'x', HTTP_TOKEN_MAX + 1);
    assert_int_equal(http_guard_set_token(&token, longest, &err), -1);
    assert_string_equal(err.text, "FUNKYTOWN_TOKEN: found 257 characters, wanted 1 to 256");
    snprintf(header, sizeof(header), "Bearer %s", longest);
    longest[HTTP_TOKEN_MAX] = '\0';
    assert_int_equal(http_guard_set_token(&token, longest, &err), 0);
    assert_false(http_guard_has_token(header, &token));
    header[strlen(header) - 1] = '\0';
    assert_true(http_guard_has_token(header, &token));
    header[strlen(header) - 1] = 'y';
    assert_false(http_guard_has_token(header, &token));
}

/* ---- what is to be done */

static void a_rerun_is_read_strictly(void **state)
{
    (void)state;
    enum { F = 1 << BOARD_FAILED, E = 1 << BOARD_ERROR, C = 1 << BOARD_CANCELLED, L = 1 << BOARD_FLAKY };
    static const struct {
        const char *body;
        unsigned states;
        int count; /* -1: none */
        const char *error;
    } rows[] = {
        {"{\"status\":[\"failed\"]}", F, -1, NULL},
        {"{\"expected_count\":0,\"status\":[\"error\",\"failed\"]}", F | E, 0, NULL},
        {" {\"status\" : [\"flaky\", \"cancelled\", \"error\", \"failed\"], \"expected_count\": 2147483647 }\n",
         F | E | C | L, 2147483647, NULL},
        {"{\"status\":[\"failed\"],\"expected_count\":3.0}", F, 3, NULL},
        {"{\"status\":[\"skipped\"]}", 1 << BOARD_SKIPPED, -1, NULL},
        {"", 0, 0, "line 1 column 1: found the end, wanted a value"},
        {"null", 0, 0, "found null, wanted an object"},
        {"[]", 0, 0, "found an empty list, wanted an object"},
        {"{}", 0, 0, "status: found nothing, wanted a list of failed, error, cancelled, flaky or skipped"},
        {"{\"status\":[]}", 0, 0,
         "status: found an empty list, wanted a list of failed, error, cancelled, flaky or skipped"},
        {"{\"status\":\"failed\"}", 0, 0,
         "status: found \"failed\", wanted a list of failed, error, cancelled, flaky or skipped"},
        {"{\"status\":{\"failed\":1}}", 0, 0,
         "status: found an object, wanted a list of failed, error, cancelled, flaky or skipped"},
        {"{\"status\":[\"failed\",\"passed\"]}", 0, 0,
         "status[1]: found \"passed\", wanted failed, error, cancelled, flaky or skipped"},
        {"{\"status\":[\"Failed\"]}", 0, 0,
         "status[0]: found \"Failed\", wanted failed, error, cancelled, flaky or skipped"},
        {"{\"status\":[\"queued\"]}", 0, 0,
         "status[0]: found \"queued\", wanted failed, error, cancelled, flaky or skipped"},
        {"{\"status\":[3]}", 0, 0, "status[0]: found 3, wanted failed, error, cancelled, flaky or skipped"},
        {"{\"status\":[\"\"]}", 0, 0,
         "status[0]: found an empty text, wanted failed, error, cancelled, flaky or skipped"},
        {"{\"status\":[\"failed\",\"error\",\"failed\"]}", 0, 0,
         "status[2]: found \"failed\" a second time, wanted it once"},
        {"{\"status\":[\"failed\"],\"status\":[\"error\"]}", 0, 0,
         "status: found the key a second time, wanted it once"},
        {"{\"status\":[\"failed\"],\"count\":3}", 0, 0,
         "count: found an unknown key, wanted one of status, expected_count"},
        {"{\"status\":[\"failed\"],\"expected_count\":-1}", 0, 0,
         "expected_count: found -1, wanted a whole number from 0 to 2147483647"},
        {"{\"status\":[\"failed\"],\"expected_count\":1.5}", 0, 0,
         "expected_count: found 1.5, wanted a whole number from 0 to 2147483647"},
        {"{\"status\":[\"failed\"],\"expected_count\":1e99}", 0, 0,
         "expected_count: found 1e+99, wanted a whole number from 0 to 2147483647"},
        {"{\"status\":[\"failed\"],\"expected_count\":\"3\"}", 0, 0,
         "expected_count: found \"3\", wanted a whole number from 0 to 2147483647"},
        {"{\"status\":[\"failed\"],\"expected_count\":null}", 0, 0,
         "expected_count: found null, wanted a whole number from 0 to 2147483647"},
        {"{\"status\":[\"failed\"]} x", 0, 0, "line 1 column 23: found 'x', wanted the end"},
        {"{\"status\":[\"failed\"],}", 0, 0, "line 1 column 22: found '}', wanted a key in double quotes"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_rerun rerun;
        struct error err = {0};
        int parsed = http_body_parse_rerun(&rerun, rows[i].body, strlen(rows[i].body), &err);
        assert_string_equal(err.text, rows[i].error ? rows[i].error : "");
        if (parsed < 0)
            continue;
        assert_int_equal(rerun.states, rows[i].states);
        assert_int_equal(rerun.has_count, rows[i].count >= 0);
        if (rerun.has_count)
            assert_int_equal(rerun.expected_count, rows[i].count);
    }
}

static void a_body_with_a_zero_is_no_json(void **state)
{
    (void)state;
    static const char body[] = "{}\0";
    struct error err;
    assert_int_equal(http_body_parse_empty(body, 2, &err), 0);
    assert_int_equal(http_body_parse_empty(body, 3, &err), -1);
    assert_string_equal(err.text, "line 1 column 3: found byte 0x00, wanted the end");
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
        cmocka_unit_test(a_field_has_a_name),
        cmocka_unit_test(a_field_stands_on_one_line),
        cmocka_unit_test(json_is_told_by_its_type),
        cmocka_unit_test(a_host_is_a_name_or_an_address),
        cmocka_unit_test(a_host_is_ours_by_name_address_or_url),
        cmocka_unit_test(a_loopback_address_leads_nowhere_else),
        cmocka_unit_test(an_origin_is_ours_by_host_or_url),
        cmocka_unit_test(a_token_is_the_same_in_every_byte),
        cmocka_unit_test(a_rerun_is_read_strictly),
        cmocka_unit_test(a_body_with_a_zero_is_no_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
