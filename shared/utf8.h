/* Untrusted bytes made into valid UTF-8 (RFC 3629), so that JSON, terminals and pages can take them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the valid sequence at the start of `bytes` (1 to 4), or 0 if there is none. */
size_t utf8_sequence(const unsigned char *bytes, size_t length);

/*
 * Length of the sequence at the start if people can be shown it as it is; 0: none, or one that breaks a line, steers
 * a terminal or turns the direction of the text around it. `*code`: its code point; 0: there is no valid sequence.
 */
size_t utf8_printable(const unsigned char *bytes, size_t length, uint32_t *code);

bool utf8_is_valid(const char *bytes, size_t length);

/* The longest prefix of at most `limit` bytes that doesn't end within a sequence. */
size_t utf8_cut(const char *text, size_t length, size_t limit);
