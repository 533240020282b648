/* Where specs are found, and the folders that attempts may write into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/memory.h"
#include "shared/spec_finder.h"
#include "worker/scratch.h"

enum { NOBODY = 65534 };

static char root[] = "/tmp/funkytown-folders-XXXXXX";

static char *below(const char *path)
{
    return memory_format("%s/%s", root, path);
}

static void make_file(const char *path)
{
    auto_free char *full = below(path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fclose(file);
}

static int make_root(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    setenv("TMPDIR", root, 1);
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void expect_found(struct spec_finder *finder, const char *spec, const char *path)
{
    struct error err;
    auto_free char *found = spec_finder_find(finder, spec, &err);
    assert_non_null(found);
    assert_string_equal(found, path);
}

static void expect_refused(struct spec_finder *finder, const char *spec, const char *part)
{
    struct error err;
    assert_null(spec_finder_find(finder, spec, &err));
    assert_non_null(strstr(err.text, part));
}

static void specs_are_found_by_their_trailing_path(void **state)
{
    (void)state;
    auto_free char *specs = below("specs");
    struct spec_finder finder;
    make_file("specs/top.spec.ts");
    make_file("specs/tests/one.spec.ts");
    make_file("specs/tests/two.spec.ts");
    make_file("specs/more/two.spec.ts");
    make_file("specs/node_modules/three.spec.ts");
    make_file("specs/.hidden/four.spec.ts");
    make_file("outside.spec.ts");
    auto_free char *target = below("outside.spec.ts"), *link = below("specs/link.spec.ts");
    assert_int_equal(symlink(target, link), 0);
    spec_finder_init(&finder, specs);
    expect_found(&finder, "top.spec.ts", "top.spec.ts");
    expect_found(&finder, "one.spec.ts", "tests/one.spec.ts");
    expect_found(&finder, "tests/two.spec.ts", "tests/two.spec.ts");
    expect_refused(&finder, "two.spec.ts", "several specs match two.spec.ts: ");
    expect_refused(&finder, "wo.spec.ts", "no such spec: wo.spec.ts is not in ");
    expect_refused(&finder, "three.spec.ts", "no such spec");
    expect_refused(&finder, "four.spec.ts", "no such spec");
    expect_refused(&finder, "link.spec.ts", "no such spec");
    spec_finder_close(&finder);
}

static void folders_are_emptied_and_removed(void **state)
{
    (void)state;
    struct error err;
    struct scratch scratch;
    struct scratch_slot slot;
    assert_int_equal(scratch_open(&scratch, &err), 0);
    assert_int_equal(scratch_slot_open(&slot, &scratch, 0, &err), 0);
    auto_free char *deep = memory_format("%s/profile", slot.tmp.path);
    auto_free char *locked = memory_format("%s/profile/x", slot.tmp.path);
    auto_free char *outside = below("kept"), *link = memory_format("%s/link", slot.tmp.path);
    make_file("kept/file");
    assert_int_equal(mkdir(deep, 0700), 0);
    assert_int_equal(mkdir(locked, 0), 0);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(rmdir(slot.output.path), 0);
    assert_int_equal(scratch_slot_empty(&slot, &err), 0);
    assert_int_equal(rmdir(slot.tmp.path), 0); /* it was empty */
    assert_int_equal(access(slot.output.path, W_OK), 0);
    auto_free char *kept = below("kept/file");
    assert_int_equal(access(kept, F_OK), 0); /* a link isn't followed */
    assert_int_equal(rmdir(slot.output.path) | rmdir(slot.artifacts.path) | rmdir(slot.path), 0);
    assert_int_equal(scratch_slot_empty(&slot, &err), 0);
    assert_int_equal(access(slot.artifacts.path, W_OK), 0);
    assert_true(scratch_close(&scratch));
    assert_int_equal(access(scratch.path, F_OK), -1);
}

