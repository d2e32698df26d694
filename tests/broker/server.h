/* The listening side: HTTP requests, upgrades, and the loop that everything runs in. */
#ifndef BROKER_SERVER_H
#define BROKER_SERVER_H

struct broker;
struct error;

struct server_options {
    const char *host;
    int port;         /* 0: the system picks */
    const char *cert; /* NULL: no TLS */
    const char *key;
};

/* Listens, and reports "listening". */
int server_start(struct broker *broker, const struct server_options *options, struct error **err);

/* Until it is over. */
void server_run(struct broker *broker);

/* Closes every connection with 1001; it is over when they are closed, or after two seconds. */
void server_quit(struct broker *broker);

/* From any thread: look at the lines that have come in. */
void server_wake(void *broker);

void server_stop(struct broker *broker);

#endif
