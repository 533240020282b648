#include "shared/json.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/utf8.h"

enum { NUMBER_MAX = 60 }; /* cJSON reads numbers of up to 62 characters */

/* Stops at the first wrong byte: `at` is its place and `wanted` what should have stood there. */
struct scan {
    const unsigned char *at;
    const unsigned char *end;
    int depth;
    const char *wanted;
};

static bool scan_value(struct scan *s);

static bool fail(struct scan *s, const char *wanted)
{
    s->wanted = wanted;
    return false;
}

/* The next byte, or 0 at the end: a NUL is nowhere valid, so the two need no telling apart. */
static unsigned char peek(const struct scan *s)
{
    return s->at < s->end ? *s->at : 0;
}

static bool skip_byte(struct scan *s, unsigned char byte)
{
    if (peek(s) != byte)
        return false;
    s->at++;
    return true;
}

static void skip_space(struct scan *s)
{
    while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r')
        s->at++;
}

static bool is_digit(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool scan_digits(struct scan *s)
{
    if (!is_digit(peek(s)))
        return fail(s, "a digit");
    while (is_digit(peek(s)))
        s->at++;
    return true;
}

static bool scan_number(struct scan *s)
{
    const unsigned char *start = s->at;
    skip_byte(s, '-');
    if (!skip_byte(s, '0') && !scan_digits(s))
        return false;
    if (skip_byte(s, '.') && !scan_digits(s))
        return false;
    if (skip_byte(s, 'e') || skip_byte(s, 'E')) {
        if (!skip_byte(s, '+'))
            skip_byte(s, '-');
        if (!scan_digits(s))
            return false;
    }
    if (s->at - start > NUMBER_MAX) {
        s->at = start;
        return fail(s, "a number of at most 60 characters");
    }
    return true;
}

static int hex_value(unsigned char byte)
{
    if (is_digit(byte))
        return byte - '0';
    unsigned char lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool scan_hex4(struct scan *s, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        int value = hex_value(peek(s));
        if (value < 0)
            return fail(s, "four hexadecimal digits after \\u");
        *code = *code * 16 + (unsigned)value;
        s->at++;
    }
    return true;
}

/* What follows "\u": one unit, or a pair of surrogates. */
static bool scan_unicode_escape(struct scan *s)
{
    const unsigned char *start = s->at;
    unsigned code, second;
    if (!scan_hex4(s, &code))
        return false;
    bool whole = code != 0 && (code < 0xd800 || code > 0xdfff);
    if (!whole && code >= 0xd800 && code <= 0xdbff && skip_byte(s, '\\') && skip_byte(s, 'u')) {
        if (!scan_hex4(s, &second))
            return false;
        whole = second >= 0xdc00 && second <= 0xdfff;
    }
    if (!whole)
        s->at = start;
    return whole || fail(s, code == 0 ? "a text without NUL" : "a pair of surrogates");
}

/* What follows a backslash. */
static bool scan_escape(struct scan *s)
{
    if (skip_byte(s, 'u'))
        return scan_unicode_escape(s);
    if (peek(s) == 0 || strchr("\"\\/bfnrt", peek(s)) == NULL)
        return fail(s, "one of \" \\ / b f n r t u after '\\'");
    s->at++;
    return true;
}

/* Most of most texts: what needs no second look. */
static void skip_plain(struct scan *s)
{
    while (s->at < s->end && *s->at >= 0x20 && *s->at < 0x80 && *s->at != '"' && *s->at != '\\')
        s->at++;
}

static bool scan_text(struct scan *s)
{
    s->at++;
    while (!skip_byte(s, '"')) {
        if (s->at == s->end)
            return fail(s, "'\"' at the end of the text");
        if (*s->at < 0x20)
            return fail(s, "control characters in a text written as \\n, \\t or \\u00XX");
        if (skip_byte(s, '\\')) {
            if (!scan_escape(s))
                return false;
            continue;
        }
        size_t sequence = utf8_sequence(s->at, (size_t)(s->end - s->at));
        if (sequence == 0)
            return fail(s, "UTF-8");
        s->at += sequence;
        skip_plain(s);
    }
    return true;
}

static bool scan_member(struct scan *s)
{
    if (peek(s) != '"')
        return fail(s, "a key in double quotes");
    if (!scan_text(s))
        return false;
    skip_space(s);
    if (!skip_byte(s, ':'))
        return fail(s, "':' after a key");
    return scan_value(s);
}

/* The brackets, and elements with commas between them. */
static bool scan_elements(struct scan *s, bool (*element)(struct scan *), unsigned char close, const char *wanted)
{
    if (++s->depth > JSON_DEPTH_MAX)
        return fail(s, "at most 64 levels of lists and objects");
    s->at++;
    skip_space(s);
    if (!skip_byte(s, close)) {
        do {
            skip_space(s);
            if (!element(s))
                return false;
            skip_space(s);
        } while (skip_byte(s, ','));
        if (!skip_byte(s, close))
            return fail(s, wanted);
    }
    s->depth--;
    return true;
}

static bool scan_word(struct scan *s, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
        return fail(s, "a value");
    s->at += length;
    return true;
}

static bool scan_value(struct scan *s)
{
    skip_space(s);
    switch (peek(s)) {
    case '{':
        return scan_elements(s, scan_member, '}', "',' or '}'");
    case '[':
        return scan_elements(s, scan_value, ']', "',' or ']'");
    case '"':
        return scan_text(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        return peek(s) == '-' || is_digit(peek(s)) ? scan_number(s) : fail(s, "a value");
    }
}

static void describe(const struct scan *s, char *text, size_t size)
{
    uint32_t code;
    size_t printable = utf8_printable(s->at, (size_t)(s->end - s->at), &code);
    if (s->at == s->end)
        snprintf(text, size, "the end");
    else if (*s->at == '\n' || *s->at == '\r')
        snprintf(text, size, "a line break");
    else if (printable > 0)
        snprintf(text, size, "'%.*s'", (int)printable, (const char *)s->at);
    else if (code < 0x80)
        snprintf(text, size, "byte 0x%02x", *s->at);
    else
        snprintf(text, size, "U+%04" PRIX32, code);
}

static int refuse(const struct scan *s, const unsigned char *start, struct error *err)
{
    size_t line = 1, column = 1;
    for (const unsigned char *p = start; p < s->at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if ((*p & 0xc0) != 0x80) {
            column++;
        }
    }
    char found[32];
    describe(s, found, sizeof(found));
    return error_set(err, ERROR_CONFIG, "line %zu column %zu: found %s, wanted %s", line, column, found, s->wanted);
}

int json_parse(struct cJSON **root, const char *bytes, size_t length, struct error *err)
{
    *root = NULL;
    if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        length -= 3;
    }
    const unsigned char *start = (const unsigned char *)bytes;
    struct scan s = {.at = start, .end = start + length};
    bool good = scan_value(&s);
    if (good) {
        skip_space(&s);
        good = s.at == s.end || fail(&s, "the end");
    }
    if (!good)
        return refuse(&s, start, err);

    *root = cJSON_ParseWithLength(bytes, length);
    if (*root == NULL)
        return error_set(err, ERROR_CONFIG, "out of memory, or JSON that the parser can't read");
    return 0;
}
