/*
 * The WebSocket to the broker; see broker.h.
 *
 * A message that is too long is not closed upon where it is received (lws must not be told to close
 * there): what follows is discarded, and the close goes out when the socket can be written.
 */
#include "runner/host/broker.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/dial.h"
#include "runner/host/incoming.h"
#include "runner/host/loop.h"
#include "runner/host/lws_protocols.h"
#include "runner/host/outbox.h"
#include "runner/host/tls.h"
#include "runner/host/uri.h"

enum {
    CLOSE_WAIT_US = 2 * 1000 * 1000, /* without any progress */
    NO_CODE = 1005,                  /* RFC 6455: a close frame without a code */
};

struct broker {
    struct loop *loop;
    char *host;      /* the broker's name */
    char *authority; /* for the Host header */
    char *path;
    char *bearer;
    int port;
    bool tls;
    size_t payload_max;
    const struct broker_events *events;
    void *owner;
    struct dial *dial;
    struct lws *wsi;
    struct timer *deadline; /* of our own close */
    bool open;
    struct incoming incoming;
    bool discarding;
    struct outbox *outbox;
    int close_wanted; /* a code; 0: no */
    int close_code;   /* how it ended */
    char *close_reason;
    unsigned char chunk[LWS_PRE + LWS_CHUNK];
};

/* Our pings keep a connection alive that a router would forget, and find one that is dead; what
 * arrives counts as a sign of life, so a gigabyte that takes its time is not cut. */
static const lws_retry_bo_t validity = {.secs_since_valid_ping = 20, .secs_since_valid_hangup = 60};

