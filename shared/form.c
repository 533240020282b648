#include "shared/form.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/memory.h"
#include "shared/utf8.h"

enum { QUOTED_MAX = 80 };

/* Returns how many bytes it was. */
static size_t add_quoted_character(struct buffer *out, const unsigned char *text, size_t length)
{
    uint32_t code;
    size_t printable = utf8_printable(text, length, &code);
    if (printable > 0) {
        if (code == '"' || code == '\\')
            buffer_text(out, "\\");
        buffer_add(out, text, printable);
        return printable;
    }
    if (code == 0) { /* only a name that a file system gave */
        buffer_format(out, "\\x%02x", text[0]);
        return 1;
    }
    buffer_format(out, "\\u%04" PRIx32, code);
    return utf8_sequence(text, length);
}

void form_add_quoted(struct buffer *out, const char *text)
{
    size_t length = strlen(text);
    size_t shown = utf8_cut(text, length, QUOTED_MAX);
    buffer_text(out, "\"");
    for (size_t i = 0; i < shown;)
        i += add_quoted_character(out, (const unsigned char *)text + i, shown - i);
    buffer_text(out, shown < length ? "…\"" : "\"");
}

static bool is_plain_key(const char *key)
{
    return key[0] != '\0' &&
           key[strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$")] == '\0' &&
           strlen(key) <= QUOTED_MAX;
}

void form_add_place(struct buffer *out, const struct form_place *place)
{
    if (place == NULL)
        return;
    form_add_place(out, place->parent);
    if (place->key == NULL) {
        buffer_format(out, "[%zu]", place->index);
    } else if (is_plain_key(place->key)) {
        buffer_text(out, out->length > 0 ? "." : "");
        buffer_text(out, place->key);
    } else {
        buffer_text(out, "[");
        form_add_quoted(out, place->key);
        buffer_text(out, "]");
    }
}

static void add_found(struct buffer *out, const struct cJSON *item)
{
    if (item == NULL) {
        buffer_text(out, "nothing");
    } else if (cJSON_IsString(item)) {
        if (item->valuestring[0] == '\0')
            buffer_text(out, "an empty text");
        else
            form_add_quoted(out, item->valuestring);
    } else if (cJSON_IsNumber(item)) {
        buffer_format(out, "%.15g", item->valuedouble);
    } else if (cJSON_IsArray(item)) {
        buffer_text(out, item->child ? "a list" : "an empty list");
    } else if (cJSON_IsObject(item)) {
        buffer_text(out, item->child ? "an object" : "an empty object");
    } else {
        buffer_text(out, cJSON_IsNull(item) ? "null" : cJSON_IsTrue(item) ? "true" : "false");
    }
}

__attribute__((format(printf, 4, 0))) static int refuse(const char *found, const struct form_place *place,
                                                        struct error *err, const char *wanted, va_list args)
{
    auto_buffer text = {0};
    form_add_place(&text, place);
    buffer_text(&text, text.length > 0 ? ": found " : "found ");
    buffer_text(&text, found);
    buffer_text(&text, ", wanted ");
    char rest[sizeof(err->text)];
    vsnprintf(rest, sizeof(rest), wanted, args);
    return error_set(err, ERROR_CONFIG, "%s%s", text.data, rest);
}

int form_refuse(const struct cJSON *found, const struct form_place *place, struct error *err, const char *wanted, ...)
{
    auto_buffer text = {0};
    add_found(&text, found);
    va_list args;
    va_start(args, wanted);
    refuse(text.data, place, err, wanted, args);
    va_end(args);
    return -1;
}

int form_refuse_text(const char *text, const struct form_place *place, struct error *err, const char *wanted, ...)
{
    auto_buffer found = {0};
    form_add_quoted(&found, text);
    va_list args;
    va_start(args, wanted);
    refuse(found.data, place, err, wanted, args);
    va_end(args);
    return -1;
}

int form_refuse_as(const char *found, const struct form_place *place, struct error *err, const char *wanted, ...)
{
    va_list args;
    va_start(args, wanted);
    refuse(found, place, err, wanted, args);
    va_end(args);
    return -1;
}

static bool is_printable(const char *text)
{
    const unsigned char *b = (const unsigned char *)text;
    size_t length = strlen(text);
    for (size_t i = 0, printable; i < length; i += printable) {
        uint32_t code;
        printable = utf8_printable(b + i, length - i, &code);
        if (printable == 0)
            return false;
    }
    return true;
}

static bool climbs(const char *path)
{
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return true;
    }
    return false;
}

/* What is wanted instead of `text`, or NULL: nothing. */
static const char *text_problem(const char *text, enum form_type type)
{
    if (type >= FORM_LINE) {
        if (!is_printable(text))
            return "printable characters only";
        if (text[0] == ' ' || text[strlen(text) - 1] == ' ')
            return "no space at its start or end";
    }
    if (type >= FORM_NAME && text[0] == '-')
        return "a text that doesn't start with '-'";
    if (type >= FORM_PATH) {
        if (text[0] == '/')
            return "a relative path";
        if (strchr(text, '\\') != NULL)
            return "a path with '/' between its parts";
        if (climbs(text))
            return "a path without \"..\"";
    }
    return NULL;
}

