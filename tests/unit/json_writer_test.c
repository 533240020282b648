#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "shared/json.h"
#include "shared/json_writer.h"

static void texts_are_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wanted;
    } rows[] = {
        {"", "\"\""},
        {NULL, "null"},
        {"plain", "\"plain\""},
        {"\"\\/", "\"\\\"\\\\/\""},
        {"\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
        {"a\xe2\x80\xa8z\xe2\x80\xa9", "\"a\\u2028z\\u2029\""},
        {"\xe2\x82\xac\xe2\x80\xa7", "\"\xe2\x82\xac\xe2\x80\xa7\""},
        {"\xf0\x9f\x8e\xb5</script>", "\"\xf0\x9f\x8e\xb5</script>\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_buffer out = {0};
        json_add_text(&out, rows[i].text);
        assert_string_equal(out.data, rows[i].wanted);
    }
}

static void a_text_cut_after_its_first_byte_of_three_stays_in_bounds(void **state)
{
    (void)state;
    auto_buffer out = {0};
    json_add_text(&out, "\xe2");
    assert_string_equal(out.data, "\"\xe2\"");
    buffer_clear(&out);
    json_add_text(&out, "\xe2\x80");
    assert_string_equal(out.data, "\"\xe2\x80\"");
}

static void every_ascii_text_reads_back(void **state)
{
    (void)state;
    char text[128];
    for (int i = 1; i < 128; i++)
        text[i - 1] = (char)i;
    text[127] = '\0';
    auto_buffer out = {0};
    struct error err;
    cJSON *root;
    json_add_text(&out, text);
    assert_int_equal(json_parse(&root, out.data, out.length, &err), 0);
    assert_string_equal(cJSON_GetStringValue(root), text);
    cJSON_Delete(root);
}

static void numbers_are_written_whole(void **state)
{
    (void)state;
    auto_buffer out = {0};
    buffer_text(&out, "[");
    json_add_item(&out);
    json_add_uint(&out, 0);
    json_add_item(&out);
    json_add_uint(&out, UINT64_MAX);
    json_add_item(&out);
    json_add_int(&out, INT64_MIN);
    json_add_item(&out);
    json_add_int(&out, -1);
    json_add_item(&out);
    json_add_seconds(&out, 72345);
    json_add_item(&out);
    json_add_seconds(&out, 7);
    buffer_text(&out, "]");
    assert_string_equal(out.data, "[0,18446744073709551615,-9223372036854775808,-1,72.345,0.007]");
}

static void commas_stand_between_members(void **state)
{
    (void)state;
    auto_buffer out = {0};
    buffer_text(&out, "{");
    json_add_key(&out, "a");
    json_add_text(&out, "{");
    json_add_key(&out, "b");
    buffer_text(&out, "[");
    json_add_item(&out);
    buffer_text(&out, "{}");
    json_add_item(&out);
    buffer_text(&out, "[]");
    buffer_text(&out, "]}");
    assert_string_equal(out.data, "{\"a\":\"{\",\"b\":[{},[]]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(a_text_cut_after_its_first_byte_of_three_stays_in_bounds),
        cmocka_unit_test(every_ascii_text_reads_back),
        cmocka_unit_test(numbers_are_written_whole),
        cmocka_unit_test(commas_stand_between_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
