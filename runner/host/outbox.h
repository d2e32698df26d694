/*
 * The messages that wait to be sent, and the frames that they become. Without a network: who sends
 * asks for the next bytes.
 */
#ifndef HOST_OUTBOX_H
#define HOST_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "runner/base/buf.h"

struct outbox;

/* Empty. outbox_drop() frees what waits, too; NULL is fine. */
struct outbox *outbox_new(void);
void outbox_drop(struct outbox **outbox);

/* Adds a text message; the content moves out of `message`. */
void outbox_add(struct outbox *outbox, struct buf *message);

bool outbox_is_empty(const struct outbox *outbox);
/* Bytes of messages that have not become frames yet. */
size_t outbox_waiting(const struct outbox *outbox);

/* Writes as many frames as go into `size` bytes, so that what belongs together leaves together, and
 * returns how many bytes they are; 0: nothing waits. -1 when there is no chance to be had for a
 * frame's key. `size` is some kilobytes at least. */
ssize_t outbox_take(struct outbox *outbox, unsigned char *out, size_t size);

#endif
