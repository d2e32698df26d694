/*
 * Owns the runners' connections.
 *
 * Out: a queue of messages, one frame per WRITEABLE, because lws copies what the socket does not
 * take. In: frames are gathered into one message. A close waits for the queue to empty, and is only
 * ever made in WRITEABLE: lws writes out of bounds when it is asked to close while receiving.
 */
#include "tests/broker/peer.h"

#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "runner/base/clock.h"
#include "runner/base/mem.h"
#include "tests/broker/broker.h"
#include "tests/broker/event.h"
#include "tests/broker/message.h"
#include "tests/broker/offer.h"
#include "tests/broker/task.h"
#include "tests/broker/timer.h"

_Static_assert(PEER_HEADROOM >= LWS_PRE, "lws wants more room before a message");

enum { KEPT_SIZE = 1 << 20 }; /* a buffer for incoming messages is kept up to here */

struct outgoing {
    struct outgoing *next;
    struct buf message; /* PEER_HEADROOM bytes, then the text */
    size_t sent;        /* of the text */
    size_t size;        /* the most a frame may hold */
    bool binary;
};

struct peer {
    struct broker *broker;
    struct peer *next;
    struct lws *wsi;
    char *id;
    bool up, registered;
    struct outgoing *first, **last;
    struct buf incoming;
    struct timer *reading; /* when reading goes on */
    int64_t pinged_us;     /* 0: no ping is on its way */
    bool ping_wanted;
    int close_wanted; /* a code; 0: no */
    int closed_code;  /* what "closed" reports */
    char *closed_reason;
    const char *closed_by;
};

struct peer *peer_new(struct broker *broker, struct lws *wsi, const char *id)
{
    struct peer *peer = mem_alloc(sizeof(*peer));

    peer->broker = broker;
    peer->wsi = wsi;
    peer->id = mem_dup(id);
    peer->last = &peer->first;
    peer->closed_code = LWS_CLOSE_STATUS_ABNORMAL_CLOSE;
    return peer;
}

