#include "tests/unit/schema.h"

#include <assert.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

/* The keyword's value, the schema that it stands in (for those that look at a neighbour), and what is checked. */
struct check {
    const struct cJSON *root, *schema, *keyword, *value;
};

static bool matches(const char *pattern, const char *text)
{
    regex_t regex;
    int status = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);
    assert(status == 0);
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* Beyond 2^53 there are only whole ones. */
static bool is_whole(double number)
{
    return number < -0x1p53 || number > 0x1p53 || (double)(long long)number == number;
}

static bool check_nothing(const struct check *c)
{
    (void)c;
    return true;
}

static bool check_type(const struct check *c)
{
    const char *type = c->keyword->valuestring;
    if (strcmp(type, "integer") == 0)
        return cJSON_IsNumber(c->value) && is_whole(c->value->valuedouble);
    return strcmp(type, "object") == 0    ? cJSON_IsObject(c->value)
           : strcmp(type, "array") == 0   ? cJSON_IsArray(c->value)
           : strcmp(type, "string") == 0  ? cJSON_IsString(c->value)
           : strcmp(type, "boolean") == 0 ? cJSON_IsBool(c->value)
                                          : (abort(), false);
}

static bool check_required(const struct check *c)
{
    const struct cJSON *name;
    cJSON_ArrayForEach(name, c->keyword)
    {
        if (cJSON_IsObject(c->value) && !cJSON_GetObjectItemCaseSensitive(c->value, name->valuestring))
            return false;
    }
    return true;
}

static bool check_properties(const struct check *c)
{
    const struct cJSON *property;
    cJSON_ArrayForEach(property, c->keyword)
    {
        const struct cJSON *member = cJSON_GetObjectItemCaseSensitive(c->value, property->string);
        if (member && !schema_accepts(c->root, property, member))
            return false;
    }
    return true;
}

static bool check_additional(const struct check *c)
{
    const struct cJSON *named = cJSON_GetObjectItemCaseSensitive(c->schema, "properties");
    const struct cJSON *member;
    if (!cJSON_IsObject(c->value))
        return true;
    cJSON_ArrayForEach(member, c->value)
    {
        if (cJSON_GetObjectItemCaseSensitive(named, member->string))
            continue;
        if (cJSON_IsFalse(c->keyword) || !schema_accepts(c->root, c->keyword, member))
            return false;
    }
    return true;
}

static bool check_property_names(const struct check *c)
{
    const struct cJSON *member;
    if (!cJSON_IsObject(c->value))
        return true;
    cJSON_ArrayForEach(member, c->value)
    {
        struct cJSON *name = cJSON_CreateString(member->string);
        bool good = schema_accepts(c->root, c->keyword, name);
        cJSON_Delete(name);
        if (!good)
            return false;
    }
    return true;
}

static bool check_items(const struct check *c)
{
    const struct cJSON *item;
    if (!cJSON_IsArray(c->value))
        return true;
    cJSON_ArrayForEach(item, c->value)
    {
        if (!schema_accepts(c->root, c->keyword, item))
            return false;
    }
    return true;
}

static bool check_min_items(const struct check *c)
{
    return !cJSON_IsArray(c->value) || cJSON_GetArraySize(c->value) >= c->keyword->valueint;
}

static bool check_unique_items(const struct check *c)
{
    const struct cJSON *item;
    if (!cJSON_IsArray(c->value))
        return true;
    cJSON_ArrayForEach(item, c->value)
    {
        for (const struct cJSON *later = item->next; later != NULL; later = later->next)
            if (cJSON_Compare(item, later, true))
                return false;
    }
    return true;
}

static bool check_min_length(const struct check *c)
{
    return !cJSON_IsString(c->value) || characters(c->value->valuestring) >= (size_t)c->keyword->valueint;
}

static bool check_max_length(const struct check *c)
{
    return !cJSON_IsString(c->value) || characters(c->value->valuestring) <= (size_t)c->keyword->valueint;
}

static bool check_minimum(const struct check *c)
{
    return !cJSON_IsNumber(c->value) || c->value->valuedouble >= c->keyword->valuedouble;
}

static bool check_maximum(const struct check *c)
{
    return !cJSON_IsNumber(c->value) || c->value->valuedouble <= c->keyword->valuedouble;
}

static bool check_pattern(const struct check *c)
{
    return !cJSON_IsString(c->value) || matches(c->keyword->valuestring, c->value->valuestring);
}

static bool check_enum(const struct check *c)
{
    const struct cJSON *allowed;
    cJSON_ArrayForEach(allowed, c->keyword)
    {
        if (cJSON_Compare(allowed, c->value, true))
            return true;
    }
    return false;
}

static bool check_not(const struct check *c)
{
    return !schema_accepts(c->root, c->keyword, c->value);
}

static bool check_all_of(const struct check *c)
{
    const struct cJSON *part;
    cJSON_ArrayForEach(part, c->keyword)
    {
        if (!schema_accepts(c->root, part, c->value))
            return false;
    }
    return true;
}

static bool check_any_of(const struct check *c)
{
    const struct cJSON *part;
    cJSON_ArrayForEach(part, c->keyword)
    {
        if (schema_accepts(c->root, part, c->value))
            return true;
    }
    return false;
}

static bool check_ref(const struct check *c)
{
    static const char base[] = "#/definitions/";
    assert(strncmp(c->keyword->valuestring, base, sizeof(base) - 1) == 0);
    const struct cJSON *definitions = cJSON_GetObjectItemCaseSensitive(c->root, "definitions");
    const struct cJSON *target =
        cJSON_GetObjectItemCaseSensitive(definitions, c->keyword->valuestring + sizeof(base) - 1);
    assert(target != NULL);
    return schema_accepts(c->root, target, c->value);
}

static const struct {
    const char *name;
    bool (*check)(const struct check *);
} keywords[] = {
    {"$schema", check_nothing},
    {"title", check_nothing},
    {"description", check_nothing},
    {"default", check_nothing},
    {"definitions", check_nothing},
    {"type", check_type},
    {"required", check_required},
    {"properties", check_properties},
    {"additionalProperties", check_additional},
    {"propertyNames", check_property_names},
    {"items", check_items},
    {"minItems", check_min_items},
    {"uniqueItems", check_unique_items},
    {"minLength", check_min_length},
    {"maxLength", check_max_length},
    {"minimum", check_minimum},
    {"maximum", check_maximum},
    {"pattern", check_pattern},
    {"enum", check_enum},
    {"not", check_not},
    {"allOf", check_all_of},
    {"anyOf", check_any_of},
    {"$ref", check_ref},
};

bool schema_accepts(const struct cJSON *root, const struct cJSON *schema, const struct cJSON *value)
{
    const struct cJSON *keyword;
    cJSON_ArrayForEach(keyword, schema)
    {
        size_t i = 0;
        while (i < sizeof(keywords) / sizeof(keywords[0]) && strcmp(keywords[i].name, keyword->string) != 0)
            i++;
        if (i == sizeof(keywords) / sizeof(keywords[0])) {
            fprintf(stderr, "schema: unknown keyword %s\n", keyword->string);
            abort();
        }
        struct check c = {root, schema, keyword, value};
        if (!keywords[i].check(&c))
            return false;
    }
    return true;
}
