/* Owns the running bench: it keeps the wanted number of tasks going, and its numbers. */
#include "tests/broker/bench.h"

#include <stdlib.h>

#include "runner/base/clock.h"
#include "runner/base/mem.h"
#include "tests/broker/broker.h"
#include "tests/broker/event.h"
#include "tests/broker/task.h"

struct bench {
    struct buf settings;
    struct buf first_error; /* JSON */
    long tasks, begun, ended, failed;
    int64_t started_us;
    int64_t *latencies; /* ended - failed of them */
};

static void begin_task(struct broker *broker)
{
    struct bench *bench = broker->bench;
    AUTO_FREE char *id = mem_format("bench-%ld", ++bench->begun);

    task_queue(broker, id, (struct span){bench->settings.data, bench->settings.length}, 0,
               TASK_BENCH | TASK_RETRY);
}

void bench_start(struct broker *broker, long tasks, long concurrency, struct span settings)
{
    struct bench *bench;

    if (broker->bench || tasks < 1 || concurrency < 1 || !settings.at) {
        event_problem(broker, broker->bench ? "a bench is running"
                                            : "bench wants tasks, concurrency and settings");
        return;
    }
    bench = mem_alloc(sizeof(*bench));
    buf_add(&bench->settings, settings.at, settings.length);
    bench->tasks = tasks;
    bench->started_us = clock_us();
    bench->latencies = mem_resize(NULL, (size_t)tasks, sizeof(*bench->latencies));
    broker->bench = bench;
    for (long i = 0; i < tasks && i < concurrency; i++)
        begin_task(broker);
}

static int by_size(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static void add_percentile(struct buf *line, const char *key, const struct bench *bench,
                           double part)
{
    long count = bench->ended - bench->failed;

    if (count)
        event_decimal(line, key,
                      (double)bench->latencies[(long)((double)(count - 1) * part + 0.5)] / 1000);
    else
        event_text(line, key, NULL);
}

static void report(struct broker *broker)
{
    struct bench *bench = broker->bench;
    double seconds = (double)(clock_us() - bench->started_us) / 1e6;
    AUTO_BUF struct buf line = {0};

    qsort(bench->latencies, (size_t)(bench->ended - bench->failed), sizeof(*bench->latencies),
          by_size);
    event_begin(&line, broker, "bench");
    event_integer(&line, "tasks", bench->tasks);
    event_integer(&line, "failed", bench->failed);
    event_decimal(&line, "seconds", seconds);
    event_decimal(&line, "perSecond", (double)bench->tasks / seconds);
    add_percentile(&line, "p50Ms", bench, 0.5);
    add_percentile(&line, "p99Ms", bench, 0.99);
    add_percentile(&line, "maxMs", bench, 1);
    event_json(&line, "firstError",
               (struct span){bench->first_error.data, bench->first_error.length});
    event_end(&line);
}

void bench_ended(struct broker *broker, int64_t latency_us, struct span error)
{
    struct bench *bench = broker->bench;

    if (!bench)
        return;
    if (latency_us >= 0)
        bench->latencies[bench->ended - bench->failed] = latency_us;
    else if (bench->failed++ == 0 && error.at)
        buf_add(&bench->first_error, error.at, error.length);
    if (++bench->ended == bench->tasks) {
        report(broker);
        bench_abandon(broker);
    } else if (bench->begun < bench->tasks) {
        begin_task(broker);
    }
}

void bench_abandon(struct broker *broker)
{
    struct bench *bench = mem_steal(&broker->bench);

    if (!bench)
        return;
    buf_free(&bench->settings);
    buf_free(&bench->first_error);
    free(bench->latencies);
    free(bench);
}
