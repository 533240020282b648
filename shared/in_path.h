/* Whether a program of that name is in PATH, for whoever would start it by its name alone. */
#pragma once
#include <stdbool.h>

bool in_path(const char *program);
