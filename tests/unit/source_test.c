/* What is tested gets a new identity when it changes, but not by what a run writes: with git and without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/source.h"
#include "shared/log.h"
#include "shared/memory.h"

static const char MAP[] =
    "{\"runners\":{\"sh\":{\"argv\":[\"sh\",\"{spec}\"]}},\"groups\":[{\"name\":\"g\",\"runner\":\"sh\","
    "\"tasks\":[{\"spec\":\"a.sh\",\"viewports\":[\"desktop\"],\"browsers\":[\"chrome\",\"webkit\"]},"
    "{\"spec\":\"deep.sh\",\"viewports\":[\"desktop\"],\"browsers\":[\"chrome\"]}]}]}";

struct scene {
    char root[64]; /* holds work/, the work tree, with specs/, the spec root, in it */
    struct plan plan;
    struct options options;
    struct source last;
};

static void __attribute__((format(printf, 1, 2))) sh(const char *format, ...)
{
    va_list args;
    char command[4096];
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    if (system(command) != 0)
        fail_msg("%s", command);
}

static int set_up(void **state)
{
    struct scene *s = memory_zeroed(1, sizeof(*s));
    struct error err;
    *state = s;
    snprintf(s->root, sizeof(s->root), "/tmp/funkytown-source-XXXXXX");
    assert_non_null(mkdtemp(s->root));
    clearenv();
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    setenv("HOME", s->root, 1);
    assert_int_equal(chdir(s->root), 0);
    sh("mkdir -p work/specs/sub work/app && cd work && echo 'exit 0' >specs/a.sh && echo x >specs/sub/deep.sh && "
       "echo help >specs/helper.sh && echo app >app/index.html && printf '[user]\\n name=n\\n email=e@example\\n' "
       ">../.gitconfig");
    assert_int_equal(plan_parse(&s->plan, MAP, strlen(MAP), &err), 0);
    s->options = (struct options){.spec_root = "work/specs", .data_dir = "work/data"};
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    assert_int_equal(chdir("/"), 0);
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    sh("chmod -R u+w '%s' && rm -rf '%s'", s->root, s->root);
    plan_close(&s->plan);
    free(s);
    return 0;
}

static void commit(void)
{
    sh("cd work && git init -q -b trunk && git add -A && git commit -q -m one");
}

static const char *look(struct scene *s)
{
    source_find(&s->last, &s->options, &s->plan);
    return s->last.id;
}

/* Does it, and looks whether that makes another source. */
static void expect(struct scene *s, bool changes, const char *command)
{
    char before[SOURCE_ID_SIZE];
    memory_copy_text(before, sizeof(before), look(s));
    sh("cd work && %s", command);
    look(s);
    if ((strcmp(before, s->last.id) != 0) != changes)
        fail_msg("%s: %s, then %s", command, before, s->last.id);
}
#define changes(s, command) expect(s, true, command)
#define keeps(s, command)   expect(s, false, command)

static void without_git_the_specs_of_the_plan_count(void **state)
{
    struct scene *s = *state;
    assert_int_equal(strncmp(look(s), "specs:", 6), 0);
    assert_int_equal(s->last.kind, SOURCE_SPECS);
    assert_int_equal(strlen(s->last.id), 6 + 32);
    assert_string_equal(s->last.branch, "");
    changes(s, "echo 'exit 1' >specs/a.sh");
    changes(s, "echo y >>specs/sub/deep.sh");
    changes(s, "chmod +x specs/a.sh");
    changes(s, "rm specs/sub/deep.sh");
    changes(s, "mkdir specs/two && echo y >specs/two/deep.sh");
    keeps(s, "touch specs/a.sh && echo other >specs/helper.sh && mkdir -p specs/test-results data && echo x >data/y");
    changes(s, "echo z >specs/sub/deep.sh"); /* two of that name: the worker takes neither */
    sh("rm -r work/specs");
    assert_string_equal(look(s), "");
    assert_int_equal(s->last.kind, SOURCE_NONE);
}

