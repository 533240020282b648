/* The small things that everything stands on: errors, buffers, durations, fixed arrays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/error.h"
#include "shared/ledger_keys.h"
#include "shared/memory.h"
#include "shared/redis_refusal.h"
#include "shared/task.h"

static void an_error_says_where_on_its_way_up(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(error_set(&err, ERROR_CONFIG, "expected a %s", "list"), -1);
    assert_int_equal(error_wrap(&err, "groups[%d]", 2), -1);
    assert_int_equal(error_wrap(&err, "spec map x.json"), -1);
    assert_string_equal(err.text, "spec map x.json: groups[2]: expected a list");
    assert_int_equal(err.code, ERROR_CONFIG);
    error_errno(&err, ENOENT, "open %s", "x");
    assert_string_equal(err.text, "open x: No such file or directory");
    assert_int_equal(err.code, ERROR_SYSTEM);
}

static void an_error_that_is_too_long_is_cut(void **state)
{
    (void)state;
    struct error err;
    char longest[4000];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    error_set(&err, ERROR_CONFIG, "%s", longest);
    error_wrap(&err, "%s", longest);
    error_errno(&err, ENOENT, "%s", longest);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);

    for (size_t i = 0; i + 2 < sizeof(longest); i += 2) {
        longest[i] = '\xc3';
        longest[i + 1] = '\xa9';
    }
    error_set(&err, ERROR_CONFIG, "%s", longest);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 2); /* no half of a character */
    error_wrap(&err, "xy");
    assert_int_equal(strlen(err.text), sizeof(err.text) - 2);
    error_wrap(&err, "x");
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    error_errno(&err, ENOENT, "%s", longest);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1); /* ":" after it */
    error_set(&err, ERROR_CONFIG, "x%s", longest);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void a_buffer_grows(void **state)
{
    (void)state;
    auto_buffer b = {0};
    for (int i = 0; i < 1000; i++)
        buffer_format(&b, "%d,", i);
    buffer_add(&b, "\0z", 2);
    assert_int_equal(b.length, 10 * 2 + 90 * 3 + 900 * 4 + 2);
    assert_int_equal(b.data[b.length - 2], '\0');
    buffer_clear(&b);
    buffer_format(&b, "%0300d", 7);
    assert_int_equal(b.length, 300);
    auto_free char *text = buffer_take(&b);
    assert_int_equal(strlen(text), 300);
    auto_free char *empty = buffer_take(&b);
    assert_string_equal(empty, "");
}

