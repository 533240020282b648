#include "shared/error.h"

#include <stdio.h>
#include <string.h>

#include "shared/utf8.h"

/* What was cut within a sequence ends before it. */
static void end_with_a_character(char *text, size_t size)
{
    size_t length = strlen(text), tail = 0;
    while (tail < 3 && tail < length && ((unsigned char)text[length - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (length + 1 < size || tail == length)
        return;
    char *last = text + length - 1 - tail;
    if (utf8_sequence((const unsigned char *)last, tail + 1) == 0)
        *last = '\0';
}

static void append(char *text, size_t size, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s", more);
    end_with_a_character(text, size);
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->code = code;
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    end_with_a_character(err->text, sizeof(err->text));
    return -1;
}

int error_errno(struct error *err, int errnum, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->code = ERROR_SYSTEM;
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    append(err->text, sizeof(err->text), ": ");
    append(err->text, sizeof(err->text), strerror(errnum));
    return -1;
}

int error_wrap(struct error *err, const char *format, ...)
{
    char inner[sizeof(err->text)];
    memcpy(inner, err->text, sizeof(inner));
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    append(err->text, sizeof(err->text), ": ");
    append(err->text, sizeof(err->text), inner);
    return -1;
}
