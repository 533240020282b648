/* The format's functions (export_format.h). */
#pragma once
#include "controller/export/export_format.h"

void export_junit_begin(struct export_writer *writer);
void export_junit_task(struct export_writer *writer, const struct export_task *task,
                       const struct export_cases *cases);
void export_junit_end(struct export_writer *writer);
