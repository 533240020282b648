/*
 * Checks the form of JSON that a person wrote. Every refusal names the place, what stands there and what is wanted:
 *
 *     groups[1].tasks[0].browsers[2]: found 3, wanted a browser's name
 *
 * or, of a key that has no effect yet: "groups[0].tasks[1].hedge: not supported yet".
 *
 * A place is a chain of structs on the caller's stack, written out only when something is refused:
 *
 *     struct form_place list = {.parent = place, .key = "browsers"}, item = {.parent = &list, .index = 2};
 *
 * Refusals are ERROR_CONFIG.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shared/buffer.h"
#include "shared/error.h"

struct cJSON;

struct form_place {
    const struct form_place *parent; /* NULL: the root, which has no text */
    const char *key;                 /* member of an object; NULL: element of a list */
    size_t index;
};

enum form_type {
    FORM_FLAG,   /* true or false */
    FORM_NUMBER, /* whole, from min to max */
    FORM_TEXT,   /* anything, of min to max bytes */
    FORM_LINE,   /* a text to be shown: printable, no space at its ends */
    FORM_NAME,   /* a line that no program can take for an option: doesn't start with '-' */
    FORM_PATH,   /* a name that stays below where it starts: relative, with '/', without ".." */
    FORM_LIST,   /* of at least min elements */
    FORM_OBJECT,
    FORM_LATER, /* a key that has no effect yet: refused whatever its value, and never offered */
};

struct form_rule {
    enum form_type type;
    const char *wanted; /* "a browser's name"; not used for FORM_NUMBER, FORM_FLAG and FORM_LATER */
    long min, max;      /* max 0: no limit for texts, and none at all for lists */
};

/* A member of an object with known keys. */
struct form_key {
    const char *name;
    bool required;
    struct form_rule rule;
};

/* `found` is a value (NULL: nothing), a text to be quoted, or words. Each returns -1: `return form_refuse(...)`. */
int form_refuse(const struct cJSON *found, const struct form_place *place, struct error *err, const char *wanted, ...)
    __attribute__((format(printf, 4, 5)));
int form_refuse_text(const char *text, const struct form_place *place, struct error *err, const char *wanted, ...)
    __attribute__((format(printf, 4, 5)));
int form_refuse_as(const char *found, const struct form_place *place, struct error *err, const char *wanted, ...)
    __attribute__((format(printf, 4, 5)));

void form_add_place(struct buffer *out, const struct form_place *place);
void form_add_quoted(struct buffer *out, const char *text); /* in double quotes, escaped, cut when long */

int form_check(const struct cJSON *item, const struct form_rule *rule, const struct form_place *place,
               struct error *err);
int form_check_text(const char *text, const struct form_rule *rule, const struct form_place *place,
                    struct error *err);

/*
 * An object with known keys: members[i] becomes the value of keys[i], checked by its rule, or NULL if it isn't there.
 * Refused: what isn't an object, unknown keys, a key twice, a required one missing.
 */
int form_check_members(const struct cJSON *object, const struct form_key *keys, size_t count,
                       const struct cJSON **members, const struct form_place *place, struct error *err);

/* A list or object whose elements are alike: all of them by `rule`, and no key of an object twice. */
int form_check_all(const struct cJSON *container, const struct form_rule *rule, const struct form_place *place,
                   struct error *err);
