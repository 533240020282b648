/*
 * Who may read, and who may write. Pure; a header field that isn't there is NULL.
 *
 * A browser sends requests for any page that asks it to. If the name of a page's site is made to lead to our address
 * after the page was loaded (DNS rebinding), the page can read what we answer. On loopback we know which names are
 * ours, and serve no others. Elsewhere (an image, behind an ingress) we can't know.
 *
 * A write must show three things:
 *
 *     token    nobody's browser adds it by itself, as it would a cookie: a page of another site can make a browser
 *              send a request here, under any name, but not one that holds the token
 *     origin   should such a page have got hold of the token, its requests still say where the page came from.
 *              Programs that aren't browsers send no origin
 *     host     what the origin is compared with: without one, and only one, the comparison would mean nothing
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "shared/error.h"

/* Host: a name or an address, and a port if any. */
bool http_guard_is_host(const char *host);

bool http_guard_is_loopback(const struct sockaddr *address);

/*
 * Whether Host is a name of who listens on loopback: localhost and names below it, an address of 127.0.0.0/8 or ::1
 * in its usual form, what was bound (`bind`, a name or address), or the host of `url` (NULL: none). The port says
 * nothing: a forwarded one is another, and who makes a name lead here chooses it.
 */
bool http_guard_is_own_host(const char *host, const char *bind, const char *url);

/*
 * Whether the Origin has the host and port of Host, or of `url` ("https://ci.example/funkytown"; NULL: none), where
 * people reach us when something in between changes Host. What has no port has the usual one of the scheme.
 */
bool http_guard_is_own_origin(const char *origin, const char *host, const char *url);

enum { HTTP_TOKEN_MAX = 256 };

/* Padded with zeros, which no header field can hold. */
struct http_token {
    unsigned char bytes[HTTP_TOKEN_MAX];
};

/* -1 with ERROR_CONFIG, which doesn't tell the token: it couldn't be sent in a header field, or is too long. */
int http_guard_set_token(struct http_token *token, const char *text, struct error *err);

/* Whether Authorization is "Bearer <token>". The time that this takes tells nothing of the token or its length. */
bool http_guard_has_token(const char *authorization, const struct http_token *token);
