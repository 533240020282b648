/*
 * What a failed test said, made short enough for a list of failures: its first lines that say something. Pure.
 *
 *     Error: expect(locator).toHaveText(expected) failed          kept
 *                                                                 blank
 *     Locator:  getByRole('heading')                              kept
 *     Expected: "Basket"                                          left out when it is told beside the message
 *     Received: "Cart"                                            the same
 *     Timeout:  5000ms                                            kept
 *
 *     Call log:                                                   from here on it is how, and not what
 *         at tests/basket.spec.ts:12:31                           so is a stack
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum {
    MESSAGE_LINES = 3,
    MESSAGE_LINE_SIZE = 241,                                /* bytes of one, with the zero */
    MESSAGE_LINES_SIZE = MESSAGE_LINES * MESSAGE_LINE_SIZE, /* of all, a newline between two */
};

/*
 * Fills `lines`, each as one_line_set() makes it. `has_values`: what was expected and received is told elsewhere.
 * NULL: "".
 */
void message_lines_set(char lines[MESSAGE_LINES_SIZE], const char *message, bool has_values);