int form_check_text(const char *text, const struct form_rule *rule, const struct form_place *place, struct error *err)
{
    size_t length = strlen(text);
    if (length < (size_t)rule->min)
        return form_refuse_as("an empty text", place, err, "%s", rule->wanted);
    if (rule->max > 0 && length > (size_t)rule->max) {
        auto_buffer found = {0};
        buffer_format(&found, "a text of %zu bytes", length);
        return form_refuse_as(found.data, place, err, "%s of at most %ld bytes", rule->wanted, rule->max);
    }
    const char *problem = length > 0 ? text_problem(text, rule->type) : NULL;
    return problem ? form_refuse_text(text, place, err, "%s", problem) : 0;
}

static bool is_whole_between(double number, long min, long max)
{
    return number >= (double)min && number <= (double)max && (double)(long)number == number;
}

/* What is accepted must mean something. */
static int refuse_for_now(const struct form_place *place, struct error *err)
{
    auto_buffer text = {0};
    form_add_place(&text, place);
    return error_set(err, ERROR_CONFIG, "%s: not supported yet", text.data);
}

int form_check(const struct cJSON *item, const struct form_rule *rule, const struct form_place *place,
               struct error *err)
{
    switch (rule->type) {
    case FORM_FLAG:
        return cJSON_IsBool(item) ? 0 : form_refuse(item, place, err, "true or false");
    case FORM_NUMBER:
        if (cJSON_IsNumber(item) && is_whole_between(item->valuedouble, rule->min, rule->max))
            return 0;
        return form_refuse(item, place, err, "a whole number from %ld to %ld", rule->min, rule->max);
    case FORM_LIST:
        if (cJSON_IsArray(item) && (item->child != NULL || rule->min == 0))
            return 0;
        return form_refuse(item, place, err, "%s", rule->wanted);
    case FORM_OBJECT:
        return cJSON_IsObject(item) ? 0 : form_refuse(item, place, err, "%s", rule->wanted);
    case FORM_LATER:
        return refuse_for_now(place, err);
    default:
        if (!cJSON_IsString(item))
            return form_refuse(item, place, err, "%s", rule->wanted);
        return form_check_text(item->valuestring, rule, place, err);
    }
}

static int refuse_unknown(const struct form_key *keys, size_t count, const struct form_place *place,
                          struct error *err)
{
    auto_buffer known = {0};
    for (size_t i = 0; i < count; i++)
        if (keys[i].rule.type != FORM_LATER)
            buffer_format(&known, "%s%s", known.length > 0 ? ", " : "", keys[i].name);
    return form_refuse_as("an unknown key", place, err, "one of %s", known.data);
}

static int refuse_second(const struct form_place *place, struct error *err)
{
    return form_refuse_as("the key a second time", place, err, "it once");
}

int form_check_members(const struct cJSON *object, const struct form_key *keys, size_t count,
                       const struct cJSON **members, const struct form_place *place, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        members[i] = NULL;
    const struct form_rule is_object = {FORM_OBJECT, "an object", 0, 0};
    if (form_check(object, &is_object, place, err) < 0)
        return -1;

    const struct cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        struct form_place here = {.parent = place, .key = member->string};
        size_t i = 0;
        while (i < count && strcmp(keys[i].name, member->string) != 0)
            i++;
        if (i == count)
            return refuse_unknown(keys, count, &here, err);
        if (members[i] != NULL)
            return refuse_second(&here, err);
        if (form_check(member, &keys[i].rule, &here, err) < 0)
            return -1;
        members[i] = member;
    }
    for (size_t i = 0; i < count; i++) {
        struct form_place here = {.parent = place, .key = keys[i].name};
        if (keys[i].required && members[i] == NULL)
            return form_check(NULL, &keys[i].rule, &here, err);
    }
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_keys_once(const struct cJSON *object, const struct form_place *place, struct error *err)
{
    size_t count = (size_t)cJSON_GetArraySize(object);
    auto_free const char **keys = memory_zeroed(count, sizeof(*keys));
    size_t used = 0;
    const struct cJSON *member;
    cJSON_ArrayForEach(member, object) keys[used++] = member->string;
    qsort(keys, count, sizeof(*keys), by_text);
    for (size_t i = 1; i < count; i++) {
        struct form_place here = {.parent = place, .key = keys[i]};
        if (strcmp(keys[i - 1], keys[i]) == 0)
            return refuse_second(&here, err);
    }
    return 0;
}

int form_check_all(const struct cJSON *container, const struct form_rule *rule, const struct form_place *place,
                   struct error *err)
{
    size_t index = 0;
    const struct cJSON *item;
    cJSON_ArrayForEach(item, container)
    {
        struct form_place here = {.parent = place, .key = item->string, .index = index++};
        if (form_check(item, rule, &here, err) < 0)
            return -1;
    }
    return cJSON_IsObject(container) ? check_keys_once(container, place, err) : 0;
}
