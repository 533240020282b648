#include "shared/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "shared/memory.h"
#include "shared/task.h"

#define BOTH       (PROGRAM_CONTROLLER | PROGRAM_WORKER)
#define CONTROLLER PROGRAM_CONTROLLER
#define WORKER     PROGRAM_WORKER

#define TEXT(env, flag, of, field, fallback, help)                                                                   \
    {                                                                                                                \
        env, flag, of, OPTION_TEXT, offsetof(struct options, field), fallback, 0, 0, NULL, help                      \
    }
#define SECRET(env, flag, of, field, help)                                                                           \
    {                                                                                                                \
        env, flag, of, OPTION_SECRET, offsetof(struct options, field), NULL, 0, 0, NULL, help                        \
    }
#define NUMBER(env, flag, of, field, fallback, min, max, help)                                                       \
    {                                                                                                                \
        env, flag, of, OPTION_NUMBER, offsetof(struct options, field), fallback, min, max, NULL, help                \
    }
#define CHOICE(env, flag, of, field, fallback, choices, help)                                                        \
    {                                                                                                                \
        env, flag, of, OPTION_CHOICE, offsetof(struct options, field), fallback, 0, 0, choices, help                 \
    }

/* clang-format off: a table reads better in columns */
static const struct option table[] = {
    TEXT("REDIS_HOST", "redis-host", BOTH, redis_host, NULL,
         "Redis to use: a name, an address, or the absolute path of its socket; none, for the controller: start an "
         "embedded one; for a worker: localhost"),
    NUMBER("REDIS_PORT", "redis-port", BOTH, redis_port, "6379", 1, 65535,
           "its port; embedded: listens there if free, else on a free port that it prints"),
    TEXT("FUNKYTOWN_REDIS_BIND", "redis-bind", CONTROLLER, redis_bind, "127.0.0.1",
         "the embedded server's address; beyond loopback without REDIS_PASSWORD: a warning that names the risk"),
    TEXT("REDIS_USERNAME", "redis-username", BOTH, redis_username, NULL, "ACL user"),
    SECRET("REDIS_PASSWORD", "redis-password", BOTH, redis_password, "password; the embedded server asks for it too"),
    NUMBER("REDIS_DB", "redis-db", BOTH, redis_db, "0", 0, 1000000, "database number"),
    TEXT("FUNKYTOWN_PREFIX", "prefix", BOTH, prefix, "",
         "put before every key, so that several runs can share one Redis; `{name}:` for Redis Cluster"),
    TEXT("GROUP_TASKS_FILE", "group-tasks-file", CONTROLLER, map_file, "specs/spec_context_map.json", "the spec map"),
    TEXT("HTML_INDEX_FILE", "html-index-file", CONTROLLER, html_index_file, NULL,
         "a page to serve in place of the built-in one; the other files of its folder are served too"),
    TEXT(
        "SPEC_ROOT", "spec-root", BOTH, spec_root, "specs",
        "the folder that runners start in and that spec paths are relative to; the controller only looks for changes "
        "in it, if it can see it"),
    TEXT("FUNKYTOWN_SOURCE", "source", CONTROLLER, source, NULL,
         "what is tested; a new source makes a new run; none: the CI's commit, else git's, else a hash of the specs"),
    TEXT("FUNKYTOWN_RUN_ID", "run-id", CONTROLLER, run_id, NULL, "name of the run; none: run-<UTC time>-<random>"),
    TEXT("FUNKYTOWN_HTTP_BIND", "http-bind", CONTROLLER, http_bind, "127.0.0.1", "the reporter's address"),
    NUMBER("FUNKYTOWN_HTTP_PORT", "http-port", CONTROLLER, http_port, "3000", 0, 65535,
           "the reporter's port; not given and taken: the next free one, printed; 0: a free one, printed"),
    TEXT("FUNKYTOWN_URL", "url", CONTROLLER, url, NULL,
         "the reporter's address as people reach it, without /results; none: derived"),
    SECRET("FUNKYTOWN_TOKEN", "token", CONTROLLER, token,
           "allows writes over HTTP (cancel, rerun); none: they answer 403"),
    TEXT("FUNKYTOWN_DATA_DIR", "data-dir", CONTROLLER, data_dir, ".funkytown", "embedded Redis' files, reports"),
    TEXT("FUNKYTOWN_REPORT_DIR", "report-dir", CONTROLLER, report_dir, NULL,
         "where the report's files are written when a run has ended; none: report/<run> in the data folder, and "
         "`latest` beside it"),
    NUMBER("FUNKYTOWN_RETRIES", "retries", CONTROLLER, retries, "0", 0, TASK_RETRIES_MAX,
           "attempts after a failed one; a task that passes then is flaky"),
    NUMBER("FUNKYTOWN_MAX_CRASHES", "max-crashes", CONTROLLER, max_crashes, "3", 1, 1000,
           "how many workers one task may cost before it ends as an error"),
    NUMBER("FUNKYTOWN_MAX_FAILURES", "max-failures", CONTROLLER, max_failures, "0", 0, 1000000,
           "cancel the rest after so many failed tasks; 0: never"),
    NUMBER("FUNKYTOWN_LEASE_S", "lease-s", CONTROLLER, lease_s, "15", 1, TASK_LEASE_MAX_S,
           "a worker that is silent for so many seconds counts as dead; workers report every third of it"),
    NUMBER("FUNKYTOWN_TASK_TIMEOUT_S", "task-timeout-s", CONTROLLER, task_timeout_s, "600", 1, TASK_TIMEOUT_MAX_S,
           "seconds for one attempt; then TERM, 5 s later KILL, and the attempt is an error: timeout"),
    NUMBER(
        "FUNKYTOWN_DEADLINE_S", "deadline-s", CONTROLLER, deadline_s, "0", 0, 10000000,
        "seconds for the whole run; then what is left is cancelled, and the exit status is 4; --once ends 10 s later "
        "at the latest, whatever Redis does; 0: no limit"),
    NUMBER("FUNKYTOWN_SLOTS", "slots", WORKER, slots, "1", 1, 1000, "runners at a time"),
    TEXT("FUNKYTOWN_WORKER_ID", "worker-id", WORKER, worker_id, NULL, "name of the worker; none: host-pid-random"),
    CHOICE("FUNKYTOWN_LOG_LEVEL", "log-level", BOTH, log_level, "info", "debug|info|warn|error",
           "lowest level of log lines on standard error"),
    CHOICE("FUNKYTOWN_LOG_FORMAT", "log-format", BOTH, log_format, "auto", "auto|logfmt|json|pretty",
           "form of log lines; auto: pretty on a terminal, else logfmt"),
};
/* clang-format on */