/* Whatever is known of a folder, a file in it is found. */
static void a_file_is_found_however_often_the_folder_was_empty(void **state)
{
    (void)state;
    struct error err;
    struct scratch scratch;
    struct scratch_slot slot;
    struct stat folder, probe;
    assert_int_equal(scratch_open(&scratch, &err), 0);
    assert_int_equal(scratch_slot_open(&slot, &scratch, 0, &err), 0);
    auto_free char *file = memory_format("%s/file", slot.tmp.path);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(scratch_write(&scratch, "slot-0/tmp/file", "", 0, &err), 0);
        assert_int_equal(scratch_slot_empty(&slot, &err), 0);
        assert_int_equal(access(file, F_OK), -1);
        assert_int_equal(scratch_slot_empty(&slot, &err), 0);
    }

    assert_int_equal(lstat(slot.tmp.path, &folder), 0);
    slot.tmp.untouched = folder.st_ctim; /* as when it had been empty for long */
    do {                                 /* until the file system's clock has moved on */
        assert_int_equal(scratch_write(&scratch, "probe", "", 0, &err), 0);
        auto_free char *path = memory_format("%s/probe", scratch.path);
        assert_int_equal(lstat(path, &probe), 0);
    } while (memcmp(&probe.st_ctim, &folder.st_ctim, sizeof(probe.st_ctim)) == 0);
    assert_int_equal(scratch_write(&scratch, "slot-0/tmp/file", "", 0, &err), 0);
    assert_int_equal(scratch_slot_empty(&slot, &err), 0);
    assert_int_equal(access(file, F_OK), -1);
    assert_true(scratch_close(&scratch));
}

/* So many folders in one another, of which the last holds a file, each of this mode once it is filled. */
static void make_nest(const char *top, unsigned depth, mode_t mode)
{
    int fd = open(top, O_RDONLY | O_DIRECTORY);
    for (unsigned i = 0; i < depth; i++) {
        assert_int_equal(mkdirat(fd, "nest", 0700), 0);
        int inner = openat(fd, "nest", O_RDONLY | O_DIRECTORY);
        fchmod(fd, i == 0 ? 0700 : mode);
        close(fd);
        fd = inner;
    }
    close(openat(fd, "file", O_WRONLY | O_CREAT, 0400));
    fchmod(fd, mode);
    close(fd);
}

static void assert_empty(const char *path)
{
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        assert_int_equal(entry->d_name[0], '.');
    closedir(folder);
}

/* What is closed to those who may not do everything: whoever has closed it. */
static void what_specs_have_closed_is_removed(void **state)
{
    (void)state;
    static const mode_t modes[] = {0500, 0400, 0300, 0};
    struct error err;
    struct scratch scratch;
    struct scratch_slot slot;
    assert_int_equal(scratch_open(&scratch, &err), 0);
    assert_int_equal(scratch_slot_open(&slot, &scratch, 0, &err), 0);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        make_nest(slot.tmp.path, 3, modes[i]);
        make_nest(slot.output.path, 1, modes[i]);
        make_nest(slot.path, 2, modes[i]); /* beside them is no place to leave anything either */
        chmod(slot.tmp.path, modes[i]);
        chmod(slot.output.path, modes[i]);
        chmod(slot.artifacts.path, modes[i]);
        chmod(slot.path, modes[i]);
        chmod(scratch.path, modes[i]);
        assert_int_equal(scratch_slot_empty(&slot, &err), 0);
        assert_empty(slot.tmp.path);
        assert_empty(slot.output.path);
        assert_empty(slot.artifacts.path);
        auto_free char *beside = memory_format("%s/nest", slot.path);
        assert_int_equal(access(beside, F_OK), -1);
    }
    assert_int_equal(slot.tmp.left + slot.output.left + slot.artifacts.left, 0);
    make_nest(slot.tmp.path, 3, 0);
    chmod(scratch.path, 0);
    assert_true(scratch_close(&scratch));
    assert_int_equal(access(scratch.path, F_OK), -1);
}

/* More folders in one another than may be open at once, and a path longer than any may be. */
static void no_nest_is_too_deep(void **state)
{
    (void)state;
    struct error err;
    struct scratch scratch;
    struct scratch_slot slot;
    assert_int_equal(scratch_open(&scratch, &err), 0);
    assert_int_equal(scratch_slot_open(&slot, &scratch, 0, &err), 0);
    auto_free char *taken = memory_format("%s/moved-up-0", slot.tmp.path);
    make_nest(slot.tmp.path, 3000, 0500);
    assert_int_equal(mkdir(taken, 0700), 0);
    make_nest(taken, 2, 0);
    assert_int_equal(scratch_slot_empty(&slot, &err), 0);
    assert_empty(slot.tmp.path);
    assert_true(scratch_close(&scratch));
}

