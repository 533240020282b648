/*
 * The report on :3000: libmicrohttpd on the loop, one thread. This is the door of controller/http: nobody outside
 * includes anything else of it, but for tests of what is pure.
 *
 * It reads the board and never writes it, nor Redis. What only Redis knows (attempts, logs) it asks its source for,
 * and what clients want to be changed it asks its source to do; the answer may come later, the connection sleeps
 * until then. It never waits for Redis otherwise: /livez answers while the loop runs.
 *
 *                              reporter      the daemon's options, start and stop
 *                                 │
 *                            http_routes     which function answers what, what it needs, how large a body it takes
 *                                 │
 *       http_api  http_write  http_events  http_assets  http_metrics     what is answered
 *            │         │          │
 *          http_questions         │          questions to the source; who asked sleeps
 *                 │               │
 *          http_request           │          one request: what is refused at first sight, its body
 *                 │               │
 *            http_reply           │          a response on its way
 *                 │               │
 *                 └─ http_peers ──┘          connections, their deadlines, waking
 *
 *       http_response                        bytes or a stream, and the headers that all have
 *       http_target  http_fields  http_body  http_guard     what clients have sent, taken apart and judged; pure
 *
 * Each unit calls those below it and none above; the pure ones may be called by all. Who calls back does so through
 * what was handed down. A unit's name is what its functions begin with. `reporter_private.h` is the reporter's state,
 * a struct of each unit in it.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "controller/board.h"
#include "controller/export/export_format.h"
#include "shared/error.h"

struct reporter;
struct reporter_request;

/* Each request is answered exactly once with reporter_answer(): at once, later, or after the reporter has stopped. */
struct reporter_source {
    /* The attempts of the task, as a JSON array. */
    void (*attempts)(void *data, const char *key, struct reporter_request *request);
    /* The kept output of an attempt, as text. */
    void (*log)(void *data, const char *key, unsigned attempt, struct reporter_request *request);
    /* The run as it stands, in this format. */
    void (*exported)(void *data, enum export_name name, struct reporter_request *request);
    /* What is missing to be ready, as one line ("redis: connection refused"); NULL: nothing. */
    const char *(*missing)(void *data);
    /* Asked only of a run that goes on, and answered with {"cancelled":n}: how many tasks will not run any more. */
    void (*cancel)(void *data, struct reporter_request *request);
    /*
     * The tasks in these states (a bit set of enum board_state) are to run again. Asked only when the board has some;
     * answered with {"rerun":n}.
     */
    void (*rerun)(void *data, unsigned states, struct reporter_request *request);
};

enum reporter_status {
    REPORTER_FOUND,
    REPORTER_MISSING,     /* 404: what was asked for doesn't exist. Of attempts and logs only */
    REPORTER_CONFLICT,    /* 409: it couldn't be done any more. Of cancel and rerun only */
    REPORTER_UNAVAILABLE, /* 503: it couldn't be fetched or done, for now */
};

struct reporter_body {
    const char *bytes; /* copied */
    size_t length;
};

struct reporter_answer {
    enum reporter_status status;
    struct reporter_body body; /* of what was FOUND */
    const char *why;           /* of what is UNAVAILABLE, as one line */
};

/* The client may have gone, or be tired of waiting: then this only frees. */
void reporter_answer(struct reporter_request *request, const struct reporter_answer *answer);

/* What clients may take. 0: as it says here, which is meant for production; tests are less patient. */
struct reporter_limits {
    unsigned connections;             /* 512, so that there are descriptors left for workers */
    unsigned connections_per_address; /* 256: a proxy's clients share one, but nobody gets all */
    unsigned streams;                 /* 200 */
    /* 15,000: from connecting, or the last reply, to a complete request; also for an answer of the source. */
    unsigned request_ms;
    unsigned idle_s;        /* 60: a reply that is not taken */
    unsigned frame_ms;      /* 250: pause between two events of a stream */
    unsigned ping_ms;       /* 15,000: comments on silent streams */
    unsigned last_words_ms; /* 2,000: for what is under way when the reporter is stopped */
};

struct reporter_options {
    const char *bind;       /* address, or a name of this machine */
    int port;               /* 0: a free one */
    int ports;              /* if it is taken: the next free one among so many from `port` on; 0: that one alone */
    const char *index_file; /* NULL: the built-in page */
    const char *token;      /* of who may cancel and rerun; NULL or "": nobody */
    /*
     * As people reach us through something in between; NULL: unknown. With a loopback `bind` no names are served but
     * its host and those of this machine.
     */
    const char *url;
    struct reporter_limits limits;
};

/*
 * Listens at once. Until a board is given the API answers 503 and the page says that it waits. `source`, `data` and
 * the options' bind and url are borrowed and stay until `closed`. NULL with err: "http port 3000 on 127.0.0.1:
 * address already in use".
 */
struct reporter *reporter_start(uv_loop_t *loop, const struct reporter_options *options,
                                const struct reporter_source *source, void *data, struct error *err);

int reporter_port(const struct reporter *reporter);

/* The board to show from now on; borrowed, NULL: none. A board must not be freed while it is shown. */
void reporter_show(struct reporter *reporter, struct board *board);

/* The board has changed: who listens is told within a quarter of a second. Cheap; may be called for each change. */
void reporter_changed(struct reporter *reporter);

/* More lines for /metrics, kept by others: name (funkytown_…), help, type ("counter", "gauge"), value. */
struct reporter_metric {
    const char *name, *help, *type;
    double value;
};
void reporter_metrics(struct reporter *reporter,
                      size_t (*collect)(void *data, struct reporter_metric *metrics, size_t room));

/*
 * Says the last words, then closes every connection and handle, frees, and calls `closed`. Streams get what they
 * haven't and an "end" with the summary; what is being sent is sent to its end, and who reads on at once is served,
 * but for what only the source knows: all of it for limits.last_words_ms at most. The board must stay until `closed`.
 * Not to be called by the source's functions.
 */
void reporter_stop(struct reporter *reporter, void (*closed)(void *data));
