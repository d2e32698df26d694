/* What a task's process may read: the interpreter, its packages and what the C library needs. */
#ifndef ZYGOTE_PATHS_H
#define ZYGOTE_PATHS_H

#include <stdbool.h>
#include <stddef.h>

struct paths {
    char **at; /* absolute; owned */
    size_t count;
};

/*
 * Fills `paths` from CPython's search path and prefixes and from the system's fixed places; with
 * `network`, also what looks names up. -1 with an exception. paths_free() in any case.
 */
int paths_find(struct paths *paths, bool network);
void paths_free(struct paths *paths);

/* Is `path` (absolute, without links) one of them, or below one? */
bool paths_has(const struct paths *paths, const char *path);

#endif
