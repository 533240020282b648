/* A file of the source tree that was put into the program at build time (cmake/embed.cmake). */
#pragma once
#include <stddef.h>

struct embedded_file {
    const char *path;          /* below its base folder, with '/' */
    const unsigned char *body; /* a zero byte follows, not counted in size */
    size_t size;
    const char *sha1; /* of the body, in hex */
    const char *name; /* of the file, without folder and extension */
};
