/* One POST {broker}/runners/auth; see grant.h. */
#include "runner/host/grant.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"
#include "runner/host/http_post.h"
#include "runner/host/uri.h"

struct grant {
    struct http_post *post;
    grant_fn *done;
    void *owner;
};

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

/* The token in an answer's body, or NULL. free(). */
static char *read_token(struct span body)
{
    cJSON *root = body.length ? cJSON_ParseWithLength(body.at, body.length) : NULL;
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(root, "data");
    char *token = mem_dup(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, "token")));

    cJSON_Delete(root);
    if (!is_token(token))
        free(mem_steal(&token));
    return token;
}

static void on_answer(void *owner, const struct http_answer *answer)
{
    struct grant *grant = owner;
    AUTO_FREE char *token = answer->status == HTTP_OK ? read_token(answer->body) : NULL;
    AUTO_FREE char *why = NULL;
    grant_fn *done = grant->done;
    void *asker = grant->owner;

    if (answer->status == HTTP_OK)
        why = mem_dup("the answer holds no token; is it n8n's task broker?");
    else
        why = answer->status ? mem_format("HTTP %d", answer->status) : mem_dup(answer->why);
    grant->post = NULL;
    grant_cancel(&grant);
    done(asker, token, answer->status, why);
}

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
    AUTO_FREE char *path = mem_format("%s/runners/auth", broker->path);
    AUTO_FREE char *body = make_body(auth_token);
    const struct http_request request = {
        .to = broker,
        .path = path,
        .content_type = "application/json",
        .body = {body, strlen(body)},
    };

    grant->done = done;
    grant->owner = owner;
    grant->post = http_post_start(loop, &request, on_answer, grant);
    return grant;
}

void grant_cancel(struct grant **grant)
{
    struct grant *cancelled = mem_steal(grant);

    if (!cancelled)
        return;
    http_post_cancel(&cancelled->post);
    free(cancelled);
}
