#include "worker/error_line.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "shared/memory.h"
#include "worker/one_line.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LINE_SIZE = 1024 };

/* "Error: ", "TypeError: ", "Error [ERR_X]: ", wherever it stands, as a program says it. */
static bool names_error(const char *line)
{
    static const char *const names[] = {"Error", "Exception"};
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t length = strlen(names[i]);
        for (const char *at = line; (at = strstr(at, names[i])) != NULL; at += length)
            if (strncmp(at + length, ": ", 2) == 0 || strncmp(at + length, " [", 2) == 0 || at[length] == '\0')
                return true;
    }
    return false;
}

static bool looks_like_error(const char *line)
{
    static const char *const starts[] = {"error:",     "error ",  "fatal:",         "panic:",          "npm err",
                                         "failed to ", "cannot ", "please install", "please reinstall"};
    static const char *const parts[] = {": error: ", ": command not found", ": not found", "Permission denied",
                                        "No such file or directory"};
    for (size_t i = 0; i < COUNT(starts); i++)
        if (strncasecmp(line, starts[i], strlen(starts[i])) == 0)
            return true;
    for (size_t i = 0; i < COUNT(parts); i++)
        if (strstr(line, parts[i]) != NULL)
            return true;
    return names_error(line);
}

/* A place in a stack, a cause that stands below what it caused, or a line of the source with its number. */
static bool is_detail(const char *line)
{
    if (strncmp(line, "at ", 3) == 0 || strncmp(line, "[cause]", 7) == 0)
        return true;
    line += strspn(line, "> ");
    size_t digits = strspn(line, "0123456789");
    return digits > 0 && strncmp(line + digits, " |", 2) == 0;
}

static bool has_word(const char *line)
{
    while (*line != '\0' && !isalnum((unsigned char)*line) && (unsigned char)*line < 0x80)
        line++;
    return *line != '\0';
}

void error_line_find(char *line, size_t size, const char *output)
{
    bool found_error = false;
    char seen[LINE_SIZE];
    line[0] = '\0';
    for (size_t length; output != NULL && *output != '\0'; output += length + (output[length] == '\n')) {
        length = strcspn(output, "\n");
        auto_free char *raw = memory_text_n(output, length);
        one_line_set(seen, sizeof(seen), raw);
        bool is_error = !is_detail(seen) && looks_like_error(seen);
        if (!is_error && (found_error || is_detail(seen) || !has_word(seen)))
            continue;
        found_error = is_error;
        one_line_set(line, size, seen);
    }
}
