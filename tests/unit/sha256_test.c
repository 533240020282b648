/* The examples of the standard (FIPS 180-4, and the long one of its predecessor), however they are cut into parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/sha256.h"

static void expect(const char *part, size_t times, const char *wanted)
{
    struct sha256 sha;
    char hex[SHA256_HEX_SIZE];
    sha256_init(&sha);
    for (size_t i = 0; i < times; i++)
        sha256_add(&sha, part, strlen(part));
    sha256_hex(&sha, hex);
    assert_string_equal(hex, wanted);
}

static void the_standards_examples(void **state)
{
    (void)state;
    expect("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
           "nopqrstu",
           1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    expect("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    expect("aaaaaaaaaaaaaaaaaaaaaaaaa", 40000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void every_way_to_cut_gives_the_same(void **state)
{
    (void)state;
    unsigned char bytes[200];
    char whole[SHA256_HEX_SIZE], cut[SHA256_HEX_SIZE];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 7);
    for (size_t length = 0; length <= sizeof(bytes); length++) {
        struct sha256 one, two;
        sha256_init(&one);
        sha256_add(&one, bytes, length);
        sha256_hex(&one, whole);
        sha256_init(&two);
        sha256_add(&two, bytes, length / 3);
        sha256_add(&two, bytes + length / 3, length - length / 3);
        sha256_hex(&two, cut);
        assert_string_equal(whole, cut);
    }
}

static void texts_end_where_they_end(void **state)
{
    (void)state;
    struct sha256 a, b;
    char first[SHA256_HEX_SIZE], second[SHA256_HEX_SIZE];
    sha256_init(&a), sha256_text(&a, "ab"), sha256_text(&a, "c"), sha256_hex(&a, first);
    sha256_init(&b), sha256_text(&b, "a"), sha256_text(&b, "bc"), sha256_hex(&b, second);
    assert_string_not_equal(first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standards_examples),
        cmocka_unit_test(every_way_to_cut_gives_the_same),
        cmocka_unit_test(texts_end_where_they_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
