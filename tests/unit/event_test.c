/*
 * The tables of the streams: what is written is read back, and they are just what the scripts write. Every
 * emit(run, events, name, field, value, …) and signal(signals, name) in the text that Redis is taught is looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ledger_scripts.h"
#include "made_reply.h"
#include "shared/bounds.h"
#include "shared/event.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct event parsed(struct redisReply *pairs)
{
    struct event event;
    event_parse(&event, pairs);
    return event;
}

/* ---- reading */

static void an_event_is_read_as_its_script_wrote_it(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "number",   "7",       "at_ms",       "1764000000123", "event",  "settled", "task",
        "task:a:0", "worker",  "w1",          "attempt",       "2",      "result",  "passed",
        "flaky",    "1",       "duration_ns", "9000000",       "reason", "",        "failed",
        "3",        "details", "{}"};
    struct redisReply *pairs = made_reply(texts, COUNT(texts));
    struct event event = parsed(pairs);
    assert_int_equal(event.kind, EVENT_SETTLED);
    assert_int_equal(event.number, 7);
    assert_int_equal(event.at_ms, 1764000000123);
    assert_string_equal(event.fields[EVENT_TASK], "task:a:0");
    assert_string_equal(event.fields[EVENT_WORKER], "w1");
    assert_string_equal(event.fields[EVENT_REASON], "");
    assert_string_equal(event.fields[EVENT_DETAILS], "{}");
    assert_null(event.fields[EVENT_SLOTS]);
    assert_int_equal(event.attempt, 2);
    assert_int_equal(event.result, TASK_PASSED);
    assert_true(event.is_flaky);
    assert_int_equal(event.duration_ms, 9);
    assert_int_equal(event.failed, 3);
    made_reply_free(pairs);
}

static void every_name_is_read_as_what_it_names(void **state)
{
    (void)state;
    for (int kind = EVENT_OTHER + 1; kind < EVENT_KINDS; kind++) {
        struct redisReply *pairs = made_reply((const char *const[]){"event", event_name((enum event_kind)kind)}, 2);
        assert_int_equal(parsed(pairs).kind, kind);
        made_reply_free(pairs);
    }
    for (int signal = SIGNAL_OTHER + 1; signal < SIGNALS; signal++) {
        const char *name = event_signal_name((enum event_signal)signal);
        struct redisReply *pairs = made_reply((const char *const[]){"event", name}, 2);
        assert_int_equal(event_signal_parse(pairs), signal);
        made_reply_free(pairs);
    }
}

/* What another version may have written, or anybody. */
static void what_is_unknown_is_no_event_of_ours(void **state)
{
    (void)state;
    static const char *const rows[][6] = {
        {"number", "7", "event", "paused", "task", "task:a:0"}, {"number", "7", "event", "", "worker", "w1"},
        {"number", "7", "e", "claimed", "attempt", "1"},        {"number", "7", "event", NULL, "attempt", "1"},
        {"number", "7", NULL, "claimed", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct redisReply *pairs = made_reply(rows[i], COUNT(rows[i]));
        struct event event = parsed(pairs);
        assert_int_equal(event.kind, EVENT_OTHER);
        assert_int_equal(event.number, 7);
        assert_null(event.fields[EVENT_TASK]);
        assert_null(event.fields[EVENT_WORKER]);
        assert_null(event.fields[EVENT_ATTEMPT]);
        assert_int_equal(event_signal_parse(pairs), SIGNAL_OTHER);
        made_reply_free(pairs);
    }
    assert_int_equal(parsed(NULL).kind, EVENT_OTHER);
    assert_int_equal(event_signal_parse(NULL), SIGNAL_OTHER);
}

static void numbers_stay_in_bounds(void **state)
{
    (void)state;
    static const char *const texts[] = {"event",       "settled",
                                        "number",      "-1",
                                        "at_ms",       "99999999999999999999",
                                        "attempt",     "99999999999999999999",
                                        "duration_ns", "99999999999999999999",
                                        "failed",      "1e9",
                                        "result",      "green",
                                        "flaky",       "yes"};
    struct redisReply *pairs = made_reply(texts, COUNT(texts));
    struct event event = parsed(pairs);
    assert_int_equal(event.number, 0);
    assert_int_equal(event.at_ms, BOUNDS_TIME_MAX_MS);
    assert_int_equal(event.attempt, BOUNDS_COUNT_MAX);
    assert_int_equal(event.duration_ms, BOUNDS_DURATION_MAX_MS);
    assert_int_equal(event.failed, 0);
    assert_int_equal(event.result, -1);
    assert_false(event.is_flaky);
    made_reply_free(pairs);
}

static void why_a_run_is_cancelled_is_one_of_ours(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum cancel_kind kind;
    } rows[] = {{"deadline", CANCEL_DEADLINE},
                {"failures", CANCEL_FAILURES},
                {"asked", CANCEL_ASKED},
                {"nonsense", CANCEL_ASKED},
                {"", CANCEL_ASKED},
                {NULL, CANCEL_ASKED}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct redisReply *pairs = made_reply((const char *const[]){"event", "cancelling", "kind", rows[i].text}, 4);
        assert_int_equal(parsed(pairs).cancel_kind, rows[i].kind);
        made_reply_free(pairs);
    }
}

