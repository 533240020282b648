#include "worker/test_record.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/memory.h"
#include "shared/utf8.h"

static const double DURATION_MAX_MS = 1e12;

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static cJSON *cut_text(const cJSON *text, size_t limit)
{
    auto_free char *cut =
        memory_text_n(text->valuestring, utf8_cut(text->valuestring, strlen(text->valuestring), limit));
    return cJSON_CreateString(cut);
}

static void copy_text(cJSON *to, const cJSON *from, const char *name, size_t limit)
{
    const cJSON *text = member(from, name);
    if (cJSON_IsString(text))
        cJSON_AddItemToObject(to, name, cut_text(text, limit));
}

/* Whole, from 1 to `max`; what is less isn't worth a member. */
static void copy_number(cJSON *to, const cJSON *from, const char *name, double max)
{
    const cJSON *number = member(from, name);
    if (cJSON_IsNumber(number) && number->valuedouble >= 1)
        cJSON_AddNumberToObject(to, name, (double)(int64_t)(number->valuedouble < max ? number->valuedouble : max));
}

static void copy_duration(cJSON *to, const cJSON *from)
{
    copy_number(to, from, "duration_ms", DURATION_MAX_MS);
    if (member(to, "duration_ms") == NULL)
        cJSON_AddNumberToObject(to, "duration_ms", 0);
}

/* An element of a list, in bounds; NULL: it is none. */
typedef cJSON *element_copy(const cJSON *element);

static void copy_list(cJSON *to, const cJSON *from, const char *name, int max, element_copy *copy)
{
    const cJSON *list = member(from, name), *element;
    if (!cJSON_IsArray(list))
        return;
    cJSON *copies = cJSON_CreateArray();
    cJSON_ArrayForEach(element, list)
    {
        cJSON *copied = cJSON_GetArraySize(copies) < max ? copy(element) : NULL;
        if (copied)
            cJSON_AddItemToArray(copies, copied);
    }
    if (cJSON_GetArraySize(copies) > 0)
        cJSON_AddItemToObject(to, name, copies);
    else
        cJSON_Delete(copies);
}

static cJSON *copy_title_part(const cJSON *part)
{
    return cJSON_IsString(part) ? cut_text(part, TEST_TITLE_PART_MAX) : NULL;
}

static cJSON *copy_tag(const cJSON *tag)
{
    return cJSON_IsString(tag) ? cut_text(tag, TEST_WORD_MAX) : NULL;
}

static cJSON *copy_annotation(const cJSON *annotation)
{
    if (!cJSON_IsString(member(annotation, "type")))
        return NULL;
    cJSON *copy = cJSON_CreateObject();
    copy_text(copy, annotation, "type", TEST_WORD_MAX);
    copy_text(copy, annotation, "description", TEST_WORD_MAX);
    return copy;
}

static cJSON *copy_step(const cJSON *step)
{
    if (!cJSON_IsString(member(step, "title")))
        return NULL;
    cJSON *copy = cJSON_CreateObject();
    copy_text(copy, step, "title", TEST_STEP_TITLE_MAX);
    copy_number(copy, step, "depth", TEST_STEPS_MAX);
    copy_duration(copy, step);
    if (cJSON_IsTrue(member(step, "failed")))
        cJSON_AddTrueToObject(copy, "failed");
    return copy;
}

static void copy_error(cJSON *to, const cJSON *from)
{
    const cJSON *error = member(from, "error");
    if (!cJSON_IsObject(error))
        return;
    cJSON *copy = cJSON_AddObjectToObject(to, "error");
    copy_text(copy, error, "message", TEST_MESSAGE_MAX);
    copy_text(copy, error, "expected", TEST_VALUE_MAX);
    copy_text(copy, error, "received", TEST_VALUE_MAX);
    copy_text(copy, error, "stack", TEST_STACK_MAX);
    copy_text(copy, error, "snippet", TEST_SNIPPET_MAX);
}

char *test_record_format(const cJSON *event)
{
    cJSON *record = cJSON_CreateObject();
    copy_list(record, event, "title", TEST_TITLE_PARTS_MAX, copy_title_part);
    if (member(record, "title") == NULL)
        cJSON_AddArrayToObject(record, "title");
    copy_text(record, event, "status", 16);
    copy_duration(record, event);
    copy_number(record, event, "retry", INT_MAX);
    copy_text(record, event, "file", TEST_FILE_MAX);
    copy_number(record, event, "line", INT_MAX);
    copy_number(record, event, "column", INT_MAX);
    copy_error(record, event);
    copy_list(record, event, "steps", TEST_STEPS_MAX, copy_step);
    copy_list(record, event, "tags", TEST_WORDS_MAX, copy_tag);
    copy_list(record, event, "annotations", TEST_WORDS_MAX, copy_annotation);
    char *text = cJSON_PrintUnformatted(record);
    cJSON_Delete(record);
    return text;
}
