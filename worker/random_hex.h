/* Names that nobody else can have: of a process, of a claim. */
#pragma once
#include <stddef.h>

/* `digits` random hex digits, an even number of at most 64, and a zero behind them. */
void random_hex(char *text, size_t digits);
