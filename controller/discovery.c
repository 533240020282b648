/*
 * Why a folder for the scripts: Node loads modules from files, and the runners get their paths as arguments. The
 * definitions of the built-in runners lie beside them, as a map may have to say them anew with one argument more.
 */
#include "controller/discovery.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "shared/asking.h"
#include "discover_files.h"
#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "shared/json_writer.h"
#include "shared/memory.h"
#include "shared/runner_builtins.h"

/* A large suite takes Playwright half a minute to load on a busy machine. */
enum { LIMIT_MS = 300000 };

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

bool discovery_is_wanted(const char *place)
{
    static const char *const endings[] = {".js", ".ts", ".mjs", ".mts", ".cjs", ".cts"};
    struct stat status;
    if (stat(place, &status) < 0)
        return false;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (ends_with(place, endings[i]))
            return true;
    return S_ISDIR(status.st_mode);
}

/* ---- the scripts' folder ---- */

static int write_file(const char *path, int flags, const void *bytes, size_t length, struct error *err)
{
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
    if (fd < 0)
        return error_errno(err, errno, "%s", path);
    for (size_t done = 0; done < length;) {
        ssize_t written = write(fd, (const char *)bytes + done, length - done);
        if (written < 0 && errno != EINTR)
            return error_errno(err, errno, "%s", path);
        done += written > 0 ? (size_t)written : 0;
    }
    return 0;
}

static int write_scripts(const char *folder, struct error *err)
{
    for (size_t i = 0; i < discover_files_count; i++) {
        auto_free char *path = memory_format("%s/%s", folder, discover_files[i].path);
        if (write_file(path, O_EXCL, discover_files[i].body, discover_files[i].size, err) < 0)
            return -1;
    }
    for (size_t i = 0; runner_builtin_name(i) != NULL; i++) {
        const struct embedded_file *file = runner_builtin(runner_builtin_name(i));
        auto_free char *path = memory_format("%s/%s.json", folder, file->name);
        if (write_file(path, O_EXCL, file->body, file->size, err) < 0)
            return -1;
    }
    return 0;
}

static char *make_folder(struct error *err)
{
    const char *parent = getenv("TMPDIR");
    auto_free char *folder = memory_format("%s/funkytown-discover-XXXXXX", parent && *parent ? parent : "/tmp");
    if (mkdtemp(folder) == NULL) {
        error_errno(err, errno, "%s", folder);
        return NULL;
    }
    return take(folder);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    remove(path);
    return 0;
}

static void remove_folder(const char *folder)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- question and answer ---- */

static void add_member(struct buffer *out, const char *key, const char *text)
{
    auto_buffer valid = {0};
    if (text != NULL)
        buffer_add_utf8(&valid, text, strlen(text));
    json_add_key(out, key);
    json_add_text(out, text == NULL ? NULL : valid.length > 0 ? valid.data : "");
}

static void format_question(struct buffer *out, const struct options *options, const char *place)
{
    buffer_text(out, "{");
    add_member(out, "place", place);
    add_member(out, "grep", options->grep);
    add_member(out, "tag", options->tag);
    add_member(out, "onlyChanged", options->only_changed);
    json_add_key(out, "forRun");
    buffer_text(out, options->init ? "false" : "true");
    json_add_key(out, "serves");
    buffer_text(out, !options->init && !options->dry_run && options->workers > 0 ? "true}" : "false}");
}

/* What the program said when it had no answer: an exception, or that Node isn't there. */
static int refuse_silence(const char *complaint, struct error *err)
{
    const char *line = complaint ? strstr(complaint, "Error") : NULL;
    if (line == NULL)
        return error_set(err, ERROR_SYSTEM, "node gave no answer; wanted Node 20 or later");
    return error_set(err, ERROR_SYSTEM, "node: %.*s", (int)strcspn(line, "\n"), line);
}

static char *take_member(const struct cJSON *answer, const char *name)
{
    return memory_text(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, name)));
}

static int read_answer(struct discovery *d, const struct cJSON *answer, struct error *err)
{
    const char *refused = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "refused"));
    if (refused != NULL)
        return error_set(err, ERROR_CONFIG, "%s", refused);
    const cJSON *notes = cJSON_GetObjectItemCaseSensitive(answer, "notes"), *note;
    size_t count = 0;
    d->root = take_member(answer, "root");
    d->map = take_member(answer, "map");
    d->notes = memory_zeroed((size_t)cJSON_GetArraySize(notes) + 1, sizeof(*d->notes));
    cJSON_ArrayForEach(note, notes)
    {
        d->notes[count++] = memory_text(cJSON_IsString(note) ? note->valuestring : "");
    }
    return d->root && d->map ? 0 : error_set(err, ERROR_PROTOCOL, "node gave an answer without a map");
}

static int parse_answer(struct discovery *d, const struct buffer *output, const char *complaint, struct error *err)
{
    struct cJSON *answer;
    struct error ignored;
    if (output->length == 0 || json_parse(&answer, output->data, output->length, &ignored) < 0)
        return refuse_silence(complaint, err);
    int result = read_answer(d, answer, err);
    cJSON_Delete(answer);
    return result;
}

static int ask_in(struct discovery *d, const char *folder, const char *question, struct error *err)
{
    const char *secrets[OPTIONS_SECRETS_MAX + 1];
    options_secret_names(secrets);
    auto_free char *script = memory_format("%s/discover.mjs", folder);
    const char *const argv[] = {"node", script, question, NULL};
    char **environment = asking_environment_without(secrets);
    auto_buffer output = {0}, complaint = {0};
    int status;
    const struct asking asking = {
        .argv = argv,
        .env = environment,
        .watches_us = true,
        .line = &d->line,
        .deadline_mono_ms = clock_mono_ms() + LIMIT_MS,
        .output = &output,
        .complaint = &complaint,
    };
    int result = write_scripts(folder, err);
    if (result == 0 && (result = asking_run(&asking, &status, err)) < 0)
        error_wrap(err, "the configurations can't be asked (Node 20 or later is wanted in PATH)");
    if (result == 0)
        result = parse_answer(d, &output, complaint.data, err);
    asking_free_environment(environment);
    return result;
}

int discovery_ask(struct discovery *d, const struct options *options, struct error *err)
{
    *d = DISCOVERY_NONE;
    auto_free char *place = realpath(options->map_file, NULL);
    if (place == NULL)
        return error_errno(err, errno, "%s", options->map_file);
    auto_free char *folder = make_folder(err);
    if (folder == NULL)
        return -1;
    auto_buffer question = {0};
    format_question(&question, options, place);
    int result = ask_in(d, folder, question.data, err);
    remove_folder(folder);
    if (result < 0)
        discovery_close(d);
    return result;
}

int discovery_write(const struct discovery *d, char **path, struct error *err)
{
    auto_free char *file = memory_format("%s/spec_context_map.json", d->root);
    if (access(file, F_OK) == 0)
        return error_set(err, ERROR_CONFIG, "%s: found a file, wanted none: an edited map is not overwritten", file);
    if (write_file(file, O_EXCL, d->map, strlen(d->map), err) < 0)
        return -1;
    *path = take(file);
    return 0;
}

void discovery_close(struct discovery *d)
{
    for (char **note = d->notes; note && *note; note++)
        free(*note);
    if (d->line >= 0)
        close(d->line);
    free(d->notes);
    free(d->root);
    free(d->map);
    *d = DISCOVERY_NONE;
}
