/* Many tasks with the same settings, counted instead of reported. */
#ifndef BROKER_BENCH_H
#define BROKER_BENCH_H

#include <stdint.h>

#include "runner/base/json_span.h"

struct broker;

/* `concurrency` tasks at once, `tasks` in all. One bench at a time. */
void bench_start(struct broker *broker, long tasks, long concurrency, struct span settings);

/* One task has ended: how long it took, or -1 and (if there is one) its error. */
void bench_ended(struct broker *broker, int64_t latency_us, struct span error);

void bench_abandon(struct broker *broker);

#endif
