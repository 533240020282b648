/*
 * The cases are in tests/unit/maps: accepted.json says which plan a map gives, refused.json which error. Both are
 * held against the schema as well, so that editors and the controller agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "controller/plan.h"
#include "plan_maps.h"
#include "plan_schema.h"
#include "shared/buffer.h"
#include "shared/memory.h"
#include "tests/unit/schema.h"

static struct cJSON *read_json(const struct embedded_file *file)
{
    struct cJSON *json = cJSON_ParseWithLength((const char *)file->body, file->size);
    assert_non_null(json);
    return json;
}

static struct cJSON *read_cases(const char *path)
{
    for (size_t i = 0; i < plan_maps_count; i++)
        if (strcmp(plan_maps[i].path, path) == 0)
            return read_json(&plan_maps[i]);
    fail_msg("%s isn't there", path);
    return NULL;
}

static const struct cJSON *get(const struct cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static int parse(struct plan *plan, const struct cJSON *map, struct error *err)
{
    char *text = cJSON_PrintUnformatted(map);
    int result = plan_parse(plan, text, strlen(text), err);
    cJSON_free(text);
    return result;
}

static void parse_good_text(struct plan *plan, const char *map)
{
    struct error err = {0};
    if (plan_parse(plan, map, strlen(map), &err) < 0)
        fail_msg("%s", err.text);
}

static void assert_tasks(const struct plan *plan, const struct cJSON *wanted)
{
    assert_int_equal(plan->task_count, cJSON_GetArraySize(wanted));
    for (size_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *t = &plan->tasks[i];
        char key[TASK_KEY_SIZE];
        plan_key(plan, i, key);
        auto_free char *line = memory_format("%s %s %s %s %s%s%s", key, t->spec, t->viewport, t->browser, t->runner,
                                             t->overrides ? " " : "", t->overrides ? t->overrides : "");
        assert_string_equal(line, cJSON_GetArrayItem(wanted, (int)i)->valuestring);
        assert_int_equal(plan_find(plan, key), i);
    }
}

static void assert_exclusions(const struct plan *plan, const struct cJSON *wanted)
{
    assert_int_equal(plan->exclusion_count, cJSON_GetArraySize(wanted));
    for (size_t i = 0; i < plan->exclusion_count; i++) {
        const struct plan_exclusion *x = &plan->exclusions[i];
        auto_free char *line =
            memory_format("%s %s %s %s: %s", x->group, x->spec, x->viewport, x->browser, x->reason);
        assert_string_equal(line, cJSON_GetArrayItem(wanted, (int)i)->valuestring);
    }
}

static void assert_json(const char *text, const struct cJSON *wanted)
{
    if (wanted == NULL)
        return;
    char *expected = cJSON_PrintUnformatted(wanted);
    assert_string_equal(text, expected);
    cJSON_free(expected);
}

static void accepted_maps_give_their_plan(void **state)
{
    (void)state;
    struct cJSON *cases = read_cases("accepted.json");
    const struct cJSON *c;
    cJSON_ArrayForEach(c, cases)
    {
        print_message("  %s\n", get(c, "what")->valuestring);
        struct plan plan;
        struct error err = {0};
        if (parse(&plan, get(c, "map"), &err) < 0)
            fail_msg("%s", err.text);
        assert_tasks(&plan, get(c, "tasks"));
        assert_exclusions(&plan, get(c, "excluded"));
        assert_json(plan.viewports, get(c, "viewports"));
        assert_json(plan.runners, get(c, "runners"));
        plan_close(&plan);
    }
    cJSON_Delete(cases);
}

static void refused_maps_say_where_and_why(void **state)
{
    (void)state;
    struct cJSON *cases = read_cases("refused.json");
    const struct cJSON *c;
    cJSON_ArrayForEach(c, cases)
    {
        struct plan plan;
        struct error err = {0};
        assert_int_equal(parse(&plan, get(c, "map"), &err), -1);
        assert_string_equal(err.text, get(c, "error")->valuestring);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_null(plan.tasks);
        assert_null(plan.texts.buckets);
    }
    cJSON_Delete(cases);
}

static void refused_bytes_say_where_and_why(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *error;
    } rows[] = {
        {"", "line 1 column 1: found the end, wanted a value"},
        {"{\"groups\":[],}", "line 1 column 14: found '}', wanted a key in double quotes"},
        {"{\n  \"groups\": [\n}", "line 3 column 1: found '}', wanted a value"},
        {"{\"exclude\":[],\"groups\":[],\"exclude\":[]}", "groups: found an empty list, wanted a list of groups"},
        {"{\"exclude\":[],\"exclude\":[]}", "exclude: found the key a second time, wanted it once"},
        {"{\"viewports\":{\"v\":{\"width\":1,\"height\":1},\"u\":{},\"v\":{}},\"groups\":[{}]}",
         "viewports.v: found the key a second time, wanted it once"},
        {"{\"runners\":{\"r\":{\"argv\":[\"a\"],\"argv\":[\"b\"]}},\"groups\":[{}]}",
         "runners.r.argv: found the key a second time, wanted it once"},
        {"{\"groups\":[{\"name\":\"g\",\"name\":\"h\"}]}",
         "groups[0].name: found the key a second time, wanted it once"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct plan plan;
        struct error err = {0};
        assert_int_equal(plan_parse(&plan, rows[i].bytes, strlen(rows[i].bytes), &err), -1);
        assert_string_equal(err.text, rows[i].error);
    }
}

static void schema_and_code_agree(void **state)
{
    (void)state;
    struct cJSON *schema = read_json(&plan_schema[0]);
    struct cJSON *accepted = read_cases("accepted.json"), *refused = read_cases("refused.json");
    const struct cJSON *c;
    cJSON_ArrayForEach(c, accepted)
    {
        if (!schema_accepts(schema, schema, get(c, "map")))
            fail_msg("the schema refuses: %s", get(c, "what")->valuestring);
    }
    cJSON_ArrayForEach(c, refused)
    {
        bool expected = get(c, "schema") != NULL;
        if (schema_accepts(schema, schema, get(c, "map")) != expected)
            fail_msg("the schema %s: %s", expected ? "refuses" : "accepts", get(c, "error")->valuestring);
    }
    cJSON_Delete(refused);
    cJSON_Delete(accepted);
    cJSON_Delete(schema);
}

/* The refusal of an unknown key names the known ones: those of the schema, in its order. */
static void schema_and_code_know_the_same_keys(void **state)
{
    (void)state;
    static const struct {
        const char *definition, *map, *place;
    } rows[] = {
        {NULL, "{\"?\":1}", "[\"?\"]"},
        {"viewport", "{\"viewports\":{\"v\":{\"?\":1}},\"groups\":[{}]}", "viewports.v[\"?\"]"},
        {"rule", "{\"exclude\":[{\"?\":1}],\"groups\":[{}]}", "exclude[0][\"?\"]"},
        {"runner", "{\"runners\":{\"r\":{\"?\":1}},\"groups\":[{}]}", "runners.r[\"?\"]"},
        {"group", "{\"groups\":[{\"?\":1}]}", "groups[0][\"?\"]"},
        {"task", "{\"groups\":[{\"name\":\"g\",\"tasks\":[{\"?\":1}]}]}", "groups[0].tasks[0][\"?\"]"},
    };
    struct cJSON *schema = read_json(&plan_schema[0]);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct cJSON *object =
            rows[i].definition ? get(get(schema, "definitions"), rows[i].definition) : schema;
        auto_buffer wanted = {0};
        buffer_format(&wanted, "%s: found an unknown key, wanted one of ", rows[i].place);
        const struct cJSON *property;
        cJSON_ArrayForEach(property, get(object, "properties"))
            buffer_format(&wanted, "%s%s", property->string, property->next ? ", " : "");

        struct plan plan;
        struct error err = {0};
        assert_int_equal(plan_parse(&plan, rows[i].map, strlen(rows[i].map), &err), -1);
        assert_string_equal(err.text, wanted.data);
    }
    cJSON_Delete(schema);
}

