#include "controller/http/http_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- host and origin */

struct authority {
    const char *host;
    size_t length;
    unsigned port; /* 0: not told */
};

static const char name_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
static const char v6_characters[] = "0123456789abcdefABCDEF:.";

/* The length of the name or address that the text starts with; 0: it doesn't. */
static size_t host_length(const char *text)
{
    if (*text != '[')
        return strspn(text, name_characters);
    size_t length = strspn(text + 1, v6_characters);
    return length >= 2 && text[1 + length] == ']' ? length + 2 : 0;
}

/* What the text starts with; *end is what follows. */
static bool take_authority(const char *text, struct authority *authority, const char **end)
{
    *authority = (struct authority){.host = text, .length = host_length(text)};
    *end = text + authority->length;
    if (authority->length == 0 || **end != ':')
        return authority->length > 0;
    size_t digits = strspn(*end + 1, "0123456789");
    unsigned long port = digits > 0 && digits <= 5 ? strtoul(*end + 1, NULL, 10) : 0;
    authority->port = (unsigned)port;
    *end += 1 + digits;
    return port >= 1 && port <= 65535;
}

/* "https://host:port" and what may follow; the port is the scheme's when it isn't told. */
static bool take_origin(const char *text, struct authority *authority, const char **end)
{
    static const struct {
        const char *text;
        unsigned port;
    } schemes[] = {{"http://", 80}, {"https://", 443}};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t length = strlen(schemes[i].text);
        if (strncasecmp(text, schemes[i].text, length) != 0)
            continue;
        bool is_taken = take_authority(text + length, authority, end);
        if (authority->port == 0)
            authority->port = schemes[i].port;
        return is_taken;
    }
    return false;
}

/* Host doesn't tell the scheme, and so takes the usual port from what it is compared with. */
static unsigned usual_port(const char *origin)
{
    return strncasecmp(origin, "https", 5) == 0 ? 443 : 80;
}

static bool is_same(const struct authority *a, const struct authority *b)
{
    return a->length == b->length && strncasecmp(a->host, b->host, a->length) == 0 && a->port == b->port;
}

bool http_guard_is_host(const char *host)
{
    struct authority authority;
    const char *end;
    return host != NULL && take_authority(host, &authority, &end) && *end == '\0';
}

bool http_guard_is_own_origin(const char *origin, const char *host, const char *url)
{
    struct authority from, to;
    const char *end;
    if (!take_origin(origin, &from, &end) || *end != '\0')
        return false;
    if (url != NULL && take_origin(url, &to, &end) && strchr("/?#", *end) != NULL && is_same(&from, &to))
        return true;
    if (!take_authority(host, &to, &end) || *end != '\0')
        return false;
    if (to.port == 0)
        to.port = usual_port(origin);
    return is_same(&from, &to);
}

/* ---- which names are ours */

enum { HOST_MAX = 253 }; /* of a name that DNS could know */

static bool is_loopback_v6(const struct in6_addr *address)
{
    bool is_v4 = IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127;
    return is_v4 || IN6_IS_ADDR_LOOPBACK(address);
}

bool http_guard_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return address->sa_family == AF_INET6 && is_loopback_v6(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* As browsers write it, who make 127.0.0.1 of 127.1 and 0x7f000001. */
static bool is_loopback_text(const char *text)
{
    struct in_addr v4;
    struct in6_addr v6;
    char inner[HOST_MAX + 1] = "";
    size_t length = strlen(text);
    if (*text != '[')
        return inet_pton(AF_INET, text, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
    memcpy(inner, text + 1, length - 2);
    return inet_pton(AF_INET6, inner, &v6) == 1 && is_loopback_v6(&v6);
}

/* No DNS answers for localhost and what is below it (RFC 6761, 6.3). */
static bool is_localhost(const char *name)
{
    static const char localhost[] = "localhost", below[] = ".localhost";
    size_t length = strlen(name), tail = strlen(below);
    return strcasecmp(name, localhost) == 0 || (length > tail && strcasecmp(name + length - tail, below) == 0);
}

/* Copies the host without its port and the dot that a full name may end with. false: no name is so long. */
static bool copy_host(const struct authority *authority, char name[HOST_MAX + 1])
{
    size_t length = authority->length;
    if (length > 1 && authority->host[length - 1] == '.')
        length--;
    if (length > HOST_MAX)
        return false;
    memcpy(name, authority->host, length);
    name[length] = '\0';
    return true;
}

static bool is_host_of_url(const char *name, const char *url)
{
    struct authority authority;
    char own[HOST_MAX + 1];
    const char *end;
    return take_origin(url, &authority, &end) && strchr("/?#", *end) != NULL && copy_host(&authority, own) &&
           strcasecmp(name, own) == 0;
}

bool http_guard_is_own_host(const char *host, const char *bind, const char *url)
{
    struct authority authority;
    char name[HOST_MAX + 1];
    const char *end;
    if (!take_authority(host, &authority, &end) || *end != '\0' || !copy_host(&authority, name))
        return false;
    return is_localhost(name) || is_loopback_text(name) || strcasecmp(name, bind) == 0 ||
           (url != NULL && is_host_of_url(name, url));
}

/* ---- the token */

int http_guard_set_token(struct http_token *token, const char *text, struct error *err)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return error_set(err, ERROR_CONFIG,
                             "FUNKYTOWN_TOKEN: byte %zu can't be sent in a header field; wanted printable ASCII "
                             "characters without a space or line end",
                             i + 1);
    if (length == 0 || length > HTTP_TOKEN_MAX)
        return error_set(err, ERROR_CONFIG, "FUNKYTOWN_TOKEN: found %zu characters, wanted 1 to %d", length,
                         HTTP_TOKEN_MAX);
    *token = (struct http_token){0};
    memcpy(token->bytes, text, length);
    return 0;
}

/*
 * Every byte of both is looked at, whichever differ first. Both are padded to one size, so that there is no length to
 * give away either.
 */
static bool is_same_token(const struct http_token *a, const struct http_token *b)
{
    volatile unsigned char difference = 0; /* volatile: no compiler may think of leaving early */
    for (size_t i = 0; i < HTTP_TOKEN_MAX; i++)
        difference = difference | (a->bytes[i] ^ b->bytes[i]);
    return difference == 0;
}

bool http_guard_has_token(const char *authorization, const struct http_token *token)
{
    static const char scheme[] = "Bearer ";
    struct http_token held = {0};
    if (authorization == NULL || strncasecmp(authorization, scheme, strlen(scheme)) != 0)
        return false;
    authorization += strlen(scheme);
    authorization += strspn(authorization, " ");
    size_t length = strlen(authorization);
    if (length == 0 || length > HTTP_TOKEN_MAX)
        return false;
    memcpy(held.bytes, authorization, length);
    return is_same_token(&held, token);
}