void peer_up(struct peer *peer)
{
    struct peer *older = peer_find(peer->broker, peer->id);
    int on = 1;

    setsockopt(lws_get_socket_fd(peer->wsi), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    peer->up = true;
    peer->next = peer->broker->peers;
    peer->broker->peers = peer;
    if (older) {
        offer_forget(peer->broker, older);
        peer_close(older, LWS_CLOSE_STATUS_NORMAL);
    }
    peer_send_text(peer, "{\"type\":\"broker:inforequest\"}");
}

static void report_closed(const struct peer *peer)
{
    AUTO_BUF struct buf line = {0};

    event_begin(&line, peer->broker, "closed");
    event_text(&line, "runner", peer->id);
    event_integer(&line, "code", peer->closed_code);
    event_text(&line, "reason", peer->closed_reason ? peer->closed_reason : "");
    event_text(&line, "by", peer->closed_by ? peer->closed_by : "runner");
    event_end(&line);
}

void peer_free(struct peer *peer)
{
    if (peer->up) {
        struct peer **at = &peer->broker->peers;

        while (*at != peer)
            at = &(*at)->next;
        *at = peer->next;
        report_closed(peer);
        offer_forget(peer->broker, peer);
        task_lose(peer->broker, peer);
    }
    timer_stop(&peer->reading);
    while (peer->first) {
        struct outgoing *outgoing = peer->first;

        peer->first = outgoing->next;
        buf_free(&outgoing->message);
        free(outgoing);
    }
    buf_free(&peer->incoming);
    free(peer->closed_reason);
    free(peer->id);
    free(peer);
}

struct peer *peer_find(const struct broker *broker, const char *id)
{
    for (struct peer *peer = broker->peers; peer; peer = peer->next)
        if (!id || strcmp(peer->id, id) == 0)
            return peer;
    return NULL;
}

struct peer *peer_next(const struct broker *broker, const struct peer *peer)
{
    return peer ? peer->next : broker->peers;
}

const char *peer_id(const struct peer *peer)
{
    return peer->id;
}

bool peer_is_registered(const struct peer *peer)
{
    return peer->registered;
}

void peer_set_registered(struct peer *peer)
{
    peer->registered = true;
}

void peer_message(struct buf *message)
{
    static const char headroom[PEER_HEADROOM];

    buf_add(message, headroom, sizeof(headroom));
}

void peer_send(struct peer *peer, struct buf *message, size_t size, enum peer_flags flags)
{
    struct outgoing *outgoing;

    if (buf_failed(message)) {
        event_problem(peer->broker, "no memory for a message to %s", peer->id);
        return;
    }
    outgoing = mem_alloc(sizeof(*outgoing));
    outgoing->message = buf_steal(message);
    outgoing->size = flags & PEER_ONE_FRAME ? SIZE_MAX : size ? size : PEER_CHUNK;
    outgoing->binary = flags & PEER_BINARY;
    *peer->last = outgoing;
    peer->last = &outgoing->next;
    lws_callback_on_writable(peer->wsi);
}

void peer_send_text(struct peer *peer, const char *text)
{
    AUTO_BUF struct buf message = {0};

    peer_message(&message);
    buf_add_text(&message, text);
    peer_send(peer, &message, 0, 0);
}

void peer_ping(struct peer *peer)
{
    peer->ping_wanted = true;
    lws_callback_on_writable(peer->wsi);
}

void peer_close(struct peer *peer, int code)
{
    if (!peer->close_wanted)
        peer->close_wanted = code;
    lws_callback_on_writable(peer->wsi);
}

void peer_drop(struct peer *peer)
{
    peer->closed_by = "drop";
    /* lws sees the end at once and frees the peer; it sends no close frame by then. */
    shutdown(lws_get_socket_fd(peer->wsi), SHUT_RDWR);
    lws_set_timeout(peer->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

static void read_again(void *owner)
{
    struct peer *peer = owner;

    lws_rx_flow_control(peer->wsi, 1);
}

void peer_stop_reading(struct peer *peer, double ms)
{
    lws_rx_flow_control(peer->wsi, 0);
    timer_start(&peer->reading, peer->broker, ms, read_again, peer);
}

/* Sends one frame of the first message. */
static int send_frame(struct peer *peer)
{
    struct outgoing *outgoing = peer->first;
    size_t left = outgoing->message.length - PEER_HEADROOM - outgoing->sent;
    size_t count = left < outgoing->size ? left : outgoing->size;
    char *at = outgoing->message.data + PEER_HEADROOM + outgoing->sent;
    int kind = lws_write_ws_flags(outgoing->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT,
                                  outgoing->sent == 0, count == left);

    if (lws_write(peer->wsi, (unsigned char *)at, count, (enum lws_write_protocol)kind) < 0)
        return -1;
    outgoing->sent += count;
    if (count < left)
        return 0;
    peer->first = outgoing->next;
    if (!peer->first)
        peer->last = &peer->first;
    buf_free(&outgoing->message);
    free(outgoing);
    return 0;
}

static int writeable(struct peer *peer)
{
    /* with a byte in it: lws 4.1 does not report the empty answer to an empty ping */
    unsigned char ping[LWS_PRE + 1] = {0};

    if (peer->ping_wanted) {
        peer->ping_wanted = false;
        peer->pinged_us = clock_us();
        if (lws_write(peer->wsi, ping + LWS_PRE, 1, LWS_WRITE_PING) < 0)
            return -1;
    } else if (peer->first) {
        if (send_frame(peer))
            return -1;
    } else if (peer->close_wanted) {
        peer->closed_code = peer->close_wanted;
        peer->closed_by = "broker";
        lws_close_reason(peer->wsi, (enum lws_close_status)peer->close_wanted, NULL, 0);
        return -1;
    }
    if (peer->first || peer->close_wanted || peer->ping_wanted)
        lws_callback_on_writable(peer->wsi);
    return 0;
}

static void received(struct peer *peer, const void *bytes, size_t length)
{
    lws_validity_confirmed(peer->wsi);
    buf_add(&peer->incoming, bytes, length);
    if (!lws_is_final_fragment(peer->wsi) || lws_remaining_packet_payload(peer->wsi))
        return;
    if (buf_failed(&peer->incoming))
        event_problem(peer->broker, "no memory for a message from %s", peer->id);
    else
        message_received(peer->broker, peer,
                         (struct span){peer->incoming.data, peer->incoming.length});
    if (peer->incoming.capacity > KEPT_SIZE || buf_failed(&peer->incoming))
        buf_free(&peer->incoming);
    peer->incoming.length = 0;
}

static void ponged(struct peer *peer)
{
    AUTO_BUF struct buf line = {0};

    if (!peer->pinged_us)
        return; /* the answer to one of lws's own */
    event_begin(&line, peer->broker, "pong");
    event_text(&line, "runner", peer->id);
    event_decimal(&line, "roundTripMs", (double)(clock_us() - peer->pinged_us) / 1000);
    event_end(&line);
    peer->pinged_us = 0;
}

int peer_event(struct peer *peer, int reason, void *in, size_t length)
{
    const unsigned char *bytes = in;

    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        received(peer, in, length);
        return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
        ponged(peer);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return writeable(peer);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        peer->closed_code = LWS_CLOSE_STATUS_NO_STATUS;
        if (length >= 2) {
            peer->closed_code = bytes[0] << 8 | bytes[1];
            free(peer->closed_reason);
            peer->closed_reason = mem_dup_n((const char *)bytes + 2, length - 2);
        }
        return 0;
    default:
        return 0;
    }
}
