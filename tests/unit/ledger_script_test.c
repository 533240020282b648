/*
 * The heads of the scripts and the ledger's rows name the same keys in the same order, and as many arguments:
 *
 *     -- KEYS: run processing; for each task: task attempts
 *     -- ARGV: me, lease (ms); for each task: task, spec
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ledger_scripts.h"
#include "shared/buffer.h"
#include "shared/ledger_script.h"

static const char *script_text(const char *name)
{
    char file[64];
    snprintf(file, sizeof(file), "%s.lua", name);
    for (size_t i = 0; i < ledger_scripts_count; i++)
        if (strcmp(ledger_scripts[i].path, file) == 0)
            return (const char *)ledger_scripts[i].body;
    fail_msg("%s: no such script", file);
    return NULL;
}

/* What stands after this word, over several lines; without the notes in brackets. */
static void read_head(const char *name, const char *word, struct buffer *head)
{
    const char *c = strstr(script_text(name), word);
    if (c == NULL)
        fail_msg("%s.lua: its head has no %s", name, word);
    int depth = 0;
    for (c += strlen(word); strncmp(c, "\n-- ", 4) != 0 || c[4] == ' '; c++) {
        if (strncmp(c, "\n--", 3) == 0) {
            c += strspn(c + 3, " ") + 2;
            buffer_text(head, depth == 0 ? " " : "");
            continue;
        }
        if (*c == '(')
            depth++;
        if (depth == 0)
            buffer_add(head, c, 1);
        if (*c == ')')
            depth--;
    }
    assert_int_equal(depth, 0);
}

static void add_keys(struct buffer *out, const struct ledger_key_list *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        buffer_format(out, "%s%s", i ? " " : "", ledger_key_word(keys->kinds[i]));
}

static void describe_keys(const struct ledger_script_row *row, struct buffer *out)
{
    add_keys(out, &row->keys);
    for (size_t i = 0; i < LEDGER_SCRIPT_REPEATS && row->more_keys[i].count > 0; i++) {
        buffer_text(out, "; ");
        add_keys(out, &row->more_keys[i]);
    }
}

static void describe_arguments(const struct ledger_script_row *row, struct buffer *out)
{
    buffer_format(out, "%zu", row->arguments);
    for (size_t i = 0; i < LEDGER_SCRIPT_REPEATS && row->more_arguments[i] > 0; i++)
        buffer_format(out, "; %zu", row->more_arguments[i]);
}

/* "for each task: " says what for people; one space between words. */
static char *next_part(char **rest)
{
    char *part = strsep(rest, ";");
    if (part == NULL)
        return NULL;
    char *colon = strchr(part, ':');
    return colon ? colon + 1 : part;
}

static void add_words(struct buffer *out, char *part)
{
    const char *word, *gap = "";
    while ((word = strsep(&part, " "))) {
        if (*word == '\0')
            continue;
        buffer_format(out, "%s%s", gap, word);
        gap = " ";
    }
}

static size_t count_arguments(char *part)
{
    size_t count = 0;
    while (strsep(&part, ","))
        count++;
    return count;
}

static void each_script_gets_the_keys_that_its_head_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEDGER_SCRIPTS; i++) {
        const struct ledger_script_row *row = &ledger_script_rows[i];
        auto_buffer head = {0}, said = {0}, given = {0};
        read_head(row->name, "-- KEYS: ", &head);
        char *rest = head.data, *part;
        for (const char *gap = ""; (part = next_part(&rest)); gap = "; ") {
            buffer_text(&said, gap);
            add_words(&said, part);
        }
        describe_keys(row, &given);
        if (strcmp(said.data, given.data) != 0)
            fail_msg("%s: found the keys %s; its head wants %s", row->name, given.data, said.data);
    }
}

static void each_script_gets_as_many_arguments_as_its_head_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEDGER_SCRIPTS; i++) {
        const struct ledger_script_row *row = &ledger_script_rows[i];
        auto_buffer head = {0}, said = {0}, given = {0};
        read_head(row->name, "-- ARGV: ", &head);
        char *rest = head.data, *part;
        for (const char *gap = ""; (part = next_part(&rest)); gap = "; ")
            buffer_format(&said, "%s%zu", gap, count_arguments(part));
        describe_arguments(row, &given);
        if (strcmp(said.data, given.data) != 0)
            fail_msg("%s: found %s arguments; its head wants %s", row->name, given.data, said.data);
    }
}

static void every_script_has_a_row(void **state)
{
    (void)state;
    assert_int_equal(ledger_scripts_count, LEDGER_SCRIPTS);
    for (size_t i = 0; i < LEDGER_SCRIPTS; i++)
        script_text(ledger_script_rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_script_has_a_row),
        cmocka_unit_test(each_script_gets_the_keys_that_its_head_names),
        cmocka_unit_test(each_script_gets_as_many_arguments_as_its_head_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
