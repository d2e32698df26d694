/*
 * The health endpoint: GET on any path answers 200 with {"status":"ok"}.
 */
#ifndef HOST_HEALTH_H
#define HOST_HEALTH_H

struct error;
struct health;
struct loop;

/* Listens on `host` (a name or a numeric address, v4 or v6) and `port` (0: the system picks), and
 * logs `Health check server listening on HOST, port PORT`. NULL with `err` set when the port is
 * taken or the host is not this machine's. */
struct health *health_start(struct loop *loop, const char *host, int port, struct error **err);
/* NULL is fine. To be called before loop_free(). */
void health_stop(struct health **health);

#endif
