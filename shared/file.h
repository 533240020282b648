/* Whole files. */
#pragma once
#include <stddef.h>

#include "shared/error.h"

/* The bytes, with a zero after them; the caller frees. NULL with err: "<path>: <why>". At most 256 MiB. */
char *file_read(const char *path, size_t *length, struct error *err);
