/*
 * The demo broker's state: one struct, owned by main() and passed to everything. Each field belongs
 * to the file named beside it; the others use that file's verbs.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/broker/door.h"

struct lws_context;
struct peer;
struct offer;
struct task;
struct bench;
struct lines;
struct timer;

struct broker {
    int64_t started_us;      /* event: what "ms" counts from */
    struct lws_context *lws; /* server */
    const char *path;        /* server: stands before /runners/… */
    struct lines *lines;     /* command: what has come in on stdin */
    struct door door;        /* door: who may come in */
    struct peer *peers;      /* peer: the runners, newest first */
    struct offer *offers;    /* offer: oldest first */
    struct task *tasks;      /* task: oldest first */
    struct bench *bench;     /* bench: NULL when none is running */
    bool rpc_unanswered;     /* message: true after {"cmd":"rpcAnswers","on":false} */
    bool quitting;           /* server: no new runners; over once all peers are gone */
    struct timer *deadline;  /* server: when quitting ends at the latest */
    bool over;               /* server: the loop ends */
};

#endif
