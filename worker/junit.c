#include "worker/junit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <expat.h>

#include "shared/buffer.h"
#include "shared/memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { FILE_MAX_BYTES = 32 * 1024 * 1024, CHUNK_BYTES = 64 * 1024, DEPTH_MAX = 64, TEXT_MAX_BYTES = 32 * 1024 };

/* From the best to the worst: of all that a testcase says of itself the worst counts. */
enum status { PASSED, SKIPPED, FLAKY, FAILED, STATUSES };
static const char *const status_names[STATUSES] = {"passed", "skipped", "flaky", "failed"};

struct suite {
    char *name;
    unsigned long told; /* failures and errors, by its own count */
    unsigned long seen;
};

struct reader {
    const char *name;
    junit_listener *listener;
    void *data;
    XML_Parser parser;
    size_t level; /* elements that are open; */
    struct suite suites[DEPTH_MAX];
    size_t suite_count; /* these of them are suites */

    cJSON *test; /* of the testcase that is open, NULL: none is; at this level */
    size_t test_level;
    enum status status;
    cJSON *problem; /* of the <failure> that is open, in `test`; NULL: none is, or another came before */
    struct buffer text;

    unsigned long counts[STATUSES];
    struct buffer refusal; /* why the rest wasn't read; empty: it was */
};

static void tell(struct reader *r, cJSON *event)
{
    r->listener(r->data, event, r->name);
    cJSON_Delete(event);
}

static void tell_error(struct reader *r, const char *message)
{
    cJSON *event = cJSON_CreateObject();
    cJSON_AddStringToObject(event, "event", "error");
    cJSON_AddStringToObject(cJSON_AddObjectToObject(event, "error"), "message", message);
    tell(r, event);
}

static void refuse(struct reader *r, const char *what, const char *name)
{
    if (r->refusal.length > 0)
        return;
    buffer_format(&r->refusal, "%s line %lu: found %s%s", r->name, (unsigned long)XML_GetCurrentLineNumber(r->parser),
                  what, name);
    XML_StopParser(r->parser, XML_FALSE);
}

/* ---- attributes ---- */

static const char *attribute(const XML_Char **attributes, const char *name)
{
    for (size_t i = 0; attributes[i] != NULL; i += 2)
        if (strcmp(attributes[i], name) == 0)
            return attributes[i + 1];
    return NULL;
}

static unsigned long count_of(const XML_Char **attributes, const char *name)
{
    const char *text = attribute(attributes, name);
    return text && *text >= '0' && *text <= '9' ? strtoul(text, NULL, 10) : 0;
}

/* "1,234.5": Surefire writes the comma. */
static double milliseconds_of(const char *seconds)
{
    auto_buffer plain = {0};
    for (const char *p = seconds; *p != '\0'; p++)
        if (*p != ',')
            buffer_add(&plain, p, 1);
    double value = plain.data ? strtod(plain.data, NULL) * 1000 : 0;
    return value > 0 && value < 1e12 ? value : 0;
}

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; text && i < count; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static enum status status_said(const char *text)
{
    static const char *const bad[] = {"failed", "failure", "fail", "error", "errored"};
    static const char *const left[] = {"notrun", "skipped", "disabled", "suppressed", "ignored", "pending"};
    if (is_one_of(text, bad, COUNT(bad)))
        return FAILED;
    return is_one_of(text, left, COUNT(left)) ? SKIPPED : PASSED;
}

static void worsen(struct reader *r, enum status status)
{
    if (status > r->status)
        r->status = status;
}

/* ---- suites ---- */

static void open_suite(struct reader *r, const XML_Char **attributes)
{
    const char *name = attribute(attributes, "name");
    r->suites[r->suite_count++] = (struct suite){
        .name = memory_text(name ? name : ""),
        .told = count_of(attributes, "failures") + count_of(attributes, "errors"),
    };
}

static void close_suite(struct reader *r)
{
    struct suite *suite = &r->suites[--r->suite_count];
    if (suite->seen < suite->told) {
        auto_buffer message = {0};
        buffer_format(&message, "%s: found %lu failures in the suite \"%s\", which counts %lu", r->name, suite->seen,
                      suite->name, suite->told);
        tell_error(r, message.data);
    }
    if (r->suite_count > 0)
        r->suites[r->suite_count - 1].seen += suite->seen > suite->told ? suite->seen : suite->told;
    free(suite->name);
}

