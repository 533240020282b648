/* A run's own summary is passed on as it is; all other texts are made into what JSON can bear. */
#include "controller/replaced_run.h"

#include <stdlib.h>
#include <string.h>

#include "controller/source.h"
#include "shared/clock.h"
#include "shared/json_writer.h"

const char *const replaced_run_fields[OLD_FIELDS] = {"id",     "total",      "summary",   "source",
                                                     "branch", "source_url", "started_ms"};

static void add_named_text(struct buffer *out, const char *name, const char *text)
{
    auto_buffer clean = {0};
    json_add_key(out, name);
    if (text)
        buffer_add_utf8(&clean, text, strlen(text));
    json_add_text(out, text && *text ? clean.data : NULL);
}

/* A run that was not finished has no summary of its own. */
static void add_unfinished_summary(struct buffer *out, const char *const old[OLD_FIELDS])
{
    char started[40];
    long long started_ms = old[OLD_STARTED] ? strtoll(old[OLD_STARTED], NULL, 10) : 0;
    clock_format_utc(started_ms, started, sizeof(started));
    buffer_text(out, "{");
    add_named_text(out, "run_id", old[OLD_ID] ? old[OLD_ID] : "?");
    add_named_text(out, "state", "cancelled");
    add_named_text(out, "verdict", "cancelled");
    json_add_key(out, "source");
    if (old[OLD_SOURCE] && *old[OLD_SOURCE]) {
        buffer_text(out, "{");
        add_named_text(out, "id", old[OLD_SOURCE]);
        add_named_text(out, "branch", old[OLD_BRANCH]);
        add_named_text(out, "url", old[OLD_URL] && source_is_link(old[OLD_URL]) ? old[OLD_URL] : NULL);
        buffer_text(out, "}");
    } else {
        json_add_text(out, NULL);
    }
    json_add_key(out, "counts");
    buffer_text(out, "{");
    json_add_key(out, "total");
    json_add_uint(out, old[OLD_TOTAL] ? strtoull(old[OLD_TOTAL], NULL, 10) : 0);
    buffer_text(out, "}");
    add_named_text(out, "started_at", started_ms > 0 ? started : NULL);
    buffer_text(out, "}");
}

void replaced_run_add_summary(struct buffer *out, const char *const old[OLD_FIELDS])
{
    if (old[OLD_SUMMARY])
        buffer_text(out, old[OLD_SUMMARY]);
    else
        add_unfinished_summary(out, old);
}
