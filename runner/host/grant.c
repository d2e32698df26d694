/* One POST {broker}/runners/auth; see grant.h. */
#include "runner/host/grant.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"
#include "runner/host/dial.h"
#include "runner/host/loop.h"
#include "runner/host/lws_protocols.h"
#include "runner/host/tls.h"
#include "runner/host/uri.h"

enum { ANSWER_MAX = 64 * 1024, ANSWER_WAIT_US = 10 * 1000 * 1000, STATUS_OK = 200 };

struct grant {
    struct loop *loop;
    char *host;
    char *authority;
    char *path;
    char *body;
    int port;
    bool tls;
    grant_fn *done;
    void *owner;
    struct dial *dial;
    struct lws *wsi;
    struct timer *deadline; /* of the answer, once connected */
    int status;
    struct buf answer;
};

static void forget_connection(struct grant *grant)
{
    struct lws *wsi = mem_steal(&grant->wsi);

    if (!wsi)
        return;
    lws_set_opaque_user_data(wsi, NULL);
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

static void finish(struct grant *grant, const char *token, int status, const char *why)
{
    grant_fn *done = grant->done;
    void *owner = grant->owner;

    grant_cancel(&grant);
    done(owner, token, status, why);
}

/* A token becomes a header's value: visible ASCII and nothing else. */
static bool is_token(const char *text)
{
    if (!text || !*text)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text >= 0x7f)
            return false;
    return true;
}

/* The answer is all here. */
static void finish_with_answer(struct grant *grant)
{
    cJSON *root = NULL;
    AUTO_FREE char *token = NULL;
    AUTO_FREE char *why = NULL;
    int status = grant->status;

    if (status == STATUS_OK && grant->answer.length)
        root = cJSON_ParseWithLength(grant->answer.data, grant->answer.length);
    token = mem_dup(cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(root, "data"), "token")));
    cJSON_Delete(root);
    if (status == STATUS_OK && !is_token(token))
        why = mem_dup("the answer holds no token; is it n8n's task broker?");
    else
        why = status ? mem_format("HTTP %d", status) : mem_dup("no answer");
    finish(grant, status == STATUS_OK && is_token(token) ? token : NULL, status, why);
}

static void on_deadline(void *owner)
{
    finish(owner, NULL, 0, "no answer within 10 s");
}

/* ---- connecting ---- */

static void attempt(void *owner, const char *address)
{
    struct grant *grant = owner;
    struct lws_client_connect_info info = {
        .context = loop_context(grant->loop),
        .vhost = loop_vhost(grant->loop),
        .address = address,
        .port = grant->port,
        .path = grant->path,
        .host = grant->authority,
        .method = "POST",
        .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (grant->tls ? LCCSCF_USE_SSL : 0),
        .local_protocol_name = "grant",
        .opaque_user_data = grant,
        .pwsi = &grant->wsi,
        .alpn = "http/1.1",
    };

    if (!lws_client_connect_via_info(&info)) {
        grant->wsi = NULL;
        dial_failed(grant->dial, "the connection could not be made");
    }
}

static void abandon(void *owner)
{
    forget_connection(owner);
}

static void no_address_left(void *owner, const char *why)
{
    finish(owner, NULL, 0, why);
}

static const struct dial_events dial_events = {
    .attempt = attempt,
    .abandon = abandon,
    .failed = no_address_left,
};

static char *make_body(const char *auth_token)
{
    struct buf body = {0};

    buf_add_text(&body, "{\"token\":");
    json_string_add(&body, auth_token, strlen(auth_token));
    buf_add(&body, "}", sizeof("}"));
    if (buf_failed(&body))
        mem_exhausted();
    return body.data;
}

