#include "controller/http/http_fields.h"

#include <string.h>
#include <strings.h>

enum { QUALITY_MAX = 1000 };

bool http_fields_is_name(const char *name)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = strspn(name, token);
    return length > 0 && name[length] == '\0';
}

bool http_fields_is_on_one_line(const char *name, const char *value)
{
    const char *at = name + strlen(name) + 1;
    while (at != value && (*at == ' ' || *at == '\t'))
        at++;
    return at == value;
}

/* An element of a comma-separated list: "text/html;level=1;q=0.5". */
struct element {
    const char *name;
    size_t length;
    int quality; /* thousandths */
};

static size_t trimmed(const char *text, size_t length)
{
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    return length;
}

/* "0.5" -> 500. What is no quality counts as 1, as if it weren't there. */
static int parse_quality(const char *text, size_t length)
{
    int quality = 0, scale = QUALITY_MAX;
    if (length == 0 || length > 5 || (text[0] != '0' && text[0] != '1') || (length > 1 && text[1] != '.'))
        return QUALITY_MAX;
    quality = (text[0] - '0') * QUALITY_MAX;
    for (size_t i = 2; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return QUALITY_MAX;
        scale /= 10;
        quality += (text[i] - '0') * scale;
    }
    return quality > QUALITY_MAX ? QUALITY_MAX : quality;
}

/* Takes the next element off the list. false: there is none left. */
static bool next_element(const char **list, struct element *element)
{
    const char *at = *list + strspn(*list, ", \t");
    if (*at == '\0')
        return false;
    const char *end = at + strcspn(at, ",");
    *element = (struct element){.name = at, .quality = QUALITY_MAX};
    element->length = trimmed(at, strcspn(at, ",;"));
    for (at += strcspn(at, ",;"); at < end; at += strcspn(at, ",;")) {
        at += 1 + strspn(at + 1, " \t");
        if (strncasecmp(at, "q=", 2) == 0)
            element->quality = parse_quality(at + 2, trimmed(at + 2, strcspn(at + 2, ",;")));
    }
    *list = end;
    return true;
}

static bool is_named(const struct element *element, const char *name)
{
    return element->length == strlen(name) && strncasecmp(element->name, name, element->length) == 0;
}

/* The quality of the most exact of the names that stands in the list; 0: none does. */
static int quality_of(const char *list, const char *const *names, size_t count)
{
    size_t best = count;
    int quality = 0;
    struct element element;
    while (next_element(&list, &element)) {
        for (size_t i = 0; i < best; i++) {
            if (!is_named(&element, names[i]))
                continue;
            best = i;
            quality = element.quality;
        }
    }
    return quality;
}

bool http_fields_prefer_json(const char *accept)
{
    static const char *const json[] = {"application/json", "application/*", "*/*"};
    static const char *const html[] = {"text/html", "text/*", "*/*"};
    return accept != NULL && quality_of(accept, json, 3) > quality_of(accept, html, 3);
}

bool http_fields_take_gzip(const char *accept_encoding)
{
    static const char *const gzip[] = {"gzip", "x-gzip", "*"};
    return accept_encoding != NULL && quality_of(accept_encoding, gzip, 3) > 0;
}

bool http_fields_is_json(const char *content_type)
{
    static const char json[] = "application/json";
    if (content_type == NULL)
        return false;
    size_t length = trimmed(content_type, strcspn(content_type, ";"));
    return length == strlen(json) && strncasecmp(content_type, json, length) == 0;
}

bool http_fields_have_tag(const char *if_none_match, const char *tag)
{
    struct element element;
    while (if_none_match != NULL && next_element(&if_none_match, &element)) {
        if (element.length > 2 && strncmp(element.name, "W/", 2) == 0) {
            element.name += 2;
            element.length -= 2;
        }
        bool is_same = element.length == strlen(tag) && memcmp(element.name, tag, element.length) == 0;
        if (is_same || is_named(&element, "*"))
            return true;
    }
    return false;
}

/* Digits at *text, which moves behind them. false: there are none, or too many. */
static bool take_number(const char **text, uint64_t *number)
{
    size_t length = strspn(*text, "0123456789");
    if (length == 0 || length > 18)
        return false;
    *number = 0;
    for (size_t i = 0; i < length; i++)
        *number = *number * 10 + (uint64_t)((*text)[i] - '0');
    *text += length;
    return true;
}

enum http_range http_fields_range(const char *range, uint64_t size, uint64_t *first, uint64_t *last)
{
    static const char unit[] = "bytes=";
    uint64_t number;
    if (range == NULL || strncasecmp(range, unit, strlen(unit)) != 0)
        return HTTP_RANGE_WHOLE;
    range += strlen(unit);
    if (*range == '-') {
        range++;
        if (!take_number(&range, &number) || *range != '\0')
            return HTTP_RANGE_WHOLE;
        if (number == 0 || size == 0)
            return HTTP_RANGE_BEYOND;
        *first = number < size ? size - number : 0;
        *last = size - 1;
        return HTTP_RANGE_PART;
    }
    if (!take_number(&range, first) || *range++ != '-')
        return HTTP_RANGE_WHOLE;
    *last = UINT64_MAX;
    if (*range != '\0' && (!take_number(&range, last) || *range != '\0' || *last < *first))
        return HTTP_RANGE_WHOLE;
    if (*first >= size)
        return HTTP_RANGE_BEYOND;
    if (*last >= size)
        *last = size - 1;
    return HTTP_RANGE_PART;
}
