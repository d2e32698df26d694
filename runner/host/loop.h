/*
 * The host's event loop: libwebsockets' own poll loop, with our descriptors and timers in it, and
 * the one lws context that broker, http_post and health share.
 *
 * Every callback runs on the loop's thread. The libwebsockets types stay behind this header's
 * opaque structs; loop_context() and the vhosts are for broker.c, http_post.c and health.c
 * alone.
 */
#ifndef HOST_LOOP_H
#define HOST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct loop;
struct watch;
struct timer;
struct lws_context;
struct lws_vhost;

/* Reading the certificates to trust takes some 35 ms, of which a start has not many. */
enum loop_tls {
    LOOP_TLS_NONE,
    LOOP_TLS_LATER, /* when a connection first needs it */
    LOOP_TLS_NOW,
};

/* `ca_file`: certificates to trust, or NULL for the system's; borrowed. free with loop_free(). */
struct loop *loop_new(enum loop_tls tls, const char *ca_file, struct error **err);
/* Closes what is still open and frees everything; NULL is fine. */
void loop_free(struct loop *loop);

/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* After a loop_stop(): runs until the next one. */
void loop_run_again(struct loop *loop);
/* libwebsockets' version. */
const char *loop_library(void);

/* ---- descriptors ---- */

/* Called when `fd` is readable or hung up: read from it; -1 instead of an fd: lws has closed it,
 * call watch_drop(). */
typedef void watch_fn(void *owner, int fd);

/*
 * Takes `fd` over (it is closed by the loop, also on failure), makes it non-blocking and calls
 * `ready` whenever it can be read. NULL on failure.
 */
struct watch *watch_new(struct loop *loop, int fd, watch_fn *ready, void *owner,
                        struct error **err);
/* Ends the watch and closes its descriptor; safe inside any callback. NULL is fine. */
void watch_drop(struct watch **watch);

/* ---- timers ---- */

typedef void timer_fn(void *owner);

/* A timer that is not running. free with timer_drop(). */
struct timer *timer_new(struct loop *loop, timer_fn *due, void *owner);
/* Calls `due` once, `delay_us` microseconds from now (0: as soon as the loop runs again); a timer
 * that was running is set anew. */
void timer_set(struct timer *timer, int64_t delay_us);
void timer_cancel(struct timer *timer);
bool timer_is_set(const struct timer *timer); /* and not due yet */
/* Safe inside any callback. NULL is fine. */
void timer_drop(struct timer **timer);

/* ---- for the files that speak a protocol over lws ---- */

struct lws_context *loop_context(struct loop *loop);
/* The vhost for client connections; with TLS only when that was prepared at once. */
struct lws_vhost *loop_vhost(struct loop *loop);
/* The vhost for client connections over TLS, which is prepared now if it was not; NULL when it
 * can't be. */
struct lws_vhost *loop_tls_vhost(struct loop *loop);

#endif
