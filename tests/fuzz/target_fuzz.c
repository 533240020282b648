/*
 * An HTTP request's address of any bytes: what is decoded is UTF-8 within the target's own storage, each of its parts
 * ends there, and written again, escaped in full, it is the same address.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/http/http_target.h"
#include "shared/buffer.h"
#include "shared/memory.h"
#include "tests/fuzz/fuzz.h"

/* Those of the controller's routes that take something apart. */
static const char *const patterns[] = {
    "/",
    "/results",
    "/assets/{file*}",
    "/api/v1/runs/{run}",
    "/api/v1/runs/{run}/tasks",
    "/api/v1/runs/{run}/tasks/{key}",
    "/api/v1/runs/{run}/tasks/{key}/attempts/{n}/log",
};

static void require_within(const struct http_target *target, const char *text, size_t size)
{
    require(text >= target->storage && text < target->storage + size);
    require(strnlen(text, size) < (size_t)(target->storage + size - text));
    require(fuzz_is_utf8(text));
}

static void require_parts(const struct http_target *target, size_t size)
{
    require(target->segment_count >= 1 && target->segment_count <= HTTP_SEGMENTS);
    require(target->query_count <= HTTP_QUERIES);
    if (target->authority) {
        require_within(target, target->authority, size);
        require(strpbrk(target->authority, "/?") == NULL);
    }
    for (size_t i = 0; i < target->segment_count; i++)
        require_within(target, target->segments[i], size);
    for (size_t i = 0; i < target->query_count; i++) {
        require_within(target, target->queries[i].name, size);
        if (target->queries[i].value[0] != '\0')
            require_within(target, target->queries[i].value, size);
    }
}

/* It would end a text before its end. */
static void require_no_nul(const char *uri)
{
    static const char scheme[] = "http://";
    const char *path = uri;
    if (strncmp(uri, scheme, strlen(scheme)) == 0)
        path += strlen(scheme) + strcspn(uri + strlen(scheme), "/?");
    require(strstr(path, "%00") == NULL);
}

static void require_look_up(const struct http_target *target)
{
    static const char allowed[] = "status q sort limit cursor since";
    const char *stranger = http_target_stranger(target, allowed);
    for (size_t i = 0; i < target->query_count; i++) {
        const char *name = target->queries[i].name;
        size_t first = 0;
        while (strcmp(target->queries[first].name, name) != 0)
            first++;
        require(http_target_query(target, name) == target->queries[first].value);
        bool is_known = false;
        for (const char *word = allowed; word != NULL; word = strchr(word, ' ')) {
            word += *word == ' ';
            is_known = is_known || (strlen(name) == strcspn(word, " ") && strncmp(name, word, strlen(name)) == 0);
        }
        require(is_known || stranger != NULL);
        if (stranger == name) {
            require(!is_known);
            return;
        }
        require(is_known);
    }
    require(stranger == NULL && http_target_query(target, "\xff") == NULL);
}

static void require_routes(const struct http_target *target)
{
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        const char *arguments[HTTP_ARGUMENTS] = {0};
        if (!http_target_matches(target, patterns[i], arguments))
            continue;
        size_t at = 0;
        for (size_t taken = 0; taken < HTTP_ARGUMENTS && arguments[taken]; taken++) {
            while (at < target->segment_count && target->segments[at] != arguments[taken])
                at++;
            require(at < target->segment_count && arguments[taken][0] != '\0');
        }
    }
}

static void add_escaped(struct buffer *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        buffer_format(out, "%%%02x", (unsigned char)*p);
}

static void require_same(const struct http_target *target)
{
    auto_buffer uri = {0};
    struct http_target again;
    for (size_t i = 0; i < target->segment_count; i++) {
        buffer_text(&uri, "/");
        add_escaped(&uri, target->segments[i]);
    }
    for (size_t i = 0; i < target->query_count; i++) {
        buffer_text(&uri, i > 0 ? "&" : "?");
        add_escaped(&uri, target->queries[i].name);
        buffer_text(&uri, "=");
        add_escaped(&uri, target->queries[i].value);
    }
    require(http_target_parse(&again, uri.data));
    require(again.segment_count == target->segment_count && again.query_count == target->query_count);
    for (size_t i = 0; i < target->segment_count; i++)
        require(strcmp(again.segments[i], target->segments[i]) == 0);
    for (size_t i = 0; i < target->query_count; i++)
        require(strcmp(again.queries[i].name, target->queries[i].name) == 0 &&
                strcmp(again.queries[i].value, target->queries[i].value) == 0);
    http_target_close(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_target target;
    auto_free char *uri = fuzz_text(data, size);
    if (http_target_parse(&target, uri)) {
        require_parts(&target, strlen(uri) + 1);
        require_no_nul(uri);
        require_look_up(&target);
        require_routes(&target);
        require_same(&target);
    }
    http_target_close(&target);
    return 0;
}
