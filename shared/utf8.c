#include "shared/utf8.h"

static bool is_tail(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t utf8_sequence(const unsigned char *b, size_t length)
{
    if (length == 0)
        return 0;
    if (b[0] < 0x80)
        return 1;
    if (b[0] >= 0xc2 && b[0] <= 0xdf)
        return length >= 2 && is_tail(b[1]) ? 2 : 0;
    if (b[0] >= 0xe0 && b[0] <= 0xef) {
        if (length < 3 || !is_tail(b[1]) || !is_tail(b[2]))
            return 0;
        bool overlong = b[0] == 0xe0 && b[1] < 0xa0;
        bool surrogate = b[0] == 0xed && b[1] > 0x9f;
        return overlong || surrogate ? 0 : 3;
    }
    if (b[0] >= 0xf0 && b[0] <= 0xf4) {
        if (length < 4 || !is_tail(b[1]) || !is_tail(b[2]) || !is_tail(b[3]))
            return 0;
        bool overlong = b[0] == 0xf0 && b[1] < 0x90;
        bool beyond = b[0] == 0xf4 && b[1] > 0x8f;
        return overlong || beyond ? 0 : 4;
    }
    return 0;
}

static uint32_t code_point(const unsigned char *b, size_t sequence)
{
    static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = b[0] & lead_bits[sequence];
    for (size_t i = 1; i < sequence; i++)
        code = code << 6 | (b[i] & 0x3fu);
    return code;
}

size_t utf8_printable(const unsigned char *bytes, size_t length, uint32_t *code)
{
    static const struct {
        uint32_t first, last;
    } unprintable[] = {
        {0, 0x1f},        {0x7f, 0x9f},     /* control characters */
        {0x200e, 0x200f}, {0x202a, 0x202e}, /* direction */
        {0x2066, 0x2069},                   /* the same */
        {0x2028, 0x2029},                   /* line breaks */
    };
    size_t sequence = utf8_sequence(bytes, length);
    *code = 0;
    if (sequence == 0)
        return 0;
    *code = code_point(bytes, sequence);
    for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++)
        if (*code >= unprintable[i].first && *code <= unprintable[i].last)
            return 0;
    return sequence;
}

bool utf8_is_valid(const char *bytes, size_t length)
{
    const unsigned char *b = (const unsigned char *)bytes;
    for (size_t i = 0; i < length;) {
        size_t n = utf8_sequence(b + i, length - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t utf8_cut(const char *text, size_t length, size_t limit)
{
    if (length <= limit)
        return length;
    size_t cut = limit;
    while (cut > 0 && limit - cut < 4 && is_tail((unsigned char)text[cut]))
        cut--;
    return cut;
}
