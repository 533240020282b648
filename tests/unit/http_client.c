#include "http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "shared/memory.h"

enum { PATIENCE_MS = 10000 };

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct client *client = handle->data;
    *room = uv_buf_init(buffer_reserve(&client->received, suggested), (unsigned)suggested);
}

static void on_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *room)
{
    struct client *client = stream->data;
    (void)room;
    if (count > 0)
        buffer_added(&client->received, (size_t)count);
    else if (count < 0)
        client->is_ended = true;
}

static void on_connected(uv_connect_t *request, int status)
{
    struct client *client = request->data;
    free(request);
    client->is_connected = true;
    client->is_ended = status < 0;
    if (status == 0)
        uv_read_start((uv_stream_t *)&client->tcp, on_room, on_bytes);
}

static bool is_connected(void *data)
{
    return ((struct client *)data)->is_connected;
}

void client_open(struct client *client, uv_loop_t *loop, int port)
{
    client_open_from(client, loop, "127.0.0.1", port);
}

void client_open_from(struct client *client, uv_loop_t *loop, const char *from, int port)
{
    struct sockaddr_in address;
    uv_connect_t *request = memory_zeroed(1, sizeof(*request));
    *client = (struct client){.loop = loop};
    uv_tcp_init(loop, &client->tcp);
    uv_ip4_addr(from, 0, &address);
    assert_int_equal(uv_tcp_bind(&client->tcp, (struct sockaddr *)&address, 0), 0);
    uv_ip4_addr("127.0.0.1", port, &address);
    client->tcp.data = client;
    request->data = client;
    assert_int_equal(uv_tcp_connect(request, &client->tcp, (struct sockaddr *)&address, on_connected), 0);
    client_run(loop, is_connected, client);
}

static void on_sent(uv_write_t *request, int status)
{
    (void)status; /* a server that hangs up is seen by reading */
    free(request->data);
    free(request);
}

void client_send(struct client *client, const char *text)
{
    client_send_bytes(client, text, strlen(text));
}

void client_send_bytes(struct client *client, const char *bytes, size_t length)
{
    uv_write_t *request = memory_zeroed(1, sizeof(*request));
    char *copy = memory_text_n(bytes, length);
    uv_buf_t buffer = uv_buf_init(copy, (unsigned)length);
    request->data = copy;
    if (uv_write(request, (uv_stream_t *)&client->tcp, &buffer, 1, on_sent) < 0)
        on_sent(request, 0);
}

static void on_impatient(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

void client_run(uv_loop_t *loop, bool (*done)(void *data), void *data)
{
    bool is_late = false;
    uv_timer_t *timer = memory_zeroed(1, sizeof(*timer));
    uv_timer_init(loop, timer);
    timer->data = &is_late;
    uv_timer_start(timer, on_impatient, PATIENCE_MS, 0);
    uv_unref((uv_handle_t *)timer);
    bool is_done;
    while (!(is_done = done(data)) && !is_late)
        uv_run(loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)timer, on_timer_closed);
    if (!is_done)
        fail_msg("waited in vain");
}

static bool is_quiet(void *data)
{
    return !uv_loop_alive(data);
}

void client_run_out(uv_loop_t *loop)
{
    client_run(loop, is_quiet, loop);
    uv_run(loop, UV_RUN_DEFAULT); /* our own timer */
}

/* Where the body starts, NULL: the head isn't complete. */
static const char *body_start(const struct client *client)
{
    const char *end = client->received.data ? strstr(client->received.data, "\r\n\r\n") : NULL;
    return end ? end + 4 : NULL;
}

const char *client_field(const struct client *client, const char *name)
{
    static char value[1024];
    const char *end = body_start(client);
    for (const char *line = client->received.data; line && line < end; line = strstr(line, "\r\n")) {
        line += line[0] == '\r' ? 2 : 0;
        size_t length = strlen(name);
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        line += length + 1 + strspn(line + length + 1, " ");
        snprintf(value, sizeof(value), "%.*s", (int)strcspn(line, "\r"), line);
        return value;
    }
    return "";
}

/* Takes the chunks off. Returns whether the last one has come. */
static bool unchunk(struct client *client, const char *at, const char *end)
{
    for (;;) {
        char *digits_end;
        const char *line_end = memmem(at, (size_t)(end - at), "\r\n", 2);
        if (line_end == NULL)
            return false;
        size_t size = strtoul(at, &digits_end, 16);
        assert_ptr_equal(digits_end, line_end);
        at = line_end + 2;
        if (size == 0)
            return true;
        size_t come = (size_t)(end - at) < size ? (size_t)(end - at) : size;
        buffer_add(&client->body, at, come);
        if ((size_t)(end - at) < size + 2)
            return false;
        at += size + 2;
    }
}

static bool is_complete(struct client *client)
{
    const char *start = body_start(client);
    buffer_clear(&client->body);
    if (start == NULL)
        return false;
    const char *end = client->received.data + client->received.length;
    if (strcasecmp(client_field(client, "Transfer-Encoding"), "chunked") == 0)
        return unchunk(client, start, end);
    buffer_add(&client->body, start, (size_t)(end - start));
    const char *length = client_field(client, "Content-Length");
    return *length ? (size_t)(end - start) >= strtoul(length, NULL, 10) : client->is_ended;
}

const char *client_body(struct client *client)
{
    is_complete(client);
    return client->body.data ? client->body.data : "";
}

static bool has_response(void *data)
{
    struct client *client = data;
    return is_complete(client) || client->is_ended;
}

static bool has_head(void *data)
{
    struct client *client = data;
    return body_start(client) != NULL || client->is_ended;
}

int client_response(struct client *client, bool is_head)
{
    client_run(client->loop, has_head, client);
    const char *line = client->received.data ? client->received.data : "";
    int status = strncmp(line, "HTTP/1.1 ", 9) == 0 ? (int)strtol(line + 9, NULL, 10) : 0;
    if (!is_head && status != 304)
        client_run(client->loop, has_response, client);
    return status;
}

struct expected {
    struct client *client;
    const char *text;
};

static bool has_text(void *data)
{
    struct expected *expected = data;
    return strstr(client_body(expected->client), expected->text) != NULL;
}

void client_expect(struct client *client, const char *text)
{
    client_run(client->loop, has_text, &(struct expected){client, text});
}

static bool has_ended(void *data)
{
    return ((struct client *)data)->is_ended;
}

void client_expect_end(struct client *client)
{
    client_run(client->loop, has_ended, client);
}

void client_deafen(struct client *client)
{
    uv_read_stop((uv_stream_t *)&client->tcp);
}

void client_clear(struct client *client)
{
    buffer_clear(&client->received);
}

static void on_closed(uv_handle_t *handle)
{
    ((struct client *)handle->data)->is_closed = true;
}

static bool is_closed(void *data)
{
    return ((struct client *)data)->is_closed;
}

void client_close(struct client *client)
{
    uv_close((uv_handle_t *)&client->tcp, on_closed);
    client_run(client->loop, is_closed, client);
    buffer_close(&client->received);
    buffer_close(&client->body);
}
