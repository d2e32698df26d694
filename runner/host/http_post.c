/* One HTTP POST on the host's loop; see http_post.h. */
#include "runner/host/http_post.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/mem.h"
#include "runner/host/dial.h"
#include "runner/host/loop.h"
#include "runner/host/lws_protocols.h"
#include "runner/host/tls.h"
#include "runner/host/uri.h"

enum { ANSWER_MAX = 64 * 1024, ANSWER_WAIT_US = 10 * 1000 * 1000, RETRY_AFTER_MAX = 24 * 3600 };

struct http_post {
    struct loop *loop;
    char *host;
    char *authority;
    char *path;
    char *content_type;
    char *header[2];
    char *body;
    size_t length;
    int port;
    bool tls;
    http_post_fn *done;
    void *owner;
    struct dial *dial;
    struct lws *wsi;
    struct timer *deadline; /* of the answer, once connected */
    int status, retry_after;
    struct buf answer;
};

static void forget_connection(struct http_post *post)
{
    struct lws *wsi = mem_steal(&post->wsi);

    if (!wsi)
        return;
    lws_set_opaque_user_data(wsi, NULL);
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

/* `why`: without an answer. */
static void finish(struct http_post *post, const char *why)
{
    AUTO_BUF struct buf body = buf_steal(&post->answer);
    struct http_answer answer = {.status = why ? HTTP_NO_ANSWER : post->status,
                                 .body = {body.data, body.length},
                                 .retry_after = post->retry_after,
                                 .why = why};
    http_post_fn *done = post->done;
    void *owner = post->owner;

    http_post_cancel(&post);
    done(owner, &answer);
}

/* The answer is all here, or there will be none. */
static void finish_with_answer(struct http_post *post)
{
    finish(post, post->status ? NULL : "no answer");
}

static void on_deadline(void *owner)
{
    finish(owner, "no answer within 10 s");
}

/* ---- connecting ---- */

static void attempt(void *owner, const char *address)
{
    struct http_post *post = owner;
    struct lws_client_connect_info info = {
        .context = loop_context(post->loop),
        .vhost = post->tls ? loop_tls_vhost(post->loop) : loop_vhost(post->loop),
        .address = address,
        .port = post->port,
        .path = post->path,
        .host = post->authority,
        .method = "POST",
        .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (post->tls ? LCCSCF_USE_SSL : 0),
        .local_protocol_name = "post",
        .opaque_user_data = post,
        .pwsi = &post->wsi,
        .alpn = "http/1.1",
    };

    if (!info.vhost) {
        dial_failed(post->dial, "TLS can't be prepared with the certificates of SSL_CERT_FILE");
    } else if (!lws_client_connect_via_info(&info)) {
        post->wsi = NULL;
        dial_failed(post->dial, "the connection could not be made");
    }
}

static void abandon(void *owner)
{
    forget_connection(owner);
}

static void no_address_left(void *owner, const char *why)
{
    finish(owner, why);
}

static const struct dial_events dial_events = {
    .attempt = attempt,
    .abandon = abandon,
    .failed = no_address_left,
};

struct http_post *http_post_start(struct loop *loop, const struct http_request *request,
                                  http_post_fn *done, void *owner)
{
    struct http_post *post = mem_alloc(sizeof(*post));

    *post = (struct http_post){
        .loop = loop,
        .host = mem_dup(request->to->host),
        .authority = uri_authority(request->to),
        .path = mem_dup(request->path),
        .content_type = mem_dup(request->content_type),
        .header = {mem_dup(request->header[0]), mem_dup(request->header[1])},
        .body = mem_dup_n(request->body.at, request->body.length),
        .length = request->body.length,
        .port = request->to->port,
        .tls = request->to->tls,
        .done = done,
        .owner = owner,
        .retry_after = -1,
    };
    post->deadline = timer_new(loop, on_deadline, post);
    post->dial = dial_start(loop, post->host, &dial_events, post);
    return post;
}

/* ---- the request ---- */

static int add_headers(struct http_post *post, struct lws *wsi, unsigned char **at,
                       unsigned char *end)
{
    char length[24];
    int digits = snprintf(length, sizeof(length), "%zu", post->length);

    if (lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE,
                                     (const unsigned char *)post->content_type,
                                     (int)strlen(post->content_type), at, end) ||
        lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH,
                                     (const unsigned char *)length, digits, at, end))
        return -1;
    if (post->header[0] && lws_add_http_header_by_name(wsi, (const unsigned char *)post->header[0],
                                                       (const unsigned char *)post->header[1],
                                                       (int)strlen(post->header[1]), at, end))
        return -1;
    lws_client_http_body_pending(wsi, 1);
    lws_callback_on_writable(wsi);
    return 0;
}

