/* Which failures are the same error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/causes.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void what_is_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {NULL, ""},
        {"", ""},
        {"boom", "boom"},

        /* ids */
        {"id 0f8fad5b-d9cb-469f-a165-70867728950e.", "id <id>."},
        {"0F8FAD5B-D9CB-469F-A165-70867728950E", "<id>"},
        {"commit 1a2b3c4d", "commit <id>"},
        {"order-65f1c0ffee12ab34cd56ef78 is gone", "order-<id> is gone"},
        {"user_4f2a9c01be77", "user_<id>"},
        {"at 1764000000123", "at <id>"},
        {"element f.1C0F5DA2A7B3.d.9A00F1.e.12 is stale", "element f.<id> is stale"},
        {"page@9f86d081884c7d659a2feaa0c55ad015", "page@<id>"},

        /* addresses and ports */
        {"<Cart object at 0x7f3a1c9d2e50>", "<Cart object at <address>>"},
        {"connect ECONNREFUSED 127.0.0.1:43211", "connect ECONNREFUSED <address>"},
        {"connect ECONNREFUSED [::1]:43211", "connect ECONNREFUSED <address>"},
        {"http://127.0.0.1:43211/cart", "http://<address>/cart"},
        {"net::ERR_CONNECTION_REFUSED at http://localhost:43211/cart",
         "net::ERR_CONNECTION_REFUSED at http://localhost:<port>/cart"},
        {"http://shop:8080/", "http://shop:<port>/"},
        {"getaddrinfo ENOTFOUND db.internal:5432", "getaddrinfo ENOTFOUND db.internal:<port>"},
        {"address already in use :::3000", "address already in use :::<port>"},

        /* times and dates */
        {"since 2026-11-24T05:21:14.123Z", "since <time>"},
        {"2026-11-24 05:21:14+01:00 up", "<time> up"},
        {"2026-11-24", "<time>"},
        {"24/11/2026, 5:21:14 AM", "<time>"},
        {"24.11.2026", "<time>"},
        {"at 05:21:14", "at <time>"},
        {"Tue Nov 24 2026 05:21:14 GMT+0000 (UTC)", "<time> (UTC)"},
        {"Tue, 24 Nov 2026 05:21:14 GMT", "<time>"},
        {"Nov 4, 2026", "<time>"},

        /* durations */
        {"Timeout 5000ms exceeded", "Timeout <duration> exceeded"},
        {"Timeout 5000 ms exceeded", "Timeout <duration> exceeded"},
        {"took 1.5s", "took <duration>"},
        {"after 30 seconds", "after <duration>"},
        {"took 1m12s", "took <duration>"},
        {"timeout after 600 s", "timeout after <duration>"},

        /* temp paths */
        {"cannot open /tmp/profile-Xa81/Default", "cannot open <temp>"},
        {"cannot open '/tmp/run-a81/x/settings.json'", "cannot open '<temp>/settings.json'"},
        {"/var/folders/zz/abc/T/x1/out.log: no", "<temp>/out.log: no"},
        {"see /tmp/a1.", "see <temp>."},

        /* None of them */
        {"exit 7", "exit 7"},
        {"expected 401, got 503", "expected 401, got 503"},
        {"getByRole('button', { name: 'Pay 12 now' })", "getByRole('button', { name: 'Pay 12 now' })"},
        {"locator('#cart-7 > li:nth-child(3)')", "locator('#cart-7 > li:nth-child(3)')"},
        {"tests/cart.spec.ts:12", "tests/cart.spec.ts:12"},
        {"tests/cart.spec.ts:12:31", "tests/cart.spec.ts:12:31"},
        {"at Cart.java:1024", "at Cart.java:1024"},
        {"rgb #1a2b3c4d", "rgb #1a2b3c4d"},
        {"defaced effaced", "defaced effaced"},
        {"12345678 items", "12345678 items"},
        {"3 sheep, 2 minds", "3 sheep, 2 minds"},
        {"version 1.2.3.4", "version 1.2.3.4"},
        {"code:1234", "code:1234"},
        {"16:9", "16:9"},
        {"0x1f", "0x1f"},
        {"/tmpfile", "/tmpfile"},
        {"1e10", "1e10"},
        {"\xc3\xa9"
         "1a2b3c4d",
         "\xc3\xa9"
         "1a2b3c4d"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        auto_buffer out = {0};
        buffer_text(&out, "");
        causes_normalise(&out, rows[i].text);
        if (strcmp(out.data, rows[i].wanted) != 0)
            fail_msg("%s: \"%s\", wanted \"%s\"", rows[i].text, out.data, rows[i].wanted);
    }
}

struct told {
    const char *message, *expected, *received;
};

static uint64_t number_of(const struct told *error)
{
    return causes_number(error->message, error->expected, error->received);
}

static void what_is_the_same_error(void **state)
{
    (void)state;
    static const struct {
        struct told a, b;
        bool is_same;
    } rows[] = {
        {{"boom", NULL, NULL}, {"boom", NULL, NULL}, true},
        {{NULL, NULL, NULL}, {"", "", ""}, true},
        {{"boom", NULL, NULL}, {"bang", NULL, NULL}, false},
        {{"exit 7", NULL, NULL}, {"exit 1", NULL, NULL}, false},
        {{"toBe", "200", "401"}, {"toBe", "200", "503"}, false},
        {{"toBe", "200", "401"}, {"toBe", "401", "200"}, false},
        {{"toBe", "\"a\"", NULL}, {"toBe", NULL, "\"a\""}, false},
        {{"waiting for getByText('Pay')", NULL, NULL}, {"waiting for getByText('Buy')", NULL, NULL}, false},
        {{"toBe\nLocator: a", NULL, NULL}, {"toBe\nLocator: b", NULL, NULL}, false},
        {{"Timeout 5000ms exceeded.", NULL, NULL}, {"Timeout 30000ms exceeded.", NULL, NULL}, true},
        {{"connect ECONNREFUSED 127.0.0.1:4001", NULL, NULL},
         {"connect ECONNREFUSED 127.0.0.1:4002", NULL, NULL},
         true},
        {{"toBe", "order 1a2b3c4d", "none"}, {"toBe", "order 99ffee00", "none"}, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if ((number_of(&rows[i].a) == number_of(&rows[i].b)) != rows[i].is_same)
            fail_msg("%s and %s: wanted %s", rows[i].a.message, rows[i].b.message, rows[i].is_same ? "one" : "two");
}

/* Addresses of reports hold them. */
static void an_id_is_the_same_in_every_run(void **state)
{
    (void)state;
    char id[CAUSES_ID_SIZE];
    causes_format_id(causes_number("exit 1", NULL, NULL), id);
    assert_string_equal(id, "7b29c2edeae75fee");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out),
        cmocka_unit_test(what_is_the_same_error),
        cmocka_unit_test(an_id_is_the_same_in_every_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
