#include "shared/json_writer.h"

#include <stdbool.h>
#include <string.h>

/* Whether the byte may not stand for itself. E2 starts U+2028 and U+2029, and much else. */
static bool is_special(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\' || byte == 0xe2;
}

/* Appends what stands for the special byte at `at`, and returns how many bytes of the text that was. */
static size_t add_special(struct buffer *out, const unsigned char *at)
{
    static const char digits[] = "0123456789abcdef";
    static const char letters[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    unsigned char byte = *at;
    if (byte == 0xe2) {
        /* Line ends in JavaScript, so that the text may stand in a script as well. */
        bool line_end = at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9);
        if (!line_end) {
            buffer_add(out, at, 1);
            return 1;
        }
        buffer_text(out, at[2] == 0xa8 ? "\\u2028" : "\\u2029");
        return 3;
    }
    if (byte >= 0x20)
        buffer_add(out, (const char[]){'\\', (char)byte}, 2);
    else if (letters[byte])
        buffer_add(out, (const char[]){'\\', letters[byte]}, 2);
    else
        buffer_add(out, (const char[]){'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]}, 6);
    return 1;
}

void json_add_text(struct buffer *out, const char *text)
{
    if (text == NULL) {
        buffer_add(out, "null", 4);
        return;
    }
    buffer_add(out, "\"", 1);
    const unsigned char *at = (const unsigned char *)text;
    for (;;) {
        const unsigned char *plain = at;
        while (*at != '\0' && !is_special(*at))
            at++;
        buffer_add(out, plain, (size_t)(at - plain));
        if (*at == '\0')
            break;
        at += add_special(out, at);
    }
    buffer_add(out, "\"", 1);
}

void json_add_uint(struct buffer *out, uint64_t number)
{
    char digits[20];
    size_t first = sizeof(digits);
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buffer_add(out, digits + first, sizeof(digits) - first);
}

void json_add_int(struct buffer *out, int64_t number)
{
    if (number < 0)
        buffer_add(out, "-", 1);
    json_add_uint(out, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void json_add_seconds(struct buffer *out, uint64_t ms)
{
    unsigned rest = (unsigned)(ms % 1000);
    json_add_uint(out, ms / 1000);
    buffer_add(
        out, (const char[]){'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10)}, 4);
}

void json_add_item(struct buffer *out)
{
    char last = out->length > 0 ? out->data[out->length - 1] : '[';
    if (last != '[' && last != '{')
        buffer_add(out, ",", 1);
}

void json_add_key(struct buffer *out, const char *name)
{
    json_add_item(out);
    buffer_add(out, "\"", 1);
    buffer_text(out, name);
    buffer_add(out, "\":", 2);
}
