/*
 * What the fuzzers have in common. Each is a file <what>_fuzz.c with libFuzzer's LLVMFuzzerTestOneInput(); a fact
 * that doesn't hold ends the process, and libFuzzer keeps the input.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/error.h"

/* libFuzzer calls it with any bytes. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define require(fact) ((fact) ? (void)0 : fuzz_broken(#fact, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *fact, const char *file, int line);

/* One line of UTF-8 that people can be shown as it is. */
bool fuzz_is_line(const char *text);

bool fuzz_is_utf8(const char *text);

/* A refusal of that kind: one line that says what was found, or isn't supported yet. */
void fuzz_require_refusal(const struct error *err, enum error_code code);

/* Strict JSON; the tree is deleted. */
void fuzz_require_json(const char *text, size_t length);

/* The input as a text, which ends where it has a NUL; for free(). No byte more is allocated. */
char *fuzz_text(const uint8_t *data, size_t size);

/*
 * The input cut at its NULs into texts, each in memory of its own. A text "\x01" stands for one that isn't there:
 * NULL. Fields beyond the last are NULL too.
 */
enum { FUZZ_FIELDS = 64 };
struct fuzz_fields {
    char *texts[FUZZ_FIELDS];
    size_t count;
};
void fuzz_fields_init(struct fuzz_fields *fields, const uint8_t *data, size_t size);
void fuzz_fields_close(struct fuzz_fields *fields);

/* Field `index`, or "" for one that isn't there. */
const char *fuzz_field(const struct fuzz_fields *fields, size_t index);
