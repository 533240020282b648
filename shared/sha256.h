/*
 * SHA-256 (FIPS 180-4): names contents so that two of them never share a name by accident.
 *
 * Our own sixty lines, held against the standard's examples, since no library that we need anyway has one that it
 * shows, and a program that must also work without git can't ask git.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
};

enum { SHA256_HEX_SIZE = 65 };

void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t length);
void sha256_text(struct sha256 *sha, const char *text); /* with the zero at its end */

/* Ends it: the digest in hex. */
void sha256_hex(struct sha256 *sha, char hex[SHA256_HEX_SIZE]);