static void keys_that_are_not_in_the_plan(void **state)
{
    (void)state;
    struct plan plan;
    parse_good_text(&plan,
                    "{\"exclude\":[{\"browser\":\"none\"}],\"groups\":["
                    "{\"name\":\"ab\",\"tasks\":[{\"spec\":\"s\",\"viewports\":[\"v\"],\"browsers\":[\"x\",\"y\"]}]},"
                    "{\"name\":\"empty\",\"tasks\":[{\"spec\":\"s\",\"viewports\":[\"v\"],\"browsers\":[\"none\"]}]},"
                    "{\"name\":\"a\",\"tasks\":[{\"spec\":\"s\",\"viewports\":[\"v\"],\"browsers\":[\"x\"]}]}]}");
    assert_int_equal(plan_find(&plan, "task:ab:1"), 1);
    assert_int_equal(plan_find(&plan, "task:a:0"), 2);
    static const char *const strangers[] = {
        "",
        "task",
        "task:",
        "task::0",
        "task:ab",
        "task:ab:",
        "task:ab:2",
        "task:ab:01",
        "task:ab:+1",
        "task:ab:-1",
        "task:ab: 1",
        "task:ab:1 ",
        "task:empty:0",
        "task:abc:0",
        "task:b:0",
        "task:a:b:0",
        "tasks:ab:0",
        "prefix:task:ab:0",
        "task:ab:4294967296",
        "task:ab:99999999999999999999",
    };
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
        assert_int_equal(plan_find(&plan, strangers[i]), -1);
    plan_close(&plan);
}

