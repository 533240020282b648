#include "shared/secrecy.h"

#include <stdlib.h>
#include <sys/prctl.h>

#ifdef __SANITIZE_ADDRESS__
static void let_leak_checker_look(void)
{
    prctl(PR_SET_DUMPABLE, 1);
}
#endif

void secrecy_begin(void)
{
    prctl(PR_SET_DUMPABLE, 0);
#ifdef __SANITIZE_ADDRESS__
    atexit(let_leak_checker_look);
#endif
}
