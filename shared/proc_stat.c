#include "shared/proc_stat.h"

#include <stdio.h>
#include <string.h>

/* Behind the program's name, which is in parentheses and may hold anything: fields 3, 22 and 24. */
#define SKIP_9 " %*s %*s %*s %*s %*s %*s %*s %*s %*s"
#define FIELDS " %c" SKIP_9 SKIP_9 " %llu %*s %llu"

bool proc_stat_read(pid_t pid, struct proc_stat *stat)
{
    char path[64], line[1024];
    struct proc_stat found = {0};
    *stat = found;
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t length = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    line[length] = '\0';
    const char *end = strrchr(line, ')');
    if (end == NULL || sscanf(end + 1, FIELDS, &found.state, &found.start_ticks, &found.resident_pages) != 3)
        return false;
    *stat = found;
    return true;
}
