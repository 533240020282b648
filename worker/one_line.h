/*
 * What a spec said, made fit to be shown in one line of a log, a terminal or a page: it may hold any bytes, and a
 * terminal would obey some of them. Pure.
 */
#pragma once
#include <stddef.h>

/*
 * Fills `line`, at most `size` bytes with the zero: no escape sequences, no control characters, runs of spaces as
 * one; cut between characters, and where the text is no UTF-8 any more. NULL: "".
 */
void one_line_set(char *line, size_t size, const char *text);