enum source { FROM_DEFAULT, FROM_ENVIRONMENT, FROM_FLAG };

struct command_line {
    enum options_action action;
    bool once, serve_failures, rerun, fresh, audit, repair, dry_run, init;
    const char *workers, *grep, *tag, *only_changed;
    const char *map_file;
    const char *flags[sizeof(table) / sizeof(table[0])];
};

/* What only a command line can say to the controller. */
struct command_word {
    const char *flag;
    size_t offset; /* in struct command_line */
};

static const struct command_word switches[] = {
    {"--once", offsetof(struct command_line, once)},
    {"--rerun", offsetof(struct command_line, rerun)},
    {"--fresh", offsetof(struct command_line, fresh)},
    {"--audit", offsetof(struct command_line, audit)},
    {"--repair", offsetof(struct command_line, repair)},
    {"--dry-run", offsetof(struct command_line, dry_run)},
    {"--serve-failures", offsetof(struct command_line, serve_failures)},
};

/* These have a value. */
static const struct command_word words[] = {
    {"--workers", offsetof(struct command_line, workers)},
    {"--grep", offsetof(struct command_line, grep)},
    {"--tag", offsetof(struct command_line, tag)},
};

const struct option *options_table(size_t *count)
{
    *count = sizeof(table) / sizeof(table[0]);
    return table;
}

static const struct option *find_flag(const char *name, size_t length, enum program program, size_t *index)
{
    size_t count;
    const struct option *rows = options_table(&count);
    for (size_t i = 0; i < count; i++) {
        bool ours = (rows[i].programs & (int)program) != 0;
        if (ours && strlen(rows[i].flag) == length && strncmp(rows[i].flag, name, length) == 0) {
            *index = i;
            return &rows[i];
        }
    }
    return NULL;
}

static int parse_number(const char *name, const char *text, long min, long max, int *value, struct error *err)
{
    char *end;
    errno = 0;
    long parsed = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || errno != 0 || parsed < min || parsed > max)
        return error_set(err, ERROR_CONFIG, "%s: found \"%s\", wanted a whole number from %ld to %ld", name, text,
                         min, max);
    *value = (int)parsed;
    return 0;
}

static int parse_choice(const char *name, const char *text, const char *choices, int *value, struct error *err)
{
    int index = 0;
    for (const char *p = choices; *p; index++) {
        size_t length = strcspn(p, "|");
        if (strlen(text) == length && strncmp(p, text, length) == 0) {
            *value = index;
            return 0;
        }
        p += length + (p[length] == '|');
    }
    return error_set(err, ERROR_CONFIG, "%s: found \"%s\", wanted one of %s", name, text, choices);
}

