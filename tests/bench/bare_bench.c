/*
 * The baseline alone, as a program that can be timed: bare_bench STARTS AT_A_TIME
 */
#include <stdio.h>
#include <stdlib.h>

#include "bare_loop.h"

int main(int argc, char **argv)
{
    long starts = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    long at_a_time = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    if (starts < 1 || at_a_time < 1) {
        fprintf(stderr, "usage: bare_bench STARTS AT_A_TIME\n");
        return 2;
    }
    bare_loop(starts, at_a_time);
    return 0;
}