static int write_body(struct http_post *post, struct lws *wsi)
{
    AUTO_FREE unsigned char *room = NULL;
    int length = (int)post->length;

    if (!post->body)
        return 0;
    room = mem_alloc(LWS_PRE + post->length);
    memcpy(room + LWS_PRE, post->body, post->length);
    lws_client_http_body_pending(wsi, 0);
    free(mem_steal(&post->body)); /* once */
    return lws_write(wsi, room + LWS_PRE, post->length, LWS_WRITE_HTTP_FINAL) < length ? -1 : 0;
}

/* ---- the answer ---- */

/* The seconds of a Retry-After header; -1: there is none, or it has a date. */
static int retry_after(struct lws *wsi)
{
    char text[32] = "", *end;
    long seconds;

    if (lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_HTTP_RETRY_AFTER) <= 0)
        return -1;
    seconds = strtol(text, &end, 10);
    if (end == text || *end || seconds < 0)
        return -1;
    return (int)(seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX);
}

static void established(struct http_post *post, struct lws *wsi)
{
    post->status = (int)lws_http_client_http_response(wsi);
    post->retry_after = retry_after(wsi);
    dial_done(post->dial);
    timer_set(post->deadline, ANSWER_WAIT_US);
}

/* Asks lws for what has come; it calls back with it. */
static int read_answer(struct lws *wsi)
{
    char room[LWS_PRE + 4096];
    char *at = room + LWS_PRE;
    int length = sizeof(room) - LWS_PRE;

    return lws_http_client_read(wsi, &at, &length) < 0 ? -1 : 0;
}

static int add_answer(struct http_post *post, const void *bytes, size_t length)
{
    if (length > ANSWER_MAX - post->answer.length)
        return -1;
    buf_add(&post->answer, bytes, length);
    return 0;
}

static void not_connected(struct http_post *post, struct lws *wsi, const char *words)
{
    AUTO_FREE char *why = tls_failure(wsi, words);

    lws_set_opaque_user_data(wsi, NULL); /* its last word to us */
    post->wsi = NULL;
    post->status = (int)lws_http_client_http_response(wsi);
    if (post->status)
        finish_with_answer(post);
    else
        dial_failed(post->dial, why);
}

int post_lws_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t length)
{
    struct http_post *post = lws_get_opaque_user_data(wsi);

    (void)user;
    if (!post)
        return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return add_headers(post, wsi, in, *(unsigned char **)in + length);
    case LWS_CALLBACK_CLIENT_HTTP_REDIRECT:
        return -1;
    case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
        return write_body(post, wsi);
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        established(post, wsi);
        return 0;
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
        return read_answer(wsi);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
        return add_answer(post, in, length);
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
        finish_with_answer(post);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        not_connected(post, wsi, in);
        return 0;
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        lws_set_opaque_user_data(wsi, NULL);
        post->wsi = NULL;
        finish_with_answer(post);
        return 0;
    default:
        return 0;
    }
}

void http_post_cancel(struct http_post **post)
{
    struct http_post *cancelled = mem_steal(post);

    if (!cancelled)
        return;
    forget_connection(cancelled);
    dial_drop(&cancelled->dial);
    timer_drop(&cancelled->deadline);
    buf_free(&cancelled->answer);
    free(cancelled->host);
    free(cancelled->authority);
    free(cancelled->path);
    free(cancelled->content_type);
    free(cancelled->header[0]);
    free(cancelled->header[1]);
    free(cancelled->body);
    free(cancelled);
}
