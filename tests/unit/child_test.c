/* Waking and signalling of real children. That they don't outlive us is what the faults of local workers show. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/child.h"
#include "shared/error.h"

/* It says "r" when it is ready and "c" when it was continued; its exit status is how often that was. */
static const char *const counter[] = {
    "sh", "-c", "n=0; trap 'n=$((n+1)); echo c' CONT; trap 'exit $n' TERM; echo r; while :; do sleep 0.01; done",
    NULL};

struct fixture {
    uv_loop_t loop;
    struct child child;
    int heard; /* what it says */
    int status;
};

static void on_exit_of(void *data, const struct child_end *end)
{
    ((struct fixture *)data)->status = end->status;
}

static void expect(const struct fixture *f, char letter)
{
    char said[2];
    assert_int_equal(read(f->heard, said, 2), 2);
    assert_int_equal(said[0], letter);
}

static void start(struct fixture *f)
{
    struct error err = {0};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const struct child_command command = {.argv = counter, .output = ends[1]};
    assert_int_equal(child_start(&f->child, &f->loop, &command, on_exit_of, f, &err), 0);
    close(ends[1]);
    f->heard = ends[0];
    expect(f, 'r');
}

static void stop(const struct fixture *f)
{
    siginfo_t info;
    kill(f->child.pid, SIGSTOP);
    assert_int_equal(waitid(P_PID, (id_t)f->child.pid, &info, WSTOPPED | WNOWAIT), 0);
}

static void end(struct fixture *f, int status)
{
    child_signal(&f->child, SIGTERM);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->status, status);
    close(f->heard);
}

static int open_fixture(void **state)
{
    static struct fixture f;
    f = (struct fixture){.status = -1};
    uv_loop_init(&f.loop);
    *state = &f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    return uv_loop_close(&f->loop);
}

static void who_runs_is_not_continued(void **state)
{
    struct fixture *f = *state;
    start(f);
    child_wake(&f->child);
    end(f, 0);
}

static void who_was_stopped_goes_on(void **state)
{
    struct fixture *f = *state;
    start(f);
    stop(f);
    child_wake(&f->child);
    expect(f, 'c');
    end(f, 1);
}

static void who_was_stopped_gets_the_signal(void **state)
{
    struct fixture *f = *state;
    start(f);
    stop(f);
    end(f, 0); /* which comes first: its number is the lower one */
}

static void who_has_ended_gets_nothing(void **state)
{
    struct fixture *f = *state;
    start(f);
    end(f, 0);
    child_wake(&f->child);
    child_signal(&f->child, SIGKILL);
}

#define CHILD_TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHILD_TEST(who_runs_is_not_continued),
        CHILD_TEST(who_was_stopped_goes_on),
        CHILD_TEST(who_was_stopped_gets_the_signal),
        CHILD_TEST(who_has_ended_gets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