static void where_no_spec_is_seen_nothing_is(void **state)
{
    struct scene *s = *state;
    sh("rm work/specs/a.sh work/specs/sub/deep.sh");
    assert_string_equal(look(s), "");
    sh("mkfifo work/specs/a.sh"); /* isn't read */
    assert_int_equal(s->last.kind, SOURCE_NONE);
    assert_int_equal(strncmp(look(s), "specs:", 6), 0);
}

static void a_clean_work_tree_is_its_commit(void **state)
{
    struct scene *s = *state;
    commit();
    look(s);
    assert_int_equal(s->last.kind, SOURCE_GIT);
    assert_int_equal(strlen(s->last.id), 40);
    assert_string_equal(s->last.branch, "trunk");
    keeps(s, "touch specs/a.sh app/index.html");
    keeps(s, "git checkout -q --detach");
    assert_string_equal(s->last.branch, "");
    changes(s, "git commit -q --allow-empty -m two");
    sh("git -c advice.detachedHead=false clone -q --depth 1 'file://%s/work' shallow", s->root);
    char full[SOURCE_ID_SIZE];
    memory_copy_text(full, sizeof(full), s->last.id);
    s->options.spec_root = "shallow/specs";
    assert_string_equal(look(s), full);
}

static void what_differs_from_the_commit_counts(void **state)
{
    struct scene *s = *state;
    commit();
    char clean[SOURCE_ID_SIZE];
    memory_copy_text(clean, sizeof(clean), look(s));
    changes(s, "echo 'exit 1' >specs/a.sh");
    assert_int_equal(strncmp(s->last.id, clean, 40), 0);
    assert_int_equal(strlen(s->last.id), 40 + 1 + 32);
    keeps(s, "git add specs/a.sh");
    changes(s, "echo 'exit 2' >specs/a.sh");
    changes(s, "echo more >>app/index.html");
    changes(s, "git mv specs/helper.sh specs/other.sh");
    changes(s, "rm app/index.html");
    changes(s, "chmod +x specs/sub/deep.sh");
    changes(s, "echo untracked >specs/u.ts");
    changes(s, "echo more >>specs/u.ts");
    keeps(s, "git add specs/u.ts");
    changes(s, "ln -s a.sh specs/link");
    changes(s, "ln -sfn u.ts specs/link");
    keeps(s, "touch specs/u.ts specs/a.sh");
    keeps(s, "echo elsewhere >app/untracked");
    sh("cd work && git reset -q --hard && git clean -qfd");
    assert_string_equal(look(s), clean);
}

static void what_a_run_writes_does_not_count(void **state)
{
    struct scene *s = *state;
    static const char *const outputs[] = {
        "specs/test-results", "specs/sub/playwright-report", "specs/blob-report",  "specs/cypress/videos",
        "specs/node_modules", "specs/cypress/screenshots",   "specs/.funkytown/x", "specs/ignored",
    };
    sh("cd work && printf '*.log\\nignored/\\n' >.gitignore");
    commit();
    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
        auto_free char *command = memory_format("mkdir -p %s && echo x >%s/file", outputs[i], outputs[i]);
        keeps(s, command);
    }
    keeps(s, "echo x >specs/a.log && echo y >>specs/sub/b.log");
    s->options.data_dir = "work/specs/my-data";
    keeps(s, "mkdir specs/my-data && echo x >specs/my-data/dump.aof");
    changes(s, "echo x >specs/my-data-file");
    changes(s, "mkdir specs/results-of-tests && echo x >specs/results-of-tests/y");
}

/* A folder that git was told to overlook is tested all the same. */
static void specs_that_git_does_not_see_count(void **state)
{
    struct scene *s = *state;
    sh("cd work && echo 'a.sh' >.gitignore");
    commit();
    changes(s, "echo 'exit 1' >specs/a.sh");
    changes(s, "git update-index --assume-unchanged specs/sub/deep.sh && echo changed >specs/sub/deep.sh");
    changes(s, "echo again >specs/sub/deep.sh");
    changes(s, "git update-index --no-assume-unchanged specs/sub/deep.sh --skip-worktree specs/sub/deep.sh && "
               "echo more >specs/sub/deep.sh");
}

