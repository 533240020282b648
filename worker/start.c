#include "worker/start.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/log.h"
#include "shared/memory.h"
#include "shared/runner_template.h"
#include "worker/junit.h"

/* Kept of a start's output: enough to see how it began and why it ended; 20,000 of them still fit a small Redis. */
enum { LOG_HEAD_BYTES = 32 * 1024, LOG_TAIL_BYTES = 96 * 1024 };

/* ---- callbacks ---- */

static void on_output(void *data, const char *bytes, size_t length)
{
    struct start *s = data;
    if (!s->is_listing)
        capture_add(&s->output, bytes, length);
}

static void on_event_bytes(void *data, const char *bytes, size_t length)
{
    struct start *s = data;
    event_reader_feed(&s->events, bytes, length);
}

static const struct attempt *find_named(const struct start *s, const struct cJSON *event)
{
    for (size_t i = 0; i < s->attempt_count; i++)
        if (judge_is_named(&s->attempts[i].judge, event))
            return &s->attempts[i];
    return NULL;
}

static void on_event(void *data, const struct cJSON *event, const char *text)
{
    struct start *s = data;
    if (s->is_listing) {
        projects_take(&s->listed, event);
        return;
    }
    const struct attempt *named = find_named(s, event);
    for (size_t i = 0; i < s->attempt_count; i++) {
        struct judge *judge = &s->attempts[i].judge;
        if (named == NULL || named == &s->attempts[i])
            judge_take(judge, event, text);
        else
            judge_take_others(judge, event);
    }
}

static void on_grace_over(uv_timer_t *timer)
{
    struct start *s = timer->data;
    supervisor_kill(s->supervisor);
}

static void on_time_limit(uv_timer_t *timer)
{
    struct start *s = timer->data;
    s->is_timed_out = true;
    start_stop(s, START_GRACE_MS);
}

/* ---- starting ---- */

/* The contract's variables; `lines` gives them room. */
enum { OWN_VARIABLES = 13, VARIABLE_SIZE = PATH_MAX + 64 };

static void list_variables(const struct start *s, const struct run_policy *policy,
                           const struct run_viewport *viewport, char *const *of_runner, char (*lines)[VARIABLE_SIZE],
                           const char **list)
{
    const struct attempt_task *t = &s->attempts[0].task;
    size_t n = 0;
#define VARIABLE(format, ...) snprintf(lines[n], VARIABLE_SIZE, format, __VA_ARGS__), list[n] = lines[n], n++
    VARIABLE("FUNKYTOWN_RUN_ID=%s", policy->run_id);
    VARIABLE("FUNKYTOWN_TASK=%s", t->key);
    VARIABLE("FUNKYTOWN_ATTEMPT=%u", t->attempt);
    VARIABLE("FUNKYTOWN_SPEC=%s", s->attempts[0].spec);
    VARIABLE("FUNKYTOWN_VIEWPORT=%s", t->viewport);
    VARIABLE("FUNKYTOWN_BROWSER=%s", t->browser);
    VARIABLE("FUNKYTOWN_EVENTS=%s", supervisor_fifo(s->supervisor));
    VARIABLE("FUNKYTOWN_ARTIFACTS=%s", s->scratch.artifacts.path);
    VARIABLE("TMPDIR=%s", s->scratch.tmp.path);
    if (viewport) {
        VARIABLE("FUNKYTOWN_WIDTH=%d", viewport->width);
        VARIABLE("FUNKYTOWN_HEIGHT=%d", viewport->height);
        VARIABLE("FUNKYTOWN_MOBILE=%d", viewport->is_mobile);
    }
    if (s->setup->programs->node_options)
        VARIABLE("NODE_OPTIONS=%s", s->setup->programs->node_options);
#undef VARIABLE
    for (size_t i = 0; of_runner[i]; i++)
        list[n++] = of_runner[i];
    list[n] = NULL;
}

static size_t count_texts(char *const *list)
{
    size_t count = 0;
    while (list[count])
        count++;
    return count;
}

static int run(struct start *s, const struct run_policy *policy, const struct run_viewport *viewport,
               const struct runner_command *command, struct error *err)
{
    const struct runner *runner = s->attempts[0].runner;
    char cwd[PATH_MAX];
    auto_free char(*lines)[VARIABLE_SIZE] = memory_zeroed(OWN_VARIABLES, VARIABLE_SIZE);
    auto_free const char **list = memory_zeroed(OWN_VARIABLES + count_texts(command->env) + 1, sizeof(*list));
    list_variables(s, policy, viewport, command->env, lines, list);
    int length =
        snprintf(cwd, sizeof(cwd), "%s%s%s", s->setup->root, runner->cwd ? "/" : "", runner->cwd ? runner->cwd : "");
    if (length >= (int)sizeof(cwd))
        return error_set(err, ERROR_CONFIG, "runner \"%s\": cwd: the path is too long", runner->name);
    return supervisor_run(s->supervisor, (const char *const *)command->argv, list, cwd, err);
}

