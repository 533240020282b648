#include "shared/utf8.h"

#include <string.h>

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

void utf8_add(struct buffer *out, const char *bytes, size_t length)
{
    const unsigned char *b = (const unsigned char *)bytes;
    size_t start = 0;
    for (size_t i = 0; i < length;) {
        size_t n = b[i] == 0 ? 0 : utf8_sequence(b + i, length - i);
        if (n > 0) {
            i += n;
            continue;
        }
        buffer_add(out, bytes + start, i - start);
        buffer_text(out, "\xef\xbf\xbd");
        start = ++i;
    }
    buffer_add(out, bytes + start, length - start);
}

void utf8_add_visible(struct buffer *out, const char *text)
{
    auto_buffer clean = {0};
    utf8_add(&clean, text, strlen(text));
    for (size_t i = 0; i < clean.length; i++) {
        const unsigned char *c = (const unsigned char *)clean.data + i;
        bool is_c1 = c[0] == 0xc2 && c[1] < 0xa0;
        if (*c == '\n')
            buffer_text(out, "\\n");
        else if (*c < 0x20 || *c == 0x7f || is_c1)
            buffer_format(out, "\\u%04x", is_c1 ? c[1] : c[0]);
        else
            buffer_add(out, c, 1);
        i += is_c1;
    }
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
