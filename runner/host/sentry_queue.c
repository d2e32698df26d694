/* The faults that wait for their report; see sentry_queue.h. */
#include "runner/host/sentry_queue.h"

#include <stdlib.h>

#include "runner/base/mem.h"

enum { PAUSE_S = 60, PAUSE_MOST_S = 3600 };
static const int64_t second_us = 1000LL * 1000, once_in_us = 60LL * 1000 * 1000;

void sentry_queue_free(struct sentry_queue *queue)
{
    for (int i = 0; i < FAULTS; i++)
        free(queue->faults[i].detail);
    *queue = (struct sentry_queue){0};
}

void sentry_queue_add(struct sentry_queue *queue, enum fault fault, const char *detail,
                      int64_t now_us, int64_t time_ms)
{
    struct sentry_waiting *waiting = &queue->faults[fault];

    if (waiting->waits || (waiting->reported_us && now_us - waiting->reported_us < once_in_us)) {
        waiting->more++;
        queue->dropped++;
        return;
    }
    waiting->waits = true;
    waiting->place = ++queue->places;
    waiting->detail = mem_dup(detail);
    waiting->time_ms = time_ms;
}

enum fault sentry_queue_take(struct sentry_queue *queue, struct sentry_waiting *waiting,
                             int64_t now_us)
{
    int first = FAULTS;

    for (int i = 0; i < FAULTS; i++)
        if (queue->faults[i].waits &&
            (first == FAULTS || queue->faults[i].place < queue->faults[first].place))
            first = i;
    if (first == FAULTS || now_us < queue->paused_until_us)
        return FAULTS;
    *waiting = queue->faults[first];
    queue->faults[first] = (struct sentry_waiting){.reported_us = now_us};
    return (enum fault)first;
}

void sentry_queue_pause(struct sentry_queue *queue, int seconds, int64_t now_us)
{
    if (seconds < 0)
        seconds = PAUSE_S;
    if (seconds > PAUSE_MOST_S)
        seconds = PAUSE_MOST_S;
    queue->paused_until_us = now_us + seconds * second_us;
}

bool sentry_queue_has_fatal(const struct sentry_queue *queue)
{
    for (int i = 0; i < FAULTS; i++)
        if (queue->faults[i].waits && fault_is_fatal((enum fault)i))
            return true;
    return false;
}
