#include "shared/ledger_keys.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *word; /* in the heads of the scripts */
    const char *name; /* without the prefix; what follows it is the task or worker that it is of */
} kinds[LEDGER_KEY_KINDS] = {
    [LEDGER_RUNMETA] = {"runmeta", "runmeta"},
    [LEDGER_TASKQUEUE] = {"taskqueue", "taskqueue"},
    [LEDGER_RUN] = {"run", "funkytown:run"},
    [LEDGER_ORDER] = {"order", "funkytown:order"},
    [LEDGER_OVERRIDES] = {"overrides", "funkytown:overrides"},
    [LEDGER_CLAIMS] = {"claims", "funkytown:claims"},
    [LEDGER_SETTLED] = {"settled", "funkytown:settled"},
    [LEDGER_CRASHES] = {"crashes", "funkytown:crashes"},
    [LEDGER_FAILURES] = {"failures", "funkytown:failures"},
    [LEDGER_RELEASES] = {"releases", "funkytown:releases"},
    [LEDGER_DECLINED] = {"declined", "funkytown:declined"},
    [LEDGER_DETAILS] = {"details", "funkytown:details"},
    [LEDGER_WORKERS] = {"workers", "funkytown:workers"},
    [LEDGER_GRAVES] = {"graves", "funkytown:graves"},
    [LEDGER_CONTROLLER] = {"controller", "funkytown:controller"},
    [LEDGER_EVENTS] = {"events", "funkytown:events"},
    [LEDGER_SIGNALS] = {"signals", "funkytown:signals"},
    [LEDGER_HISTORY] = {"history", "funkytown:history"},
    [LEDGER_TASK] = {"task", ""},
    [LEDGER_ATTEMPTS] = {"attempts", "funkytown:attempts:"},
    [LEDGER_LOGS] = {"logs", "funkytown:logs:"},
    [LEDGER_WORKER] = {"worker", "funkytown:worker:"},
    [LEDGER_PROCESSING] = {"processing", "funkytown:processing:"},
};

const char *ledger_key_word(enum ledger_key kind)
{
    return kinds[kind].word;
}

int ledger_keys_init(struct ledger_keys *keys, const char *prefix, struct error *err)
{
    if (strlen(prefix) > LEDGER_PREFIX_LIMIT)
        return error_set(err, ERROR_CONFIG, "FUNKYTOWN_PREFIX: found %zu bytes, wanted at most %d", strlen(prefix),
                         LEDGER_PREFIX_LIMIT);
    snprintf(keys->prefix, sizeof(keys->prefix), "%s", prefix);
    for (size_t i = 0; i < LEDGER_KEYS; i++)
        snprintf(keys->names[i], sizeof(keys->names[i]), "%s%s", prefix, kinds[i].name);
    return 0;
}

void ledger_key_build(const struct ledger_keys *keys, enum ledger_key kind, const char *name,
                      char key[LEDGER_KEY_SIZE])
{
    snprintf(key, LEDGER_KEY_SIZE, "%s%s%s", keys->prefix, kinds[kind].name, kind < LEDGER_KEYS ? "" : name);
}