struct grant *grant_start(struct loop *loop, const struct uri *broker, const char *auth_token,
                          grant_fn *done, void *owner)
{
    struct grant *grant = mem_alloc(sizeof(*grant));

    *grant = (struct grant){
        .loop = loop,
        .host = mem_dup(broker->host),
        .authority = uri_authority(broker),
        .path = mem_format("%s/runners/auth", broker->path),
        .body = make_body(auth_token),
        .port = broker->port,
        .tls = broker->tls,
        .done = done,
        .owner = owner,
    };
    grant->deadline = timer_new(loop, on_deadline, grant);
    grant->dial = dial_start(loop, grant->host, &dial_events, grant);
    return grant;
}

/* ---- the request ---- */

static int add_headers(struct grant *grant, struct lws *wsi, unsigned char **at, unsigned char *end)
{
    static const char type[] = "application/json";
    char length[24];
    int digits = snprintf(length, sizeof(length), "%zu", strlen(grant->body));

    if (lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, (const unsigned char *)type,
                                     (int)strlen(type), at, end) ||
        lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH,
                                     (const unsigned char *)length, digits, at, end))
        return -1;
    lws_client_http_body_pending(wsi, 1);
    lws_callback_on_writable(wsi);
    return 0;
}

static int write_body(struct grant *grant, struct lws *wsi)
{
    AUTO_FREE unsigned char *room = NULL;
    size_t length;

    if (!grant->body)
        return 0;
    length = strlen(grant->body);
    room = mem_alloc(LWS_PRE + length);
    memcpy(room + LWS_PRE, grant->body, length);
    lws_client_http_body_pending(wsi, 0);
    free(mem_steal(&grant->body)); /* once */
    return lws_write(wsi, room + LWS_PRE, length, LWS_WRITE_HTTP_FINAL) < (int)length ? -1 : 0;
}

static void established(struct grant *grant, struct lws *wsi)
{
    grant->status = (int)lws_http_client_http_response(wsi);
    dial_done(grant->dial);
    timer_set(grant->deadline, ANSWER_WAIT_US);
}

/* Asks lws for what has come; it calls back with it. */
static int read_answer(struct lws *wsi)
{
    char room[LWS_PRE + 4096];
    char *at = room + LWS_PRE;
    int length = sizeof(room) - LWS_PRE;

    return lws_http_client_read(wsi, &at, &length) < 0 ? -1 : 0;
}

static int add_answer(struct grant *grant, const void *bytes, size_t length)
{
    if (length > ANSWER_MAX - grant->answer.length)
        return -1;
    buf_add(&grant->answer, bytes, length);
    return 0;
}

static void not_connected(struct grant *grant, struct lws *wsi, const char *words)
{
    AUTO_FREE char *why = tls_failure(wsi, words);

    lws_set_opaque_user_data(wsi, NULL); /* its last word to us */
    grant->wsi = NULL;
    grant->status = (int)lws_http_client_http_response(wsi);
    if (grant->status)
        finish_with_answer(grant);
    else
        dial_failed(grant->dial, why);
}

int grant_lws_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t length)
{
    struct grant *grant = lws_get_opaque_user_data(wsi);

    (void)user;
    if (!grant)
        return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return add_headers(grant, wsi, in, *(unsigned char **)in + length);
    case LWS_CALLBACK_CLIENT_HTTP_REDIRECT:
        return -1; /* the token goes where the settings say, nowhere else */
    case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
        return write_body(grant, wsi);
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        established(grant, wsi);
        return 0;
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
        return read_answer(wsi);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
        return add_answer(grant, in, length);
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
        finish_with_answer(grant);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        not_connected(grant, wsi, in);
        return 0;
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        lws_set_opaque_user_data(wsi, NULL);
        grant->wsi = NULL;
        finish_with_answer(grant);
        return 0;
    default:
        return 0;
    }
}

void grant_cancel(struct grant **grant)
{
    struct grant *cancelled = mem_steal(grant);

    if (!cancelled)
        return;
    forget_connection(cancelled);
    dial_drop(&cancelled->dial);
    timer_drop(&cancelled->deadline);
    buf_free(&cancelled->answer);
    free(cancelled->host);
    free(cancelled->authority);
    free(cancelled->path);
    free(cancelled->body);
    free(cancelled);
}
