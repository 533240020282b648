/*
 * What both programs can be told: flag over environment over default.
 *
 * One table (options_table) feeds parsing, --help, --print-config, and a test that compares the README with it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "shared/error.h"
#include "shared/log.h"

enum program { PROGRAM_CONTROLLER = 1, PROGRAM_WORKER = 2 };

/* SECRET: a text that is never shown; an empty one is none. */
enum option_kind { OPTION_TEXT, OPTION_SECRET, OPTION_NUMBER, OPTION_CHOICE };

struct options {
    const char *redis_host; /* NULL for the controller: embed a server */
    int redis_port;
    const char *redis_bind;
    const char *redis_username; /* NULL: none */
    const char *redis_password; /* NULL: none */
    int redis_db;
    const char *prefix;
    const char *map_file;
    const char *html_index_file; /* NULL: the built-in page */
    const char *spec_root;
    const char *source; /* NULL: to be found out */
    const char *run_id; /* NULL: made up */
    const char *http_bind;
    int http_port;
    bool is_http_port_given;
    const char *url;   /* NULL: derived */
    const char *token; /* NULL: none */
    const char *data_dir;
    const char *report_dir; /* NULL: report/<run> in the data folder */
    int retries;
    int max_crashes;
    int max_failures; /* 0: no limit */
    int lease_s;
    int task_timeout_s;
    int deadline_s; /* 0: none */
    int slots;
    const char *worker_id; /* NULL: made up */
    int log_level;         /* enum log_level */
    int log_format;        /* enum log_format */
    bool is_log_level_given;

    bool once;           /* --once */
    bool serve_failures; /* --serve-failures */
    bool rerun;          /* --rerun */
    bool fresh;          /* --fresh */
    bool audit;          /* --audit */
    bool repair;         /* --repair */
    int workers;         /* --workers */

    bool init;                /* init: write the spec map of a place, and no more */
    bool dry_run;             /* --dry-run */
    const char *grep;         /* --grep; NULL: not said */
    const char *tag;          /* --tag; NULL: not said */
    const char *only_changed; /* --only-changed; "": since the last commit; NULL: not said */
};

struct option {
    const char *env;
    const char *flag; /* without the dashes */
    int programs;     /* PROGRAM_CONTROLLER | PROGRAM_WORKER */
    enum option_kind kind;
    size_t offset;        /* in struct options */
    const char *fallback; /* the default as text; NULL: none */
    long min, max;        /* NUMBER */
    const char *choices;  /* CHOICE: "a|b|c", whose index is the value */
    const char *help;     /* one line */
};

/* What to do after options_load(). */
enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_PRINT_CONFIG };

const struct option *options_table(size_t *count);

enum { OPTIONS_SECRETS_MAX = 16 };

/* The variables that hold secrets: what others start must not get. Ends with NULL. */
void options_secret_names(const char *names[OPTIONS_SECRETS_MAX + 1]);

/*
 * Reads the environment and the command line. 0, or -1 with ERROR_CONFIG naming the option, the value and what is
 * wanted. The values borrow from the environment and argv, which must stay.
 */
int options_load(struct options *options, enum program program, int argc, char **argv, enum options_action *action,
                 struct error *err);

/* The flag of a filter that was given, which only what a runner lists can obey; NULL: none. */
const char *options_filter(const struct options *options);

/* Secrets that were given as flags are copied and then blotted out of argv, which everybody can read (ps). */
void options_hide_secrets(struct options *options, int argc, char **argv);

/*
 * The options that workers have too, with our values, wherever those came from: "NAME=value" each, ends with NULL.
 * They are for a worker's environment, as everybody can read a command line. The log level is left out if nobody gave
 * one. Of a secret there is only the name, to be taken out of the environment. Freed with options_free_variables().
 */
char **options_for_workers(const struct options *options);

/* The secrets among them, which go another way (worker/parent.h): "NAME=value" each, ends with NULL. Freed so too. */
char **options_secrets_for_workers(const struct options *options);

/* Takes one of those as if the environment had told it, and borrows from the text. 0, or -1: it is no secret. */
int options_take_secret(struct options *options, const char *secret, struct error *err);
void options_free_variables(char **variables);

void options_print_help(FILE *out, enum program program);

/* Each option's value and where it came from, secrets masked. */
void options_print_config(FILE *out, enum program program, int argc, char **argv);
