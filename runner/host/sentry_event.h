/*
 * What Sentry is told of a fault, as an envelope: three lines of JSON. Pure.
 *
 * It holds what this header names and nothing else: no code, no items, no names of workflows or
 * nodes, no words of an exception.
 */
#ifndef HOST_SENTRY_EVENT_H
#define HOST_SENTRY_EVENT_H

#include <stdint.h>

#include "runner/host/fault.h"

struct buf;

enum { SENTRY_ID_LENGTH = 32 };

/* Which runner it is. What is NULL is left out. */
struct sentry_about {
    const char *n8n_version, *environment, *deployment;
};

struct sentry_event {
    char id[SENTRY_ID_LENGTH + 1]; /* hexadecimal */
    enum fault fault;
    const char *detail;       /* or NULL */
    unsigned long long more;  /* of the same since the last report, which had none of their own */
    int64_t time_ms, sent_ms; /* since 1970: when it happened, and now */
};

/* Fills an id by chance. */
void sentry_event_make_id(char id[SENTRY_ID_LENGTH + 1]);
/* Appends the envelope that reports `event`. */
void sentry_event_write(struct buf *envelope, const struct sentry_about *about,
                        const struct sentry_event *event);

#endif
