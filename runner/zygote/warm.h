/* What the zygote does once so that no task has to: imports, above all. */
#ifndef ZYGOTE_WARM_H
#define ZYGOTE_WARM_H

#include <stdbool.h>
#include <stddef.h>

struct zygote_settings;

/* What was imported, as far as the kernel's walls must know. */
struct warmed {
    char *warnings;           /* a line each; free() */
    bool compiles;            /* a package that tasks may import makes machine code at run time */
    size_t memory_least;      /* bytes that a task needs above what is mapped by now */
    const char *memory_needs; /* what needs them */
};

/* Imports the allowlisted modules and freezes the heap. A module that fails is a warning, and fails
 * the same way for a task. */
struct warmed warm(const struct zygote_settings *settings);

/* How long the import of `module` took in warm(), in milliseconds; below 0: it was not imported. */
double warm_time(const char *module);

#endif
