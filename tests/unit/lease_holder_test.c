/* Whether a holder of a lease is known to be dead. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/lease_holder.h"
#include "shared/memory.h"

/* A child that tells its identity and waits to be killed. */
static pid_t start_child(char identity[LEASE_HOLDER_SIZE])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        lease_holder_make(identity);
        if (write(ends[1], identity, LEASE_HOLDER_SIZE) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], identity, LEASE_HOLDER_SIZE), LEASE_HOLDER_SIZE);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static void a_process_lives_until_it_has_ended(void **state)
{
    (void)state;
    char identity[LEASE_HOLDER_SIZE];
    pid_t pid = start_child(identity);
    assert_int_equal(lease_holder_look(identity), LEASE_HOLDER_ALIVE);
    kill(pid, SIGSTOP);
    assert_int_equal(lease_holder_look(identity), LEASE_HOLDER_ALIVE);
    kill(pid, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(lease_holder_look(identity), LEASE_HOLDER_DEAD); /* nobody has asked for its status yet */
    waitpid(pid, NULL, 0);
    assert_int_equal(lease_holder_look(identity), LEASE_HOLDER_DEAD);
}

static void each_has_its_own(void **state)
{
    (void)state;
    char one[LEASE_HOLDER_SIZE], two[LEASE_HOLDER_SIZE];
    lease_holder_make(one);
    lease_holder_make(two);
    assert_string_not_equal(one, two);
    assert_int_equal(lease_holder_look(one), LEASE_HOLDER_ALIVE);
}

/* Our own identity with its last parts (pid, start, nonce) replaced. */
static char *with_end(const char *end)
{
    char identity[LEASE_HOLDER_SIZE];
    lease_holder_make(identity);
    for (int i = 0; i < 3; i++)
        *strrchr(identity, '/') = '\0';
    return memory_format("%s/%s", identity, end);
}

static void the_pid_of_another_process_is_no_life(void **state)
{
    (void)state;
    auto_free char *later = memory_format("%d/1/0", getpid()), *identity = with_end(later);
    assert_int_equal(lease_holder_look(identity), LEASE_HOLDER_DEAD);
}

static void what_cant_be_known_is_unknown(void **state)
{
    (void)state;
    char ours[LEASE_HOLDER_SIZE];
    lease_holder_make(ours);
    auto_free char *elsewhere = memory_format("x%s", ours);
    static const char *const ends[] = {"0/1/0", "-1/1/0", "x/1/0", "1", "", "99999999999999999999999/1/0"};
    static const char *const texts[] = {"", "c1", "///", "host/boot/1.1/1/1/1"};
    assert_int_equal(lease_holder_look(elsewhere), LEASE_HOLDER_UNKNOWN);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(lease_holder_look(texts[i]), LEASE_HOLDER_UNKNOWN);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        auto_free char *identity = with_end(ends[i]);
        assert_int_equal(lease_holder_look(identity), LEASE_HOLDER_UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_lives_until_it_has_ended),
        cmocka_unit_test(each_has_its_own),
        cmocka_unit_test(the_pid_of_another_process_is_no_life),
        cmocka_unit_test(what_cant_be_known_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
