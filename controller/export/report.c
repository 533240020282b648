#include "controller/export/report.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/memory.h"

enum {
    FLUSH_BYTES = 256 * 1024,
    PARTS_MAX = 10000, /* of one format: 250 GB */
};

/* ---- folders ---- */

/* A run's name as that of a folder: whatever could lead elsewhere is a '_'. */
static void add_folder_name(struct buffer *out, const char *run_id)
{
    for (const char *at = run_id; *at; at++) {
        bool is_plain = isalnum((unsigned char)*at) || strchr("-_", *at) || (*at == '.' && at > run_id);
        buffer_add(out, is_plain ? at : "_", 1);
    }
}

static int make_folder(const char *path, struct error *err)
{
    auto_free char *at = memory_text(path);
    for (char *slash = strchr(at + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(at, 0777);
        *slash = '/';
    }
    if (mkdir(at, 0777) < 0 && errno != EEXIST)
        return error_errno(err, errno, "%s", path);
    if (access(path, W_OK | X_OK) < 0)
        return error_errno(err, errno, "%s", path);
    return 0;
}

int report_check(const struct options *options, struct error *err)
{
    if (options->report_dir == NULL || make_folder(options->report_dir, err) == 0)
        return 0;
    err->code = ERROR_CONFIG;
    return error_wrap(err, "FUNKYTOWN_REPORT_DIR");
}

static int choose_folder(struct report *r, const struct options *options, const char *run_id, struct error *err)
{
    auto_buffer path = {0};
    r->is_latest = options->report_dir == NULL;
    if (r->is_latest) {
        buffer_format(&path, "%s/report/", options->data_dir);
        add_folder_name(&path, run_id);
    } else {
        buffer_text(&path, options->report_dir);
    }
    if (!memory_copy_text(r->folder, sizeof(r->folder), path.data))
        return error_set(err, ERROR_SYSTEM, "%s: the path is too long", path.data);
    return make_folder(r->folder, err);
}

/* `latest` beside it leads to this one. Whoever has put something else there keeps it. */
static void point_latest(const struct report *r)
{
    const char *name = strrchr(r->folder, '/') + 1;
    auto_free char *link = memory_format("%.*slatest", (int)(name - r->folder), r->folder);
    auto_free char *made = memory_format("%s" EXPORT_UNFINISHED, link);
    struct stat info;
    if (lstat(link, &info) == 0 && !S_ISLNK(info.st_mode))
        return;
    unlink(made);
    if (symlink(name, made) == 0)
        rename(made, link);
}

/* ---- files ---- */

static char *path_of(const struct report *r, enum export_name name, unsigned part, const char *behind)
{
    auto_buffer path = {0};
    buffer_format(&path, "%s/", r->folder);
    export_name_add(&path, name, part);
    buffer_text(&path, behind);
    return buffer_take(&path);
}

static void note(struct report *r, const char *path)
{
    if (r->err.text[0] == '\0')
        error_errno(&r->err, errno, "%s", path);
}

/* A link that somebody has put there is not followed. */
static void open_file(struct report *r, enum export_name name)
{
    struct report_file *file = &r->files[name];
    file->parts++;
    file->bytes = 0;
    auto_free char *path = path_of(r, name, file->parts, EXPORT_UNFINISHED);
    unlink(path);
    file->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (file->fd < 0)
        note(r, path);
}

static void flush(struct report *r, enum export_name name)
{
    struct report_file *file = &r->files[name];
    struct buffer *out = &r->writers[name].out;
    for (size_t written = 0; written < out->length && r->err.text[0] == '\0';) {
        ssize_t count = write(file->fd, out->data + written, out->length - written);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            auto_free char *path = path_of(r, name, file->parts, "");
            note(r, path);
            break;
        }
        written += (size_t)count;
    }
    file->bytes += out->length;
    buffer_clear(out);
}

static void close_file(struct report *r, enum export_name name)
{
    struct report_file *file = &r->files[name];
    if (file->fd >= 0 && close(file->fd) < 0) {
        auto_free char *path = path_of(r, name, file->parts, "");
        note(r, path);
    }
    file->fd = -1;
}

