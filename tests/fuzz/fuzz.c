#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/json.h"
#include "shared/memory.h"
#include "shared/utf8.h"

_Noreturn void fuzz_broken(const char *fact, const char *file, int line)
{
    fprintf(stderr, "%s:%d: doesn't hold: %s\n", file, line, fact);
    abort();
}

bool fuzz_is_line(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = strlen(text);
    for (size_t i = 0, printable; i < length; i += printable) {
        uint32_t code;
        printable = utf8_printable(bytes + i, length - i, &code);
        if (printable == 0)
            return false;
    }
    return true;
}

bool fuzz_is_utf8(const char *text)
{
    return utf8_is_valid(text, strlen(text));
}

void fuzz_require_refusal(const struct error *err, enum error_code code)
{
    require(err->code == code);
    require(strnlen(err->text, sizeof(err->text)) < sizeof(err->text));
    require(fuzz_is_line(err->text));
    require(strstr(err->text, "found ") != NULL || strstr(err->text, ": not supported yet") != NULL ||
            strlen(err->text) == sizeof(err->text) - 1);
}

void fuzz_require_json(const char *text, size_t length)
{
    cJSON *root;
    struct error err;
    if (json_parse(&root, text, length, &err) < 0)
        fuzz_broken(err.text, "JSON", 0);
    cJSON_Delete(root);
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    return memory_text_n((const char *)data, strnlen((const char *)data, size));
}

void fuzz_fields_init(struct fuzz_fields *fields, const uint8_t *data, size_t size)
{
    *fields = (struct fuzz_fields){0};
    for (size_t at = 0; at < size && fields->count < FUZZ_FIELDS; at++) {
        char *text = fuzz_text(data + at, size - at);
        at += strlen(text);
        if (strcmp(text, "\x01") == 0) {
            free(text);
            text = NULL;
        }
        fields->texts[fields->count++] = text;
    }
}

void fuzz_fields_close(struct fuzz_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++)
        free(fields->texts[i]);
}

const char *fuzz_field(const struct fuzz_fields *fields, size_t index)
{
    return fields->texts[index] ? fields->texts[index] : "";
}