/* ---- the scripts */

/* A call's arguments, each as it stands there. */
enum { ARGUMENTS = 32 };
struct call {
    const char *script, *starts[ARGUMENTS], *ends[ARGUMENTS];
    size_t count;
};

/* Behind a text in quotes, or one byte on. */
static const char *step_over(const char *at)
{
    const char *end = *at == '\'' ? strchr(at + 1, '\'') : at;
    assert_non_null(end);
    return end + 1;
}

static void read_call(struct call *call, const char *script, const char *at)
{
    int depth = 0;
    *call = (struct call){.script = script, .count = 1, .starts = {at}};
    for (; depth > 0 || *at != ')'; at = step_over(at)) {
        assert_int_not_equal(*at, '\0');
        depth += strchr("([{", *at) != NULL;
        depth -= strchr(")]}", *at) != NULL;
        if (depth == 0 && *at == ',') {
            assert_true(call->count < ARGUMENTS);
            call->ends[call->count - 1] = at;
            call->starts[call->count++] = at + 1;
        }
    }
    call->ends[call->count - 1] = at;
}

/* The next text in quotes of an argument, which may be a choice: `again and 'retried' or 'settled'`. */
static const char *next_word(const char *at, const char *end, char word[32])
{
    const char *start = memchr(at, '\'', (size_t)(end - at));
    if (start == NULL)
        return NULL;
    snprintf(word, 32, "%.*s", (int)strcspn(start + 1, "'"), start + 1);
    return start + strlen(word) + 2;
}

static enum event_field find_field(const struct call *call, size_t index)
{
    char word[32];
    if (next_word(call->starts[index], call->ends[index], word) == NULL)
        fail_msg("%s: argument %zu of emit: wanted the name of a field", call->script, index);
    for (int field = 0; field < EVENT_FIELDS; field++)
        if (strcmp(event_field_name((enum event_field)field), word) == 0)
            return (enum event_field)field;
    fail_msg("%s: emits the field \"%s\"; the table has no such field", call->script, word);
    return EVENT_FIELDS;
}

static void require_fields(const struct call *call, enum event_kind kind)
{
    bool is_told[EVENT_FIELDS] = {[EVENT_NUMBER] = true, [EVENT_AT] = true, [EVENT_NAME] = true};
    for (size_t i = 3; i < call->count; i += 2)
        is_told[find_field(call, i)] = true;
    for (int field = 0; field < EVENT_FIELDS; field++)
        if (is_told[field] != event_has(kind, (enum event_field)field))
            fail_msg("%s: \"%s\" is emitted %s %s; the table says otherwise", call->script, event_name(kind),
                     is_told[field] ? "with" : "without", event_field_name((enum event_field)field));
}

