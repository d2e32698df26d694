/*
 * The health endpoint; see health.h.
 *
 * The listening socket is our own, so that a port that is taken ends the start with the system's
 * reason; lws speaks HTTP with who is accepted there.
 */
#include "runner/host/health.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/loop.h"
#include "runner/host/lws_protocols.h"

enum { BACKLOG = 64, VISITOR_SECONDS = 5 };

struct health {
    struct watch *listener;
    struct lws_vhost *vhost;
    const struct health_events *events;
    void *owner;
};

/* Sends the answer, and closes: one request a connection. What the socket does not take at once,
 * lws keeps and sends before it closes. */
static int answer(struct lws *wsi, const char *status, const char *type, const struct buf *body)
{
    AUTO_BUF struct buf text = {0};
    char *room = buf_reserve(&text, LWS_PRE);

    if (!room || buf_failed(body))
        return -1;
    memset(room, 0, LWS_PRE);
    text.length = LWS_PRE;
    buf_add_format(&text,
                   "HTTP/1.1 %s\r\n"
                   "content-type: %s\r\n"
                   "content-length: %zu\r\n"
                   "cache-control: no-store\r\n"
                   "connection: close\r\n"
                   "\r\n",
                   status, type, body->length);
    buf_add(&text, body->data, body->length);
    if (!buf_failed(&text))
        lws_write(wsi, (unsigned char *)text.data + LWS_PRE, text.length - LWS_PRE,
                  LWS_WRITE_HTTP_HEADERS);
    return -1;
}

static int answer_health(struct lws *wsi, const char *problem)
{
    AUTO_BUF struct buf body = {0};

    if (problem)
        buf_add_format(&body, "{\"status\":\"unavailable\",\"reason\":\"%s\"}", problem);
    else
        buf_add_text(&body, "{\"status\":\"ok\"}");
    return answer(wsi, problem ? "503 Service Unavailable" : "200 OK", "application/json", &body);
}

static int answer_metrics(struct lws *wsi, const struct health *health)
{
    AUTO_BUF struct buf body = {0};

    health->events->metrics(health->owner, &body);
    return answer(wsi, "200 OK", "text/plain; version=0.0.4; charset=utf-8", &body);
}

static int request(struct lws *wsi, const char *path)
{
    const struct health *health = lws_vhost_user(lws_get_vhost(wsi));

    if (path && strcmp(path, "/metrics") == 0)
        return answer_metrics(wsi, health);
    if (path && strcmp(path, "/healthz") == 0)
        return answer_health(wsi, health->events->problem(health->owner));
    return answer_health(wsi, NULL);
}

static int health_lws_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                            size_t length)
{
    (void)user, (void)length;
    return reason == LWS_CALLBACK_HTTP ? request(wsi, in) : 0;
}

static const struct lws_protocols protocols[] = {
    {"http", health_lws_event, 0, 0, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

static void on_visitors(void *owner, int fd)
{
    struct health *health = owner;
    int visitor;

    if (fd < 0) {
        watch_drop(&health->listener);
        return;
    }
    while ((visitor = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        lws_adopt_socket_vhost(health->vhost, visitor); /* which closes it when it can't */
}

/* One address: the socket, or -1 with errno. */
static int listen_at(const struct addrinfo *address)
{
    AUTO_CLOSE int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
        return -1;
    return io_steal(&fd);
}

static int listen_on(const char *host, int port, struct error **err)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    AUTO_FREE char *service = mem_format("%d", port);
    int fd = -1, failed = getaddrinfo(host, service, &hints, &list);

    if (failed)
        return error_set(err,
                         "N8N_RUNNERS_HEALTH_CHECK_SERVER_HOST is `%s`, which can't be resolved: "
                         "%s",
                         host, gai_strerror(failed));
    for (struct addrinfo *at = list; at && fd < 0; at = at->ai_next)
        fd = listen_at(at);
    if (fd < 0)
        error_set_errno(err, errno,
                        "the health check server can't listen on %s, port %d "
                        "(N8N_RUNNERS_HEALTH_CHECK_SERVER_HOST and _PORT)",
                        host, port);
    freeaddrinfo(list);
    return fd;
}

static int port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    socklen_t length = sizeof(address);

    getsockname(fd, &address.any, &length);
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

struct health *health_start(struct loop *loop, const char *host, int port,
                            const struct health_events *events, void *owner, struct error **err)
{
    struct health *health;
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .vhost_name = "health",
        .keepalive_timeout = VISITOR_SECONDS,
        .timeout_secs = VISITOR_SECONDS,
    };
    int fd = listen_on(host, port, err);

    if (fd < 0)
        return NULL;
    port = port_of(fd);
    health = mem_alloc(sizeof(*health));
    health->events = events;
    health->owner = owner;
    info.user = health;
    health->vhost = lws_create_vhost(loop_context(loop), &info);
    if (!health->vhost) {
        io_close(&fd);
        error_set(err, "start the health check server");
    } else {
        health->listener = watch_new(loop, fd, on_visitors, health, err);
    }
    if (!health->listener) {
        health_stop(&health);
        return NULL;
    }
    log_info("Health check server listening on %s, port %d", host, port);
    return health;
}

void health_stop(struct health **health)
{
    struct health *stopped = mem_steal(health);

    if (stopped)
        watch_drop(&stopped->listener);
    free(stopped);
}