static void the_longest_name_fits_into_a_key(void **state)
{
    (void)state;
    char name[129];
    memset(name, 'n', 128);
    name[128] = '\0';
    auto_free char *map = memory_format(
        "{\"groups\":[{\"name\":\"%s\",\"tasks\":[{\"spec\":\"s\",\"viewports\":[\"v\"],\"browsers\":[\"b\"]}]}]}",
        name);
    auto_free char *wanted = memory_format("task:%s:0", name);
    struct plan plan;
    parse_good_text(&plan, map);
    char key[TASK_KEY_SIZE];
    plan_key(&plan, 0, key);
    assert_string_equal(key, wanted);
    plan_close(&plan);
}

/* One entry of 1000 viewports and as many browsers as are said. */
static char *big_map(size_t browsers)
{
    auto_buffer map = {0};
    buffer_text(&map, "{\"groups\":[{\"name\":\"g\",\"tasks\":[{\"spec\":\"s\",\"viewports\":[");
    for (size_t i = 0; i < 1000; i++)
        buffer_format(&map, "%s\"v%zu\"", i > 0 ? "," : "", i);
    buffer_text(&map, "],\"browsers\":[");
    for (size_t i = 0; i < browsers; i++)
        buffer_format(&map, "%s\"b%zu\"", i > 0 ? "," : "", i);
    buffer_text(&map, "]}]}]}");
    return buffer_take(&map);
}

static void a_map_that_multiplies_out_is_refused(void **state)
{
    (void)state;
    struct plan plan;
    struct error err = {0};
    auto_free char *largest = big_map(1000);
    parse_good_text(&plan, largest);
    assert_int_equal(plan.task_count, 1000000);
    assert_int_equal(plan_find(&plan, "task:g:999999"), 999999);
    plan_close(&plan);

    auto_free char *larger = big_map(1001);
    assert_int_equal(plan_parse(&plan, larger, strlen(larger), &err), -1);
    assert_string_equal(err.text,
                        "groups[0].tasks[0]: found one combination too many, wanted at most 1000000 in a map");
}

static uint64_t digest_of(const char *map)
{
    struct plan plan;
    parse_good_text(&plan, map);
    uint64_t digest = plan.digest;
    plan_close(&plan);
    return digest;
}

#define TASK(more)  "{\"spec\":\"s\",\"viewports\":[\"v\",\"mobile\"],\"browsers\":[\"x\",\"firefox\"]" more "}"
#define GROUP(more) "{\"name\":\"g\",\"tasks\":[" TASK(more) "]}"

static void a_digest_stands_for_the_plan(void **state)
{
    (void)state;
    uint64_t digest = digest_of("{\"groups\":[" GROUP("") "]}");
    assert_true(digest == digest_of("{ \"groups\" : [ " GROUP("") "],\n\"$schema\": \"x\" }"));
    static const char *const others[] = {
        "{\"groups\":[" GROUP(",\"retries\":1") "]}",
        "{\"groups\":[" GROUP(",\"runner\":\"r\"") "],\"runners\":{\"r\":{\"argv\":[\"a\"]}}}",
        "{\"groups\":[" GROUP("") "],\"runners\":{\"r\":{\"argv\":[\"a\"]}}}",
        "{\"groups\":[" GROUP("") "],\"viewports\":{\"v\":{\"width\":1,\"height\":1}}}",
        "{\"groups\":[" GROUP("") "],\"projects\":{\"v-x\":\"p\"}}",
        "{\"groups\":[" GROUP("") "],\"projects\":{\"v-x\":\"q\",\"mobile-firefox\":\"p\"}}",
        "{\"groups\":[" GROUP("") "],\"exclude\":[]}",
        "{\"groups\":[" GROUP(
            "") "],\"exclude\":[{\"viewport\":\"mobile\",\"browser\":\"firefox\",\"reason\":\"r\"}]}",
        "{\"groups\":[{\"name\":\"h\",\"tasks\":[" TASK("") "]}]}",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_true(digest != digest_of(others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_maps_give_their_plan),      cmocka_unit_test(refused_maps_say_where_and_why),
        cmocka_unit_test(refused_bytes_say_where_and_why),    cmocka_unit_test(schema_and_code_agree),
        cmocka_unit_test(schema_and_code_know_the_same_keys), cmocka_unit_test(keys_that_are_not_in_the_plan),
        cmocka_unit_test(the_longest_name_fits_into_a_key),   cmocka_unit_test(a_map_that_multiplies_out_is_refused),
        cmocka_unit_test(a_digest_stands_for_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
