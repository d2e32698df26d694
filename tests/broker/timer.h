/* A function called once, later, by the loop. */
#ifndef BROKER_TIMER_H
#define BROKER_TIMER_H

struct broker;
struct timer;

/* `*place` must outlive the timer; it is NULL again when the timer has run or was stopped. */
void timer_start(struct timer **place, struct broker *broker, double ms, void (*due)(void *owner),
                 void *owner);
void timer_stop(struct timer **place);

#endif