/* ---- testcases ---- */

static void add_part(cJSON *title, const char *part, const char *last)
{
    if (part && part[0] != '\0' && (last == NULL || strcmp(part, last) != 0))
        cJSON_AddItemToArray(title, cJSON_CreateString(part));
}

static void add_title(const struct reader *r, const XML_Char **attributes, cJSON *test)
{
    cJSON *title = cJSON_AddArrayToObject(test, "title");
    const char *last = NULL;
    for (size_t i = 0; i < r->suite_count; i++) {
        add_part(title, r->suites[i].name, last);
        last = r->suites[i].name;
    }
    add_part(title, attribute(attributes, "classname"), last);
    add_part(title, attribute(attributes, "name"), NULL);
}

static void open_test(struct reader *r, const XML_Char **attributes)
{
    const char *time = attribute(attributes, "time"), *file = attribute(attributes, "file");
    cJSON *test = r->test = cJSON_CreateObject();
    cJSON_AddStringToObject(test, "event", "test");
    add_title(r, attributes, test);
    cJSON_AddNumberToObject(test, "duration_ms", time ? milliseconds_of(time) : 0);
    if (file) {
        cJSON_AddStringToObject(test, "file", file);
        cJSON_AddNumberToObject(test, "line", (double)count_of(attributes, "line"));
    }
    r->test_level = r->level;
    r->status = PASSED;
    worsen(r, status_said(attribute(attributes, "status")));
    worsen(r, status_said(attribute(attributes, "result")));
}

/* A <failure> says it in its attributes, in its text or in both. The first of a testcase is kept. */
static void open_problem(struct reader *r, const XML_Char **attributes)
{
    const char *message = attribute(attributes, "message");
    if (cJSON_HasObjectItem(r->test, "error"))
        return;
    r->problem = cJSON_AddObjectToObject(r->test, "error");
    buffer_clear(&r->text);
    if (message == NULL || message[0] == '\0')
        message = attribute(attributes, "type");
    if (message && message[0] != '\0')
        cJSON_AddStringToObject(r->problem, "message", message);
}

static void close_problem(struct reader *r)
{
    const char *text = r->text.data ? r->text.data + strspn(r->text.data, " \t\r\n") : "";
    if (text[0] != '\0' && !cJSON_HasObjectItem(r->problem, "message")) {
        auto_free char *line = memory_text_n(text, strcspn(text, "\r\n"));
        cJSON_AddStringToObject(r->problem, "message", line);
    }
    if (text[0] != '\0')
        cJSON_AddStringToObject(r->problem, "stack", text);
    r->problem = NULL;
}

static void close_test(struct reader *r)
{
    cJSON *test = take(r->test);
    if (r->status == FAILED && !cJSON_HasObjectItem(test, "error"))
        cJSON_AddStringToObject(cJSON_AddObjectToObject(test, "error"), "message", "failed without a message");
    cJSON_AddStringToObject(test, "status", status_names[r->status]);
    r->counts[r->status]++;
    tell(r, test);
}

static void count_failure(struct reader *r)
{
    if (r->suite_count > 0)
        r->suites[r->suite_count - 1].seen++;
}

/* ---- elements ---- */

static bool is_suite(const XML_Char *name)
{
    return strcmp(name, "testsuite") == 0 || strcmp(name, "testsuites") == 0;
}

static bool is_failure(const XML_Char *name)
{
    return strcmp(name, "failure") == 0 || strcmp(name, "error") == 0;
}

static void on_start_in_test(struct reader *r, const XML_Char *name, const XML_Char **attributes)
{
    if (is_failure(name)) {
        worsen(r, FAILED);
        count_failure(r);
        open_problem(r, attributes);
    } else if (strcmp(name, "flakyFailure") == 0 || strcmp(name, "flakyError") == 0) {
        worsen(r, FLAKY);
    } else if (strcmp(name, "skipped") == 0) {
        worsen(r, SKIPPED);
    }
}

