#include "shared/ledger_keys.h"

#include <stdio.h>
#include <string.h>

static const char *const names[LEDGER_KEYS] = {
    [LEDGER_RUNMETA] = "runmeta",
    [LEDGER_TASKQUEUE] = "taskqueue",
    [LEDGER_RUN] = "funkytown:run",
    [LEDGER_ORDER] = "funkytown:order",
    [LEDGER_OVERRIDES] = "funkytown:overrides",
    [LEDGER_CLAIMS] = "funkytown:claims",
    [LEDGER_SETTLED] = "funkytown:settled",
    [LEDGER_CRASHES] = "funkytown:crashes",
    [LEDGER_FAILURES] = "funkytown:failures",
    [LEDGER_RELEASES] = "funkytown:releases",
    [LEDGER_DECLINED] = "funkytown:declined",
    [LEDGER_DETAILS] = "funkytown:details",
    [LEDGER_WORKERS] = "funkytown:workers",
    [LEDGER_GRAVES] = "funkytown:graves",
    [LEDGER_CONTROLLER] = "funkytown:controller",
    [LEDGER_EVENTS] = "funkytown:events",
    [LEDGER_SIGNALS] = "funkytown:signals",
    [LEDGER_HISTORY] = "funkytown:history",
};

int ledger_keys_init(struct ledger_keys *keys, const char *prefix, struct error *err)
{
    if (strlen(prefix) > LEDGER_PREFIX_LIMIT)
        return error_set(err, ERROR_CONFIG, "FUNKYTOWN_PREFIX: found %zu bytes, wanted at most %d", strlen(prefix),
                         LEDGER_PREFIX_LIMIT);
    snprintf(keys->prefix, sizeof(keys->prefix), "%s", prefix);
    for (size_t i = 0; i < LEDGER_KEYS; i++)
        snprintf(keys->names[i], sizeof(keys->names[i]), "%s%s", prefix, names[i]);
    return 0;
}

static void build(const struct ledger_keys *keys, const char *kind, const char *name, char key[LEDGER_KEY_SIZE])
{
    snprintf(key, LEDGER_KEY_SIZE, "%s%s%s", keys->prefix, kind, name);
}

void ledger_task_key(const struct ledger_keys *keys, const char *task, char key[LEDGER_KEY_SIZE])
{
    build(keys, "", task, key);
}

void ledger_attempts_key(const struct ledger_keys *keys, const char *task, char key[LEDGER_KEY_SIZE])
{
    build(keys, "funkytown:attempts:", task, key);
}

void ledger_logs_key(const struct ledger_keys *keys, const char *task, char key[LEDGER_KEY_SIZE])
{
    build(keys, "funkytown:logs:", task, key);
}

void ledger_worker_key(const struct ledger_keys *keys, const char *worker, char key[LEDGER_KEY_SIZE])
{
    build(keys, "funkytown:worker:", worker, key);
}

void ledger_processing_key(const struct ledger_keys *keys, const char *worker, char key[LEDGER_KEY_SIZE])
{
    build(keys, "funkytown:processing:", worker, key);
}