static void end_part(struct report *r, enum export_name name)
{
    export_writer_end(&r->writers[name]);
    flush(r, name);
    close_file(r, name);
}

static void begin_part(struct report *r, enum export_name name)
{
    export_writer_close(&r->writers[name]);
    export_writer_begin(&r->writers[name], name, &r->run);
    open_file(r, name);
}

/* ---- the end ---- */

/* Away with what isn't whole. */
static void abandon(struct report *r)
{
    for (size_t i = 0; i < EXPORT_FORMATS; i++) {
        close_file(r, (enum export_name)i);
        export_writer_close(&r->writers[i]);
        for (unsigned part = 1; part <= r->files[i].parts; part++) {
            auto_free char *path = path_of(r, (enum export_name)i, part, EXPORT_UNFINISHED);
            unlink(path);
        }
    }
    r->is_writing = false;
}

static void rename_parts(struct report *r, enum export_name name)
{
    unsigned part = 1;
    for (; part <= r->files[name].parts; part++) {
        auto_free char *path = path_of(r, name, part, ""), *unfinished = path_of(r, name, part, EXPORT_UNFINISHED);
        if (rename(unfinished, path) < 0)
            note(r, path);
    }
    for (; part < PARTS_MAX; part++) { /* of a larger run that was there before */
        auto_free char *path = path_of(r, name, part, "");
        if (unlink(path) < 0)
            break;
    }
}

static void finish(struct report *r)
{
    for (size_t i = 0; i < EXPORT_FORMATS; i++)
        end_part(r, (enum export_name)i);
    for (size_t i = 0; i < EXPORT_FORMATS && r->err.text[0] == '\0'; i++)
        rename_parts(r, (enum export_name)i);
    if (r->err.text[0] == '\0' && r->is_latest)
        point_latest(r);
}

static void tell(struct report *r)
{
    abandon(r);
    r->on_written(r->data, r->err.text[0] ? &r->err : NULL);
}

static void on_task(void *data, const struct export_task *task)
{
    struct report *r = data;
    struct export_cases cases;
    export_cases_make(&cases, task);
    for (size_t i = 0; i < EXPORT_FORMATS; i++) {
        const struct export_format *format = &export_formats[i];
        if (format->split_bytes && r->files[i].bytes + r->writers[i].out.length > format->split_bytes) {
            end_part(r, (enum export_name)i);
            begin_part(r, (enum export_name)i);
        }
        export_writer_task(&r->writers[i], task, &cases);
        if (r->writers[i].out.length > FLUSH_BYTES)
            flush(r, (enum export_name)i);
    }
    export_cases_close(&cases);
}

static void on_walked(void *data, bool is_complete)
{
    struct report *r = data;
    if (is_complete)
        finish(r);
    else if (r->err.text[0] == '\0')
        error_set(&r->err, ERROR_SYSTEM, "%s", r->walk.trouble);
    tell(r);
}

void report_write(struct report *r, const struct options *options, struct ledger *ledger, const struct plan *plan,
                  struct board *board, void (*on_written)(void *data, const struct error *why), void *data)
{
    static const struct export_walk_events events = {on_task, on_walked};
    report_stop(r);
    r->on_written = on_written;
    r->data = data;
    r->err = (struct error){0};
    r->run = (struct export_run){board, plan, clock_wall_ms()};
    r->is_writing = true;
    for (size_t i = 0; i < EXPORT_FORMATS; i++)
        r->files[i] = (struct report_file){.fd = -1};
    if (choose_folder(r, options, board_run_id(board), &r->err) < 0) {
        tell(r);
        return;
    }
    for (size_t i = 0; i < EXPORT_FORMATS; i++)
        begin_part(r, (enum export_name)i);
    if (r->err.text[0])
        tell(r);
    else
        export_walk_start(&r->walk, ledger, plan, board, &events, r);
}

char *report_page_path(const struct report *r)
{
    return path_of(r, EXPORT_HTML, 1, "");
}

void report_stop(struct report *r)
{
    if (!r->is_writing)
        return;
    export_walk_stop(&r->walk);
    abandon(r);
}
