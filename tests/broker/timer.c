/* Owns the memory of lws's timers, so that no other file needs lws for one. */
#include "tests/broker/timer.h"

#include <libwebsockets.h>

#include "runner/base/mem.h"
#include "tests/broker/broker.h"

struct timer {
    lws_sorted_usec_list_t sul; /* first: lws hands back its address */
    struct timer **place;
    void (*due)(void *owner);
    void *owner;
};

static void timer_due(lws_sorted_usec_list_t *sul)
{
    struct timer *timer = (struct timer *)sul;
    void (*due)(void *owner) = timer->due;
    void *owner = timer->owner;

    *timer->place = NULL;
    free(timer);
    due(owner);
}

void timer_start(struct timer **place, struct broker *broker, double ms, void (*due)(void *owner),
                 void *owner)
{
    struct timer *timer = mem_alloc(sizeof(*timer));

    timer_stop(place);
    timer->place = place;
    timer->due = due;
    timer->owner = owner;
    *place = timer;
    lws_sul_schedule(broker->lws, 0, &timer->sul, timer_due, (lws_usec_t)(ms * 1000) + 1);
}

void timer_stop(struct timer **place)
{
    struct timer *timer = mem_steal(place);

    if (!timer)
        return;
    lws_sul_cancel(&timer->sul);
    free(timer);
}
