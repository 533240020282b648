/*
 * What specs say, with what varies left out: no byte is read that isn't theirs (the text has no room behind it), what
 * is left is no longer a surprise (UTF-8 stays UTF-8), and it is done in time that grows with the text alone.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/causes.h"
#include "shared/memory.h"
#include "tests/fuzz/fuzz.h"

enum { LONGEST_MARK = 10 }; /* "<duration>" in place of "1s" */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_fields f;
    fuzz_fields_init(&f, data, size);
    for (size_t i = 0; i < f.count; i++) {
        auto_buffer out = {0};
        const char *text = f.texts[i];
        buffer_text(&out, "");
        causes_normalise(&out, text);
        require(!text || out.length <= strlen(text) * LONGEST_MARK);
        require(!text || !fuzz_is_utf8(text) || fuzz_is_utf8(out.data));
    }
    char id[CAUSES_ID_SIZE];
    uint64_t number = causes_number(f.texts[0], f.texts[1], f.texts[2]);
    require(number == causes_number(f.texts[0], f.texts[1], f.texts[2]));
    causes_format_id(number, id);
    require(strlen(id) == CAUSES_ID_SIZE - 1 && strtoull(id, NULL, 16) == number);
    fuzz_fields_close(&f);
    return 0;
}