static int store(struct options *options, const struct option *row, const char *name, const char *text,
                 struct error *err)
{
    void *field = (char *)options + row->offset;
    switch (row->kind) {
    case OPTION_NUMBER:
        return parse_number(name, text, row->min, row->max, field, err);
    case OPTION_CHOICE:
        return parse_choice(name, text, row->choices, field, err);
    case OPTION_SECRET:
        text = *text ? text : NULL;
        memcpy(field, &text, sizeof(text));
        break;
    case OPTION_TEXT:
        memcpy(field, &text, sizeof(text));
    }
    return 0;
}

/* The value that follows a flag: after '=' or as the next argument. */
static int flag_value(const char *argument, size_t length, int argc, char **argv, int *at, const char **value,
                      struct error *err)
{
    if (argument[length] == '=') {
        *value = argument + length + 1;
        return 0;
    }
    if (*at + 1 >= argc)
        return error_set(err, ERROR_CONFIG, "%s: a value is wanted after it", argument);
    *value = argv[++*at];
    return 0;
}

static bool scan_switch(struct command_line *line, const char *argument)
{
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
        if (strcmp(argument, switches[i].flag) == 0) {
            *(bool *)((char *)line + switches[i].offset) = true;
            return true;
        }
    return false;
}

/* Where the value of a flag goes that is no option; NULL: it isn't one of these. */
static const char **find_word(struct command_line *line, const char *argument, size_t length)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i].flag) == length && strncmp(argument, words[i].flag, length) == 0)
            return (const char **)(void *)((char *)line + words[i].offset);
    return NULL;
}

/* "--only-changed" or "--only-changed=REF": what follows the flag may be the place. */
static bool scan_only_changed(struct command_line *line, const char *argument, size_t length)
{
    if (length != strlen("--only-changed") || strncmp(argument, "--only-changed", length) != 0)
        return false;
    line->only_changed = argument[length] == '=' ? argument + length + 1 : "";
    return true;
}

static int scan_flag(struct command_line *line, enum program program, int argc, char **argv, int *at,
                     struct error *err)
{
    const char *argument = argv[*at], **word;
    size_t length = strcspn(argument, "=");
    size_t index;
    bool is_controller = program == PROGRAM_CONTROLLER;
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
        line->action = OPTIONS_HELP;
    else if (strcmp(argument, "--version") == 0)
        line->action = OPTIONS_VERSION;
    else if (strcmp(argument, "--print-config") == 0)
        line->action = OPTIONS_PRINT_CONFIG;
    else if (is_controller && (scan_switch(line, argument) || scan_only_changed(line, argument, length)))
        return 0;
    else if (is_controller && (word = find_word(line, argument, length)) != NULL)
        return flag_value(argument, length, argc, argv, at, word, err);
    else if (strncmp(argument, "--", 2) == 0 && find_flag(argument + 2, length - 2, program, &index))
        return flag_value(argument, length, argc, argv, at, &line->flags[index], err);
    else
        return error_set(err, ERROR_CONFIG, "%s: no such option; --help lists them", argument);
    return 0;
}

static int scan_command_line(struct command_line *line, enum program program, int argc, char **argv,
                             struct error *err)
{
    for (int i = 1; i < argc; i++) {
        bool is_place = program == PROGRAM_CONTROLLER && line->map_file == NULL;
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (scan_flag(line, program, argc, argv, &i, err) < 0)
                return -1;
        } else if (is_place && !line->init && strcmp(argv[i], "init") == 0) {
            line->init = true;
        } else if (is_place) {
            line->map_file = argv[i];
        } else {
            return error_set(err, ERROR_CONFIG, "%s: one argument too many; --help tells what is wanted", argv[i]);
        }
    }
    return 0;
}

/* The text of a row's value, the name to blame for it, and where it came from. */
static const char *row_text(const struct command_line *line, size_t index, enum program program, const char **name,
                            enum source *source)
{
    const struct option *row = &table[index];
    const char *env = getenv(row->env);
    *name = row->env;
    if (line->map_file && row->offset == offsetof(struct options, map_file)) {
        *source = FROM_FLAG;
        return line->map_file;
    }
    if (line->flags[index]) {
        *source = FROM_FLAG;
        *name = row->flag;
        return line->flags[index];
    }
    if (env && *env) {
        *source = FROM_ENVIRONMENT;
        return env;
    }
    *source = FROM_DEFAULT;
    if (program == PROGRAM_WORKER && row->offset == offsetof(struct options, redis_host))
        return "localhost";
    return row->fallback;
}