static void look_at_emit(const struct call *call, bool *is_emitted)
{
    char word[32];
    int words = 0;
    for (const char *at = call->starts[2]; (at = next_word(at, call->ends[2], word)) != NULL; words++) {
        struct redisReply *pairs = made_reply((const char *const[]){"event", word}, 2);
        enum event_kind kind = parsed(pairs).kind;
        made_reply_free(pairs);
        if (kind == EVENT_OTHER)
            fail_msg("%s: emits \"%s\"; the table has no such event", call->script, word);
        require_fields(call, kind);
        is_emitted[kind] = true;
    }
    assert_true(words > 0);
}

static void look_at_signal(const struct call *call, bool *is_sent)
{
    char word[32];
    int words = 0;
    for (const char *at = call->starts[1]; (at = next_word(at, call->ends[1], word)) != NULL; words++) {
        struct redisReply *pairs = made_reply((const char *const[]){"event", word}, 2);
        enum event_signal signal = event_signal_parse(pairs);
        made_reply_free(pairs);
        if (signal == SIGNAL_OTHER)
            fail_msg("%s: signals \"%s\"; the table has no such signal", call->script, word);
        is_sent[signal] = true;
    }
    assert_true(words > 0);
}

static bool is_definition(const char *text, const char *at)
{
    return at - text >= 9 && strncmp(at - 9, "function ", 9) == 0;
}

static void look_at_calls(const char *function, void (*look)(const struct call *call, bool *seen), bool *seen)
{
    for (size_t i = 0; i < ledger_scripts_count; i++) {
        const char *text = (const char *)ledger_scripts[i].body;
        for (const char *at = text; (at = strstr(at, function)) != NULL; at += strlen(function)) {
            struct call call;
            if (is_definition(text, at))
                continue;
            read_call(&call, ledger_scripts[i].path, at + strlen(function));
            look(&call, seen);
        }
    }
}

static void the_scripts_emit_what_the_table_has(void **state)
{
    (void)state;
    bool is_emitted[EVENT_KINDS] = {false}, is_sent[SIGNALS] = {false};
    look_at_calls("emit(", look_at_emit, is_emitted);
    look_at_calls("signal(", look_at_signal, is_sent);
    for (int kind = EVENT_OTHER + 1; kind < EVENT_KINDS; kind++)
        if (!is_emitted[kind])
            fail_msg("no script emits \"%s\"", event_name((enum event_kind)kind));
    for (int signal = SIGNAL_OTHER + 1; signal < SIGNALS; signal++)
        if (!is_sent[signal])
            fail_msg("no script signals \"%s\"", event_signal_name((enum event_signal)signal));
}

/* emit and signal write the fields that all have, and nobody else writes into a stream. */
static void nobody_writes_past_emit_and_signal(void **state)
{
    (void)state;
    static const char emit[] = "'*', 'number', number, 'at_ms', now_ms(), 'event', event, ...)";
    static const char signal[] = "'*', 'event', event)";
    for (size_t i = 0; i < ledger_scripts_count; i++) {
        const char *text = (const char *)ledger_scripts[i].body;
        int writes = 0;
        for (const char *at = text; (at = strstr(at, "'XADD'")) != NULL; at++)
            writes++;
        if (writes != 2)
            fail_msg("%s: XADD stands there %d times; wanted those of emit and of signal", ledger_scripts[i].path,
                     writes);
        assert_non_null(strstr(text, emit));
        assert_non_null(strstr(text, signal));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_read_as_its_script_wrote_it),
        cmocka_unit_test(every_name_is_read_as_what_it_names),
        cmocka_unit_test(what_is_unknown_is_no_event_of_ours),
        cmocka_unit_test(numbers_stay_in_bounds),
        cmocka_unit_test(why_a_run_is_cancelled_is_one_of_ours),
        cmocka_unit_test(the_scripts_emit_what_the_table_has),
        cmocka_unit_test(nobody_writes_past_emit_and_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