/* They run one after another. */
static unsigned time_limit_s(const struct start *s)
{
    unsigned sum = 0;
    for (size_t i = 0; i < s->attempt_count; i++)
        sum += s->attempts[i].task.limits.timeout_s;
    return sum;
}

/* With this reporter, and one argument more if it isn't NULL. */
static int run_with(struct start *s, const char *reporter_name, const char *argument, const char *project,
                    struct error *err)
{
    const struct run_policy *policy = s->policy;
    const struct attempt *first = &s->attempts[0];
    const struct run_viewport *viewport = run_policy_viewport(policy, first->task.viewport);
    char reporter[PATH_MAX];
    if (scratch_path(s->setup->scratch, reporter_name, reporter, err) < 0)
        return -1;
    auto_free const char **specs = memory_zeroed(s->attempt_count + 1, sizeof(*specs));
    for (size_t i = 0; i < s->attempt_count; i++)
        specs[i] = s->attempts[i].spec;
    struct runner_command command;
    const struct runner_values values = {
        .specs = specs,
        .root = s->setup->root,
        .viewport = first->task.viewport,
        .browser = first->task.browser,
        .width = viewport ? viewport->width : 0,
        .height = viewport ? viewport->height : 0,
        .events = supervisor_fifo(s->supervisor),
        .artifacts = s->scratch.artifacts.path,
        .output = s->scratch.output.path,
        .programs = (const char *const *)s->setup->programs->paths,
        .reporter = reporter,
        .project = project,
    };
    if (runner_expand(first->runner, &values, &command, err) < 0)
        return error_wrap(err, "runner \"%s\"", first->runner->name);
    if (argument) {
        runner_command_add(&command, argument);
    } else {
        memory_copy_text(s->program, sizeof(s->program), command.argv[0]);
        free(s->junit);
        s->junit = take(command.junit);
    }
    int failed = run(s, policy, viewport, &command, err);
    runner_command_close(&command);
    return failed;
}

static int choose_project(struct start *s, struct error *err)
{
    const struct attempt *first = &s->attempts[0];
    const char *viewport = first->task.viewport, *browser = first->task.browser;
    const struct projects *known = projects_recall(s->setup->projects, s->policy, first->runner->name);
    if (known && known->count > 0)
        return projects_match(known, s->policy, viewport, browser, s->project, sizeof(s->project), err);
    projects_guess(s->policy, viewport, browser, s->project, sizeof(s->project));
    return 0;
}

static int run_all(struct start *s, struct error *err)
{
    const struct runner *runner = s->attempts[0].runner;
    if (runner_needs_project(runner) && choose_project(s, err) < 0)
        return -1;
    return run_with(s, runner->reporter, NULL, s->project, err);
}

/* ---- the runner ends ---- */

/* `reason`: why the tasks are errors, whatever the runner said; NULL: its end decides. */
static void end_all(struct start *s, const struct runner_end *runner_end, const char *reason)
{
    const struct attempt_end end = {runner_end, s->program, s->is_timed_out ? s->timeout_s : 0, &s->output, reason};
    uv_timer_stop(&s->timer);
    for (size_t i = 0; i < s->attempt_count; i++)
        attempt_end(&s->attempts[i], &end);
    s->on_end(s->data);
}

/* It gave up before any test, and nobody knows yet which projects there are. */
static bool may_lack_project(struct start *s, const struct runner_end *end)
{
    const struct runner *runner = s->attempts[0].runner;
    if (end->kind != RUNNER_EXITED || end->code == 0 || s->is_stopped || !runner_needs_project(runner) ||
        runner->lister == NULL || projects_recall(s->setup->projects, s->policy, runner->name))
        return false;
    for (size_t i = 0; i < s->attempt_count; i++)
        if (!judge_is_untouched(&s->attempts[i].judge))
            return false;
    return true;
}

static int list_projects(struct start *s, const struct runner_end *end)
{
    struct error err;
    const struct runner *runner = s->attempts[0].runner;
    s->ended = *end;
    event_reader_clear(&s->events);
    s->is_listing = true;
    if (run_with(s, runner->lister, runner->lister_argument, "", &err) == 0)
        return 0;
    s->is_listing = false;
    log_warn("projects.unknown", LOG_TEXT("runner", runner->name), LOG_TEXT("reason", err.text));
    return -1;
}

static void begin_again(struct start *s)
{
    struct error err;
    capture_clear(&s->output);
    for (size_t i = 0; i < s->attempt_count; i++)
        attempt_begin_again(&s->attempts[i]);
    if (run_all(s, &err) < 0)
        end_all(s, &s->ended, err.text);
}

