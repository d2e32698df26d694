/*
 * What the runner counts, and how /metrics shows it: Prometheus' text format, version 0.0.4. Pure.
 *
 * Who sees something happen adds to a field of struct metrics, which costs an addition; names and
 * texts are made when somebody asks.
 */
#ifndef HOST_METRICS_H
#define HOST_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/host/fault.h"
#include "runner/host/outcome.h"

struct buf;

enum { HISTOGRAM_BOUNDS = 19 };

/* Durations, by their upper bounds; the last count is of those beyond all. Zeroed is ready. */
struct histogram {
    uint64_t counts[HISTOGRAM_BOUNDS + 1];
    int64_t sum_us;
};

enum rejection {
    REJECTED_EXPIRED,  /* the offer was not open any more */
    REJECTED_CAPACITY, /* no slot, or the runner is stopping */
    REJECTED_UNABLE,   /* no process can be had */
    REJECTIONS,
};

/* Only ever grows. Zeroed is ready. */
struct metrics {
    uint64_t tasks[TASK_OUTCOMES];
    uint64_t rejected[REJECTIONS];
    uint64_t faults[FAULTS];
    uint64_t python_restarts;
    uint64_t broker_connections;
    uint64_t received_bytes, sent_bytes; /* of messages, from and to the broker */
    struct histogram duration, queue, fork;
};

/* How things stand, at the moment of asking. */
struct metrics_now {
    size_t slots, running, waiting, offers, children;
    bool python_up, broker_up;
    uint64_t reports_sent, reports_failed, reports_dropped; /* to Sentry */
    const char *version, *python, *libwebsockets;
};

/* Counts a duration, in microseconds; one below 0 counts as 0. */
void metrics_observe(struct histogram *histogram, int64_t us);

/* Appends the whole text. */
void metrics_write(struct buf *text, const struct metrics *metrics, const struct metrics_now *now);

#endif
