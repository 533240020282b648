/*
 * A private redis-server for a test, and waiting for what the event loop brings.
 *
 * The server listens on a free port of 127.0.0.1, keeps its files in a temporary folder and dies with the test.
 * What can't be had (no redis-server, no answer within far too long a time) ends the test program with a message.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "shared/ledger.h"

struct redisContext;
struct redisReply;

enum { FIXTURE_ARGUMENTS = 8, FIXTURE_PATIENCE_S = 60 };

struct redis_fixture {
    char folder[64];
    int port;
    const char *arguments[FIXTURE_ARGUMENTS + 1]; /* borrowed */
    pid_t pid;                                    /* 0: no server runs */
    int pidfd;
    struct redisContext *admin; /* a connection beside the one that is tested; NULL while no server runs */
};

/* Chooses folder and port. `arguments` are added to the server's command line, NULL ends them; NULL: none. */
void redis_fixture_open(struct redis_fixture *fixture, const char *const *arguments);
/* Starts the server and waits until it answers. */
void redis_fixture_start(struct redis_fixture *fixture);
/* kill -9. Folder and port stay, so that it can be started again. */
void redis_fixture_kill(struct redis_fixture *fixture);
/* Stops the server if it runs and removes the folder. */
void redis_fixture_close(struct redis_fixture *fixture);

/* One command on the connection of our own; an error reply ends the test. The reply is the caller's. */
struct redisReply *redis_fixture_command(struct redis_fixture *fixture, const char *format, ...);
/* The same for who doesn't need the reply, and for an integer or a text that is one. */
void redis_fixture_do(struct redis_fixture *fixture, const char *format, ...);
int64_t redis_fixture_number(struct redis_fixture *fixture, const char *format, ...);

/* Runs the loop until `*is_done`; `what` is said when it takes too long. */
void run_until(uv_loop_t *loop, const bool *is_done, const char *what);

/* A reply of the ledger that outlives its callback. */
struct answer {
    bool has_come;
    enum ledger_outcome outcome;
    char *trouble;
    size_t count; /* of the texts, the outcome's word included */
    char **texts; /* an element that is no text stands as "" */
};

/* A ledger_reply_fn; `data` is the struct answer. */
void on_answer(void *data, const struct ledger_reply *reply);
/* Element `index`, "" beyond the end. */
const char *answer_text(const struct answer *answer, size_t index);
void answer_clear(struct answer *answer);
