#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/memory.h"
#include "worker/capture.h"
#include "worker/supervisor.h"

enum { WATCHDOG_MS = 60 * 1000, KEEP_BYTES = 64 * 1024 };

/* One slot on a loop of its own, and what the runner said. */
struct slot {
    uv_loop_t loop;
    uv_loop_t *on; /* the loop that it is on: its own, or the first slot's */
    uv_timer_t watchdog;
    struct supervisor *supervisor;
    char folder[64];
    char marker[64];
    struct capture output, events;
    struct runner_end end;
    int ends;
    bool closed;
    void (*on_output)(struct slot *slot);
};

/* ---- the slot ---- */

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing happened for %d s", WATCHDOG_MS / 1000);
}

static void on_output(void *data, const char *bytes, size_t length)
{
    struct slot *slot = data;
    capture_add(&slot->output, bytes, length);
    if (slot->on_output)
        slot->on_output(slot);
    uv_stop(slot->on);
}

static void on_event(void *data, const char *bytes, size_t length)
{
    struct slot *slot = data;
    capture_add(&slot->events, bytes, length);
}

static void on_end(void *data, const struct runner_end *end)
{
    struct slot *slot = data;
    slot->end = *end;
    slot->ends++;
    uv_stop(slot->on);
}

static void on_closed(void *data)
{
    struct slot *slot = data;
    slot->closed = true;
    uv_stop(slot->on);
}

/* Each callback stops the loop, so that what is waited for is looked at. */
#define WAIT_UNTIL(slot, fact)                                                                                       \
    while (!(fact))                                                                                                  \
    uv_run((slot)->on, UV_RUN_DEFAULT)

/* A folder, and a marker that no other process has in its environment. */
static void slot_name(struct slot *slot)
{
    static unsigned count;
    *slot = (struct slot){.folder = "/tmp/supervisor_test.XXXXXX"};
    snprintf(slot->marker, sizeof(slot->marker), "MARKER=%d-%u", (int)getpid(), ++count);
    assert_non_null(mkdtemp(slot->folder));
}

static void slot_open(struct slot *slot)
{
    static const struct supervisor_events events = {on_output, on_event, on_end};
    struct error err;
    slot_name(slot);
    capture_init(&slot->output, KEEP_BYTES, KEEP_BYTES);
    capture_init(&slot->events, KEEP_BYTES, KEEP_BYTES);
    slot->on = &slot->loop;
    assert_int_equal(uv_loop_init(&slot->loop), 0);
    uv_timer_init(&slot->loop, &slot->watchdog);
    uv_timer_start(&slot->watchdog, on_watchdog, WATCHDOG_MS, 0);
    uv_unref((uv_handle_t *)&slot->watchdog);
    slot->supervisor = supervisor_start(&slot->loop, slot->folder, &events, slot, &err);
    assert_non_null(slot->supervisor);
}

static void slot_close(struct slot *slot)
{
    supervisor_close(slot->supervisor, on_closed);
    WAIT_UNTIL(slot, slot->closed);
    uv_close((uv_handle_t *)&slot->watchdog, NULL);
    uv_run(&slot->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&slot->loop), 0);
    assert_int_equal(rmdir(slot->folder), 0);
    capture_close(&slot->output);
    capture_close(&slot->events);
}

static int setup(void **state)
{
    struct slot *slot = memory_zeroed(1, sizeof(*slot));
    slot_open(slot);
    *state = slot;
    return 0;
}

static int teardown(void **state)
{
    slot_close(*state);
    free(*state);
    return 0;
}

/* ---- starting and waiting ---- */

static void start_in(struct slot *slot, const char *cwd, const char *const *argv)
{
    auto_free char *fifo = memory_format("FUNKYTOWN_EVENTS=%s", supervisor_fifo(slot->supervisor));
    const char *const env[] = {slot->marker, fifo, "HOME=/replaced", NULL};
    struct error err;
    capture_clear(&slot->output);
    capture_clear(&slot->events);
    slot->ends = 0;
    if (supervisor_run(slot->supervisor, argv, env, cwd, &err) < 0)
        fail_msg("%s", err.text);
}

#define START(slot, ...) start_in(slot, "/", (const char *const[]){__VA_ARGS__, NULL})

