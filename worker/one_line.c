#include "worker/one_line.h"

#include <stdbool.h>
#include <string.h>

#include "shared/utf8.h"

/* What follows an ESC (ECMA-48): a control sequence, a string (title, hyperlink), or a few bytes. */
static const char *skip_escape(const char *at)
{
    if (*at == '[') {
        at++;
        while (*at >= 0x20 && *at <= 0x3f)
            at++;
        return *at >= 0x40 && *at <= 0x7e ? at + 1 : at;
    }
    if (*at && strchr("]PX^_", *at)) {
        while (*at && *at != '\a' && *at != '\x1b')
            at++;
        if (*at == '\x1b' && at[1] == '\\')
            return at + 2;
        return *at == '\a' ? at + 1 : at;
    }
    while (*at >= 0x20 && *at <= 0x2f)
        at++;
    return *at >= 0x30 && *at <= 0x7e ? at + 1 : at;
}

/* U+0080 to U+009F */
static bool is_c1_control(const char *at)
{
    return at[0] == '\xc2' && (unsigned char)at[1] >= 0x80 && (unsigned char)at[1] <= 0x9f;
}

/* U+2028 and U+2029, which break lines */
static bool is_separator(const char *at)
{
    return at[0] == '\xe2' && at[1] == '\x80' && (at[2] == '\xa8' || at[2] == '\xa9');
}

void one_line_set(char *line, size_t size, const char *text)
{
    size_t used = 0;
    bool space = false;
    while (text && *text) {
        if (*text == '\x1b') {
            text = skip_escape(text + 1);
        } else if (is_c1_control(text)) {
            text += 2;
        } else if (is_separator(text)) {
            space = true;
            text += 3;
        } else if ((unsigned char)*text <= ' ' || *text == '\x7f') {
            space = space || strchr(" \t\n\v\f\r", *text);
            text++;
        } else {
            size_t length = utf8_sequence((const unsigned char *)text, strnlen(text, 4));
            bool gap = space && used > 0;
            if (length == 0 || used + gap + length >= size)
                break;
            if (gap)
                line[used++] = ' ';
            memcpy(line + used, text, length);
            used += length;
            text += length;
            space = false;
        }
    }
    line[used] = '\0';
}
