/*
 * Allocation that doesn't fail, and cleanup attributes.
 *
 * Out of memory ends the process with one line: the state that matters is in Redis, a restart resumes it, and a path
 * that nobody ever ran is worse than none.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

void *memory_zeroed(size_t count, size_t size);            /* owned by the caller, free() */
void *memory_resize(void *old, size_t count, size_t size); /* as reallocarray() */
char *memory_text(const char *text);                       /* as strdup(); NULL stays NULL */
char *memory_text_n(const char *text, size_t length);      /* zero-terminated copy of `length` bytes */
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copies a text into a fixed array, cut to fit between two UTF-8 sequences; whether all of it fitted. */
bool memory_copy_text(char *array, size_t size, const char *text);

/* Frees what a local points to when it goes out of scope. */
#define auto_free __attribute__((cleanup(memory_cleanup_free)))
/* Closes a descriptor when it goes out of scope, if it is not negative. */
#define auto_close __attribute__((cleanup(memory_cleanup_close)))

void memory_cleanup_free(void *pointer_to_pointer);
void memory_cleanup_close(int *fd);

/* Hands an owned pointer out of a cleanup local: `return take(p)`. */
#define take(p)                                                                                                      \
    __extension__({                                                                                                  \
        __typeof__(p) taken_ = (p);                                                                                  \
        (p) = NULL;                                                                                                  \
        taken_;                                                                                                      \
    })
