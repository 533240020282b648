/*
 * JUnit's XML has no standard; this is what those who read it have in common, and what each of them is known for:
 *
 *   - A name stands once, with viewport and browser in it: GitLab takes two of one name and classname for one test.
 *   - Jenkins shows what stands before the classname's last dot as a package: the group. No other dot is left in it.
 *   - Azure cuts names at 512 characters: export_case.h keeps them shorter.
 *   - A flaky test is one that passed, with its failures as <flakyFailure>, as Surefire writes reruns.
 *   - Infrastructure is <error>, a test's failure <failure>.
 *   - Of a task that did not pass the kept output stands in one <system-out>, that of its first case that tells of it.
 *
 * libxml2 writes it, a suite at a time. What XML 1.0 can't hold (https://www.w3.org/TR/xml/#charsets) is left out.
 */
#include "controller/export/export_junit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libxml/xmlwriter.h>

#include "shared/clock.h"
#include "shared/memory.h"
#include "shared/utf8.h"

enum { LOG_MAX = 64 * 1024 }; /* the last bytes of it */

/* ---- text that XML can hold ---- */

static bool is_allowed(const char *at, size_t sequence)
{
    unsigned char first = (unsigned char)at[0];
    if (sequence == 1)
        return first >= 0x20 || first == '\t' || first == '\n';
    return memcmp(at, "\xEF\xBF\xBE", sequence) != 0 &&
           memcmp(at, "\xEF\xBF\xBF", sequence) != 0; /* U+FFFE, U+FFFF */
}

/* The length of a terminal's colour sequence (ECMA-48 CSI) at the start, or 0. */
static size_t colour_length(const char *text, size_t length)
{
    size_t i = 2;
    if (length < 3 || text[0] != '\033' || text[1] != '[')
        return 0;
    while (i < length && (unsigned char)text[i] >= 0x20 && (unsigned char)text[i] <= 0x3F)
        i++;
    return i < length ? i + 1 : 0;
}

static void add_allowed(struct buffer *out, const char *bytes, size_t length)
{
    auto_buffer text = {0};
    buffer_add_utf8(&text, bytes, length);
    for (size_t i = 0; i < text.length;) {
        const char *at = text.data + i;
        size_t colour = colour_length(at, text.length - i);
        size_t sequence = utf8_sequence((const unsigned char *)at, text.length - i);
        if (colour == 0 && is_allowed(at, sequence))
            buffer_add(out, at, sequence);
        i += colour ? colour : sequence;
    }
}

static const xmlChar *allowed(struct buffer *room, const char *text)
{
    buffer_clear(room);
    buffer_text(room, "");
    add_allowed(room, text, strlen(text));
    return (const xmlChar *)(room->data ? room->data : "");
}

/* ---- writing ---- */

static void attribute(xmlTextWriterPtr xml, const char *name, const char *text)
{
    auto_buffer room = {0};
    xmlTextWriterWriteAttribute(xml, (const xmlChar *)name, allowed(&room, text));
}

static void number(xmlTextWriterPtr xml, const char *name, size_t value)
{
    xmlTextWriterWriteFormatAttribute(xml, (const xmlChar *)name, "%zu", value);
}

static void seconds(xmlTextWriterPtr xml, uint64_t ms)
{
    xmlTextWriterWriteFormatAttribute(xml, (const xmlChar *)"time", "%" PRIu64 ".%03" PRIu64, ms / 1000, ms % 1000);
}

static void start(xmlTextWriterPtr xml, const char *name)
{
    xmlTextWriterStartElement(xml, (const xmlChar *)name);
}

static void end(xmlTextWriterPtr xml)
{
    xmlTextWriterEndElement(xml);
}

static void text(xmlTextWriterPtr xml, const char *bytes)
{
    auto_buffer room = {0};
    xmlTextWriterWriteString(xml, allowed(&room, bytes));
}

/* ---- a case ---- */

