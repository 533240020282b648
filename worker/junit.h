/*
 * A JUnit file, as pytest, Vitest, Robot Framework, Surefire and most others write one, told as the events that a
 * reporter would have sent (worker/judge.h has them): one "test" for each testcase, and a "spec" at the end.
 *
 * There is no standard. What the tools write is collected at https://github.com/testmoapp/junitxml, and Surefire's
 * reruns are in its schema (maven.apache.org/surefire/maven-surefire-plugin/xsd/surefire-test-report.xsd):
 *
 *     in a testcase                                        its status
 *     -------------------------------------------------    ---------------------------------------
 *     <failure>, <error>; status or result says failed     failed
 *     <flakyFailure>, <flakyError>, and none of the above  flaky
 *     <skipped>; status or result says notrun, skipped …   skipped
 *     anything else                                        passed
 *
 * The title is the names of the suites around it, its classname if that is another name, and its own name. What is
 * wrong with the file is an "error" event, as is a suite that counts more failures than its testcases have: so that
 * nothing is better than the file says. Failures before the place that can't be read have been told by then.
 */
#pragma once
#include <stdbool.h>

struct cJSON;

/* `event` is the callee's during the call only; `text` says what it is of, for people. */
typedef void junit_listener(void *data, const struct cJSON *event, const char *text);

/*
 * Reads the file at `path`, which people know as `name`. False: there is no such file, and nothing was told. Only a
 * regular file of at most 32 MiB is read, no symbolic link; a DOCTYPE is refused.
 */
bool junit_read(const char *path, const char *name, junit_listener *listener, void *data);