/* A path that starts with a slash is a socket's, whose name has little room. */
static int check_redis_host(const char *host, struct error *err)
{
    const size_t limit = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
    if (host == NULL || host[0] != '/' || strlen(host) <= limit)
        return 0;
    return error_set(err, ERROR_CONFIG, "REDIS_HOST: found a path of %zu bytes, wanted at most %zu", strlen(host),
                     limit);
}

static int check_together(const struct command_line *line, struct error *err)
{
    if (line->repair && !line->audit)
        return error_set(err, ERROR_CONFIG, "--repair: wanted together with --audit");
    if (line->serve_failures && !line->once)
        return error_set(err, ERROR_CONFIG, "--serve-failures: wanted together with --once");
    if (line->fresh && line->rerun)
        return error_set(err, ERROR_CONFIG, "--fresh: wanted without --rerun, which goes on with the last run");
    if (line->init && line->map_file == NULL)
        return error_set(err, ERROR_CONFIG, "init: a folder or a runner's configuration is wanted after it");
    if (line->init && line->dry_run)
        return error_set(err, ERROR_CONFIG, "--dry-run: wanted without init, which only writes a map");
    return 0;
}

const char *options_filter(const struct options *options)
{
    return options->grep ? "--grep" : options->tag ? "--tag" : options->only_changed ? "--only-changed" : NULL;
}

int options_load(struct options *options, enum program program, int argc, char **argv, enum options_action *action,
                 struct error *err)
{
    struct command_line line = {.action = OPTIONS_RUN};
    *options = (struct options){0};
    if (scan_command_line(&line, program, argc, argv, err) < 0)
        return -1;
    *action = line.action;
    options->once = line.once;
    options->serve_failures = line.serve_failures;
    options->rerun = line.rerun;
    options->fresh = line.fresh;
    options->audit = line.audit;
    options->repair = line.repair;
    options->init = line.init;
    options->dry_run = line.dry_run;
    options->grep = line.grep;
    options->tag = line.tag;
    options->only_changed = line.only_changed;
    if (check_together(&line, err) < 0)
        return -1;
    if (line.workers && parse_number("--workers", line.workers, 0, 1000, &options->workers, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const char *name;
        enum source source;
        const char *text = row_text(&line, i, program, &name, &source);
        bool ours = (table[i].programs & (int)program) != 0;
        if (ours && text && store(options, &table[i], name, text, err) < 0)
            return -1;
        if (table[i].offset == offsetof(struct options, log_level))
            options->is_log_level_given = source != FROM_DEFAULT;
        if (table[i].offset == offsetof(struct options, http_port))
            options->is_http_port_given = source != FROM_DEFAULT;
    }
    return check_redis_host(options->redis_host, err);
}

void options_hide_secrets(struct options *options, int argc, char **argv)
{
    static char *copies[sizeof(table) / sizeof(table[0])]; /* as long as the process */
    for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++) {
        char *text;
        if (table[row].kind != OPTION_SECRET)
            continue;
        memcpy(&text, (char *)options + table[row].offset, sizeof(text));
        for (int i = 1; i < argc && text; i++) {
            if (text < argv[i] || text >= argv[i] + strlen(argv[i]))
                continue;
            copies[row] = memory_text(text);
            memcpy((char *)options + table[row].offset, &copies[row], sizeof(copies[row]));
            memset(text, '*', strlen(text));
            break;
        }
    }
}

static char *variable(const struct options *options, const struct option *row)
{
    const void *field = (const char *)options + row->offset;
    const char *text = NULL, *choice = row->choices;
    int number;
    switch (row->kind) {
    case OPTION_NUMBER:
        memcpy(&number, field, sizeof(number));
        return memory_format("%s=%d", row->env, number);
    case OPTION_CHOICE:
        memcpy(&number, field, sizeof(number));
        while (number-- > 0)
            choice = strchr(choice, '|') + 1;
        return memory_format("%s=%.*s", row->env, (int)strcspn(choice, "|"), choice);
    default:
        memcpy(&text, field, sizeof(text));
        return memory_format("%s=%s", row->env, text ? text : "");
    }
}

char **options_for_workers(const struct options *options)
{
    size_t rows = sizeof(table) / sizeof(table[0]), count = 0;
    char **variables = memory_zeroed(rows + 1, sizeof(*variables));
    for (size_t i = 0; i < rows; i++) {
        bool is_left_out = table[i].offset == offsetof(struct options, log_level) && !options->is_log_level_given;
        if (table[i].kind == OPTION_SECRET)
            variables[count++] = memory_text(table[i].env);
        else if (table[i].programs == BOTH && !is_left_out)
            variables[count++] = variable(options, &table[i]);
    }
    return variables;
}

