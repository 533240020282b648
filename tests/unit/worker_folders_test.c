/* Where specs are found, and the folders that attempts may write into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/memory.h"
#include "worker/scratch.h"
#include "worker/spec_finder.h"

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

static int remove_root(void **state)
{
    (void)state;
    struct scratch_slot slot = {0};
    memory_copy_text(slot.tmp.path, sizeof(slot.tmp.path), root);
    memory_copy_text(slot.output.path, sizeof(slot.output.path), root);
    memory_copy_text(slot.artifacts.path, sizeof(slot.artifacts.path), root);
    scratch_slot_empty(&slot);
    return rmdir(root);
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
    scratch_slot_empty(&slot);
    assert_int_equal(rmdir(slot.tmp.path), 0); /* it was empty */
    assert_int_equal(access(slot.output.path, W_OK), 0);
    auto_free char *kept = below("kept/file");
    assert_int_equal(access(kept, F_OK), 0); /* a link isn't followed */
    assert_int_equal(rmdir(slot.output.path) | rmdir(slot.artifacts.path) | rmdir(slot.path), 0);
    scratch_slot_empty(&slot);
    assert_int_equal(access(slot.artifacts.path, W_OK), 0);
    scratch_close(&scratch);
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
        scratch_slot_empty(&slot);
        assert_int_equal(access(file, F_OK), -1);
        scratch_slot_empty(&slot);
    }

    assert_int_equal(lstat(slot.tmp.path, &folder), 0);
    slot.tmp.untouched = folder.st_ctim; /* as when it had been empty for long */
    do {                                 /* until the file system's clock has moved on */
        assert_int_equal(scratch_write(&scratch, "probe", "", 0, &err), 0);
        auto_free char *path = memory_format("%s/probe", scratch.path);
        assert_int_equal(lstat(path, &probe), 0);
    } while (memcmp(&probe.st_ctim, &folder.st_ctim, sizeof(probe.st_ctim)) == 0);
    assert_int_equal(scratch_write(&scratch, "slot-0/tmp/file", "", 0, &err), 0);
    scratch_slot_empty(&slot);
    assert_int_equal(access(file, F_OK), -1);
    scratch_close(&scratch);
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
    scratch_close(&alive);
    scratch_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs_are_found_by_their_trailing_path),
        cmocka_unit_test(folders_are_emptied_and_removed),
        cmocka_unit_test(a_file_is_found_however_often_the_folder_was_empty),
        cmocka_unit_test(only_abandoned_folders_are_removed),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
