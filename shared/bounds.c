#include "shared/bounds.h"

#include <errno.h>
#include <stdlib.h>

int64_t bounds_number(const char *text, int64_t max)
{
    char *end;
    if (text == NULL || *text < '0' || *text > '9')
        return 0;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*end != '\0')
        return 0;
    return errno != 0 || number > (unsigned long long)max ? max : (int64_t)number;
}

uint64_t bounds_ns_to_ms(const char *text)
{
    return (uint64_t)bounds_number(text, BOUNDS_DURATION_MAX_MS * 1000000) / 1000000;
}
