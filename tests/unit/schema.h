/*
 * As much of JSON Schema (draft 7) as specs/spec_context_map.schema.json uses; a keyword that isn't known here fails
 * the test, so that none is passed over in silence. Patterns must mean the same as POSIX extended expressions.
 */
#pragma once
#include <stdbool.h>

struct cJSON;

/* `root` is the whole schema, where "#/definitions/…" leads. */
bool schema_accepts(const struct cJSON *root, const struct cJSON *schema, const struct cJSON *value);
