/*
 * A program that is asked something: started once, before the loop runs, and waited for with a time limit.
 *
 * It is in a group of its own, so that what it starts can be killed with it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "shared/buffer.h"
#include "shared/error.h"

struct asking {
    const char *const *argv;   /* ends with NULL; argv[0] is looked up in PATH, and named in errors */
    char *const *env;          /* "NAME=value", all that it gets; ends with NULL */
    bool watches_us;           /* its standard input ends when we do; else it is /dev/null */
    int *line;                 /* set to our end of that, for what it leaves running; NULL: that ends too */
    uint64_t deadline_mono_ms; /* then it is killed */
    struct buffer *output;     /* appended: its standard output */
    struct buffer *complaint;  /* appended: its standard error */
};

/* 0, and `status` is as waitpid() tells it; or -1 with ERROR_SYSTEM: it isn't there, or was not done in time. */
int asking_run(const struct asking *asking, int *status, struct error *err);

/* Our environment without the variables of the given names (ends with NULL); freed with asking_free_environment(). */
char **asking_environment_without(const char *const *names);
void asking_free_environment(char **environment);