/* What a reader needs, in the order in which he wants it. Most runners' stacks begin with the message. */
static void add_details(struct buffer *out, const struct export_failure *failure)
{
    bool is_repeated = failure->message && failure->stack && strstr(failure->stack, failure->message);
    if (failure->message && !is_repeated)
        buffer_format(out, "%s\n", failure->message);
    if (failure->expected || failure->received)
        buffer_format(out, "expected: %s\nreceived: %s\n", failure->expected ? failure->expected : "",
                      failure->received ? failure->received : "");
    if (failure->snippet)
        buffer_format(out, "\n%s\n", failure->snippet);
    if (failure->stack)
        buffer_format(out, "\n%s\n", failure->stack);
}

static void write_failure(xmlTextWriterPtr xml, const char *element, const char *type,
                          const struct export_failure *failure, bool is_flaky)
{
    auto_buffer details = {0};
    add_details(&details, failure);
    start(xml, element);
    attribute(xml, "message", failure->message ? failure->message : "no message");
    attribute(xml, "type", type);
    if (is_flaky)
        start(xml, "stackTrace");
    text(xml, details.data ? details.data : "");
    if (is_flaky)
        end(xml);
    end(xml);
}

static void write_result(xmlTextWriterPtr xml, const struct export_cases *cases, const struct export_case *item)
{
    const struct export_failure *failures = cases->failures + item->first_failure;
    switch (item->status) {
    case EXPORT_FAILED:
        write_failure(xml, "failure", "failed", failures, false);
        break;
    case EXPORT_ERROR:
        write_failure(xml, "error", "error", failures, false);
        break;
    case EXPORT_FLAKY:
        for (size_t i = 0; i < item->failure_count; i++)
            write_failure(xml, "flakyFailure", "failed", &failures[i], true);
        break;
    case EXPORT_SKIPPED:
    case EXPORT_CANCELLED:
        start(xml, "skipped");
        if (item->reason || item->status == EXPORT_CANCELLED) {
            auto_buffer reason = {0};
            buffer_format(&reason, "%s%s%s", item->status == EXPORT_CANCELLED ? "cancelled" : "",
                          item->status == EXPORT_CANCELLED && item->reason ? ": " : "",
                          item->reason ? item->reason : "");
            attribute(xml, "message", reason.data);
        }
        end(xml);
        break;
    default:
        break;
    }
}

static bool has_log(const struct export_case *item)
{
    return item->status == EXPORT_FAILED || item->status == EXPORT_ERROR || item->status == EXPORT_FLAKY;
}

/* The end of the output, from the start of a line where it was cut. */
static void write_log(xmlTextWriterPtr xml, const struct export_task *task)
{
    auto_buffer room = {0};
    const char *log = task->log;
    size_t length = task->log_length;
    if (log == NULL || length == 0)
        return;
    if (length > LOG_MAX) {
        const char *line = memchr(log + length - LOG_MAX, '\n', LOG_MAX);
        size_t dropped = line ? (size_t)(line + 1 - log) : length - LOG_MAX;
        buffer_format(&room, "(%zu bytes before this are in the report)\n", dropped);
        log += dropped;
        length -= dropped;
    }
    add_allowed(&room, log, length);
    start(xml, "system-out");
    xmlTextWriterWriteString(xml, (const xmlChar *)(room.data ? room.data : ""));
    end(xml);
}

static void add_without_dots(struct buffer *out, const char *name)
{
    for (; *name; name++)
        buffer_add(out, *name == '.' ? "_" : name, 1);
}

static void write_case(xmlTextWriterPtr xml, const struct export_task *task, const struct export_cases *cases,
                       const struct export_case *item, bool takes_log)
{
    const struct plan_task *planned = &task->plan->tasks[task->index];
    auto_buffer name = {0}, class = {0};
    buffer_format(&name, "%s ", item->title);
    export_add_where(&name, task);
    add_without_dots(&class, task->plan->groups[planned->group].name);
    buffer_text(&class, ".");
    add_without_dots(&class, planned->spec);
    start(xml, "testcase");
    attribute(xml, "name", name.data);
    attribute(xml, "classname", class.data);
    if (item->file)
        attribute(xml, "file", item->file);
    if (item->line > 0)
        number(xml, "line", item->line);
    seconds(xml, item->duration_ms);
    write_result(xml, cases, item);
    if (takes_log)
        write_log(xml, task);
    end(xml);
}