static void names_may_be_odd(void **state)
{
    struct scene *s = *state;
    sh("cd work && printf x >\"$(printf 'specs/new\\nline \\351 \\\"q\\\" -x')\" && printf y >'specs/-option' && "
       "mkdir 'specs/ two ' && printf z >'specs/ two /ä'");
    commit();
    assert_int_equal(strlen(look(s)), 40);
    changes(s, "printf more >>\"$(printf 'specs/new\\nline \\351 \\\"q\\\" -x')\"");
    changes(s, "printf more >>specs/-option");
    changes(s, "printf more >>'specs/ two /ä'");
    changes(s, "printf u >\"$(printf 'specs/untracked\\n1 .M N... 1 1 1 a b x')\"");
    sh("mv work 'odd work'");
    s->options.spec_root = "odd work/specs";
    assert_int_equal(s->last.kind, SOURCE_GIT);
    char here[SOURCE_ID_SIZE];
    memory_copy_text(here, sizeof(here), s->last.id);
    assert_string_equal(look(s), here); /* wherever it lies */
    sh("mv 'odd work' work");
}

static void a_repository_without_commit_has_contents(void **state)
{
    struct scene *s = *state;
    sh("cd work && git init -q -b trunk");
    assert_int_equal(strncmp(look(s), "unborn+", 7), 0);
    assert_string_equal(s->last.branch, "trunk");
    changes(s, "echo 'exit 1' >specs/a.sh");
    changes(s, "git add app");
    keeps(s, "git add specs");
    changes(s, "echo 'exit 2' >specs/a.sh");
}

static void submodules_count(void **state)
{
    struct scene *s = *state;
    sh("mkdir lib && cd lib && git init -q -b main && echo one >code && git add -A && git commit -q -m lib");
    sh("cd work && git init -q -b trunk && git -c protocol.file.allow=always submodule --quiet add '%s/lib' app/lib "
       "&& "
       "git -c protocol.file.allow=always submodule --quiet add '%s/lib' specs/lib && git add -A && git commit -q -m "
       "one",
       s->root, s->root);
    assert_int_equal(strlen(look(s)), 40);
    changes(s, "echo two >>app/lib/code");
    changes(s, "echo three >>app/lib/code");
    keeps(s, "echo untracked >app/lib/u");
    changes(s, "echo untracked >specs/lib/u");
    changes(s, "echo more >>specs/lib/u");
    changes(s, "cd app/lib && git commit -q -a -m two");
    sh("cd work && git submodule --quiet foreach 'git reset -q --hard && git clean -qfd' && git submodule --quiet "
       "update");
    assert_int_equal(strlen(look(s)), 40);
}

/* What git itself was told, by its configuration or by our environment, neither misleads nor is started. */
static void nothing_is_started_and_nothing_written(void **state)
{
    struct scene *s = *state;
    commit();
    sh("cd work && mkdir -p ../hooks && for h in post-index-change fsmonitor pager; do printf '#!/bin/sh\\ntouch "
       "%s/started\\n' "
       ">../hooks/$h; chmod +x ../hooks/$h; done; git config core.hooksPath ../hooks; git config core.fsmonitor "
       "../hooks/fsmonitor; "
       "git config core.pager ../hooks/pager; git config status.relativePaths true; git config status.showStash "
       "true; "
       "git config status.renames copies; git config core.quotePath true",
       s->root);
    char clean[SOURCE_ID_SIZE];
    memory_copy_text(clean, sizeof(clean), look(s));
    setenv("GIT_DIR", "/nowhere", 1);
    setenv("GIT_INDEX_FILE", "/nowhere/index", 1);
    setenv("GIT_WORK_TREE", "/", 1);
    setenv("REDIS_PASSWORD", "geheim", 1);
    sh("touch work/specs/a.sh; chmod -R a-w work/.git; ls -laR --time-style=full-iso work/.git >before");
    assert_string_equal(look(s), clean);
    sh("ls -laR --time-style=full-iso work/.git >after && cmp before after && test ! -e started && chmod -R u+w "
       "work/.git");
}

/* A stand-in for git. */
static void fake_git(const struct scene *s, const char *script)
{
    auto_free char *path = memory_format("%s/fake:/usr/local/bin:/usr/bin:/bin", s->root);
    sh("mkdir -p fake && printf '#!/bin/sh\\n%%s\\n' '%s' >fake/git && chmod +x fake/git", script);
    setenv("PATH", path, 1);
}

