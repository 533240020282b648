#include "controller/export/export_name.h"

#include <ctype.h>
#include <string.h>

static const char *const names[EXPORT_FORMATS] = {"junit.xml", "results.json", "failed.txt", "report.html"};

const char *export_name_of(enum export_name name)
{
    return names[name];
}

static const char *ending_of(enum export_name name)
{
    return strrchr(names[name], '.');
}

static size_t stem_length(enum export_name name)
{
    return (size_t)(ending_of(name) - names[name]);
}

void export_name_add(struct buffer *out, enum export_name name, unsigned part)
{
    buffer_format(out, "%.*s", (int)stem_length(name), names[name]);
    if (part > 1)
        buffer_format(out, "-%u", part);
    buffer_text(out, ending_of(name));
}

/* What is behind the name, or NULL: it is another one. */
static const char *behind(const char *file, enum export_name name)
{
    size_t length = stem_length(name);
    if (strncmp(file, names[name], length) != 0)
        return NULL;
    if (file[length] == '-' && isdigit((unsigned char)file[length + 1]))
        length += 1 + strspn(file + length + 1, "0123456789");
    size_t ending = strlen(ending_of(name));
    return strncmp(file + length, ending_of(name), ending) == 0 ? file + length + ending : NULL;
}

bool export_name_is_ours(const char *file)
{
    for (int i = 0; i < EXPORT_FORMATS; i++) {
        const char *rest = behind(file, (enum export_name)i);
        if (rest && (*rest == '\0' || strcmp(rest, EXPORT_UNFINISHED) == 0))
            return true;
    }
    return false;
}
