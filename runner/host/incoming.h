/*
 * A message on its way in, collected once: a small one in memory, a large one in a file that lives
 * in memory too (a memfd), so that a task's process can be given it as it is. Once it is whole it
 * is sealed: nobody can change it any more, whoever has the file.
 */
#ifndef HOST_INCOMING_H
#define HOST_INCOMING_H

#include <stddef.h>

#include "runner/base/buf.h"
#include "runner/base/json_span.h"

struct incoming {
    struct buf bytes; /* while it is small */
    size_t length;
    int file;       /* what is large, from its start; -1: none */
    void *mapped;   /* the whole file, once it is complete */
    size_t mapping; /* bytes */
};

/* incoming_free() frees what is collected, and leaves it empty. */
void incoming_init(struct incoming *incoming);
void incoming_free(struct incoming *incoming);
/* Moves the content out of its owner, which is left empty. */
struct incoming incoming_steal(struct incoming *owner);

/* Adds what has come, copied. -1 when there is no memory for it. */
int incoming_add(struct incoming *incoming, const void *bytes, size_t length);

/* The whole message, good until incoming_free(); nothing is added afterwards. -1 when it can't be
 * had. */
int incoming_finish(struct incoming *incoming, struct span *text);

#endif
