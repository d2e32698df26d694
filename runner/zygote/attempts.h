/* Acts that no task may manage, for probe.h. They do no harm where they succeed. */
#ifndef ZYGOTE_ATTEMPTS_H
#define ZYGOTE_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Tries each and appends a JSON array: name, succeeded, allowed (the settings say that it may
 * succeed), error (the system's words). */
void attempts_make(struct buf *json, bool network, size_t memory);

#endif
