/*
 * A fixed-size error value: what failed, told once, with the places prefixed on the way up.
 *
 * A fallible function returns 0 or -1 and takes `struct error *err` last. The failing place sets, each caller may
 * wrap with which one; nobody logs and returns. No heap, so the error path can't fail; what is too long is cut
 * between two characters.
 */
#pragma once
#include <stdarg.h>

enum error_code {
    ERROR_NONE = 0,
    ERROR_CONFIG,    /* the user's input is wrong: option, spec map, command line */
    ERROR_SYSTEM,    /* the operating system refused: file, process, socket */
    ERROR_REFUSED,   /* a server isn't there or won't talk: wait and try again */
    ERROR_AUTH,      /* a server is there and our password is wrong: waiting won't help */
    ERROR_ELSEWHERE, /* a server is there and names another one, which has what we want */
    ERROR_PROTOCOL,  /* a reply or file isn't of the shape that it must have */
};

struct error {
    enum error_code code;
    char text[1024];
};

/* Each returns -1, so that a caller can `return error_set(...)`. */
int error_set(struct error *err, enum error_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "<what>: <strerror>" of ERROR_SYSTEM; `errnum` is a positive errno value. */
int error_errno(struct error *err, int errnum, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "<prefix>: " before the text. */
int error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
