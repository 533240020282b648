/*
 * What the report asks of the controller: the attempts and logs that only Redis has, what is missing to be ready, the
 * two requests that change something, and the metrics. It knows only what it is handed; what only the controller
 * knows it asks through `events`.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "controller/board.h"
#include "controller/export/export_walk.h"
#include "controller/monitor.h"
#include "controller/plan.h"
#include "controller/http/reporter.h"
#include "shared/ledger.h"

/* A run on its way into one file for somebody who has asked; it stays in place, as answers may still come. */
struct controller_export {
    struct export_walk walk;
    struct export_writer writer;
    struct export_run run;
    struct reporter_request *request; /* NULL: nobody has asked */
};

enum { CONTROLLER_EXPORTS = 4 }; /* at a time: each holds the whole file */

struct controller_answers_events {
    bool (*is_ready)(void *data);       /* the scripts are loaded: something may be changed */
    const char *(*missing)(void *data); /* NULL: nothing */
    /* Redis has been told; to cancel what still waits is left to the controller. */
    void (*on_cancelled)(void *data, const char *reason);
};

/* All is borrowed. */
struct controller_answers {
    struct ledger *ledger;
    const char *me;
    const struct plan *plan;
    struct board *board;           /* NULL until the run is open */
    const struct monitor *monitor; /* the same */
    bool is_over;                  /* the link is being closed */
    struct controller_export exports[CONTROLLER_EXPORTS];
    struct controller_answers_events events;
    void *data;
};

/* As long as the ledger has no link, Redis can't be reached. */
void controller_answers_init(struct controller_answers *answers, struct ledger *ledger, const char *me,
                             const struct plan *plan, const struct controller_answers_events *events, void *data);

/* The run is open. */
void controller_answers_show(struct controller_answers *answers, struct board *board, const struct monitor *monitor);

/* From here on nothing is asked of Redis. */
void controller_answers_end(struct controller_answers *answers);

/* What the reporter is given; `data` is the struct controller_answers. */
extern const struct reporter_source controller_answers_source;
size_t controller_answers_metrics(void *data, struct reporter_metric *metrics, size_t room);