static void durations_are_printed_as_go_does(void **state)
{
    (void)state;
    static const struct {
        uint64_t ms;
        const char *text;
    } rows[] = {{0, "0s"},        {999, "0s"},         {59999, "59s"},
                {72000, "1m12s"}, {3605000, "1h0m5s"}, {360000000, "100h0m0s"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[32];
        clock_format_duration(rows[i].ms, text, sizeof(text));
        assert_string_equal(text, rows[i].text);
    }
    char utc[40];
    clock_format_utc(1795489372123, utc, sizeof(utc));
    assert_string_equal(utc, "2026-11-24T03:02:52.123Z");
}

static void a_copied_text_is_cut_between_characters(void **state)
{
    (void)state;
    char array[5];
    assert_true(memory_copy_text(array, sizeof(array), "ab\xc3\xa9"));
    assert_string_equal(array, "ab\xc3\xa9");
    assert_false(memory_copy_text(array, sizeof(array), "abc\xc3\xa9"));
    assert_string_equal(array, "abc");
}

static void a_key_is_whole_or_nobodys(void **state)
{
    (void)state;
    struct ledger_keys keys;
    struct error err;
    char prefix[LEDGER_PREFIX_LIMIT + 2], name[1000], key[LEDGER_KEY_SIZE], other[LEDGER_KEY_SIZE];
    auto_free char *wanted = NULL;
    memset(prefix, 'p', sizeof(prefix));
    prefix[LEDGER_PREFIX_LIMIT + 1] = '\0';
    assert_int_equal(ledger_keys_init(&keys, prefix, &err), -1);
    prefix[LEDGER_PREFIX_LIMIT] = '\0';
    assert_int_equal(ledger_keys_init(&keys, prefix, &err), 0);
    memset(name, 'n', sizeof(name));
    name[TASK_KEY_SIZE - 1] = '\0';
    ledger_key_build(&keys, LEDGER_PROCESSING, name, key);
    wanted = memory_format("%sfunkytown:processing:%s", prefix, name);
    assert_string_equal(key, wanted);

    name[TASK_KEY_SIZE - 1] = 'n';
    name[sizeof(name) - 1] = '\0';
    ledger_key_build(&keys, LEDGER_PROCESSING, name, key);
    ledger_key_build(&keys, LEDGER_TASK, name, other);
    assert_int_equal(strlen(key), LEDGER_KEY_SIZE - 1);
    assert_int_equal(strlen(other), LEDGER_KEY_SIZE - 1);
}

/* What servers of each age say; `words` NULL: the same as the text. */
static const struct {
    const char *text;
    enum redis_refusal refusal;
    const char *words;
} refusals[] = {
    {"READONLY You can't write against a read only slave.", REDIS_REFUSAL_REPLICA, NULL},
    {"READONLY You can't write against a read only replica.", REDIS_REFUSAL_REPLICA, NULL},
    {"ERR Error running script (call to f_08f5c3): @user_script:2: @user_script: 2: -READONLY You can't write "
     "against a read only slave. ",
     REDIS_REFUSAL_REPLICA, "READONLY You can't write against a read only slave."},
    {"READONLY You can't write against a read only replica. script: 08f5c3, on @user_script:2.",
     REDIS_REFUSAL_REPLICA, "READONLY You can't write against a read only replica."},
    {"READONLY Can not run script with write flag on readonly replica.", REDIS_REFUSAL_REPLICA, NULL},
    {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", REDIS_REFUSAL_REPLICA, NULL},
    {"UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
     REDIS_REFUSAL_REPLICA, NULL},
    {"NOSCRIPT No matching script. Please use EVAL.", REDIS_REFUSAL_UNKNOWN_SCRIPT, NULL},
    {"NOPERM this user has no permissions to run the 'set' command", REDIS_REFUSAL_DENIED, NULL},
    {"ERR Error running script (call to f_08f5c3): @user_script:2: @user_script: 2: -NOPERM this user has no "
     "permissions to access one of the keys used as arguments ",
     REDIS_REFUSAL_DENIED, "NOPERM this user has no permissions to access one of the keys used as arguments"},
    {"ERR The user executing the script can't run this command or subcommand script: 08f5c3, on @user_script:2.",
     REDIS_REFUSAL_DENIED, "ERR The user executing the script can't run this command or subcommand"},
    {"WRONGPASS invalid username-password pair or user is disabled.", REDIS_REFUSAL_PASSWORD, NULL},
    {"ERR invalid password", REDIS_REFUSAL_PASSWORD, NULL},
    {"ERR Client sent AUTH, but no password is set", REDIS_REFUSAL_PASSWORD, NULL},
    {"NOAUTH Authentication required.", REDIS_REFUSAL_PASSWORD, NULL},
    {"MOVED 3999 127.0.0.1:6381", REDIS_REFUSAL_MOVED, NULL},
    {"CROSSSLOT Keys in request don't hash to the same slot", REDIS_REFUSAL_CLUSTER, NULL},
    {"ERR SELECT is not allowed in cluster mode", REDIS_REFUSAL_CLUSTER, NULL},
    {"ASK 3999 127.0.0.1:6381", REDIS_REFUSAL_OTHER, NULL},
    {"TRYAGAIN Multiple keys request during rehashing of slot", REDIS_REFUSAL_OTHER, NULL},
    {"CLUSTERDOWN The cluster is down", REDIS_REFUSAL_OTHER, NULL},
    {"OOM command not allowed when used memory > 'maxmemory'. script: 08f5c3, on @user_script:2.",
     REDIS_REFUSAL_OTHER, "OOM command not allowed when used memory > 'maxmemory'."},
    {"READONLYISH is no word of theirs", REDIS_REFUSAL_OTHER, NULL},
    {"ERR unknown command `READONLY `, with args beginning with: ", REDIS_REFUSAL_OTHER,
     "ERR unknown command `READONLY `, with args beginning with:"},
    {"", REDIS_REFUSAL_OTHER, NULL},
};

static void what_a_server_refuses_is_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        char words[200];
        redis_refusal_words(refusals[i].text, words, sizeof(words));
        assert_string_equal(words, refusals[i].words ? refusals[i].words : refusals[i].text);
        if (redis_refusal_of(refusals[i].text) != refusals[i].refusal)
            fail_msg("%s: found %d, wanted %d", refusals[i].text, redis_refusal_of(refusals[i].text),
                     refusals[i].refusal);
    }
}

static void a_node_is_read_from_what_another_one_says(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host; /* NULL: no node */
        int port;
    } nodes[] = {
        {"MOVED 3999 127.0.0.1:6381", "127.0.0.1", 6381},
        {"MOVED 3999 node-2.redis.svc:6381", "node-2.redis.svc", 6381},
        {"MOVED 3999 ::1:6381", "::1", 6381},
        {"MOVED 3999 :6381", "", 6381},
        {"MOVED 3999 ?:6381", "", 6381},
        {"MOVED 3999 127.0.0.1:0", NULL, 0},
        {"MOVED 3999 127.0.0.1:65536", NULL, 0},
        {"MOVED 3999 127.0.0.1:", NULL, 0},
        {"MOVED 3999", NULL, 0},
        {"MOVED", NULL, 0},
        {"MOVED 3999 a-name-that-is-longer:6381", NULL, 0},
    };
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        char host[20];
        int port = 0;
        assert_int_equal(redis_refusal_node(nodes[i].text, host, sizeof(host), &port), nodes[i].host != NULL);
        if (nodes[i].host == NULL)
            continue;
        assert_string_equal(host, nodes[i].host);
        assert_int_equal(port, nodes[i].port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_says_where_on_its_way_up),
        cmocka_unit_test(an_error_that_is_too_long_is_cut),
        cmocka_unit_test(a_buffer_grows),
        cmocka_unit_test(durations_are_printed_as_go_does),
        cmocka_unit_test(a_copied_text_is_cut_between_characters),
        cmocka_unit_test(what_a_server_refuses_is_told_apart),
        cmocka_unit_test(a_node_is_read_from_what_another_one_says),
        cmocka_unit_test(a_key_is_whole_or_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
