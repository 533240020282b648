/*
 * Events, exit status and time limit in; result and reason out. Pure.
 *
 * A judge is of one attempt: of one spec, which events name. How bytes become events is worker/event_reader.h's; they
 * are taken one by one (judge_take), and when the runner has ended judge_verdict decides. A verdict is never better
 * than what was seen: no test run at all is an error, and so is a runner that was killed or never started, and one
 * that would have passed but said something that nobody could read.
 *
 *     {"event":"test","spec":"tests/a.spec.ts","title":["cart","adds"],"status":"passed|failed|skipped|flaky", …}
 *         (all its members: worker/test_record.h)
 *     {"event":"spec","spec":"tests/a.spec.ts","status":"passed|failed|skipped"}
 *     {"event":"error","spec":"tests/a.spec.ts","error":{"message":"…"},"file":"tests/a.spec.ts","line":3}
 *
 * "error" is what happened outside of tests. One that has a "spec" stands in the place of that spec's "spec" event:
 * the spec has no verdict, whatever its tests said (they failed because no browser could be launched, say).
 *
 * "skipped" of a spec says that it had tests and that all of them skipped themselves. It holds only if that is what was
 * seen: at least one test of this spec, all of them skipped, and an exit status of 0 or one that the runner's definition
 * calls skipped. Skipped tests without it are no result: something else may have kept them from running.
 *
 * What can't be read turns a pass or a skip into an error, and nothing else: an attempt that says, by a test or by its
 * "spec" event, that it failed, has failed.
 *
 * They come from a spec, so any bytes may:
 *
 *     what comes                                           what it is
 *     -------------------------------------------------    -----------------------------------------------------
 *     an empty line, or only blanks                        nothing
 *     more than EVENT_LINE_MAX bytes; no JSON (garbage,
 *       two events on one line, bytes after a NUL); no
 *       object; a last line that was cut off               unreadable
 *     an "event" that is no word of ours                   unreadable: it may be bad news. Reporters come with the
 *                                                            worker, so no word is older or younger than it
 *     a "status" that is no word of ours                   unreadable
 *     "event", "spec" or "status" twice; a "spec" that
 *       is no text                                         unreadable
 *     another member of a wrong type                       as if it weren't there
 *     a number that is too large, or negative              the largest, or 0
 *     bytes that are no UTF-8, half a surrogate pair       U+FFFD
 *     texts that are too long                              cut
 *     members of a test that worker/test_record.h
 *       doesn't have                                       nothing; "attachments" are counted, and not kept
 *     test records beyond JUDGE_TESTS_MAX                  counted, with their status, and not kept
 *     failed tests beyond JUDGE_FAILURES_MAX or _BYTES     counted, and not told to the board one by one
 *     an event without "spec"                              of this spec; good news of none, if the runner was started
 *                                                            for others too
 *     an event of another spec that the runner was
 *       started for                                        not taken. Bad news explains an exit status that says so,
 *                                                            and who speaks of one spec has to speak of each
 *     bad news of another spec (a set-up or tear-down)     counts as if it were of this one
 *     good news of another spec                            shown, but neither a test of this one nor its end
 *     anything after the "spec" event                      counts: what is told last can only make it worse
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/buffer.h"
#include "shared/runner.h"
#include "shared/task.h"
#include "worker/supervisor.h"

enum {
    JUDGE_TESTS_MAX =
        512 * 1024,           /* bytes of all test records as JSON; beyond half of it only failed tests are added */
    JUDGE_FAILURES_MAX = 100, /* failed tests that the board is told of, */
    JUDGE_FAILURES_BYTES = 32 * 1024, /* and their bytes as JSON */
};

struct cJSON;

struct judge {
    /* Set by the owner, and borrowed. */
    bool expects_events; /* this runner tells of its tests, so its silence is an error */
    const char *spec;    /* its path below `root`; NULL: every event is of it */
    const char *root;    /* absolute: an event may name its spec by the whole path, */
    const char *cwd;     /* or by the path from where the runner was started, below `root`; NULL: there */
    bool has_others;     /* the runner was started for other specs too */

