#include "shared/task.h"

#include <string.h>

static const char *const status_names[] = {"waiting", "processing", "complete"};
static const char *const result_names[] = {"unknown", "passed", "failed", "error", "skipped"};
static const char *const kind_names[] = {"", "asked", "deadline", "failures"};

static int find(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

const char *task_status_name(enum task_status status)
{
    return status_names[status];
}

const char *task_result_name(enum task_result result)
{
    return result_names[result];
}

const char *cancel_kind_name(enum cancel_kind kind)
{
    return kind_names[kind];
}

int task_status_parse(const char *name)
{
    return find(status_names, sizeof(status_names) / sizeof(status_names[0]), name);
}

int task_result_parse(const char *name)
{
    return find(result_names, sizeof(result_names) / sizeof(result_names[0]), name);
}

int cancel_kind_parse(const char *name)
{
    return find(kind_names, sizeof(kind_names) / sizeof(kind_names[0]), name);
}

enum cancel_kind cancel_kind_told(const char *name)
{
    int kind = cancel_kind_parse(name ? name : "");
    return kind > CANCEL_NONE ? (enum cancel_kind)kind : CANCEL_ASKED;
}