static void on_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = data;
    if (++r->level > DEPTH_MAX)
        refuse(r, "elements that are nested too deep at ", name);
    else if (r->level == 1 && !is_suite(name))
        refuse(r, "something else than <testsuites> or <testsuite>: ", name);
    else if (r->test)
        on_start_in_test(r, name, attributes);
    else if (is_suite(name))
        open_suite(r, attributes);
    else if (strcmp(name, "testcase") == 0)
        open_test(r, attributes);
}

static void on_end(void *data, const XML_Char *name)
{
    struct reader *r = data;
    size_t level = r->level--;
    if (r->refusal.length > 0)
        return;
    if (r->problem && is_failure(name))
        close_problem(r);
    else if (r->test && level == r->test_level)
        close_test(r);
    else if (r->test == NULL && is_suite(name))
        close_suite(r);
}

static void on_text(void *data, const XML_Char *text, int length)
{
    struct reader *r = data;
    if (r->problem && r->text.length + (size_t)length <= TEXT_MAX_BYTES)
        buffer_add(&r->text, text, (size_t)length);
}

static void on_doctype(void *data, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has_more)
{
    (void)system, (void)public, (void)has_more;
    refuse(data, "a DOCTYPE: ", name);
}

/* ---- the file ---- */

static void begin(struct reader *r)
{
    r->parser = XML_ParserCreate(NULL);
    if (r->parser == NULL)
        abort(); /* as memory.h does */
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
}

static void end(struct reader *r)
{
    while (r->suite_count > 0)
        free(r->suites[--r->suite_count].name);
    cJSON_Delete(r->test);
    buffer_close(&r->text);
    buffer_close(&r->refusal);
    XML_ParserFree(r->parser);
}

/* What is read past FILE_MAX_BYTES is not parsed: it may still be written to. */
static void parse(struct reader *r, int fd)
{
    size_t all = 0;
    ssize_t length;
    do {
        void *chunk = XML_GetBuffer(r->parser, CHUNK_BYTES);
        if (chunk == NULL)
            abort();
        do
            length = read(fd, chunk, CHUNK_BYTES);
        while (length < 0 && errno == EINTR);
        all += length > 0 ? (size_t)length : 0;
        if (length < 0)
            buffer_format(&r->refusal, "%s: %s", r->name, strerror(errno));
        else if (all > FILE_MAX_BYTES)
            buffer_format(&r->refusal, "%s: found more than %d MiB", r->name, FILE_MAX_BYTES / 1024 / 1024);
        else if (XML_ParseBuffer(r->parser, (int)length, length == 0) != XML_STATUS_OK && r->refusal.length == 0)
            buffer_format(&r->refusal, "%s line %lu: %s", r->name, (unsigned long)XML_GetCurrentLineNumber(r->parser),
                          XML_ErrorString(XML_GetErrorCode(r->parser)));
    } while (length > 0 && r->refusal.length == 0);
}

static void tell_end(struct reader *r)
{
    if (r->refusal.length > 0) {
        tell_error(r, r->refusal.data);
        return;
    }
    if (r->counts[PASSED] + r->counts[SKIPPED] + r->counts[FLAKY] + r->counts[FAILED] == 0)
        return;
    bool has_passed = r->counts[PASSED] + r->counts[FLAKY] > 0;
    cJSON *event = cJSON_CreateObject();
    cJSON_AddStringToObject(event, "event", "spec");
    cJSON_AddStringToObject(event, "status",
                            status_names[r->counts[FAILED] > 0 ? FAILED : (has_passed ? PASSED : SKIPPED)]);
    tell(r, event);
}

bool junit_read(const char *path, const char *name, junit_listener *listener, void *data)
{
    struct stat status;
    auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return false;
    struct reader r = {.name = name, .listener = listener, .data = data};
    begin(&r);
    if (fd < 0 || fstat(fd, &status) < 0)
        buffer_format(&r.refusal, "%s: %s", name, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        buffer_format(&r.refusal, "%s: found something else than a file", name);
    else
        parse(&r, fd);
    tell_end(&r);
    end(&r);
    return true;
}
