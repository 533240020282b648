#include "controller/export/export_format.h"

#include "controller/export/export_ctrf.h"
#include "controller/export/export_failed.h"
#include "controller/export/export_html.h"
#include "controller/export/export_junit.h"

const struct export_format export_formats[EXPORT_FORMATS] = {
    /* GitLab reads no file above 30 MB. */
    [EXPORT_JUNIT] = {"application/xml", 25 * 1000 * 1000, export_junit_begin, export_junit_task, export_junit_end},
    [EXPORT_RESULTS] = {"application/json", 0, export_ctrf_begin, export_ctrf_task, export_ctrf_end},
    [EXPORT_FAILED_LIST] = {"text/plain; charset=utf-8", 0, export_failed_begin, export_failed_task,
                            export_failed_end},
    [EXPORT_HTML] = {"text/html; charset=utf-8", 0, export_html_begin, export_html_task, export_html_end},
};

void export_writer_begin(struct export_writer *writer, enum export_name name, const struct export_run *run)
{
    *writer = (struct export_writer){.format = &export_formats[name], .run = run};
    writer->format->begin(writer);
}

void export_writer_task(struct export_writer *writer, const struct export_task *task,
                        const struct export_cases *cases)
{
    writer->format->task(writer, task, cases);
    for (size_t i = 0; i < cases->count; i++)
        writer->counts[cases->items[i].status]++;
    writer->tasks++;
}

void export_writer_end(struct export_writer *writer)
{
    writer->format->end(writer);
}

void export_writer_close(struct export_writer *writer)
{
    buffer_close(&writer->out);
    buffer_close(&writer->block);
}
