/*
 * The host's event loop; see loop.h.
 *
 * A watch's descriptor belongs to lws from its adoption on, and lws says when it has closed it;
 * until then a dropped watch lives on without an owner.
 */
#include "runner/host/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/log.h"
#include "runner/base/mem.h"
#include "runner/host/lws_protocols.h"

/* A broker, a health check's visitors, and two or three descriptors a task. */
enum { DESCRIPTORS_MAX = 8192 };

struct loop {
    struct lws_context *lws;
    struct lws_vhost *vhost;
    struct lws_vhost *tls_vhost; /* the same, or another, or NULL: not prepared */
    const char *ca_file;
    bool stopped;
};

struct watch {
    struct lws *wsi;
    int fd;
    watch_fn *ready; /* NULL once dropped */
    void *owner;
};

struct timer {
    lws_sorted_usec_list_t entry; /* first: lws gives it back */
    struct loop *loop;
    timer_fn *due;
    void *owner;
};

/* ---- descriptors ---- */

static int watch_lws_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                           size_t length)
{
    struct watch *watch = lws_get_opaque_user_data(wsi);

    (void)user, (void)in, (void)length;
    if (!watch)
        return 0;
    if (reason == LWS_CALLBACK_RAW_RX_FILE) {
        if (watch->ready)
            watch->ready(watch->owner, watch->fd);
    } else if (reason == LWS_CALLBACK_RAW_CLOSE_FILE) {
        lws_set_opaque_user_data(wsi, NULL);
        watch->wsi = NULL;
        if (watch->ready)
            watch->ready(watch->owner, -1);
        else
            free(watch);
    }
    return 0;
}

/* lws closes some of what it can't adopt, and leaves open what it has no memory for. The number
 * may be another's by now: names are looked up on a thread of their own. */
static void close_if_left(int fd, const struct stat *was)
{
    struct stat is;

    if (fstat(fd, &is) == 0 && is.st_dev == was->st_dev && is.st_ino == was->st_ino)
        io_close(&fd);
}

struct watch *watch_new(struct loop *loop, int fd, watch_fn *ready, void *owner, struct error **err)
{
    struct watch *watch = mem_alloc(sizeof(*watch));
    lws_sock_file_fd_type descriptor = {.filefd = fd};
    struct stat was;

    *watch = (struct watch){.fd = fd, .ready = ready, .owner = owner};
    if (io_set_nonblocking(fd) < 0 || fstat(fd, &was) < 0) {
        error_set_errno(err, errno, "watch a descriptor");
        io_close(&fd);
    } else {
        watch->wsi = lws_adopt_descriptor_vhost(loop->vhost, LWS_ADOPT_RAW_FILE_DESC, descriptor,
                                                "watch", NULL);
        if (watch->wsi) {
            lws_set_opaque_user_data(watch->wsi, watch);
            return watch;
        }
        close_if_left(fd, &was);
        error_set(err, "watch a descriptor: too many are open, or there is no memory for it");
    }
    free(watch);
    return NULL;
}

void watch_drop(struct watch **watch)
{
    struct watch *dropped = mem_steal(watch);

    if (!dropped)
        return;
    dropped->ready = NULL;
    if (!dropped->wsi)
        free(dropped);
    else /* freed when lws reports its close */
        lws_set_timeout(dropped->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

/* ---- timers ---- */

static void timer_is_due(lws_sorted_usec_list_t *entry)
{
    struct timer *timer = lws_container_of(entry, struct timer, entry);

    timer->due(timer->owner);
}

struct timer *timer_new(struct loop *loop, timer_fn *due, void *owner)
{
    struct timer *timer = mem_alloc(sizeof(*timer));

    timer->loop = loop;
    timer->due = due;
    timer->owner = owner;
    return timer;
}

void timer_set(struct timer *timer, int64_t delay_us)
{
    lws_sul_schedule(timer->loop->lws, 0, &timer->entry, timer_is_due, delay_us < 1 ? 1 : delay_us);
}

void timer_cancel(struct timer *timer)
{
    lws_sul_cancel(&timer->entry);
}

bool timer_is_set(const struct timer *timer)
{
    return !lws_dll2_is_detached(&timer->entry.list);
}

void timer_drop(struct timer **timer)
{
    struct timer *dropped = mem_steal(timer);

    if (dropped)
        lws_sul_cancel(&dropped->entry);
    free(dropped);
}

/* ---- the loop ---- */

static void on_lws_log(int level, const char *line)
{
    (void)level;
    log_debug("libwebsockets: %.*s", (int)strcspn(line, "\n"), line);
}

static const struct lws_protocols protocols[] = {
    {"watch", watch_lws_event, 0, 0, 0, NULL, 0},
    {"broker", broker_lws_event, 0, LWS_CHUNK, 0, NULL, 0},
    {"post", post_lws_event, 0, LWS_CHUNK, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

static struct lws_context_creation_info creation_info(const struct loop *loop, bool tls)
{
    return (struct lws_context_creation_info){
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options =
            LWS_SERVER_OPTION_EXPLICIT_VHOSTS | (tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
        .fd_limit_per_thread = DESCRIPTORS_MAX,
        .pt_serv_buf_size = LWS_CHUNK,
        .vhost_name = tls ? "client over TLS" : "client",
        .alpn = "http/1.1",
        .client_ssl_ca_filepath = loop->ca_file,
    };
}

struct loop *loop_new(enum loop_tls tls, const char *ca_file, struct error **err)
{
    struct loop *loop = mem_alloc(sizeof(*loop));
    struct lws_context_creation_info info;

    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    loop->ca_file = ca_file;
    info = creation_info(loop, tls != LOOP_TLS_NONE);
    loop->lws = lws_create_context(&info);
    info = creation_info(loop, tls == LOOP_TLS_NOW);
    loop->vhost = loop->lws ? lws_create_vhost(loop->lws, &info) : NULL;
    if (tls == LOOP_TLS_NOW)
        loop->tls_vhost = loop->vhost;
    if (loop->vhost)
        return loop;
    if (tls == LOOP_TLS_NOW && ca_file)
        error_set(err, "prepare TLS with the certificates of `%s` (SSL_CERT_FILE)", ca_file);
    else
        error_set(err, "start the event loop");
    loop_free(loop);
    return NULL;
}

void loop_free(struct loop *loop)
{
    if (loop && loop->lws)
        lws_context_destroy(loop->lws);
    free(loop);
}

void loop_run(struct loop *loop)
{
    while (!loop->stopped && lws_service(loop->lws, 0) >= 0)
        continue;
}

void loop_run_again(struct loop *loop)
{
    loop->stopped = false;
    loop_run(loop);
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
    lws_cancel_service(loop->lws);
}

const char *loop_library(void)
{
    return lws_get_library_version();
}

struct lws_context *loop_context(struct loop *loop)
{
    return loop->lws;
}

struct lws_vhost *loop_vhost(struct loop *loop)
{
    return loop->vhost;
}

struct lws_vhost *loop_tls_vhost(struct loop *loop)
{
    struct lws_context_creation_info info = creation_info(loop, true);

    if (!loop->tls_vhost)
        loop->tls_vhost = lws_create_vhost(loop->lws, &info);
    return loop->tls_vhost;
}
