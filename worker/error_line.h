/*
 * The line that says why a program gave up, in what it printed. For a runner that ended before its reporter could
 * speak there is nothing else to show. Pure.
 */
#pragma once
#include <stddef.h>

/*
 * Fills `line` as one_line_set() does with the last line that looks like an error; without one, with the last line
 * that isn't blank. Places of a stack are no such lines. "": there is none.
 */
void error_line_find(char *line, size_t size, const char *output);