static void wait_for_end(struct slot *slot)
{
    WAIT_UNTIL(slot, slot->ends > 0);
    assert_int_equal(slot->ends, 1);
}

#define RUN(slot, ...)                                                                                               \
    do {                                                                                                             \
        START(slot, __VA_ARGS__);                                                                                    \
        wait_for_end(slot);                                                                                          \
    } while (0)

static void wait_for_output(struct slot *slot)
{
    WAIT_UNTIL(slot, slot->output.total > 0);
}

static void assert_end(const struct slot *slot, enum runner_end_kind kind, int code)
{
    assert_int_equal(slot->end.kind, kind);
    assert_int_equal(slot->end.code, code);
    assert_int_equal(slot->end.survivors, 0);
}

static void assert_output(const struct slot *slot, const char *wanted)
{
    auto_buffer text = {0};
    capture_text(&slot->output, &text);
    assert_string_equal(text.data, wanted);
}

static bool has_marker(const char *pid, const char *marker)
{
    char path[300], bytes[65536];
    snprintf(path, sizeof(path), "/proc/%s/environ", pid);
    auto_close int fd = open(path, O_RDONLY);
    ssize_t length = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));
    return length > 0 && memmem(bytes, (size_t)length, marker, strlen(marker) + 1) != NULL;
}

/* How many processes live that carry the marker in their environment. */
static int count_alive(const struct slot *slot)
{
    int count = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;)
        count += entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && has_marker(entry->d_name, slot->marker);
    closedir(proc);
    return count;
}

static void assert_nothing_alive(const struct slot *slot)
{
    assert_int_equal(count_alive(slot), 0);
}

/* ---- how runners end ---- */

static void the_exit_status_arrives(void **state)
{
    struct slot *slot = *state;
    RUN(slot, NASTY, "exit", "0");
    assert_end(slot, RUNNER_EXITED, 0);
    assert_true(slot->end.max_rss_bytes > 0);
    RUN(slot, NASTY, "exit", "7");
    assert_end(slot, RUNNER_EXITED, 7);
    RUN(slot, NASTY, "raise", "15");
    assert_end(slot, RUNNER_SIGNALED, SIGTERM);
    assert_int_equal(slot->end.strays, 0);
}

static void what_cannot_start_says_why(void **state)
{
    struct slot *slot = *state;
    RUN(slot, "/no/such/program");
    assert_end(slot, RUNNER_NOT_STARTED, ENOENT);
    RUN(slot, "/proc/self/status");
    assert_end(slot, RUNNER_NOT_STARTED, EACCES);
    start_in(slot, "/no/such/folder", (const char *const[]){NASTY, "exit", "0", NULL});
    wait_for_end(slot);
    assert_end(slot, RUNNER_NO_FOLDER, ENOENT);
    RUN(slot, NASTY, "exit", "0");
    assert_end(slot, RUNNER_EXITED, 0);
}

static void the_program_is_looked_up_in_its_own_path(void **state)
{
    struct slot *slot = *state;
    auto_free char *folder = memory_text(NASTY);
    *strrchr(folder, '/') = '\0';
    auto_free char *path = memory_format("PATH=/nowhere:%s", folder);
    const char *const argv[] = {"nasty", "exit", "3", NULL}, *const env[] = {path, NULL};
    struct error err;
    assert_int_equal(supervisor_run(slot->supervisor, argv, env, "/", &err), 0);
    wait_for_end(slot);
    assert_end(slot, RUNNER_EXITED, 3);
}

static void a_runner_starts_with_a_clean_table(void **state)
{
    struct slot *slot = *state;
    start_in(slot, slot->folder, (const char *const[]){NASTY, "session", NULL});
    wait_for_end(slot);
    auto_free char *wanted =
        memory_format("session own\ninput null\nblocked none\nignored 0\nfolder %s\n", slot->folder);
    assert_output(slot, wanted);
    RUN(slot, NASTY, "descriptors");
    assert_output(slot, "0\n1\n2\n");
}

