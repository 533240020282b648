/* FNV-1a over every text of a plan with its terminating zero, and every count in decimal. */
#include "controller/plan_digest.h"

#include <stdio.h>
#include <string.h>

#include "controller/plan.h"
#include "shared/fnv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* With the terminating zero, so that "a","bc" isn't "ab","c". */
static uint64_t digest_text(uint64_t hash, const char *text)
{
    return text ? fnv_add(hash, text, strlen(text) + 1) : fnv_add(hash, "\xff", 2);
}

static uint64_t digest_count(uint64_t hash, size_t count)
{
    char text[32];
    snprintf(text, sizeof(text), "%zu", count);
    return digest_text(hash, text);
}

static uint64_t digest_texts(uint64_t hash, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = digest_text(hash, texts[i]);
    return hash;
}

uint64_t plan_digest(const struct plan *plan)
{
    uint64_t hash = FNV_BASIS;
    hash = digest_texts(hash, (const char *const[]){plan->runners, plan->viewports, plan->projects}, 3);
    hash = digest_count(hash, plan->group_count);
    for (size_t i = 0; i < plan->group_count; i++)
        hash = digest_count(digest_text(hash, plan->groups[i].name), plan->groups[i].count);
    for (size_t i = 0; i < plan->task_count; i++) {
        const struct plan_task *t = &plan->tasks[i];
        const char *const texts[] = {t->spec, t->viewport, t->browser, t->runner, t->overrides};
        hash = digest_texts(hash, texts, COUNT(texts));
    }
    hash = digest_count(hash, plan->exclusion_count);
    for (size_t i = 0; i < plan->exclusion_count; i++) {
        const struct plan_exclusion *x = &plan->exclusions[i];
        const char *const texts[] = {x->group, x->spec, x->viewport, x->browser, x->reason};
        hash = digest_texts(hash, texts, COUNT(texts));
    }
    return hash;
}
