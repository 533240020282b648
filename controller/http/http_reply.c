#include "controller/http/http_reply.h"

#include <stdarg.h>

#include "controller/http/http_request.h"
#include "controller/http/reporter_private.h"

void http_reply_shared(struct http_request *request, unsigned status, struct MHD_Response *response)
{
    request->reporter->replies[status / 100]++;
    MHD_queue_response(request->connection, status, response);
}

void http_reply(struct http_request *request, unsigned status, struct MHD_Response *response)
{
    if (!request->is_asleep) {
        http_reply_shared(request, status, response);
        MHD_destroy_response(response);
        return;
    }
    request->answer = response;
    request->answer_status = status;
    request->is_asleep = false;
    http_peers_wake(&request->reporter->peers, request->connection);
}

void http_reply_text(struct http_request *request, unsigned status, const char *text)
{
    auto_buffer line = {0};
    buffer_text(&line, text);
    buffer_text(&line, "\n");
    http_reply(request, status, http_response_take(&line, HTTP_TEXT, "no-store", HTTP_POLICY_DATA));
}

void http_reply_json(struct http_request *request, struct buffer *json)
{
    http_reply(request, MHD_HTTP_OK, http_response_take(json, HTTP_JSON, "no-store", HTTP_POLICY_DATA));
}

void http_reply_problem(struct http_request *request, unsigned status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct MHD_Response *response = http_response_problem_of(status, format, args);
    va_end(args);
    http_reply(request, status, response);
}
