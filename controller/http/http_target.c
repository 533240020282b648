#include "controller/http/http_target.h"

#include <stdlib.h>
#include <string.h>

#include "shared/memory.h"
#include "shared/utf8.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. false: a bad escape, a NUL, or not UTF-8. */
static bool decode(char *text, bool plus_is_space)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        char c = *from;
        if (c == '%') {
            int high = hex_value(from[1]);
            int low = high < 0 ? -1 : hex_value(from[2]);
            if (low < 0 || high + low == 0)
                return false;
            c = (char)(high << 4 | low);
            from += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        *to++ = c;
    }
    *to = '\0';
    return utf8_is_valid(text, (size_t)(to - text));
}

static bool parse_path(struct http_target *target, char *path)
{
    for (char *segment = path, *next; segment != NULL; segment = next) {
        next = strchr(segment, '/');
        if (next != NULL)
            *next++ = '\0';
        if (target->segment_count == HTTP_SEGMENTS || !decode(segment, false))
            return false;
        target->segments[target->segment_count++] = segment;
    }
    return true;
}

static bool parse_query(struct http_target *target, char *query)
{
    for (char *part = query, *next; part != NULL; part = next) {
        next = strchr(part, '&');
        if (next != NULL)
            *next++ = '\0';
        if (*part == '\0')
            continue;
        char *value = strchr(part, '=');
        if (value != NULL)
            *value++ = '\0';
        if (target->query_count == HTTP_QUERIES || !decode(part, true) || (value != NULL && !decode(value, true)))
            return false;
        target->queries[target->query_count++] = (struct http_query){part, value ? value : ""};
    }
    return true;
}

bool http_target_parse(struct http_target *target, const char *uri)
{
    static const char scheme[] = "http://";
    *target = (struct http_target){.storage = memory_text(uri)};
    char *path = target->storage;
    if (strncmp(path, scheme, strlen(scheme)) == 0) {
        path += strlen(scheme);
        target->authority = path;
        path += strcspn(path, "/?");
    }
    char *query = strchr(path, '?');
    if (query != NULL)
        *query++ = '\0';
    if (*path != '/' || !utf8_is_valid(target->storage, (size_t)(path - target->storage)))
        return false;
    *path = '\0'; /* ends the authority */
    return parse_path(target, path + 1) && parse_query(target, query);
}

void http_target_close(struct http_target *target)
{
    free(target->storage);
    *target = (struct http_target){0};
}

const char *http_target_query(const struct http_target *target, const char *name)
{
    for (size_t i = 0; i < target->query_count; i++)
        if (strcmp(target->queries[i].name, name) == 0)
            return target->queries[i].value;
    return NULL;
}

static bool is_word_of(const char *text, const char *words)
{
    size_t length = strlen(text);
    while (*words != '\0') {
        size_t word = strcspn(words, " ");
        if (word == length && strncmp(words, text, length) == 0)
            return true;
        words += word + (words[word] == ' ');
    }
    return false;
}

const char *http_target_stranger(const struct http_target *target, const char *allowed)
{
    for (size_t i = 0; i < target->query_count; i++)
        if (!is_word_of(target->queries[i].name, allowed))
            return target->queries[i].name;
    return NULL;
}

bool http_target_matches(const struct http_target *target, const char *pattern, const char *arguments[HTTP_ARGUMENTS])
{
    size_t taken = 0, i = 0;
    for (const char *part = pattern; *part == '/'; i++) {
        size_t length = strcspn(++part, "/");
        if (i == target->segment_count)
            return false;
        const char *segment = target->segments[i];
        bool is_argument = part[0] == '{';
        if (is_argument && (*segment == '\0' || taken == HTTP_ARGUMENTS))
            return false;
        if (!is_argument && (strlen(segment) != length || strncmp(segment, part, length) != 0))
            return false;
        if (is_argument)
            arguments[taken++] = segment;
        if (is_argument && part[length - 2] == '*')
            return true;
        part += length;
    }
    return i == target->segment_count;
}
