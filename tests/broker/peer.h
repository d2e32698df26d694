/*
 * A runner's WebSocket connection, from the accepted upgrade to its end: frames out and in, whole
 * messages to message.c. Closed and freed by lws alone; everyone else asks.
 */
#ifndef BROKER_PEER_H
#define BROKER_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/base/buf.h"

struct broker;
struct peer;
struct lws;

/* Room that lws wants before a message's first byte. */
enum { PEER_HEADROOM = 32 };

enum { PEER_CHUNK = 64 * 1024 };

enum peer_flags {
    PEER_BINARY = 1,
    PEER_ONE_FRAME = 2, /* as n8n does it; the whole message is copied once more */
};

/* A peer for an upgrade that was let in; it is the broker's (peer_up) once that has worked. */
struct peer *peer_new(struct broker *broker, struct lws *wsi, const char *id);
void peer_up(struct peer *peer);
void peer_free(struct peer *peer); /* the connection is gone; closed or never up */

/* lws's callbacks for a connection that is up. `reason` is an enum lws_callback_reasons. */
int peer_event(struct peer *peer, int reason, void *in, size_t length);

/* The newest peer with this id, or the newest of all (NULL); may return NULL. */
struct peer *peer_find(const struct broker *broker, const char *id);
/* The peer after this one; the first for NULL. */
struct peer *peer_next(const struct broker *broker, const struct peer *peer);
const char *peer_id(const struct peer *peer);

bool peer_is_registered(const struct peer *peer);
void peer_set_registered(struct peer *peer);

/* A message is begun with peer_message(), filled, and given away. `size` is the bytes a frame may
 * hold; 0: PEER_CHUNK. */
void peer_message(struct buf *message);
void peer_send(struct peer *peer, struct buf *message, size_t size, enum peer_flags flags);
void peer_send_text(struct peer *peer, const char *text);

void peer_ping(struct peer *peer);
void peer_close(struct peer *peer, int code); /* once everything before it has been sent */
void peer_drop(struct peer *peer);            /* at once, without a close frame */
void peer_stop_reading(struct peer *peer, double ms);

#endif
