#include "ledger_scripts.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buffer.h"
#include "shared/memory.h"

static const char prelude[] = "prelude.lua";

struct embedded_file *ledger_scripts;
size_t ledger_scripts_count;

static void add_file(struct buffer *body, const char *folder, const char *name)
{
    auto_free char *path = memory_format("%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    for (size_t length = 1; length > 0;) {
        length = fread(buffer_reserve(body, 4096), 1, 4096, file);
        buffer_added(body, length);
    }
    fclose(file);
}

/* Its SHA-1 is what the server says when it is loaded. */
static struct embedded_file read_script(const char *folder, const char *name)
{
    struct buffer body = {0};
    add_file(&body, folder, prelude);
    add_file(&body, folder, name);
    size_t size = body.length;
    return (struct embedded_file){memory_text(name), (const unsigned char *)buffer_take(&body), size, "", ""};
}

static void __attribute__((constructor)) read_scripts(void)
{
    const char *folder = getenv("LEDGER_LUA_DIR");
    if (folder == NULL)
        folder = LEDGER_LUA_SOURCE;
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        perror(folder);
        exit(2);
    }
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (strstr(entry->d_name, ".lua") == NULL || strcmp(entry->d_name, prelude) == 0)
            continue;
        ledger_scripts = memory_resize(ledger_scripts, ledger_scripts_count + 1, sizeof(*ledger_scripts));
        ledger_scripts[ledger_scripts_count++] = read_script(folder, entry->d_name);
    }
    closedir(entries);
}

static void __attribute__((destructor)) free_scripts(void)
{
    for (size_t i = 0; i < ledger_scripts_count; i++) {
        free((void *)(uintptr_t)ledger_scripts[i].path);
        free((void *)(uintptr_t)ledger_scripts[i].body);
    }
    free(ledger_scripts);
}
