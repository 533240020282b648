#include "controller/http/http_response.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/json_writer.h"
#include "shared/utf8.h"

void http_response_field(struct MHD_Response *response, const char *name, const char *value)
{
    enum MHD_Result added = MHD_add_response_header(response, name, value);
    assert(added == MHD_YES);
    (void)added;
}

static void dress(struct MHD_Response *response, const char *type, const char *cache, const char *policy)
{
    if (type != NULL)
        http_response_field(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    http_response_field(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache);
    http_response_field(response, "Content-Security-Policy", policy);
    http_response_field(response, "X-Content-Type-Options", "nosniff");
    http_response_field(response, "Referrer-Policy", "no-referrer");
}

static struct MHD_Response *make(const void *bytes, size_t length, enum MHD_ResponseMemoryMode mode, const char *type,
                                 const char *cache, const char *policy)
{
    /* The library doesn't write to what it was told to keep or to copy. */
    struct MHD_Response *response = MHD_create_response_from_buffer(length, (void *)(uintptr_t)bytes, mode);
    assert(response != NULL);
    dress(response, type, cache, policy);
    return response;
}

struct MHD_Response *http_response_copy(const void *bytes, size_t length, const char *type, const char *cache,
                                        const char *policy)
{
    return make(bytes, length, MHD_RESPMEM_MUST_COPY, type, cache, policy);
}

struct MHD_Response *http_response_static(const void *bytes, size_t length, const char *type, const char *cache,
                                          const char *policy)
{
    return make(bytes, length, MHD_RESPMEM_PERSISTENT, type, cache, policy);
}

struct MHD_Response *http_response_take(struct buffer *bytes, const char *type, const char *cache, const char *policy)
{
    size_t length = bytes->length;
    return make(buffer_take(bytes), length, MHD_RESPMEM_MUST_FREE, type, cache, policy);
}

struct MHD_Response *http_response_stream(ssize_t (*read)(void *data, uint64_t position, char *room, size_t size),
                                          void *data, void (*gone)(void *data), const char *type, const char *cache,
                                          const char *policy)
{
    enum { BLOCK_BYTES = 4096 };
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read, data, gone);
    assert(response != NULL);
    dress(response, type, cache, policy);
    return response;
}

struct MHD_Response *http_response_problem_of(unsigned status, const char *format, va_list args)
{
    enum { DETAIL_MAX = 500 };
    char detail[2 * DETAIL_MAX];
    auto_buffer json = {0}, clean = {0};
    vsnprintf(detail, sizeof(detail), format, args);
    /* What a client's header fields hold may be anything. */
    buffer_add_utf8(&clean, detail, utf8_cut(detail, strlen(detail), DETAIL_MAX));
    buffer_text(&json, "{\"type\":\"about:blank\"");
    json_add_key(&json, "title");
    json_add_text(&json, MHD_get_reason_phrase_for(status));
    json_add_key(&json, "status");
    json_add_uint(&json, status);
    json_add_key(&json, "detail");
    json_add_text(&json, clean.data);
    buffer_text(&json, "}\n");
    return http_response_take(&json, "application/problem+json", "no-store", HTTP_POLICY_DATA);
}

struct MHD_Response *http_response_problem(unsigned status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct MHD_Response *response = http_response_problem_of(status, format, args);
    va_end(args);
    return response;
}
