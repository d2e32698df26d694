/*
 * Owns lws's context and every connection that is not a runner's yet.
 *
 * One protocol serves it all. What a connection is waiting for hangs on it as its opaque data
 * (struct visit) from its first request until lws destroys it. Answers are written by hand in one
 * piece and end the connection: requests are few, and their bytes are then exactly known.
 */
#include "tests/broker/server.h"

#include <libwebsockets.h>
#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/error.h"
#include "runner/base/mem.h"
#include "tests/broker/bench.h"
#include "tests/broker/broker.h"
#include "tests/broker/command.h"
#include "tests/broker/event.h"
#include "tests/broker/fields.h"
#include "tests/broker/lines.h"
#include "tests/broker/offer.h"
#include "tests/broker/peer.h"
#include "tests/broker/task.h"
#include "tests/broker/timer.h"

enum { BODY_MAX = 64 * 1024, URI_MAX = 1024, QUIT_MS = 2000, SILENCE_S = 24 * 3600 };

struct visit {
    bool is_auth;
    struct buf body;
    struct peer *peer; /* once its upgrade is let in */
};

static struct broker *broker_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

static struct visit *visit_of(struct lws *wsi)
{
    struct visit *visit = lws_get_opaque_user_data(wsi);

    if (!visit) {
        visit = mem_alloc(sizeof(*visit));
        lws_set_opaque_user_data(wsi, visit);
    }
    return visit;
}

static void visit_over(struct lws *wsi)
{
    struct visit *visit = lws_get_opaque_user_data(wsi);

    if (!visit)
        return;
    lws_set_opaque_user_data(wsi, NULL);
    if (visit->peer)
        peer_free(visit->peer);
    buf_free(&visit->body);
    free(visit);
}

/* Returns -1, as every callback that ends its connection does. */
static int answer(struct lws *wsi, int status, const char *body)
{
    AUTO_BUF struct buf text = {0};
    size_t start = LWS_PRE;

    if (buf_reserve(&text, start))
        text.length = start;
    buf_add_format(&text,
                   "HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n"
                   "connection: close\r\n\r\n%s",
                   status, status == 200 ? "OK" : "Refused", strlen(body), body);
    if (!buf_failed(&text))
        lws_write(wsi, (unsigned char *)text.data + start, text.length - start,
                  LWS_WRITE_HTTP_HEADERS);
    return -1;
}

static void report_status(const struct broker *broker, const char *event, int status,
                          const char *id)
{
    AUTO_BUF struct buf line = {0};

    event_begin(&line, broker, event);
    event_integer(&line, "status", status);
    if (id)
        event_text(&line, "id", id);
    event_end(&line);
}

static int auth(struct lws *wsi, const struct visit *visit)
{
    struct broker *broker = broker_of(wsi);
    struct json_want token = {"token", JSON_NONE, {0}};
    AUTO_FREE char *given = NULL;
    AUTO_FREE char *grant = NULL;
    AUTO_FREE char *body = NULL;
    int status;

    if (visit->body.length &&
        json_span_read((struct span){visit->body.data, visit->body.length}, &token, 1, NULL))
        given = field_text(&token);
    status = door_auth(&broker->door, given);
    report_status(broker, "auth", status, NULL);
    if (status == DOOR_SILENT) {
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, SILENCE_S);
        return 0;
    }
    if (status != 200)
        return answer(wsi, status, "{\"message\":\"refused\"}");
    grant = door_grant(&broker->door);
    body = mem_format("{\"data\":{\"token\":\"%s\"}}", grant);
    return answer(wsi, 200, body);
}

/* What comes after the prefix, or "" when `uri` is elsewhere. */
static const char *local_path(const struct broker *broker, const char *uri)
{
    size_t length = strlen(broker->path);

    return strncmp(uri, broker->path, length) == 0 ? uri + length : "";
}

static int http_request(struct lws *wsi, const char *uri)
{
    const char *path = local_path(broker_of(wsi), uri);

    if (lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI)) {
        visit_of(wsi)->is_auth = strcmp(path, "/runners/auth") == 0;
        return 0; /* answered when its body is here */
    }
    if (strcmp(path, "/healthz") == 0)
        return answer(wsi, 200, "{\"status\":\"ok\"}");
    return answer(wsi, 404, "{\"message\":\"not found\"}");
}

static int http_body(struct lws *wsi, const void *bytes, size_t length)
{
    struct visit *visit = visit_of(wsi);

    if (visit->body.length + length > BODY_MAX)
        return answer(wsi, 413, "{\"message\":\"too large\"}");
    buf_add(&visit->body, bytes, length);
    return 0;
}

static int http_body_end(struct lws *wsi)
{
    const struct visit *visit = visit_of(wsi);

    return visit->is_auth ? auth(wsi, visit) : answer(wsi, 404, "{\"message\":\"not found\"}");
}

