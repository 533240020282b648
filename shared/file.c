#include "shared/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "shared/buffer.h"
#include "shared/memory.h"

enum { FILE_LIMIT = 256 * 1024 * 1024, READ_SIZE = 64 * 1024 };

char *file_read(const char *path, size_t *length, struct error *err)
{
    auto_buffer bytes = {0};
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error_errno(err, errno, "%s", path);
        return NULL;
    }
    for (;;) {
        ssize_t got = read(fd, buffer_reserve(&bytes, READ_SIZE), READ_SIZE);
        if (got < 0) {
            error_errno(err, errno, "%s", path);
            return NULL;
        }
        if (got == 0)
            break;
        buffer_added(&bytes, (size_t)got);
        if (bytes.length > FILE_LIMIT) {
            error_set(err, ERROR_CONFIG, "%s: found more than 256 MiB, wanted a file of a sane size", path);
            return NULL;
        }
    }
    *length = bytes.length;
    return buffer_take(&bytes);
}
