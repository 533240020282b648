#include "controller/step.h"

#include <stdlib.h>

#include "shared/memory.h"

struct step *step_new(void *owner, const unsigned *round)
{
    struct step *step = memory_zeroed(1, sizeof(*step));
    *step = (struct step){owner, round, *round};
    return step;
}

void *step_end(void *data)
{
    struct step step = *(struct step *)data;
    free(data);
    return step.round == *step.now ? step.owner : NULL;
}
