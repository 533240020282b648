/*
 * What is kept of a "test" event: one record, as it stands in the attempt's "tests" and goes to the page. Pure.
 *
 *     {"title":["cart","adds"],"status":"failed","duration_ms":812,"retry":1,"file":"tests/a.spec.ts","line":12,
 *      "column":7,
 *      "error":{"message":"…","expected":"…","received":"…","stack":"…","snippet":"…"},
 *      "steps":[{"title":"…","depth":1,"duration_ms":30,"failed":true}],
 *      "tags":["@smoke"],"annotations":[{"type":"skip","description":"…"}]}
 *
 * All but title, status and duration_ms may be missing, and each member of error, steps and annotations but a step's
 * title and an annotation's type. A member of a wrong type is as if it weren't there, what is too long is cut, numbers are kept
 * between bounds, and other members are left out. So a record has its limit, whatever the event held.
 */
#pragma once
struct cJSON;

/* Texts in bytes, lists in elements: of a list the first ones are kept. */
enum {
    TEST_TITLE_PARTS_MAX = 16,
    TEST_TITLE_PART_MAX = 512,
    TEST_FILE_MAX = 1024,
    TEST_MESSAGE_MAX = 16 * 1024,
    TEST_VALUE_MAX = 4 * 1024,
    TEST_STACK_MAX = 32 * 1024,
    TEST_SNIPPET_MAX = 16 * 1024,
    TEST_STEPS_MAX = 50,
    TEST_STEP_TITLE_MAX = 512,
    TEST_WORDS_MAX = 20, /* tags, annotations */
    TEST_WORD_MAX = 1024,
};

/* The record of an event as compact JSON, the caller's; never NULL. */
char *test_record_format(const struct cJSON *event);
