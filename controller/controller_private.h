/*
 * The inside of the controller, for its three files: controller.c (the way of the run), controller_end.c (the end of
 * the run) and controller_stop.c (the end of the program). Each calls only those after it. Nobody else includes this.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "controller/board.h"
#include "controller/canceller.h"
#include "controller/controller.h"
#include "controller/controller_answers.h"
#include "controller/deadline.h"
#include "controller/http/reporter.h"
#include "controller/local_workers.h"
#include "controller/monitor.h"
#include "controller/opener.h"
#include "controller/own_lease.h"
#include "controller/export/report.h"
#include "controller/progress.h"
#include "controller/redis_server.h"
#include "controller/stall.h"
#include "controller/successor.h"
#include "shared/ledger.h"
#include "shared/redis_link.h"

/*
 *   waiting for Redis ──► opening ──► watching ◄─rerun─► finished ──► stopping ──► exit
 *         ▲                  │ ▲          │                (--once, or told to, from any of them)
 *         └── link lost ─────┴─┴──────────┘
 */
enum controller_state {
    CONTROLLER_WAITING, /* for Redis */
    CONTROLLER_OPENING, /* or standing by */
    CONTROLLER_WATCHING,
    CONTROLLER_FINISHED,
    CONTROLLER_STOPPING,
};

struct controller {
    uv_loop_t *loop;
    const struct options *options;
    const struct plan *plan;
    const struct source *source;
    const struct github *github;
    enum controller_state state;
    int exit_status;
    int signals_seen;

    struct redis_server *server; /* NULL: REDIS_HOST is set */
    struct redis_address address;
    struct redis_link *commands, *events;
    struct ledger ledger;
    struct opener opener;
    struct monitor monitor;
    struct canceller canceller;
    struct stall stall;
    struct board *board; /* NULL until the run is open */
    struct reporter *reporter;
    struct controller_answers answers;
    struct progress progress;
    struct report report;
    struct local_workers workers;
    char url[256];
    char no_worker[512];     /* why none may have come */
    char missing[1200];      /* what /readyz says is missing; "" : nothing */
    char last_trouble[1200]; /* so that the same reason is logged once */

    struct deadline deadline;
    struct own_lease lease;
    struct successor successor;
    uv_timer_t limit; /* of what is being stopped */
    uv_signal_t on_term, on_int;
    int open_handles;
    uint64_t started_ms;
    bool was_up;    /* Redis has been reached once */
    bool is_loaded; /* the scripts are */
    bool has_monitor, is_torn_down;
    bool has_verdict;    /* the run has ended */
    bool is_told;        /* so have people been told */
    bool has_report;     /* its files are written */
    bool is_hurried;     /* the deadline's grace is over: what doesn't stop at once is killed */
    bool was_finished;   /* when it was told to stop */
    bool is_in_farewell; /* workers elsewhere are waited for */
    int farewell_looks;
    bool has_rerun;       /* what --rerun asks for is done, or under way */
    bool is_serving;      /* the run is over, and exit_status what it will be: people read what failed */
    bool has_summary;     /* the run keeps its summary, or is being asked to */
    uint64_t finished_ms; /* monotonic: when we learned that it is */
    bool has_workers;     /* local_workers_start() was called */
    bool has_stood_by;    /* for this very run */
    bool has_told_way;    /* that it was resumed */
    bool is_replaced;     /* finished, and another controller has taken over */
};

/* controller_stop.c */
void controller_stop(struct controller *controller, int exit_status);
void controller_on_signal(uv_signal_t *handle, int number);
void controller_stop_watching(struct controller *controller); /* the link is lost, or the run somebody else's */

/* controller_end.c */
int controller_verdict_status(const struct controller *controller);
void controller_end_run(struct controller *controller);
void controller_end_run_again(struct controller *controller); /* what was left undone */

/* controller_tell.c */
void controller_tell_verdict(struct controller *controller,
                             const struct error *why);                    /* there are no files; NULL: there are */
void controller_tell_now(struct controller *controller, const char *why); /* what is being written is given up */
