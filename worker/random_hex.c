#include "worker/random_hex.h"

#include <assert.h>
#include <stdio.h>
#include <uv.h>

void random_hex(char *text, size_t digits)
{
    unsigned char bytes[32];
    int failed = uv_random(NULL, NULL, bytes, digits / 2, 0, NULL);
    assert(failed == 0 && digits / 2 <= sizeof(bytes));
    (void)failed;
    for (size_t i = 0; i < digits / 2; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}
