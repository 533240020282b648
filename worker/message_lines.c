#include "worker/message_lines.h"

#include <string.h>

#include "shared/memory.h"
#include "worker/one_line.h"

/* "Expected: 3", "Received string: …": what a matcher prints of a value. */
static bool is_value(const char *line)
{
    static const char *const words[] = {"Expected", "Received"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i]);
        const char *rest = line + length;
        if (strncmp(line, words[i], length) != 0 || (*rest != ':' && *rest != ' '))
            continue;
        if (rest[strspn(rest, " abcdefghijklmnopqrstuvwxyz")] == ':')
            return true;
    }
    return false;
}

static bool is_end(const char *raw, const char *line)
{
    bool is_indented = *raw == ' ' || *raw == '\t';
    return strcmp(line, "Call log:") == 0 || (is_indented && strncmp(line, "at ", 3) == 0);
}

void message_lines_set(char lines[MESSAGE_LINES_SIZE], const char *message, bool has_values)
{
    size_t used = 0, count = 0;
    lines[0] = '\0';
    for (const char *at = message; at && *at && count < MESSAGE_LINES; at += *at == '\n') {
        char line[MESSAGE_LINE_SIZE];
        size_t length = strcspn(at, "\n");
        auto_free char *raw = memory_text_n(at, length);
        one_line_set(line, sizeof(line), raw);
        at += length;
        if (is_end(raw, line) && count > 0)
            break;
        if (line[0] == '\0' || (has_values && count > 0 && is_value(line)))
            continue;
        if (count++ > 0)
            lines[used++] = '\n';
        memcpy(lines + used, line, strlen(line) + 1);
        used += strlen(line);
    }
}