static void credentials_stay_behind(void **state)
{
    struct slot *slot = *state;
    RUN(slot, "env");
    auto_buffer text = {0};
    capture_text(&slot->output, &text);
    assert_null(strstr(text.data, "REDIS_PASSWORD"));
    assert_null(strstr(text.data, "REDIS_USERNAME"));
    assert_null(strstr(text.data, "FUNKYTOWN_TOKEN"));
    assert_non_null(strstr(text.data, "REDIS_HOST=kept\n"));
    assert_non_null(strstr(text.data, "HOME=/replaced\n"));
    assert_ptr_equal(strstr(text.data, "HOME="), strstr(text.data, "HOME=/replaced"));
    assert_non_null(strstr(text.data, "FUNKYTOWN_EVENTS=/"));

    RUN(slot, NASTY, "parent-environment");
    assert_true(slot->output.total >= strlen("environ:"));
    assert_null(memmem(slot->output.head.data, slot->output.head.length, "secret", strlen("secret")));
}

static void only_one_runner_at_a_time_and_none_too_large(void **state)
{
    struct slot *slot = *state;
    const char *const argv[] = {NASTY, "exit", NULL}, *const none[] = {NULL};
    struct error err;
    START(slot, NASTY, "daemon-stay");
    assert_int_equal(supervisor_run(slot->supervisor, argv, none, "/", &err), -1);
    assert_string_equal(err.text, "the previous runner is still running");
    supervisor_kill(slot->supervisor);
    wait_for_end(slot);

    auto_free char *huge = memory_zeroed(128 * 1024 + 1, 1);
    memset(huge, 'x', 128 * 1024);
    assert_int_equal(supervisor_run(slot->supervisor, (const char *const[]){NASTY, huge, NULL}, none, "/", &err), -1);
    assert_non_null(strstr(err.text, "wanted at most 131072"));
    huge[100 * 1024] = '\0';
    RUN(slot, NASTY, "exit", huge);
    assert_end(slot, RUNNER_EXITED, 0);
}

/* ---- output and events ---- */

static void output_arrives_whole(void **state)
{
    struct slot *slot = *state;
    RUN(slot, NASTY, "flood", "100000000");
    assert_end(slot, RUNNER_EXITED, 0);
    assert_int_equal(slot->output.total, 100000000);
    RUN(slot, NASTY, "binary");
    assert_int_equal(slot->output.total, 256);
    for (int i = 0; i < 256; i++)
        assert_int_equal((unsigned char)slot->output.head.data[i], i);
}

static void a_pipe_left_non_blocking_does_no_harm(void **state)
{
    struct slot *slot = *state;
    RUN(slot, NASTY, "nonblocking");
    assert_end(slot, RUNNER_EXITED, 0);
    RUN(slot, NASTY, "flood", "3000000");
    assert_end(slot, RUNNER_EXITED, 0);
    assert_int_equal(slot->output.total, 3000000);
}

static void events_arrive_whole(void **state)
{
    struct slot *slot = *state;
    RUN(slot, NASTY, "events", "500");
    assert_end(slot, RUNNER_EXITED, 0);
    auto_buffer wanted = {0}, text = {0};
    for (int i = 0; i < 500; i++)
        buffer_format(&wanted, "{\"n\":%d}\n", i);
    capture_text(&slot->events, &text);
    assert_string_equal(text.data, wanted.data);
}

static void a_removed_fifo_is_made_again(void **state)
{
    struct slot *slot = *state;
    RUN(slot, NASTY, "remove-fifo");
    assert_end(slot, RUNNER_EXITED, 0);
    RUN(slot, NASTY, "events", "2");
    assert_end(slot, RUNNER_EXITED, 0);
    auto_buffer text = {0};
    capture_text(&slot->events, &text);
    assert_string_equal(text.data, "{\"n\":0}\n{\"n\":1}\n");
}

/* Another slot on the same loop. */
static void second_open(struct slot *second, struct slot *first)
{
    static const struct supervisor_events events = {on_output, on_event, on_end};
    struct error err;
    slot_name(second);
    second->on = &first->loop;
    capture_init(&second->output, KEEP_BYTES, KEEP_BYTES);
    second->supervisor = supervisor_start(&first->loop, second->folder, &events, second, &err);
    assert_non_null(second->supervisor);
}

static void second_close(struct slot *second)
{
    supervisor_close(second->supervisor, on_closed);
    WAIT_UNTIL(second, second->closed);
    rmdir(second->folder);
    capture_close(&second->output);
}

