/*
 * report.html: the page as one file (html/build.mjs), with the run in it. It opens without a controller, from a disk or
 * as an artifact of a CI server, and loads nothing.
 *
 *     <script type="application/octet-stream" class="tasks" data-first="120">   gzip, base64: [[index, task, log], …]
 *     <script type="application/octet-stream" id="run">                         the same: the snapshot
 *
 * Index and task (its attempts with it) are as the API has them; log is null or {"attempt","text","before"}, the end of what
 * its last attempt put out. A block is undone when one of its tasks is opened, so that a large report opens at once.
 */
#pragma once
#include "controller/export/export_format.h"

void export_html_begin(struct export_writer *writer);
void export_html_task(struct export_writer *writer, const struct export_task *task, const struct export_cases *cases);
void export_html_end(struct export_writer *writer);