static void without_gits_help_the_specs_count(void **state)
{
    struct scene *s = *state;
    static const char *const scripts[] = {
        "exit 3", "echo fatal: detected dubious ownership >&2; exit 128", "kill -9 $$", "echo", "printf x",
    };
    commit();
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        fake_git(s, scripts[i]);
        look(s);
        assert_int_equal(s->last.kind, SOURCE_SPECS);
    }
    setenv("PATH", "/nowhere", 1);
    look(s);
    assert_int_equal(s->last.kind, SOURCE_SPECS);
}

static void git_sees_no_secret(void **state)
{
    struct scene *s = *state;
    commit();
    fake_git(s, "env >>\"$HOME/seen\"; exec /usr/bin/git \"$@\"");
    setenv("REDIS_PASSWORD", "geheim", 1);
    setenv("FUNKYTOWN_TOKEN", "geheim", 1);
    look(s);
    assert_int_equal(s->last.kind, SOURCE_GIT);
    sh("grep -q GIT_OPTIONAL_LOCKS=0 seen && ! grep geheim seen");
}

/* What we and our children have used of the processor, which doesn't depend on who else is busy. */
static uint64_t busy_ms(void)
{
    struct rusage ours, theirs;
    getrusage(RUSAGE_SELF, &ours);
    getrusage(RUSAGE_CHILDREN, &theirs);
    const struct timeval *times[] = {&ours.ru_utime, &ours.ru_stime, &theirs.ru_utime, &theirs.ru_stime};
    uint64_t sum = 0;
    for (size_t i = 0; i < 4; i++)
        sum += (uint64_t)times[i]->tv_sec * 1000 + (uint64_t)times[i]->tv_usec / 1000;
    return sum;
}

static void many_untracked_files_take_no_time(void **state)
{
    struct scene *s = *state;
    commit();
    sh("cd work/specs && mkdir many && cd many && seq 1 400 | xargs mkdir && for d in *; do (cd $d && seq 1 250 | "
       "xargs touch); done");
    uint64_t began = busy_ms();
    look(s);
    uint64_t took = busy_ms() - began;
    fprintf(stderr, "100,000 untracked files: %u ms of the processor\n", (unsigned)took);
    assert_true(took < 4000);
    changes(s, "echo x >specs/many/77/7");
    changes(s, "truncate -s 200M specs/large");
    changes(s, "touch -d '2001-01-01' specs/large");
}

static void what_is_told_comes_first(void **state)
{
    struct scene *s = *state;
    commit();
    setenv("CIRCLE_SHA1", "from-circle", 1);
    assert_string_equal(look(s), "from-circle");
    assert_int_equal(s->last.kind, SOURCE_CI);
    assert_string_equal(s->last.branch, "trunk");
    setenv("GITHUB_SHA", "from-github", 1);
    assert_string_equal(look(s), "from-github");
    setenv("GITHUB_SHA", "", 1);
    assert_string_equal(look(s), "from-circle");
    s->options.source = "told";
    assert_string_equal(look(s), "told");
    assert_int_equal(s->last.kind, SOURCE_TOLD);
    char long_text[400];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    s->options.source = long_text;
    assert_int_equal(strncmp(look(s), "sha256:", 7), 0);
    s->options.source = "two\nlines";
    assert_int_equal(strncmp(look(s), "sha256:", 7), 0);
    s->options.source = "";
    assert_string_equal(look(s), "from-circle");
}

