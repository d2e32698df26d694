/*
 * The WebSocket to n8n's task broker: whole messages in, whole messages out.
 *
 * One struct broker is one connection's life: connecting, open, closed. It tries every address of
 * the broker's name until one answers, reassembles messages, sends a queue chunk by chunk as the
 * socket takes it, and answers pings meanwhile (lws does). What the messages say is not its
 * business.
 */
#ifndef HOST_BROKER_H
#define HOST_BROKER_H

#include <stddef.h>

#include "runner/base/buf.h"
#include "runner/base/json_span.h"

struct broker;
struct loop;
struct uri;

struct broker_events {
    /* The upgrade succeeded. */
    void (*open)(void *owner);
    /* One whole text or binary message. `file`: a sealed file that has it from its start, or -1;
     * both are the broker's, and good until this returns. */
    void (*message)(void *owner, struct span text, int file);
    /*
     * The connection is over, or never came to be; nothing is called afterwards. `status`: the HTTP
     * status that refused the upgrade, or the WebSocket close code after open (0: none of both).
     * `why`: for people, one line. broker_drop() may be called from inside.
     */
    void (*closed)(void *owner, int status, const char *why);
};

/* Starts connecting to {broker}/runners/_ws?id={runner_id}. Messages longer than `payload_max`
 * bytes close the connection with 1009. All arguments but `events` and `owner` are copied. No event
 * comes before this returns. */
struct broker *broker_connect(struct loop *loop, const struct uri *uri, const char *runner_id,
                              const char *grant_token, size_t payload_max,
                              const struct broker_events *events, void *owner);

/* Queues one text message; the content moves out of `message`. Dropped silently once closed. */
void broker_send(struct broker *broker, struct buf *message);
/* Bytes queued and not yet given to the socket. */
size_t broker_queued(const struct broker *broker);

/* Sends what is queued, then a close frame with `code` (1000: done); `closed` follows, at the
 * latest 2 s later. */
void broker_close(struct broker *broker, int code);

/* Ends the connection at once, if there is one, and frees; no event follows. Safe inside any
 * callback. NULL is fine. */
void broker_drop(struct broker **broker);

#endif
