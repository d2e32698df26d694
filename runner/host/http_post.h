/*
 * One HTTP POST on the host's loop: what the grant token and the reports to Sentry go through.
 *
 * Tries every address of the host's name in turn until one answers. Follows no redirect: what it
 * carries goes where the settings say, nowhere else. Logs nothing.
 */
#ifndef HOST_HTTP_POST_H
#define HOST_HTTP_POST_H

#include <stddef.h>

#include "runner/base/json_span.h"

struct http_post;
struct loop;
struct uri;

enum { HTTP_NO_ANSWER = 0, HTTP_OK = 200, HTTP_TOO_MANY = 429 };

struct http_request {
    const struct uri *to; /* its path is not used */
    const char *path;
    const char *content_type;
    const char *header[2]; /* one more, its name with a colon (`x-name:`) and its value; or NULLs */
    struct span body;
};

struct http_answer {
    int status;       /* HTTP_NO_ANSWER: none came */
    struct span body; /* at most 64 KiB; a longer one is cut off, with the connection */
    int retry_after;  /* s, as the answer asks for; -1: it does not */
    const char *why;  /* without an answer: what happened, for people ("connection refused") */
};

/* The request is over, and freed after this call; so is what `answer` points to. */
typedef void http_post_fn(void *owner, const struct http_answer *answer);

/* Starts it; `done` is called from the loop, never before this returns. Each address gets 10 s
 * until its answer begins, and that another 10 s. What `request` points to is copied. */
struct http_post *http_post_start(struct loop *loop, const struct http_request *request,
                                  http_post_fn *done, void *owner);
/* Forgets it; `done` will not be called. NULL is fine. */
void http_post_cancel(struct http_post **post);

#endif