/* 0: go on; 1: handled, and the connection stays; -1: handled, and it ends. */
static int upgrade(struct lws *wsi)
{
    static const char bearer[] = "Bearer ";
    struct broker *broker = broker_of(wsi);
    char uri[URI_MAX] = "", authorization[URI_MAX] = "", argument[URI_MAX] = "";
    const char *id = NULL, *grant = NULL;
    int status;

    lws_hdr_copy(wsi, uri, sizeof(uri), WSI_TOKEN_GET_URI);
    lws_hdr_copy(wsi, authorization, sizeof(authorization), WSI_TOKEN_HTTP_AUTHORIZATION);
    id = lws_get_urlarg_by_name(wsi, "id=", argument, sizeof(argument));
    if (strncasecmp(authorization, bearer, sizeof(bearer) - 1) == 0)
        grant = authorization + sizeof(bearer) - 1;
    if (broker->quitting)
        status = 503;
    else if (strcmp(local_path(broker, uri), "/runners/_ws") != 0)
        status = 404;
    else if (!id || !*id)
        status = 400;
    else
        status = door_upgrade(&broker->door, grant);
    report_status(broker, "upgrade", status, id ? id : "");
    if (status == DOOR_SILENT)
        return 1;
    if (status != 101)
        return answer(wsi, status, "");
    visit_of(wsi)->peer = peer_new(broker, wsi, id);
    return 0;
}

static void run_commands(struct broker *broker)
{
    for (;;) {
        AUTO_BUF struct buf line = {0};
        enum lines_state state = broker->lines ? lines_take(broker->lines, &line) : LINES_NONE;

        if (state == LINES_END)
            server_quit(broker);
        if (state != LINES_TAKEN)
            return;
        if (line.length)
            command_run(broker, (struct span){line.data, line.length});
    }
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t length)
{
    const struct visit *visit;

    (void)user;
    switch ((int)reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        run_commands(broker_of(wsi));
        return 0;
    case LWS_CALLBACK_HTTP:
        return http_request(wsi, in);
    case LWS_CALLBACK_HTTP_BODY:
        return http_body(wsi, in, length);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return http_body_end(wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return upgrade(wsi);
    case LWS_CALLBACK_ESTABLISHED:
        if (!visit_of(wsi)->peer)
            return -1;
        peer_up(visit_of(wsi)->peer);
        return 0;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
        visit_over(wsi);
        if (broker_of(wsi)->quitting && !broker_of(wsi)->peers)
            broker_of(wsi)->over = true;
        return 0;
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        visit = lws_get_opaque_user_data(wsi);
        return visit && visit->peer ? peer_event(visit->peer, (int)reason, in, length) : 0;
    default:
        return 0;
    }
}

/* As n8n does: a ping every 30 seconds, and a runner that has not answered by the next is cut. */
static const lws_retry_bo_t heartbeat = {
    .secs_since_valid_ping = 30,
    .secs_since_valid_hangup = 60,
};

static const struct lws_protocols protocols[] = {
    {"broker", on_event, 0, PEER_CHUNK, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

int server_start(struct broker *broker, const struct server_options *options, struct error **err)
{
    struct lws_context_creation_info info = {
        .port = options->port,
        .iface = strcmp(options->host, "0.0.0.0") == 0 ? NULL : options->host,
        .protocols = protocols,
        .user = broker,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_IPV6,
        .fd_limit_per_thread = 1024,
        .pt_serv_buf_size = PEER_CHUNK,
        .keepalive_timeout = SILENCE_S, /* a silent upgrade waits like a kept connection */
        .retry_and_idle_policy = &heartbeat,
        .alpn = "http/1.1",
        .ssl_cert_filepath = options->cert,
        .ssl_private_key_filepath = options->key,
    };
    AUTO_BUF struct buf line = {0};
    struct lws_vhost *vhost;

    lws_set_log_level(LLL_ERR, NULL);
    if (options->cert)
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    broker->started_us = clock_us();
    broker->lws = lws_create_context(&info);
    if (!broker->lws)
        return error_set(err, "make the libwebsockets context");
    vhost = lws_create_vhost(broker->lws, &info);
    if (!vhost)
        return error_set(err, "listen on %s port %d", options->host, options->port);
    event_begin(&line, broker, "listening");
    event_integer(&line, "port", lws_get_vhost_listen_port(vhost));
    event_end(&line);
    return 0;
}

void server_run(struct broker *broker)
{
    while (!broker->over && lws_service(broker->lws, 0) >= 0)
        continue;
}

void server_wake(void *owner)
{
    struct broker *broker = owner;

    lws_cancel_service(broker->lws);
}

static void end(void *owner)
{
    struct broker *broker = owner;

    broker->over = true;
}

void server_quit(struct broker *broker)
{
    struct peer *peer = NULL;

    if (broker->quitting)
        return;
    broker->quitting = true;
    while ((peer = peer_next(broker, peer)))
        peer_close(peer, LWS_CLOSE_STATUS_GOINGAWAY);
    if (broker->peers)
        timer_start(&broker->deadline, broker, QUIT_MS, end, broker);
    else
        broker->over = true;
}

void server_stop(struct broker *broker)
{
    bench_abandon(broker);
    task_lose_all(broker);
    offer_forget(broker, NULL);
    timer_stop(&broker->deadline);
    if (broker->lws)
        lws_context_destroy(broker->lws);
    broker->lws = NULL;
    door_close(&broker->door);
}