static void a_noisy_runner_does_not_keep_others_waiting(void **state)
{
    struct slot *noisy = *state;
    struct slot quiet;
    second_open(&quiet, noisy);
    START(noisy, NASTY, "flood", "0");
    for (int i = 0; i < 20; i++) {
        RUN(&quiet, NASTY, "exit", "0");
        assert_end(&quiet, RUNNER_EXITED, 0);
    }
    assert_int_equal(noisy->ends, 0);
    supervisor_kill(noisy->supervisor);
    wait_for_end(noisy);
    assert_end(noisy, RUNNER_SIGNALED, SIGKILL);
    second_close(&quiet);
}

/* ---- what is left behind ---- */

static void a_daemon_is_gone_at_the_end(void **state)
{
    struct slot *slot = *state;
    RUN(slot, NASTY, "daemon", "5");
    assert_nothing_alive(slot);
    assert_end(slot, RUNNER_EXITED, 5);
    assert_int_equal(slot->end.strays, 1);
    RUN(slot, NASTY, "exit", "0");
    assert_int_equal(slot->end.strays, 0);
}

static void a_fork_bomb_is_gone_at_the_end(void **state)
{
    struct slot *slot = *state;
    RUN(slot, NASTY, "bomb", "400");
    assert_nothing_alive(slot);
    assert_end(slot, RUNNER_EXITED, 0);
    assert_true(slot->end.strays > 0);
}

static void a_chain_of_short_lives_is_gone_at_the_end(void **state)
{
    struct slot *slot = *state;
    RUN(slot, NASTY, "chain", "5000");
    assert_nothing_alive(slot);
    assert_end(slot, RUNNER_EXITED, 0);
    assert_true(slot->end.strays > 0);
}

static void terminate_reaches_every_session(void **state)
{
    struct slot *slot = *state;
    START(slot, NASTY, "daemon-stay");
    wait_for_output(slot);
    assert_int_equal(count_alive(slot), 2);
    supervisor_terminate(slot->supervisor);
    wait_for_end(slot);
    assert_nothing_alive(slot);
    assert_end(slot, RUNNER_SIGNALED, SIGTERM);
}

static void who_is_deaf_to_terminate_is_killed(void **state)
{
    struct slot *slot = *state;
    START(slot, NASTY, "deaf");
    wait_for_output(slot);
    supervisor_terminate(slot->supervisor);
    supervisor_kill(slot->supervisor);
    supervisor_kill(slot->supervisor);
    wait_for_end(slot);
    assert_nothing_alive(slot);
    assert_end(slot, RUNNER_SIGNALED, SIGKILL);
    assert_int_equal(slot->end.strays, 1);

    supervisor_terminate(slot->supervisor); /* idle: nothing happens */
    supervisor_kill(slot->supervisor);
    RUN(slot, NASTY, "exit", "0");
    assert_end(slot, RUNNER_EXITED, 0);
}

/* ---- a supervisor that is attacked ---- */

static void a_killed_supervisor_leaves_nothing_and_is_replaced(void **state)
{
    struct slot *slot = *state;
    for (int i = 0; i < 3; i++) {
        RUN(slot, NASTY, "kill-supervisor");
        assert_nothing_alive(slot);
        assert_end(slot, RUNNER_UNKNOWN, 0);
    }
    RUN(slot, NASTY, "events", "1");
    assert_end(slot, RUNNER_EXITED, 0);
    assert_int_equal(slot->events.total, strlen("{\"n\":0}\n"));
}

static void a_recovery_spares_the_other_slots(void **state)
{
    struct slot *slot = *state;
    struct slot other;
    second_open(&other, slot);
    START(&other, NASTY, "daemon-stay");
    wait_for_output(&other);
    RUN(slot, NASTY, "kill-supervisor");
    assert_nothing_alive(slot);
    assert_int_equal(count_alive(&other), 2);
    assert_int_equal(other.ends, 0);
    second_close(&other);
    assert_nothing_alive(&other);
}

static void a_stopped_supervisor_still_kills(void **state)
{
    struct slot *slot = *state;
    START(slot, NASTY, "stop-supervisor");
    wait_for_output(slot);
    supervisor_kill(slot->supervisor);
    wait_for_end(slot);
    assert_nothing_alive(slot);
}

