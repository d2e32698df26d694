/*
 * The health endpoint: GET on any path answers 200 with {"status":"ok"}, but for /healthz, which is
 * 503 when the runner can't work, and /metrics, which is what it counts.
 */
#ifndef HOST_HEALTH_H
#define HOST_HEALTH_H

struct buf;
struct error;
struct health;
struct loop;

struct health_events {
    /* Why the runner can't work, a sentence without what JSON escapes; NULL: it can. */
    const char *(*problem)(void *owner);
    /* Appends the text of /metrics. */
    void (*metrics)(void *owner, struct buf *text);
};

/* Listens on `host` (a name or a numeric address, v4 or v6) and `port` (0: the system picks), and
 * logs `Health check server listening on HOST, port PORT`. NULL with `err` set when the port is
 * taken or the host is not this machine's. `events` and `owner` must outlive it. */
struct health *health_start(struct loop *loop, const char *host, int port,
                            const struct health_events *events, void *owner, struct error **err);
/* NULL is fine. To be called before loop_free(). */
void health_stop(struct health **health);

#endif
