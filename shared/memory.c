#include "shared/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/utf8.h"

static void *checked(void *p)
{
    if (p == NULL) {
        fputs("funkytown: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *memory_zeroed(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1));
}

void *memory_resize(void *old, size_t count, size_t size)
{
    return checked(reallocarray(old, count ? count : 1, size));
}

char *memory_text(const char *text)
{
    return text ? checked(strdup(text)) : NULL;
}

char *memory_text_n(const char *text, size_t length)
{
    char *copy = checked(malloc(length + 1));
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *memory_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    return checked(length < 0 ? NULL : text);
}

bool memory_copy_text(char *array, size_t size, const char *text)
{
    size_t length = strlen(text), fitting = utf8_cut(text, length, size - 1);
    memcpy(array, text, fitting);
    array[fitting] = '\0';
    return fitting == length;
}

void memory_cleanup_free(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

void memory_cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
