/* HTTP clients for tests, on the loop that the server under test runs on: raw bytes out, raw bytes in. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "shared/buffer.h"

struct client {
    uv_loop_t *loop;
    uv_tcp_t tcp;
    struct buffer received; /* as it came */
    struct buffer body;     /* client_body(): without head and chunk sizes */
    bool is_connected, is_ended, is_closed;
};

/* Connects; what follows waits for it. `client` is in place and stays until client_close(). */
void client_open(struct client *client, uv_loop_t *loop, int port);

/* The same from another address of this machine (127.0.0.2). */
void client_open_from(struct client *client, uv_loop_t *loop, const char *address, int port);

void client_send(struct client *client, const char *text);
void client_send_bytes(struct client *client, const char *bytes, size_t length);

/* Runs the loop until `done` says so, and fails the test when that takes ten seconds. */
void client_run(uv_loop_t *loop, bool (*done)(void *data), void *data);

/* Runs it until nothing is left to wait for; a test that failed may have left its client. */
void client_run_out(uv_loop_t *loop);

/* Waits for the end of a response (to HEAD: of its head) and returns its status. */
int client_response(struct client *client, bool is_head);

/* What has come of the body until now. */
const char *client_body(struct client *client);

/* The value of a header field of the response, "" if it isn't there. Valid until the next call. */
const char *client_field(const struct client *client, const char *name);

/* Waits until the body contains the text. */
void client_expect(struct client *client, const char *text);

/* Waits until the server closes the connection. */
void client_expect_end(struct client *client);

/* Takes nothing in any more. */
void client_deafen(struct client *client);

/* Forgets the response, for the next one on the same connection. */
void client_clear(struct client *client);

/* Closes and waits for that. */
void client_close(struct client *client);
