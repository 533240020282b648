/* Reaps by pid, never just any child: those of child.c and of libuv are theirs to reap. */
#include "controller/orphans.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/child.h"
#include "shared/clock.h"
#include "shared/log.h"

enum {
    PASS_MS = 5,
    SWEEP_MS = 10 * 1000, /* then what is left is stuck in the kernel, or another user's */
};

static void list_orphans(struct process_list *list)
{
    list->count = 0;
    process_tree_children(getpid(), list);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!child_is_ours(list->pids[i]))
            list->pids[kept++] = list->pids[i];
    list->count = kept;
}

/* What a killed one had is ours in the next pass. */
static void on_pass(uv_timer_t *timer)
{
    struct orphans *o = timer->data;
    list_orphans(&o->list);
    process_tree_kill(&o->list);
    for (size_t i = 0; i < o->list.count; i++)
        waitpid(o->list.pids[i], NULL, WNOHANG);
    if (o->list.count > 0 && clock_mono_ms() < o->until_ms)
        return;
    uv_timer_stop(&o->timer);
    if (o->list.count > 0)
        log_warn("orphans.left", LOG_INT("pid", o->list.pids[0]), LOG_INT("count", o->list.count));
    o->on_gone(o->data);
}

void orphans_open(struct orphans *o, uv_loop_t *loop, void (*on_gone)(void *data), void *data)
{
    *o = (struct orphans){.on_gone = on_gone, .data = data};
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    uv_timer_init(loop, &o->timer);
    o->timer.data = o;
}

void orphans_sweep(struct orphans *o)
{
    o->until_ms = clock_mono_ms() + SWEEP_MS;
    uv_timer_start(&o->timer, on_pass, 0, PASS_MS);
}

bool orphans_are_swept(const struct orphans *o)
{
    return !uv_is_active((const uv_handle_t *)&o->timer);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct orphans *o = handle->data;
    process_list_close(&o->list);
    o->on_closed(o->data);
}

void orphans_close(struct orphans *o, void (*closed)(void *data))
{
    o->on_closed = closed;
    uv_close((uv_handle_t *)&o->timer, on_timer_closed);
}
