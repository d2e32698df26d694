/* What the zygote does once so that no task has to: imports, above all. */
#ifndef ZYGOTE_WARM_H
#define ZYGOTE_WARM_H

#include <stdbool.h>
#include <stddef.h>

struct zygote_settings;

/* What was imported, as far as the kernel's walls must know. */
struct warmed {
    char *warnings;           /* a line each; free() */
    bool unfit;               /* events->unfit was called: no task is to be forked from here */
    bool compiles;            /* a package that tasks may import makes machine code at run time */
    size_t memory_least;      /* bytes that a task needs above what is mapped by now */
    const char *memory_needs; /* what needs them */
};

struct warm_events {
    void *owner;
    /* The import of `name` begins: it may take long, or end this process. "": all are over. */
    void (*importing)(void *owner, const char *name);
    /* It is none that tasks may inherit; `why` is a clause. */
    void (*unfit)(void *owner, const char *name, const char *why);
};

/* Imports the modules that tasks may import, but those to skip. A module that is not there is a
 * warning. */
void warm(const struct zygote_settings *settings, const struct warm_events *events,
          struct warmed *warmed);

/* Keeps the collector from all that is there, in this process and its children: it would write to
 * each object's page. Puts glibc's free memory in order, once for all children. */
void warm_freeze(void);

#endif