static pid_t parse_after(const struct slot *slot, const char *word)
{
    auto_buffer text = {0};
    capture_text(&slot->output, &text);
    const char *at = strstr(text.data, word);
    assert_non_null(at);
    return (pid_t)strtol(at + strlen(word), NULL, 10);
}

/* Kills the idle supervisor, and waits until it is dead but not reaped. */
static void kill_idle_supervisor(struct slot *slot)
{
    START(slot, NASTY, "daemon-stay");
    wait_for_output(slot);
    pid_t supervisor = parse_after(slot, "supervisor ");
    supervisor_kill(slot->supervisor);
    wait_for_end(slot);
    siginfo_t info;
    kill(supervisor, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)supervisor, &info, WEXITED | WNOWAIT), 0);
}

static void a_supervisor_killed_while_idle_is_replaced(void **state)
{
    struct slot *slot = *state;
    kill_idle_supervisor(slot);
    RUN(slot, NASTY, "exit", "4"); /* it notices when it sends */
    assert_end(slot, RUNNER_EXITED, 4);
    kill_idle_supervisor(slot);
    uv_run(&slot->loop, UV_RUN_NOWAIT); /* it notices on the loop */
    RUN(slot, NASTY, "exit", "5");
    assert_end(slot, RUNNER_EXITED, 5);
}

static void closing_kills_what_runs(void **state)
{
    (void)state;
    struct slot slot;
    slot_open(&slot);
    START(&slot, NASTY, "deaf");
    wait_for_output(&slot);
    slot_close(&slot);
    assert_nothing_alive(&slot);
    assert_int_equal(slot.ends, 0);
}

static void close_now(struct slot *slot)
{
    if (!slot->closed && slot->ends == 0) {
        slot->on_output = NULL;
        supervisor_close(slot->supervisor, on_closed);
        slot->ends = 100;
    }
}

static void closing_from_a_callback(void **state)
{
    (void)state;
    struct slot slot;
    slot_open(&slot);
    slot.on_output = close_now;
    START(&slot, NASTY, "flood", "0");
    WAIT_UNTIL(&slot, slot.closed);
    assert_nothing_alive(&slot);
    assert_int_equal(slot.ends, 100);
    uv_close((uv_handle_t *)&slot.watchdog, NULL);
    uv_run(&slot.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&slot.loop), 0);
    rmdir(slot.folder);
    capture_close(&slot.output);
    capture_close(&slot.events);
}

static void a_folder_that_is_missing_is_an_error(void **state)
{
    (void)state;
    static const struct supervisor_events events = {on_output, on_event, on_end};
    struct error err;
    uv_loop_t loop;
    uv_loop_init(&loop);
    assert_null(supervisor_start(&loop, "/no/such/folder", &events, NULL, &err));
    assert_string_equal(err.text, "/no/such/folder: No such file or directory");
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* ---- a worker that is killed ---- */

static int report_to;

static void report_output(void *data, const char *bytes, size_t length)
{
    (void)data;
    if (write(report_to, bytes, length) < 0)
        _exit(1);
}

/* A worker with one slot whose runner stays; what it prints goes to `to`. */
static void be_a_worker(struct slot *slot, int to)
{
    static const struct supervisor_events events = {report_output, on_event, on_end};
    struct error err;
    report_to = to;
    uv_loop_init(&slot->loop);
    slot->supervisor = supervisor_start(&slot->loop, slot->folder, &events, slot, &err);
    if (slot->supervisor == NULL)
        _exit(1);
    START(slot, NASTY, "daemon-stay");
    uv_run(&slot->loop, UV_RUN_DEFAULT);
    _exit(1);
}

static void assert_ends(int pidfd)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, WATCHDOG_MS), 1);
    close(pidfd);
}

static pid_t find_daemon(const struct slot *slot, pid_t runner)
{
    pid_t found = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid > 0 && pid != runner && has_marker(entry->d_name, slot->marker))
            found = (pid_t)pid;
    }
    closedir(proc);
    return found;
}

