/* What a runner prints, any bytes in any pieces: the log is valid UTF-8, bounded, and tells what was left out. */
#include <string.h>

#include "shared/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "worker/capture.h"

enum { HEAD = 24, TAIL = 40, LINE = 64 /* "… N bytes left out …" */ };

static void add_pieces(struct capture *c, const char *bytes, size_t length, size_t piece)
{
    capture_init(c, HEAD, TAIL);
    for (size_t at = 0; at < length; at += piece)
        capture_add(c, bytes + at, at + piece < length ? piece : length - at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct capture whole, pieces;
    auto_buffer text = {0}, same = {0};
    add_pieces(&whole, (const char *)data, size, size + 1);
    add_pieces(&pieces, (const char *)data, size, 1 + (size > 0 ? data[0] % 50 : 0));
    capture_text(&whole, &text);
    capture_text(&pieces, &same);
    require(text.length == same.length && (text.length == 0 || memcmp(text.data, same.data, text.length) == 0));
    require(utf8_is_valid(text.data, text.length));
    require(text.length <= 3 * (HEAD + TAIL) + LINE); /* U+FFFD is three bytes */
    require(capture_dropped(&whole) == (size > HEAD + TAIL ? size - HEAD - TAIL : 0));
    if (capture_dropped(&whole) == 0 && memchr(data, 0, size) == NULL && utf8_is_valid((const char *)data, size))
        require(text.length == size && (size == 0 || memcmp(text.data, data, size) == 0));
    capture_close(&whole);
    capture_close(&pieces);
    return 0;
}
