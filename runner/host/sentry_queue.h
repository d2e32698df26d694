/*
 * The faults that wait for their report: at most one of each kind, and of each at most one report a
 * minute; the others are counted, and the next report says how many they were. So the queue can't
 * grow, and a Sentry that is slow or gone costs nothing. Pure; time is given, as clock_us() has it.
 */
#ifndef HOST_SENTRY_QUEUE_H
#define HOST_SENTRY_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "runner/host/fault.h"

/* Zeroed is ready. free with sentry_queue_free(). */
struct sentry_queue {
    struct sentry_waiting {
        bool waits;
        uint64_t place; /* who came first goes first */
        char *detail;
        unsigned long long more; /* without a report of their own */
        int64_t time_ms;         /* since 1970 */
        int64_t reported_us;     /* the last report; 0: there was none */
    } faults[FAULTS];
    uint64_t places;
    uint64_t dropped;
    int64_t paused_until_us; /* Sentry wants to be left alone */
};

void sentry_queue_free(struct sentry_queue *queue);
/* A fault has come; `detail` (or NULL) is copied. */
void sentry_queue_add(struct sentry_queue *queue, enum fault fault, const char *detail,
                      int64_t now_us, int64_t time_ms);
/* The fault to report now, which waits no more; FAULTS: none. Its detail and its count are in
 * `waiting`; free `detail`. */
enum fault sentry_queue_take(struct sentry_queue *queue, struct sentry_waiting *waiting,
                             int64_t now_us);
/* No report for so many seconds; below 0: as many as Sentry's clients wait, 60. */
void sentry_queue_pause(struct sentry_queue *queue, int seconds, int64_t now_us);
/* Does one wait whose runner ends? */
bool sentry_queue_has_fatal(const struct sentry_queue *queue);

#endif
