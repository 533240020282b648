/*
 * What the library lets through is looked at once more: what stands between a client and us must not be able to read
 * it in another way than we do, and a name that isn't ours must not reach a route. It knows no route and no content.
 */
#include "controller/http/http_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "controller/http/http_fields.h"
#include "controller/http/http_guard.h"
#include "controller/http/http_reply.h"
#include "controller/http/reporter_private.h"
#include "shared/memory.h"

/* So much more than may be is read to its end, so that the client sees the answer. */
enum { BODY_SPARE_BYTES = 960 * 1024 };

#define BODY_TOO_LARGE "a body has at most %zu bytes"

struct http_request *http_request_new(struct reporter *reporter, struct MHD_Connection *connection, const char *uri)
{
    struct http_request *request = memory_zeroed(1, sizeof(*request));
    request->reporter = reporter;
    request->connection = connection;
    reporter->request_count++;
    if (uri == NULL || strlen(uri) > HTTP_URI_MAX)
        request->refusal = uri ? MHD_HTTP_URI_TOO_LONG : MHD_HTTP_BAD_REQUEST;
    else if (!http_target_parse(&request->target, uri))
        request->refusal = MHD_HTTP_BAD_REQUEST;
    return request;
}

void http_request_free(struct http_request *request)
{
    request->reporter->request_count--;
    if (request->answer)
        MHD_destroy_response(request->answer);
    http_target_close(&request->target);
    buffer_close(&request->body);
    free(request);
}

/* ---- header fields */

const char *http_request_field(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct field_count {
    const char *name;
    int count;
};

static enum MHD_Result count_field(void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct field_count *count = data;
    (void)kind;
    (void)value;
    count->count += strcasecmp(name, count->name) == 0;
    return MHD_YES;
}

int http_request_field_count(const struct http_request *request, const char *name)
{
    struct field_count count = {.name = name};
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, count_field, &count);
    return count.count;
}

static enum MHD_Result find_malformed(void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
    const char **malformed = data;
    (void)kind;
    if (!http_fields_is_name(name))
        *malformed = "the name of a header field has a character that no name can have";
    else if (value != NULL && !http_fields_is_on_one_line(name, value))
        *malformed = "a header field goes over several lines";
    return *malformed ? MHD_NO : MHD_YES;
}

/* ---- refusals at first sight */

/*
 * Whatever stands between a client and us may see another end of this request than the library does, and take the
 * rest for a request of somebody else (RFC 9112, 11.2). NULL: there are no two ways to read it.
 */
static const char *find_ambiguity(const struct http_request *request, const char *version)
{
    int lengths = http_request_field_count(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int codings = http_request_field_count(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    const char *malformed = NULL;
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, find_malformed, &malformed);
    if (malformed != NULL)
        return malformed;
    if (lengths + codings > 1)
        return "the length of the body is given twice";
    return codings > 0 && strcmp(version, MHD_HTTP_VERSION_1_1) != 0 ? "Transfer-Encoding needs HTTP/1.1" : NULL;
}

/* The connection ends with it: where the next request would start isn't known, or isn't to be waited for. */
static void refuse(struct http_request *request, unsigned status, struct MHD_Response *problem)
{
    http_response_field(problem, MHD_HTTP_HEADER_CONNECTION, "close");
    http_reply(request, status, problem);
}
#define REFUSE(request, status, ...) refuse(request, status, http_response_problem(status, __VA_ARGS__))

/* Refuses who came by a name that isn't ours. No browser leaves the Host out, or sends two. */
static bool is_refused_by_host(struct http_request *request)
{
    const struct reporter *reporter = request->reporter;
    const char *told = request->target.authority;
    const char *host = told ? told : http_request_field(request, MHD_HTTP_HEADER_HOST);
    if (!reporter->is_loopback || host == NULL)
        return false;
    if (http_request_field_count(request, MHD_HTTP_HEADER_HOST) > 1 || !http_guard_is_host(host))
        REFUSE(request, MHD_HTTP_BAD_REQUEST, HTTP_BAD_HOST, host);
    else if (!http_guard_is_own_host(host, reporter->bind, reporter->url))
        REFUSE(request, MHD_HTTP_MISDIRECTED_REQUEST,
               "Host: found %s, wanted localhost, 127.0.0.1 or the name in FUNKYTOWN_URL (http://name)", host);
    else
        return false;
    return true;
}

bool http_request_begin(struct http_request *request, const char *method, const char *version)
{
    size_t headers =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    const char *coding = http_request_field(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    const char *ambiguity = find_ambiguity(request, version);
    request->has_headers = true;
    request->is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    request->method = request->is_head ? MHD_HTTP_METHOD_GET : method;
    if (request->refusal == MHD_HTTP_URI_TOO_LONG)
        REFUSE(request, MHD_HTTP_URI_TOO_LONG, "an address has at most %d bytes", HTTP_URI_MAX);
    else if (request->refusal != 0)
        REFUSE(request, request->refusal, "the address is malformed");
    else if (headers > HTTP_HEADER_MAX)
        REFUSE(request, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "a header has at most %d bytes", HTTP_HEADER_MAX);
    else if (ambiguity)
        REFUSE(request, MHD_HTTP_BAD_REQUEST, "%s", ambiguity);
    else if (is_refused_by_host(request))
        return false;
    else if (coding && strcasecmp(coding, "chunked") != 0)
        REFUSE(request, MHD_HTTP_NOT_IMPLEMENTED, "chunked is the only transfer coding that is understood");
    else
        return true;
    return false;
}

/* ---- the body */

void http_request_expect_body(struct http_request *request, size_t body_max, bool is_kept)
{
    const char *length = http_request_field(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    request->body_max = body_max;
    request->keeps_body = is_kept;
    if (length && strtoull(length, NULL, 10) > body_max)
        REFUSE(request, MHD_HTTP_CONTENT_TOO_LARGE, BODY_TOO_LARGE, body_max);
}

bool http_request_add_body(struct http_request *request, const char *bytes, size_t length)
{
    request->body_bytes += length;
    if (request->keeps_body && request->body_bytes <= request->body_max)
        buffer_add(&request->body, bytes, length);
    return request->body_bytes <= request->body_max + BODY_SPARE_BYTES;
}

const char *http_request_body(const struct http_request *request)
{
    return request->body.data ? request->body.data : "";
}

bool http_request_end_body(struct http_request *request)
{
    if (request->body_bytes <= request->body_max)
        return true;
    http_reply_problem(request, MHD_HTTP_CONTENT_TOO_LARGE, BODY_TOO_LARGE, request->body_max);
    return false;
}