void options_secret_names(const char *names[OPTIONS_SECRETS_MAX + 1])
{
    size_t rows, count = 0;
    const struct option *row = options_table(&rows);
    for (size_t i = 0; i < rows && count < OPTIONS_SECRETS_MAX; i++)
        if (row[i].kind == OPTION_SECRET)
            names[count++] = row[i].env;
    names[count] = NULL;
}

char **options_secrets_for_workers(const struct options *options)
{
    size_t rows = sizeof(table) / sizeof(table[0]), count = 0;
    char **secrets = memory_zeroed(rows + 1, sizeof(*secrets));
    for (size_t i = 0; i < rows; i++) {
        const char *text;
        if (table[i].kind != OPTION_SECRET || table[i].programs != BOTH)
            continue;
        memcpy(&text, (const char *)options + table[i].offset, sizeof(text));
        if (text)
            secrets[count++] = variable(options, &table[i]);
    }
    return secrets;
}

int options_take_secret(struct options *options, const char *secret, struct error *err)
{
    size_t length = strcspn(secret, "=");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct option *row = &table[i];
        bool is_it = row->kind == OPTION_SECRET && strlen(row->env) == length && secret[length] == '=' &&
                     memcmp(row->env, secret, length) == 0;
        if (is_it)
            return store(options, row, row->env, secret + length + 1, err);
    }
    return error_set(err, ERROR_CONFIG,
                     "found a secret that no option here has, wanted a controller of this version");
}

void options_free_variables(char **variables)
{
    for (char **v = variables; v && *v; v++)
        free(*v);
    free(variables);
}

void options_print_help(FILE *out, enum program program)
{
    if (program == PROGRAM_CONTROLLER)
        fputs(
            "usage: controller [--once] [--fresh | --rerun] [--workers N] [OPTION ...] [MAP.json | DIR | CONFIG]\n"
            "       controller init DIR | CONFIG\n\n"
            "Expands the spec map into tasks, watches the run and serves the report. Of a folder it runs what the\n"
            "playwright.config.*, cypress.config.* and wdio.conf.* in or below it list; init writes that as a spec "
            "map.\n\n"
            "  --once            exit with the verdict when the run is finished\n"
            "  --serve-failures  with --once: if the verdict is failed or error, and standard output a terminal of "
            "no CI,\n                    go on serving the report until Ctrl-C; then exit with the verdict\n"
            "  --fresh           begin anew, whatever is found; a run that is found goes to the history\n"
            "  --rerun           run again what didn't pass in the last run of this map; passes are carried forward\n"
            "  --workers N       start N workers on this machine as well\n"
            "  --dry-run         only print what would be run, and what is excluded\n"
            "  --grep RE         of a folder: only tests whose path or title matches\n"
            "  --tag TAG         of a folder: only tests with that tag\n"
            "  --only-changed[=REF]   of a folder: only specs that have changed since REF, or the last commit\n"
            "  --audit           only look at the run in Redis: is every task in one place, are the counters right?\n"
            "  --repair          with --audit: mend what is wrong\n",
            out);
    else
        fputs("usage: worker [OPTION ...]\n\nTakes tasks and runs them until the run is closed.\n\n", out);
    fputs("  --help            this text\n"
          "  --version         the version\n"
          "  --print-config    each option's value and where it came from\n\n"
          "A flag wins over the environment, which wins over the default:\n",
          out);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if ((table[i].programs & (int)program) == 0)
            continue;
        fprintf(out, "  --%s (%s)", table[i].flag, table[i].env);
        if (table[i].fallback && *table[i].fallback)
            fprintf(out, ", default %s", table[i].fallback);
        fprintf(out, "\n        %s\n", table[i].help);
    }
}

void options_print_config(FILE *out, enum program program, int argc, char **argv)
{
    static const char *const sources[] = {"default", "environment", "flag"};
    struct command_line line = {0};
    struct error err;
    if (scan_command_line(&line, program, argc, argv, &err) < 0)
        return;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const char *name;
        enum source source;
        if ((table[i].programs & (int)program) == 0)
            continue;
        const char *text = row_text(&line, i, program, &name, &source);
        if (text && *text && table[i].kind == OPTION_SECRET)
            text = "***";
        fprintf(out, "%s=%s (%s)\n", table[i].env, text ? text : "", sources[source]);
    }
}