/* Goes on with the project that fits; if that is the one which was tried, or none is known, the first end stands. */
static void end_listing(struct start *s, const struct runner_end *end)
{
    struct error err;
    const struct attempt_task *task = &s->attempts[0].task;
    const char *runner = s->attempts[0].runner->name;
    char project[START_PROJECT_SIZE];
    bool is_answered = s->listed.count > 0;
    s->is_listing = false;
    event_reader_clear(&s->events);
    if (s->is_stopped || (!is_answered && end->kind != RUNNER_EXITED)) {
        end_all(s, end, NULL);
        return;
    }
    log_info("projects.listed", LOG_TEXT("runner", runner), LOG_INT("count", s->listed.count));
    projects_remember(s->setup->projects, s->policy, runner, &s->listed);
    const struct projects *known = projects_recall(s->setup->projects, s->policy, runner);
    if (!is_answered)
        end_all(s, &s->ended, NULL);
    else if (projects_match(known, s->policy, task->viewport, task->browser, project, sizeof(project), &err) < 0)
        end_all(s, &s->ended, err.text);
    else if (strcmp(project, s->project) == 0)
        end_all(s, &s->ended, NULL);
    else
        begin_again(s);
}

/* A spec may put a file in the place of the FIFO: what is said into it reaches nobody. */
static void look_for_lost_events(struct start *s)
{
    struct stat found;
    if (lstat(supervisor_fifo(s->supervisor), &found) == 0 && !S_ISFIFO(found.st_mode))
        on_event(s, NULL, "written to a file in the place of the FIFO");
}

/* What its file says of tests is taken as if the runner had sent it. */
static void read_junit(struct start *s)
{
    const char *name = s->attempts[0].runner->junit;
    if (s->junit == NULL || junit_read(s->junit, name, on_event, s))
        return;
    for (size_t i = 0; i < s->attempt_count; i++)
        judge_lacks_file(&s->attempts[i].judge, name);
}

static void on_runner_end(void *data, const struct runner_end *end)
{
    struct start *s = data;
    event_reader_end(&s->events);
    if (s->is_listing) {
        end_listing(s, end);
        return;
    }
    look_for_lost_events(s);
    read_junit(s);
    if (!may_lack_project(s, end) || list_projects(s, end) < 0)
        end_all(s, end, NULL);
}

/* ---- what the owner asks for ---- */

int start_open(struct start *s, const struct start_setup *setup, int slot, void (*on_end)(void *data), void *data,
               struct error *err)
{
    static const struct supervisor_events events = {on_output, on_event_bytes, on_runner_end};
    *s = (struct start){.setup = setup, .on_end = on_end, .data = data};
    uv_timer_init(setup->loop, &s->timer);
    s->timer.data = s;
    capture_init(&s->output, LOG_HEAD_BYTES, LOG_TAIL_BYTES);
    event_reader_init(&s->events, on_event, s);
    if (scratch_slot_open(&s->scratch, setup->scratch, slot, err) < 0)
        return -1;
    s->supervisor = supervisor_start(setup->loop, s->scratch.path, &events, s, err);
    return s->supervisor ? 0 : -1;
}

int start_run(struct start *s, const struct run_policy *policy, struct attempt *attempts, size_t count,
              struct error *err)
{
    s->policy = policy;
    s->attempts = attempts;
    s->attempt_count = count;
    if (access(s->setup->root, X_OK) < 0)
        return error_errno(err, errno, "SPEC_ROOT: %s", s->setup->root);
    if (s->scratch.unusable)
        return error_errno(err, s->scratch.unusable, "temporary folder %s", s->scratch.path);
    for (size_t i = 0; i < count; i++) {
        if (attempt_prepare(&attempts[i], policy, err) < 0)
            return -1;
        attempts[i].judge.has_others = count > 1;
    }
    if (run_all(s, err) < 0)
        return -1;
    s->timeout_s = time_limit_s(s);
    uv_timer_start(&s->timer, on_time_limit, (uint64_t)s->timeout_s * 1000, 0);
    return 0;
}

void start_stop(struct start *s, unsigned grace_ms)
{
    s->is_stopped = true;
    supervisor_terminate(s->supervisor);
    uv_timer_start(&s->timer, on_grace_over, grace_ms, 0);
}

void start_kill(struct start *s)
{
    s->is_stopped = true;
    supervisor_kill(s->supervisor);
}

/* ---- the end ---- */

static void empty_folders(struct start *s)
{
    struct error err;
    if (scratch_slot_empty(&s->scratch, &err) > 0)
        log_warn("folder.left", LOG_TEXT("task", s->attempt_count > 0 ? s->attempts[0].task.key : ""),
                 LOG_TEXT("reason", err.text));
}

void start_clear(struct start *s)
{
    empty_folders(s);
    s->attempts = NULL;
    s->attempt_count = 0;
    s->is_timed_out = s->is_stopped = s->is_listing = false;
    projects_close(&s->listed);
    free(s->junit);
    s->junit = NULL;
    capture_clear(&s->output);
    event_reader_clear(&s->events);
}

static void on_supervisor_closed(void *data)
{
    struct start *s = data;
    start_clear(s);
    capture_close(&s->output);
    event_reader_close(&s->events);
    s->on_closed(s->data);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct start *s = handle->data;
    if (s->supervisor)
        supervisor_close(s->supervisor, on_supervisor_closed);
    else
        on_supervisor_closed(s);
}

void start_close(struct start *s, void (*closed)(void *data))
{
    s->on_closed = closed;
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}