static void every_ci_is_understood(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *variables[12];
        const char *id, *branch, *url;
    } rows[] = {
        {{"GITHUB_SHA", "c", "GITHUB_REF_NAME", "main", "GITHUB_SERVER_URL", "https://github.com",
          "GITHUB_REPOSITORY", "o/r", "GITHUB_RUN_ID", "7"},
         "c",
         "main",
         "https://github.com/o/r/actions/runs/7"},
        {{"GITHUB_SHA", "c", "GITHUB_REF_NAME", "7/merge", "GITHUB_HEAD_REF", "topic", "GITHUB_RUN_ID", "7"},
         "c",
         "topic",
         ""},
        {{"CI_COMMIT_SHA", "c", "CI_COMMIT_REF_NAME", "main", "CI_PIPELINE_URL", "https://gl/p/1"},
         "c",
         "main",
         "https://gl/p/1"},
        {{"CI_COMMIT_SHA", "c", "CI_JOB_URL", "https://gl/j/1", "CI_PIPELINE_URL", "https://gl/p/1"},
         "c",
         "",
         "https://gl/j/1"},
        {{"BUILD_SOURCEVERSION", "c", "BUILD_SOURCEBRANCHNAME", "main", "SYSTEM_COLLECTIONURI",
          "https://dev.azure.com/o/", "SYSTEM_TEAMPROJECT", "my \"team\"", "BUILD_BUILDID", "9"},
         "c",
         "main",
         "https://dev.azure.com/o/my%20%22team%22/_build/results?buildId=9"},
        {{"GIT_COMMIT", "c", "GIT_BRANCH", "origin/main", "BUILD_URL", "http://jenkins:8080/job/1/"},
         "c",
         "origin/main",
         "http://jenkins:8080/job/1/"},
        {{"BUILDKITE_COMMIT", "c", "BUILDKITE_BRANCH", "main", "BUILDKITE_BUILD_URL", "https://bk/1"},
         "c",
         "main",
         "https://bk/1"},
        {{"CIRCLE_SHA1", "c", "CIRCLE_BRANCH", "main", "CIRCLE_BUILD_URL", "https://ci/1"},
         "c",
         "main",
         "https://ci/1"},
        {{"GIT_COMMIT", "c", "BUILD_URL", "javascript:alert(1)"}, "c", "", ""},
        {{"GIT_COMMIT", "c", "BUILD_URL", "https://user:secret@ci/1"}, "c", "", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        clearenv();
        for (size_t v = 0; rows[i].variables[v]; v += 2)
            setenv(rows[i].variables[v], rows[i].variables[v + 1], 1);
        look(s);
        assert_string_equal(s->last.id, rows[i].id);
        assert_string_equal(s->last.branch, rows[i].branch);
        assert_string_equal(s->last.url, rows[i].url);
    }
    setenv("PATH", "/usr/bin:/bin", 1);
}

static void links_are_links(void **state)
{
    (void)state;
    static const char *const good[] = {"http://a", "https://ci.example/a/b?c=d&e=%20#f", "https://[::1]:80/"};
    static const char *const bad[] = {"",
                                      "ftp://a",
                                      "https://",
                                      "https:///x",
                                      "javascript:x",
                                      "https://a b",
                                      "https://u@a/",
                                      "https://a/\"",
                                      "https://a/<",
                                      "HTTPS://A",
                                      "https://a/\xc3\xa4"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(source_is_link(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(source_is_link(bad[i]));
}

static void an_id_is_shown_short(void **state)
{
    (void)state;
    assert_string_equal(source_shown(""), "none");
    assert_string_equal(source_shown("v1.2-abc"), "v1.2-abc");
    assert_string_equal(source_shown("0123456789abcdef0123456789abcdef01234567"), "0123456789");
    assert_string_equal(source_shown("0123456789abcdef0123456789abcdef01234567+ffffffffffffffffffffffffffffffff"),
                        "0123456789+ffffffffff");
    assert_string_equal(source_shown("specs:0123456789abcdef0123456789abcdef"), "specs:0123456789");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(without_git_the_specs_of_the_plan_count),
        TEST(where_no_spec_is_seen_nothing_is),
        TEST(a_clean_work_tree_is_its_commit),
        TEST(what_differs_from_the_commit_counts),
        TEST(what_a_run_writes_does_not_count),
        TEST(specs_that_git_does_not_see_count),
        TEST(names_may_be_odd),
        TEST(a_repository_without_commit_has_contents),
        TEST(submodules_count),
        TEST(nothing_is_started_and_nothing_written),
        TEST(without_gits_help_the_specs_count),
        TEST(git_sees_no_secret),
        TEST(many_untracked_files_take_no_time),
        TEST(what_is_told_comes_first),
        TEST(every_ci_is_understood),
        cmocka_unit_test(links_are_links),
        cmocka_unit_test(an_id_is_shown_short),
    };
    log_open("test", LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
