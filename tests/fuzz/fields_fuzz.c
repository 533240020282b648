/*
 * A client's header fields of any bytes: ranges stay within what there is, only our own origin is ours, and only who
 * shows the whole token has it.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "controller/http/http_fields.h"
#include "controller/http/http_guard.h"
#include "shared/memory.h"
#include "tests/fuzz/fuzz.h"

/* In this order in the input. */
enum { ACCEPT, ENCODING, TYPE, IF_NONE_MATCH, TAG, RANGE, HOST, ORIGIN, URL, AUTHORIZATION, TOKEN, NAME };

static void require_range(const char *range)
{
    static const uint64_t sizes[] = {0, 1, 2, 1000, UINT64_C(1) << 40, UINT64_MAX};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint64_t first = 1, last = 0;
        enum http_range kind = http_fields_range(range, sizes[i], &first, &last);
        require(range != NULL || kind == HTTP_RANGE_WHOLE);
        require(kind != HTTP_RANGE_PART || (first <= last && last < sizes[i]));
        require(kind == HTTP_RANGE_WHOLE || strncasecmp(range, "bytes=", 6) == 0);
    }
}

static void require_negotiation(const struct fuzz_fields *f)
{
    const char *accept = f->texts[ACCEPT], *encoding = f->texts[ENCODING], *type = f->texts[TYPE];
    const char *match = f->texts[IF_NONE_MATCH], *tag = fuzz_field(f, TAG);
    if (http_fields_prefer_json(accept))
        require(accept && (strcasestr(accept, "application/") || strstr(accept, "*/*")));
    if (http_fields_take_gzip(encoding))
        require(encoding && (strcasestr(encoding, "gzip") || strchr(encoding, '*')));
    if (http_fields_is_json(type))
        require(type && strncasecmp(type, "application/json", 16) == 0);
    if (http_fields_have_tag(match, tag))
        require(match && (strstr(match, tag) || strchr(match, '*')));
    if (f->texts[NAME] && http_fields_is_name(f->texts[NAME]))
        require(f->texts[NAME][0] != '\0' && strpbrk(f->texts[NAME], " \t\r\n:;,\"()<>@/[]?={}\\") == NULL);
}

/* A second opinion: the authority of an origin or host, without the port that its scheme has anyway. */
static char *plain_authority(const char *text, unsigned usual)
{
    const char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');
    if (colon == NULL || (bracket && colon < bracket))
        return memory_format("%s:%u", text, usual);
    return memory_format("%.*s:%lu", (int)(colon - text), text, strtoul(colon + 1, NULL, 10));
}

static void require_origin(const char *origin, const char *host, const char *url)
{
    auto_free char *own = memory_format("http://%s", host), *foreign = memory_format("http://%s.evil", host);
    bool is_host = http_guard_is_host(host);
    require(http_guard_is_own_origin(own, host, NULL) == is_host);
    require(!http_guard_is_own_origin(foreign, host, NULL));
    bool is_own = http_guard_is_own_origin(origin, host, NULL);
    if (is_own) {
        bool is_secure = strncasecmp(origin, "https://", 8) == 0;
        require(is_secure || strncasecmp(origin, "http://", 7) == 0);
        unsigned usual = is_secure ? 443 : 80;
        auto_free char *from = plain_authority(origin + (is_secure ? 8 : 7), usual),
                       *to = plain_authority(host, usual);
        require(is_host && strcasecmp(from, to) == 0);
    }
    if (url && http_guard_is_own_origin(origin, host, url) && !is_own)
        require(strncasecmp(url, origin, strcspn(origin, ":")) == 0 || strchr(url, ':') != NULL);
}

/* Whatever is ours beside the url is so by its name or its address, and a name of ours with more behind it isn't. */
static void require_own_host(const char *host, const char *url)
{
    bool is_own = http_guard_is_own_host(host, "127.0.0.1", NULL);
    auto_free char *foreign = memory_format("%s.evil", host), *bound = memory_format("http://%s/", host);
    require(!is_own || http_guard_is_host(host));
    require(!is_own || strcasestr(host, "localhost") || strstr(host, "127.") || host[0] == '[');
    require(http_guard_is_own_host(foreign, "127.0.0.1", NULL) == false);
    require(!is_own || http_guard_is_own_host(host, "127.0.0.1", url));
    require(!http_guard_is_host(host) || strlen(host) > 250 || http_guard_is_own_host(host, "::1", bound));
}

/* The three ways in which a library may lay out a field: in place, spaced, elsewhere. */
static void require_one_line(const char *name, const char *value)
{
    auto_free char *near = memory_format("%s:%s", name, value), *far = memory_format("%s:%sx%s", name, value, value);
    size_t length = strlen(name), blank = strspn(value, " \t");
    near[length] = far[length] = '\0';
    for (size_t i = 0; i <= blank; i++)
        require(http_fields_is_on_one_line(near, near + length + 1 + i));
    require(!http_fields_is_on_one_line(far, far + length + 2 + strlen(value)));
    require(!http_fields_is_on_one_line(far, far + length));
}

static void require_token(const char *authorization, const char *text)
{
    struct http_token token;
    struct error err = {0};
    if (http_guard_set_token(&token, text, &err) < 0) {
        require(err.code == ERROR_CONFIG && fuzz_is_line(err.text));
        require(strlen(text) < 4 || strstr(err.text, text) == NULL || strstr("FUNKYTOWN_TOKEN", text) ||
                fuzz_is_line(text));
        return;
    }
    auto_free char *right = memory_format("Bearer %s", text), *more = memory_format("Bearer %sx", text);
    auto_free char *less = memory_format("bearer  %.*s", (int)strlen(text) - 1, text);
    require(http_guard_has_token(right, &token));
    require(!http_guard_has_token(more, &token) && !http_guard_has_token(less, &token));
    require(!http_guard_has_token(text, &token) || strncasecmp(text, "Bearer ", 7) == 0);
    if (authorization && http_guard_has_token(authorization, &token)) {
        const char *shown = authorization + 7 + strspn(authorization + 7, " ");
        require(strncasecmp(authorization, "Bearer ", 7) == 0 && strcmp(shown, text) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_fields f;
    fuzz_fields_init(&f, data, size);
    require_range(f.texts[RANGE]);
    require_negotiation(&f);
    require_origin(fuzz_field(&f, ORIGIN), fuzz_field(&f, HOST), f.texts[URL]);
    require_own_host(fuzz_field(&f, HOST), f.texts[URL]);
    require_one_line(fuzz_field(&f, NAME), fuzz_field(&f, RANGE));
    require(!http_guard_is_host(NULL) && !http_guard_has_token(NULL, &(struct http_token){{0}}));
    require_token(f.texts[AUTHORIZATION], fuzz_field(&f, TOKEN));
    fuzz_fields_close(&f);
    return 0;
}