/* `own` makes this process a subreaper: the orphaned supervisor comes here. */
static void kill_a_worker(struct slot *own, bool is_stopped)
{
    struct slot slot;
    int report[2];
    slot_name(&slot);
    assert_int_equal(pipe(report), 0);
    pid_t worker = fork();
    if (worker == 0)
        be_a_worker(&slot, report[1]);
    close(report[1]);

    struct pollfd readable = {.fd = report[0], .events = POLLIN};
    assert_int_equal(poll(&readable, 1, WATCHDOG_MS), 1);
    char line[128] = "";
    int runner_pid, supervisor_pid;
    assert_true(read(report[0], line, sizeof(line) - 1) > 0);
    assert_int_equal(sscanf(line, "runner %d supervisor %d", &runner_pid, &supervisor_pid), 2);
    pid_t daemon_pid = find_daemon(&slot, runner_pid);
    assert_true(daemon_pid > 0);
    int runner = pidfd_open(runner_pid, 0), daemon = pidfd_open(daemon_pid, 0);
    int supervisor = pidfd_open(supervisor_pid, 0);
    assert_true(runner >= 0 && daemon >= 0 && supervisor >= 0);

    if (is_stopped)
        kill(supervisor_pid, SIGSTOP);
    kill(worker, SIGKILL);
    assert_int_equal(waitpid(worker, NULL, 0), worker);
    assert_ends(runner);
    assert_ends(daemon);
    assert_ends(supervisor);
    assert_int_equal(waitpid(supervisor_pid, NULL, 0), supervisor_pid);
    assert_nothing_alive(&slot);
    close(report[0]);

    auto_free char *fifo = memory_format("%s/events", slot.folder);
    unlink(fifo);
    rmdir(slot.folder);
    RUN(own, NASTY, "exit", "0"); /* the other supervisor wasn't touched */
    assert_end(own, RUNNER_EXITED, 0);
}

static void a_worker_killed_takes_everything_with_it(void **state)
{
    kill_a_worker(*state, false);
}

static void also_when_its_supervisor_was_stopped(void **state)
{
    kill_a_worker(*state, true);
}

/* ---- many ---- */

static void one_start_follows_the_other(void **state)
{
    struct slot *slot = *state;
    for (int i = 0; i < 200; i++) {
        RUN(slot, "true");
        assert_end(slot, RUNNER_EXITED, 0);
    }
}

#define ON_A_SLOT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
    (void)argc;
    /* Credentials are those that the process was started with: that is where /proc shows them. */
    if (getenv("REDIS_PASSWORD") == NULL) {
        setenv("REDIS_PASSWORD", "secret", 1);
        setenv("REDIS_USERNAME", "secret", 1);
        setenv("FUNKYTOWN_TOKEN", "secret", 1);
        setenv("REDIS_HOST", "kept", 1);
        execv("/proc/self/exe", argv);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        ON_A_SLOT(the_exit_status_arrives),
        ON_A_SLOT(what_cannot_start_says_why),
        ON_A_SLOT(the_program_is_looked_up_in_its_own_path),
        ON_A_SLOT(a_runner_starts_with_a_clean_table),
        ON_A_SLOT(credentials_stay_behind),
        ON_A_SLOT(only_one_runner_at_a_time_and_none_too_large),
        ON_A_SLOT(output_arrives_whole),
        ON_A_SLOT(a_pipe_left_non_blocking_does_no_harm),
        ON_A_SLOT(events_arrive_whole),
        ON_A_SLOT(a_removed_fifo_is_made_again),
        ON_A_SLOT(a_noisy_runner_does_not_keep_others_waiting),
        ON_A_SLOT(a_daemon_is_gone_at_the_end),
        ON_A_SLOT(a_fork_bomb_is_gone_at_the_end),
        ON_A_SLOT(a_chain_of_short_lives_is_gone_at_the_end),
        ON_A_SLOT(terminate_reaches_every_session),
        ON_A_SLOT(who_is_deaf_to_terminate_is_killed),
        ON_A_SLOT(a_killed_supervisor_leaves_nothing_and_is_replaced),
        ON_A_SLOT(a_recovery_spares_the_other_slots),
        ON_A_SLOT(a_stopped_supervisor_still_kills),
        ON_A_SLOT(a_supervisor_killed_while_idle_is_replaced),
        cmocka_unit_test(closing_kills_what_runs),
        cmocka_unit_test(closing_from_a_callback),
        cmocka_unit_test(a_folder_that_is_missing_is_an_error),
        ON_A_SLOT(a_worker_killed_takes_everything_with_it),
        ON_A_SLOT(also_when_its_supervisor_was_stopped),
        ON_A_SLOT(one_start_follows_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