/* ---- a suite ---- */

static size_t count(const struct export_cases *cases, enum export_status status)
{
    size_t found = 0;
    for (size_t i = 0; i < cases->count; i++)
        found += cases->items[i].status == status;
    return found;
}

static void write_property(xmlTextWriterPtr xml, const char *name, const char *value)
{
    if (value == NULL)
        return;
    start(xml, "property");
    attribute(xml, "name", name);
    attribute(xml, "value", value);
    end(xml);
}

static void write_properties(xmlTextWriterPtr xml, const struct export_task *task)
{
    const struct plan_task *planned = &task->plan->tasks[task->index];
    char key[TASK_KEY_SIZE], attempt[16];
    plan_key(task->plan, task->index, key);
    snprintf(attempt, sizeof(attempt), "%u", task->state->attempt);
    start(xml, "properties");
    write_property(xml, "task", key);
    write_property(xml, "viewport", planned->viewport);
    write_property(xml, "browser", planned->browser);
    write_property(xml, "runner", planned->runner);
    write_property(xml, "attempt", attempt);
    write_property(xml, "worker", task->state->worker);
    end(xml);
}

static void write_suite(xmlTextWriterPtr xml, const struct export_task *task, const struct export_cases *cases)
{
    const struct plan_task *planned = &task->plan->tasks[task->index];
    auto_buffer name = {0};
    char started[40];
    bool has_told_log = false;
    buffer_format(&name, "%s › %s ", task->plan->groups[planned->group].name, planned->spec);
    export_add_where(&name, task);
    start(xml, "testsuite");
    attribute(xml, "name", name.data);
    number(xml, "tests", cases->count);
    number(xml, "failures", count(cases, EXPORT_FAILED));
    number(xml, "errors", count(cases, EXPORT_ERROR));
    number(xml, "skipped", count(cases, EXPORT_SKIPPED) + count(cases, EXPORT_CANCELLED));
    seconds(xml, task->state->duration_ms);
    if (task->state->started_ms > 0) {
        clock_format_utc(task->state->started_ms, started, sizeof(started));
        attribute(xml, "timestamp", started);
    }
    write_properties(xml, task);
    for (size_t i = 0; i < cases->count; i++) {
        bool takes_log = !has_told_log && has_log(&cases->items[i]);
        write_case(xml, task, cases, &cases->items[i], takes_log);
        has_told_log |= takes_log;
    }
    end(xml);
}

void export_junit_begin(struct export_writer *writer)
{
    auto_buffer room = {0}, name = {0};
    buffer_format(&name, "funkytown %s", board_run_id(writer->run->board));
    xmlChar *escaped = xmlEncodeSpecialChars(NULL, allowed(&room, name.data));
    buffer_format(&writer->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"%s\">\n",
                  (const char *)escaped);
    xmlFree(escaped);
}

/* A task that is still to come is no test that was skipped: it isn't there. */
void export_junit_task(struct export_writer *writer, const struct export_task *task, const struct export_cases *cases)
{
    if (count(cases, EXPORT_PENDING) > 0)
        return;
    xmlBufferPtr memory = xmlBufferCreate();
    xmlTextWriterPtr xml = xmlNewTextWriterMemory(memory, 0);
    xmlTextWriterSetIndent(xml, 1);
    write_suite(xml, task, cases);
    xmlTextWriterFlush(xml);
    buffer_add(&writer->out, xmlBufferContent(memory), (size_t)xmlBufferLength(memory));
    xmlFreeTextWriter(xml);
    xmlBufferFree(memory);
}

void export_junit_end(struct export_writer *writer)
{
    buffer_text(&writer->out, "</testsuites>\n");
}
