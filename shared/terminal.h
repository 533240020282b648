/* What may be sent to a terminal: what it can do, and what the people before it want. */
#pragma once
#include <stdbool.h>

/* A terminal that knows escape sequences, by TERM. */
bool terminal_takes_escapes(int fd);

/* The same, and nobody has set NO_COLOR (https://no-color.org). */
bool terminal_takes_colours(int fd);

/* A server's log (CI is set) keeps every line, whatever it was made to look like. */
bool terminal_is_watched(int fd);
