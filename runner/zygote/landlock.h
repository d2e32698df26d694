/*
 * Which files a task's process may read, and which it may write: by Landlock, which needs no
 * privilege and no C library that knows it.
 */
#ifndef ZYGOTE_LANDLOCK_H
#define ZYGOTE_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

struct error;

struct landlock_options {
    bool network; /* TCP connections may be made */
    const char *const
        *readable; /* files, and folders with all below; one that is missing is no error */
    size_t readable_count;
    const char *scratch; /* a folder to make files in, or NULL */
};

/* The version of Landlock that this kernel has; 0: none. */
int landlock_version(void);

/* Makes a set of rules that opens what `options` names, and /dev/null both ways. Returns a
 * descriptor, -1 with `err`. It can be entered by any number of processes. */
int landlock_make(const struct landlock_options *options, struct error **err);

/* Puts the calling thread under the rules, for good; it needs no_new_privs. -1 with errno. */
int landlock_enter(int rules);

#endif
