#include "controller/http/http_metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "controller/http/http_reply.h"
#include "controller/http/http_request.h"
#include "controller/http/reporter_private.h"
#include "shared/clock.h"
#include "shared/proc_stat.h"

enum { COLLECTED_MAX = 64 };

static void add_head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_format(out, "# HELP %s ", name);
    for (const char *p = help; *p; p++) {
        if (*p == '\n' || *p == '\\')
            buffer_text(out, *p == '\n' ? "\\n" : "\\\\");
        else
            buffer_add(out, p, 1);
    }
    buffer_format(out, "\n# TYPE %s %s\n", name, type);
}

static void add_metric(struct buffer *out, const char *name, const char *type, const char *help, double value)
{
    add_head(out, name, type, help);
    buffer_format(out, "%s %.15g\n", name, value);
}

static void add_sample(struct buffer *out, const char *name, const char *label, const char *value, uint64_t number)
{
    buffer_format(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value, number);
}

static void add_run(struct buffer *out, const struct board *board)
{
    struct board_totals totals;
    board_totals(board, clock_wall_ms(), &totals);
    add_head(out, "funkytown_tasks", "gauge", "Tasks of the run by state.");
    for (int i = 0; i < BOARD_STATES; i++)
        add_sample(out, "funkytown_tasks", "state", board_state_name((enum board_state)i), totals.counts[i]);

    add_head(out, "funkytown_tests", "gauge", "Tests in the last attempts of the run's tasks by status.");
    add_sample(out, "funkytown_tests", "status", "passed", totals.tests_passed);
    add_sample(out, "funkytown_tests", "status", "failed", totals.tests_failed);
    add_sample(out, "funkytown_tests", "status", "skipped", totals.tests_skipped);
    add_sample(out, "funkytown_tests", "status", "flaky", totals.tests_flaky);

    add_head(out, "funkytown_run_state", "gauge", "1 for the state that the run is in.");
    for (int i = 0; i < BOARD_RUN_STATES; i++)
        add_sample(out, "funkytown_run_state", "state", board_run_state_name((enum board_run_state)i),
                   totals.state == (enum board_run_state)i);

    add_head(out, "funkytown_run_verdict", "gauge", "1 for the verdict of the run, all 0 while it goes on.");
    for (int i = BOARD_NO_VERDICT + 1; i < BOARD_VERDICTS; i++)
        add_sample(out, "funkytown_run_verdict", "verdict", board_verdict_name((enum board_verdict)i),
                   totals.verdict == (enum board_verdict)i);

    add_head(out, "funkytown_workers", "gauge", "Workers that are live, and workers whose lease ran out.");
    add_sample(out, "funkytown_workers", "state", "live", totals.workers_live);
    add_sample(out, "funkytown_workers", "state", "lost", totals.workers_lost);

    add_metric(out, "funkytown_run_wall_seconds", "gauge", "Time since the run began, or that it took.",
               (double)totals.wall_ms / 1000);
    add_metric(out, "funkytown_run_compute_seconds", "gauge", "Time of all attempts that ended.",
               (double)totals.compute_ms / 1000);
    add_metric(out, "funkytown_run_bound_seconds", "gauge", "The shortest time that the run could have taken.",
               (double)totals.bound_ms / 1000);
}

static void add_http(struct buffer *out, const struct reporter *reporter)
{
    static const char *const classes[HTTP_STATUS_CLASSES] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
    add_head(out, "funkytown_http_requests_total", "counter", "Replies by class of status.");
    for (int i = 2; i < HTTP_STATUS_CLASSES; i++)
        add_sample(out, "funkytown_http_requests_total", "code", classes[i], reporter->replies[i]);
    add_metric(out, "funkytown_http_streams", "gauge", "Clients that listen to changes.",
               (double)reporter->events.stream_count);
}

/* Unix time of the machine's start; 0: unknown. */
static double boot_seconds(void)
{
    char line[256];
    double value = 0;
    FILE *file = fopen("/proc/stat", "re");
    while (file && value <= 0 && fgets(line, sizeof(line), file))
        if (sscanf(line, "btime %lf", &value) != 1)
            value = 0;
    if (file)
        fclose(file);
    return value;
}

static double open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    double count = -3; /* ".", ".." and the folder itself */
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count > 0 ? count : 0;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void add_process(struct buffer *out)
{
    struct rusage usage;
    struct proc_stat self;
    proc_stat_read(getpid(), &self);
    getrusage(RUSAGE_SELF, &usage);
    double ticks_per_s = (double)sysconf(_SC_CLK_TCK), page_bytes = (double)sysconf(_SC_PAGESIZE);
    add_metric(out, "process_cpu_seconds_total", "counter", "Processor time that the controller has used.",
               seconds(usage.ru_utime) + seconds(usage.ru_stime));
    add_metric(out, "process_resident_memory_bytes", "gauge", "Memory of the controller.",
               (double)self.resident_pages * page_bytes);
    add_metric(out, "process_open_fds", "gauge", "Open file descriptors of the controller.", open_descriptors());
    add_metric(out, "process_start_time_seconds", "gauge", "Unix time of the controller's start.",
               boot_seconds() + (double)self.start_ticks / ticks_per_s);
}

void http_metrics_reply(struct http_request *request)
{
    struct reporter *reporter = request->reporter;
    struct reporter_metric collected[COLLECTED_MAX];
    auto_buffer out = {0};
    add_head(&out, "funkytown_build_info", "gauge", "Always 1; the version is a label.");
    add_sample(&out, "funkytown_build_info", "version", FUNKYTOWN_VERSION, 1);
    if (reporter->board)
        add_run(&out, reporter->board);
    add_http(&out, reporter);
    size_t count = reporter->collect ? reporter->collect(reporter->data, collected, COLLECTED_MAX) : 0;
    for (size_t i = 0; i < count; i++)
        add_metric(&out, collected[i].name, collected[i].type, collected[i].help, collected[i].value);
    add_process(&out);
    http_reply(request, MHD_HTTP_OK,
               http_response_take(&out, "text/plain; version=0.0.4; charset=utf-8", "no-store", HTTP_POLICY_DATA));
}