/* To root nothing is closed. */
static void become(uid_t user)
{
    if (getuid() != 0)
        return;
    if (seteuid(0) < 0 || setgroups(0, NULL) < 0 || setegid(user) < 0 || seteuid(user) < 0)
        abort();
    prctl(PR_SET_DUMPABLE, 1); /* or the leak checker can't look at us */
}

/* Somebody else's, as a container that a spec has started leaves it; only root can make one. */
static void make_foreign(const char *path)
{
    auto_free char *file = memory_format("%s/file", path);
    become(0);
    assert_int_equal(mkdir(path, 0755), 0);
    close(open(file, O_WRONLY | O_CREAT, 0644));
    become(NOBODY);
}

static void remove_foreign(const char *path)
{
    become(0);
    assert_int_equal(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    become(NOBODY);
}

static void what_cannot_be_removed_stays_and_the_slot_moves_on(void **state)
{
    (void)state;
    struct error err;
    struct scratch scratch;
    struct scratch_slot slot;
    int is_left = getuid() == 0; /* an ordinary user's own can always be removed */
    assert_int_equal(scratch_open(&scratch, &err), 0);
    assert_int_equal(scratch_slot_open(&slot, &scratch, 0, &err), 0);
    auto_free char *foreign = memory_format("%s/foreign", slot.tmp.path);
    auto_free char *taken = memory_format("%s/tmp-1", slot.path);
    auto_free char *said = memory_format("%s: file: Permission denied", slot.tmp.path);
    make_foreign(foreign);
    make_nest(slot.tmp.path, 2, 0);
    assert_int_equal(scratch_slot_empty(&slot, &err), is_left);
    if (is_left)
        assert_string_equal(err.text, said);
    assert_int_equal(strcmp(slot.tmp.path, taken) == 0, is_left);
    assert_empty(slot.tmp.path);

    make_nest(slot.tmp.path, 2, 0);
    assert_int_equal(scratch_slot_empty(&slot, &err), 0); /* said once */
    assert_empty(slot.tmp.path);
    assert_int_equal(slot.tmp.left, is_left);
    assert_int_equal(scratch_close(&scratch), !is_left);
    if (is_left)
        remove_foreign(scratch.path);
}

static void abandoned_folders_are_removed_though_they_were_closed(void **state)
{
    (void)state;
    struct error err;
    struct scratch scratch;
    auto_free char *abandoned = below("funkytown-worker-closed");
    assert_int_equal(mkdir(abandoned, 0700), 0);
    make_nest(abandoned, 3, 0);
    chmod(abandoned, 0);
    assert_int_equal(scratch_open(&scratch, &err), 0);
    assert_int_equal(access(abandoned, F_OK), -1);
    assert_true(scratch_close(&scratch));
}

static void only_abandoned_folders_are_removed(void **state)
{
    (void)state;
    struct error err;
    struct scratch alive, other;
    auto_free char *abandoned = below("funkytown-worker-abandoned"), *foreign = below("funkytown-other");
    assert_int_equal(mkdir(abandoned, 0700), 0);
    assert_int_equal(mkdir(foreign, 0700), 0);
    assert_int_equal(scratch_open(&alive, &err), 0);
    assert_int_equal(scratch_open(&other, &err), 0);
    assert_int_equal(access(abandoned, F_OK), -1);
    assert_int_equal(access(foreign, F_OK), 0);
    assert_int_equal(access(alive.path, F_OK), 0);
    assert_true(scratch_close(&alive));
    assert_true(scratch_close(&other));
}

int main(void)
{
    become(NOBODY);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs_are_found_by_their_trailing_path),
        cmocka_unit_test(folders_are_emptied_and_removed),
        cmocka_unit_test(a_file_is_found_however_often_the_folder_was_empty),
        cmocka_unit_test(what_specs_have_closed_is_removed),
        cmocka_unit_test(no_nest_is_too_deep),
        cmocka_unit_test(what_cannot_be_removed_stays_and_the_slot_moves_on),
        cmocka_unit_test(abandoned_folders_are_removed_though_they_were_closed),
        cmocka_unit_test(only_abandoned_folders_are_removed),
    };
    int failed = cmocka_run_group_tests(tests, make_root, remove_root);
    become(0);
    return failed;
}
