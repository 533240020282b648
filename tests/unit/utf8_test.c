#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/buffer.h"
#include "shared/utf8.h"

static void valid_text_stays(void **state)
{
    (void)state;
    auto_buffer out = {0};
    buffer_add_utf8(&out, "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb5", 10);
    assert_string_equal(out.data, "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb5");
}

static void each_bad_byte_becomes_a_replacement(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        const char *wanted;
    } rows[] = {
        {"a\xff"
         "b",
         3,
         "a\xef\xbf\xbd"
         "b"},
        {"\xc0\xaf", 2, "\xef\xbf\xbd\xef\xbf\xbd"},                                 /* overlong */
        {"\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 /* surrogate */
        {"\xf4\x90\x80\x80", 4, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* beyond U+10FFFF */
        {"a\0b", 3,
         "a\xef\xbf\xbd"
         "b"},
        {"\xe2\x82", 2, "\xef\xbf\xbd\xef\xbf\xbd"}, /* cut off */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_buffer out = {0};
        buffer_add_utf8(&out, rows[i].bytes, rows[i].length);
        assert_string_equal(out.data, rows[i].wanted);
        assert_true(utf8_is_valid(out.data, out.length));
    }
}

static void a_cut_keeps_sequences_whole(void **state)
{
    (void)state;
    const char *text = "ab\xe2\x82\xac";
    assert_int_equal(utf8_cut(text, 5, 5), 5);
    assert_int_equal(utf8_cut(text, 5, 4), 2);
    assert_int_equal(utf8_cut(text, 5, 3), 2);
    assert_int_equal(utf8_cut(text, 5, 2), 2);
    assert_int_equal(utf8_cut(text, 5, 0), 0);
}

static void what_a_terminal_would_obey_becomes_visible(void **state)
{
    (void)state;
    auto_buffer out = {0};
    buffer_add_visible(&out, "\033]0;x\a\r\n\t\x7f\xc2\x9b\xc2\xa0\xc3\xa9\xff\\\xc2");
    assert_string_equal(
        out.data, "\\u001b]0;x\\u0007\\u000d\\n\\u0009\\u007f\\u009b\xc2\xa0\xc3\xa9\xef\xbf\xbd\\\xef\xbf\xbd");
    buffer_clear(&out);
    buffer_add_visible(&out, "a\xe2\x80\xaetxt.exe");
    assert_string_equal(out.data, "a\\u202etxt.exe");
    buffer_clear(&out);
    buffer_add_visible(&out, "");
    assert_int_equal(out.length, 0);
}

static void what_moves_the_cursor_is_no_printable_character(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        uint32_t code; /* 0: no valid sequence */
        bool is_printable;
    } rows[] = {
        {"a", 1, 'a', true},
        {" ", 1, ' ', true},
        {"\x1b", 1, 0x1b, false},
        {"\x7f", 1, 0x7f, false},
        {"\xc2\x9b", 2, 0x9b, false},
        {"\xc2\xa0", 2, 0xa0, true},
        {"\xe2\x80\x8d", 3, 0x200d, true},
        {"\xe2\x80\x8e", 3, 0x200e, false},
        {"\xe2\x80\xa8", 3, 0x2028, false},
        {"\xe2\x80\xae", 3, 0x202e, false},
        {"\xe2\x80\xaf", 3, 0x202f, true},
        {"\xe2\x81\xa5", 3, 0x2065, true},
        {"\xe2\x81\xa6", 3, 0x2066, false},
        {"\xe2\x81\xa9", 3, 0x2069, false},
        {"\xf0\x9f\x8e\xb5", 4, 0x1f3b5, true},
        {"\xff", 1, 0, false},
        {"\xc3", 1, 0, false},
        {"", 0, 0, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const unsigned char *bytes = (const unsigned char *)rows[i].bytes;
        uint32_t code = 1;
        size_t length = utf8_printable(bytes, rows[i].length, &code);
        assert_int_equal(code, rows[i].code);
        assert_int_equal(length, rows[i].is_printable ? rows[i].length : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_text_stays),
        cmocka_unit_test(each_bad_byte_becomes_a_replacement),
        cmocka_unit_test(a_cut_keeps_sequences_whole),
        cmocka_unit_test(what_a_terminal_would_obey_becomes_visible),
        cmocka_unit_test(what_moves_the_cursor_is_no_printable_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
