/* What the bodies of writes say. Pure. Refusals are ERROR_CONFIG and name the place. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/error.h"

/* {"status":["failed","error"],"expected_count":3} */
struct http_rerun {
    unsigned states; /* bit set of enum board_state, of those that a task can be run again from; never empty */
    bool has_count;
    size_t expected_count;
};

int http_body_parse_rerun(struct http_rerun *rerun, const char *bytes, size_t length, struct error *err);

/* Nothing, or {}. */
int http_body_parse_empty(const char *bytes, size_t length, struct error *err);
