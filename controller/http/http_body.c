#include "controller/http/http_body.h"

#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "controller/board.h"
#include "shared/form.h"
#include "shared/json.h"

enum { RERUN_STATUS, RERUN_COUNT, RERUN_KEYS };

static const char states_wanted[] = "failed, error, cancelled, flaky or skipped";

static const struct form_key rerun_keys[RERUN_KEYS] = {
    [RERUN_STATUS] = {"status", true, {FORM_LIST, "a list of failed, error, cancelled, flaky or skipped", 1, 0}},
    [RERUN_COUNT] = {"expected_count", false, {FORM_NUMBER, NULL, 0, INT32_MAX}},
};

/* BOARD_STATES: the word is none of those that are wanted. */
static enum board_state find_state(const cJSON *word)
{
    static const enum board_state states[] = {BOARD_FAILED, BOARD_ERROR, BOARD_CANCELLED, BOARD_FLAKY, BOARD_SKIPPED};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (cJSON_IsString(word) && strcmp(word->valuestring, board_state_name(states[i])) == 0)
            return states[i];
    return BOARD_STATES;
}

static int refuse_second(const cJSON *word, const struct form_place *place, struct error *err)
{
    auto_buffer found = {0};
    form_add_quoted(&found, word->valuestring);
    buffer_text(&found, " a second time");
    return form_refuse_as(found.data, place, err, "it once");
}

static int parse_states(const cJSON *list, unsigned *states, struct error *err)
{
    const struct form_place place = {.key = rerun_keys[RERUN_STATUS].name};
    struct form_place here = {.parent = &place};
    const cJSON *word;
    *states = 0;
    cJSON_ArrayForEach(word, list)
    {
        enum board_state state = find_state(word);
        if (state == BOARD_STATES)
            return form_refuse(word, &here, err, "%s", states_wanted);
        if (*states & 1u << state)
            return refuse_second(word, &here, err);
        *states |= 1u << state;
        here.index++;
    }
    return 0;
}

static int read_rerun(struct http_rerun *rerun, const cJSON *root, struct error *err)
{
    const cJSON *members[RERUN_KEYS];
    *rerun = (struct http_rerun){0};
    if (form_check_members(root, rerun_keys, RERUN_KEYS, members, NULL, err) < 0 ||
        parse_states(members[RERUN_STATUS], &rerun->states, err) < 0)
        return -1;
    rerun->has_count = members[RERUN_COUNT] != NULL;
    if (rerun->has_count)
        rerun->expected_count = (size_t)members[RERUN_COUNT]->valuedouble;
    return 0;
}

int http_body_parse_rerun(struct http_rerun *rerun, const char *bytes, size_t length, struct error *err)
{
    cJSON *root;
    if (json_parse(&root, bytes, length, err) < 0)
        return -1;
    int failed = read_rerun(rerun, root, err);
    cJSON_Delete(root);
    return failed;
}

int http_body_parse_empty(const char *bytes, size_t length, struct error *err)
{
    cJSON *root;
    if (length == 0)
        return 0;
    if (json_parse(&root, bytes, length, err) < 0)
        return -1;
    bool is_empty = cJSON_IsObject(root) && root->child == NULL;
    int failed = is_empty ? 0 : form_refuse(root, NULL, err, "an empty body or {}");
    cJSON_Delete(root);
    return failed;
}