    struct buffer tests;    /* the test records as JSON, between commas, capped */
    unsigned tests_dropped; /* records left out by the cap; they are counted all the same */
    struct buffer failures; /* the failed tests as the board is told of them, between commas, capped */
    size_t failure_count;   /* in it */
    unsigned failures_dropped;
    unsigned attachments_dropped;
    struct test_counts counts;
    unsigned own_passed;          /* of those passed and flaky: tests of this spec */
    unsigned own_skipped;         /* the same of those skipped */
    enum task_result spec_status; /* the worst of the "spec" events; TASK_UNKNOWN: none came */
    bool runner_error;            /* an "error" event: something outside of tests went wrong */
    bool spec_error;              /* one that names the spec */
    unsigned unreadable_lines;
    char unreadable_sample[200]; /* the first of them: one line, cut, no control characters */
    char other_spec[128];        /* the first other spec that good news was of; "": none */
    bool others_spoke;           /* events came of the others that the runner was started for, */
    bool others_failed;          /* and bad news among them */
    const char *lacks_file;      /* what was to tell of the tests and isn't there; NULL: nothing */
    char last_words[400];        /* of a runner that told nothing: the last error line of its output; "": none */

    /*
     * Of the spec's "error" event, else of the first failed test, else of the first "error" event. Each is one line
     * without control characters; "": unknown.
     */
    char message[512];
    char file[512];
    int line_number; /* 0: unknown */
    char title[512]; /* " › " between its parts */
};

struct verdict {
    enum task_result result;
    char reason[512]; /* one line for people; "" for passed, and for failed when there is a message */
};

void judge_init(struct judge *j);

/* Takes an event, which came as the line `text`; NULL: it couldn't be read. */
void judge_take(struct judge *j, const struct cJSON *event, const char *text);

/* Takes an event that names another spec that the runner was started for. */
void judge_take_others(struct judge *j, const struct cJSON *event);

/* Whether the event names the spec of this judge; one that names none doesn't. */
bool judge_is_named(const struct judge *j, const struct cJSON *event);

/* What was said where nobody listens counts as an unreadable line. */
void judge_add_unreadable(struct judge *j, const char *sample);

/* Whether nothing was told of any test or spec: errors without a spec at most. */
bool judge_is_untouched(const struct judge *j);

/* The file that was to tell of the tests, by this name, isn't there. The name is borrowed. */
void judge_lacks_file(struct judge *j, const char *name);

/* What the runner has printed, before the verdict: for one that told nothing its last error line is the reason. */
void judge_take_output(struct judge *j, const char *output);

/*
 * Once, when the runner has ended. `program` is its argv[0]. `timeout_s`: the time limit that made the worker stop
 * it, 0 if none did. Of `runner` only exit_results is looked at.
 */
void judge_verdict(const struct judge *j, const struct runner *runner, const struct runner_end *end,
                   const char *program, unsigned timeout_s, struct verdict *verdict);

/* The test records (worker/test_record.h) as a JSON array, now the caller's, never NULL. */
char *judge_take_tests(struct judge *j);

/*
 * What the board shows of the attempt without asking for more, now the caller's; NULL: nothing.
 *     {"tests":[passed,failed,skipped,flaky],"message":"…","title":"…","file":"…","line":12,
 *      "failures":[{"title":"cart › adds","message":"up to three\nlines","expected":"3","received":"2",
 *                   "file":"…","line":12}],"failures_dropped":4}
 * where all but "tests" may be missing. "failures" are the failed tests, the first ones if there are too many.
 */
char *judge_details(const struct judge *j);

void judge_clear(struct judge *j); /* as after judge_init(), but keeps memory */
void judge_close(struct judge *j);