/* Lets lws close the connection without a word to us. */
static void forget_connection(struct broker *broker)
{
    struct lws *wsi = mem_steal(&broker->wsi);

    if (!wsi)
        return;
    lws_set_opaque_user_data(wsi, NULL);
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

/* ---- the end ---- */

static void over(struct broker *broker, int status, const char *why)
{
    const struct broker_events *events = mem_steal(&broker->events);

    broker->open = false;
    timer_cancel(broker->deadline);
    dial_drop(&broker->dial);
    forget_connection(broker);
    if (events)
        events->closed(broker->owner, status, why);
}

static void over_after_open(struct broker *broker)
{
    AUTO_FREE char *why =
        broker->close_code ? mem_format("closed with code %d%s%s", broker->close_code,
                                        broker->close_reason && *broker->close_reason ? ": " : "",
                                        broker->close_reason ? broker->close_reason : "")
                           : mem_dup("the connection broke off");

    over(broker, broker->close_code, why);
}

static void on_deadline(void *owner)
{
    over_after_open(owner);
}

/* ---- connecting ---- */

static void attempt(void *owner, const char *address)
{
    struct broker *broker = owner;
    struct lws_client_connect_info info = {
        .context = loop_context(broker->loop),
        .vhost = loop_vhost(broker->loop),
        .address = address,
        .port = broker->port,
        .path = broker->path,
        .host = broker->authority,
        .origin = NULL,
        .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (broker->tls ? LCCSCF_USE_SSL : 0),
        .local_protocol_name = "broker",
        .retry_and_idle_policy = &validity,
        .opaque_user_data = broker,
        .pwsi = &broker->wsi,
        .alpn = "http/1.1",
    };

    if (!lws_client_connect_via_info(&info)) {
        broker->wsi = NULL;
        dial_failed(broker->dial, "the connection could not be made");
    }
}

static void abandon(void *owner)
{
    forget_connection(owner);
}

static void no_address_left(void *owner, const char *why)
{
    over(owner, 0, why);
}

static const struct dial_events dial_events = {
    .attempt = attempt,
    .abandon = abandon,
    .failed = no_address_left,
};

struct broker *broker_connect(struct loop *loop, const struct uri *uri, const char *runner_id,
                              const char *grant_token, size_t payload_max,
                              const struct broker_events *events, void *owner)
{
    struct broker *broker = mem_alloc(sizeof(*broker));

    broker->loop = loop;
    broker->host = mem_dup(uri->host);
    broker->authority = uri_authority(uri);
    broker->path = mem_format("%s/runners/_ws?id=%s", uri->path, runner_id);
    broker->bearer = mem_format("Bearer %s", grant_token);
    broker->port = uri->port;
    broker->tls = uri->tls;
    broker->payload_max = payload_max;
    broker->events = events;
    broker->owner = owner;
    broker->outbox = outbox_new();
    incoming_init(&broker->incoming);
    broker->deadline = timer_new(loop, on_deadline, broker);
    broker->dial = dial_start(loop, broker->host, &dial_events, broker);
    return broker;
}

/* `in`: lws's own words, or NULL. An HTTP status is an answer; without one the next address may do
 * better. */
static void not_connected(struct broker *broker, struct lws *wsi, const char *in)
{
    unsigned status = lws_http_client_http_response(wsi);
    AUTO_FREE char *why = status ? mem_format("HTTP %u", status) : tls_failure(wsi, in);

    lws_set_opaque_user_data(wsi, NULL); /* its last word to us */
    broker->wsi = NULL;
    if (status && status != 101)
        over(broker, (int)status, why);
    else if (broker->dial)
        dial_failed(broker->dial, why);
}

static void opened(struct broker *broker)
{
    dial_done(broker->dial);
    broker->open = true;
    if (broker->events)
        broker->events->open(broker->owner);
}

static int add_bearer(struct broker *broker, unsigned char **at, unsigned char *end)
{
    return lws_add_http_header_by_token(broker->wsi, WSI_TOKEN_HTTP_AUTHORIZATION,
                                        (const unsigned char *)broker->bearer,
                                        (int)strlen(broker->bearer), at, end);
}

/* ---- messages in ---- */

/* What still comes is passed over, until the close with `code` goes out. */
static void discard(struct broker *broker, int code)
{
    broker->discarding = true;
    incoming_free(&broker->incoming);
    broker_close(broker, code);
}

/* It could not be kept: whose it is is not known yet. */
static void give_up_message(struct broker *broker)
{
    log_error("A message from the broker can't be kept: %s; closing the connection",
              strerror(errno));
    discard(broker, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION);
}

static void received(struct broker *broker, const void *bytes, size_t length)
{
    struct incoming message;
    struct span text;

    lws_validity_confirmed(broker->wsi);
    if (broker->discarding)
        return;
    if (length > broker->payload_max - broker->incoming.length) {
        discard(broker, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
        return;
    }
    if (incoming_add(&broker->incoming, bytes, length) < 0) {
        give_up_message(broker);
        return;
    }
    if (!lws_is_final_fragment(broker->wsi) || lws_remaining_packet_payload(broker->wsi))
        return;
    message = incoming_steal(&broker->incoming); /* the broker may be dropped meanwhile */
    if (incoming_finish(&message, &text) < 0)
        give_up_message(broker);
    else if (broker->events)
        broker->events->message(broker->owner, text, message.file);
    incoming_free(&message);
}

/* ---- messages out ---- */

void broker_send(struct broker *broker, struct buf *message)
{
    if (!broker->open || broker->close_wanted || !message->length)
        return;
    outbox_add(broker->outbox, message);
    lws_callback_on_writable(broker->wsi);
}

size_t broker_queued(const struct broker *broker)
{
    return outbox_waiting(broker->outbox);
}

/* lws sends the frames as they are, and keeps what the socket does not take. */
static int send_chunk(struct broker *broker)
{
    ssize_t length = outbox_take(broker->outbox, broker->chunk + LWS_PRE, LWS_CHUNK);

    if (length < 0 ||
        lws_write(broker->wsi, broker->chunk + LWS_PRE, (size_t)length, LWS_WRITE_HTTP) < 0)
        return -1;
    if (broker->close_wanted)
        timer_set(broker->deadline, CLOSE_WAIT_US); /* it goes on: the last result is not cut off */
    return 0;
}

static int writeable(struct broker *broker)
{
    /* after a message that was too long nothing is owed any more */
    if (!outbox_is_empty(broker->outbox) && !broker->discarding) {
        if (send_chunk(broker) < 0)
            return -1;
    } else if (broker->close_wanted) {
        broker->close_code = broker->close_wanted;
        lws_close_reason(broker->wsi, (enum lws_close_status)broker->close_wanted, NULL, 0);
        return -1;
    }
    if (!outbox_is_empty(broker->outbox) || broker->close_wanted)
        lws_callback_on_writable(broker->wsi);
    return 0;
}

void broker_close(struct broker *broker, int code)
{
    if (broker->close_wanted)
        return;
    broker->close_wanted = code;
    timer_set(broker->deadline, CLOSE_WAIT_US);
    if (broker->open)
        lws_callback_on_writable(broker->wsi);
}

static void closed_by_peer(struct broker *broker, const unsigned char *payload, size_t length)
{
    broker->close_code = NO_CODE;
    if (length < 2)
        return;
    broker->close_code = payload[0] << 8 | payload[1];
    free(broker->close_reason);
    broker->close_reason = mem_dup_n((const char *)payload + 2, length - 2);
}

/* ---- lws ---- */

int broker_lws_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t length)
{
    struct broker *broker = lws_get_opaque_user_data(wsi);

    (void)user;
    if (!broker)
        return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        broker->wsi = wsi;
        return add_bearer(broker, in, *(unsigned char **)in + length);
    case LWS_CALLBACK_CLIENT_HTTP_REDIRECT:
        return -1; /* the token goes where the settings say, nowhere else */
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        broker->wsi = wsi;
        opened(broker);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        not_connected(broker, wsi, in);
        return 0;
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP: /* half an answer, and this is all lws says */
        not_connected(broker, wsi, "the handshake was not finished");
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        received(broker, in, length);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return writeable(broker);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        closed_by_peer(broker, in, length);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        broker->wsi = NULL;
        over_after_open(broker);
        return 0;
    default:
        return 0;
    }
}

void broker_drop(struct broker **broker)
{
    struct broker *dropped = mem_steal(broker);

    if (!dropped)
        return;
    forget_connection(dropped);
    dial_drop(&dropped->dial);
    timer_drop(&dropped->deadline);
    outbox_drop(&dropped->outbox);
    incoming_free(&dropped->incoming);
    free(dropped->host);
    free(dropped->authority);
    free(dropped->path);
    free(dropped->bearer);
    free(dropped->close_reason);
    free(dropped);
}
