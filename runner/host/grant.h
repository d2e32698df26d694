/*
 * One POST {broker}/runners/auth: the auth token in, a grant token out.
 *
 * Tries every address of the broker's name in turn until one answers. Never logs a token.
 */
#ifndef HOST_GRANT_H
#define HOST_GRANT_H

struct grant;
struct loop;
struct uri;

/* `token`: the grant token, valid during the call, or NULL; then `status` is the HTTP status (0: no
 * answer; 200: an answer without a token) and `why` a text for people that names what happened
 * ("connection refused", "HTTP 403"). The grant is over, and freed after this call. */
typedef void grant_fn(void *owner, const char *token, int status, const char *why);

/* Starts it; `done` is called from the loop, never before this returns. An answer that takes longer
 * than 10 s counts as none. `broker` and `auth_token` are copied. */
struct grant *grant_start(struct loop *loop, const struct uri *broker, const char *auth_token,
                          grant_fn *done, void *owner);
/* Forgets it; `done` will not be called. NULL is fine. */
void grant_cancel(struct grant **grant);

#endif
