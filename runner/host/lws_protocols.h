/* What libwebsockets calls, and whose it is: only for loop.c, broker.c, http_post.c and
 * health.c. */
#ifndef HOST_LWS_PROTOCOLS_H
#define HOST_LWS_PROTOCOLS_H

#include <libwebsockets.h>

/* The most that is read from or given to a socket at once. */
enum { LWS_CHUNK = 64 * 1024 };

int broker_lws_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t length);
int post_lws_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t length);

#endif
