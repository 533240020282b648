#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/memory.h"
#include "worker/capture.h"

enum { HEAD = 4, TAIL = 6 };

static void assert_kept(const struct capture *c, uint64_t dropped, const char *wanted)
{
    auto_buffer text = {0};
    capture_text(c, &text);
    assert_string_equal(text.data, wanted);
    assert_int_equal(capture_dropped(c), dropped);
}

static void the_middle_is_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *output;
        uint64_t dropped;
        const char *wanted;
    } rows[] = {
        {"", 0, ""},
        {"abc", 0, "abc"},
        {"abcd", 0, "abcd"},
        {"abcde", 0, "abcde"},
        {"abcdefghij", 0, "abcdefghij"},
        {"abcdefghijk", 1, "abcd\n… 1 bytes left out …\nfghijk"},
        {"abc\nefghijk", 1, "abc\n… 1 bytes left out …\nfghijk"},
        {"abcdefghijklmnopqrstuvwxyz", 16, "abcd\n… 16 bytes left out …\nuvwxyz"},
        {"abc€fgh", 0, "abc€fgh"}, /* a character across head and tail */
        {"abc€fghijklm", 4, "abc\xef\xbf\xbd\n… 4 bytes left out …\nhijklm"},
        {"a\xff"
         "b",
         0,
         "a\xef\xbf\xbd"
         "b"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        /* In one piece, then in pieces of every size. */
        size_t length = strlen(rows[i].output);
        for (size_t piece = 1; piece <= length + 1; piece++) {
            struct capture c;
            capture_init(&c, HEAD, TAIL);
            for (size_t at = 0; at < length; at += piece)
                capture_add(&c, rows[i].output + at, at + piece < length ? piece : length - at);
            assert_int_equal(c.total, length);
            assert_kept(&c, rows[i].dropped, rows[i].wanted);
            capture_close(&c);
        }
    }
}

static void limits_may_be_zero(void **state)
{
    (void)state;
    struct capture c;
    capture_init(&c, 0, 0);
    capture_add(&c, "abc", 3);
    assert_kept(&c, 3, "… 3 bytes left out …\n");
    capture_close(&c);
    capture_init(&c, 2, 0);
    capture_add(&c, "abc", 3);
    assert_kept(&c, 1, "ab\n… 1 bytes left out …\n");
    capture_close(&c);
    capture_init(&c, 0, 2);
    capture_add(&c, "abc", 3);
    assert_kept(&c, 1, "… 1 bytes left out …\nbc");
    capture_close(&c);
}

static void cleared_it_starts_anew(void **state)
{
    (void)state;
    struct capture c;
    capture_init(&c, HEAD, TAIL);
    capture_add(&c, "abcdefghijklmnop", 16);
    capture_clear(&c);
    assert_kept(&c, 0, "");
    capture_add(&c, "123456", 6);
    assert_kept(&c, 0, "123456");
    capture_close(&c);
}

static void the_text_is_appended(void **state)
{
    (void)state;
    struct capture c;
    auto_buffer text = {0};
    capture_init(&c, HEAD, TAIL);
    capture_add(&c, "ab", 2);
    buffer_text(&text, "> ");
    capture_text(&c, &text);
    assert_string_equal(text.data, "> ab");
    capture_close(&c);
}

static void endless_output_takes_no_more_memory(void **state)
{
    (void)state;
    struct capture c;
    auto_free char *piece = memory_zeroed(65536, 1);
    capture_init(&c, 1000, 1000);
    memset(piece, 'x', 65536);
    for (int i = 0; i < 10000; i++)
        capture_add(&c, piece, 65536);
    assert_int_equal(c.total, 655360000);
    assert_int_equal(capture_dropped(&c), 655358000);
    assert_true(c.head.capacity <= 2048);
    capture_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_middle_is_left_out),
        cmocka_unit_test(limits_may_be_zero),
        cmocka_unit_test(cleared_it_starts_anew),
        cmocka_unit_test(the_text_is_appended),
        cmocka_unit_test(endless_output_takes_no_more_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
