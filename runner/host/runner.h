/*
 * The runner's policy: when to connect, what to offer, what to do with each message, when to stop.
 */
#ifndef HOST_RUNNER_H
#define HOST_RUNNER_H

struct buf;
struct config;
struct error;
struct loop;
struct runner;
struct sentry;
struct zygote_options;

/* Starts serving the broker that `config` names, reporting faults to `sentry` (NULL: to nobody).
 * All three must outlive the runner. NULL with `err` when it can't. */
struct runner *runner_start(struct loop *loop, const struct config *config,
                            const struct zygote_options *zygote, struct sentry *sentry,
                            struct error **err);
/* SIGTERM and its like: no more offers, running tasks get the graceful time-out; a second call ends
 * them at once. */
void runner_stop(struct runner *runner);
/* The zygote's process id, or 0: who reaps strangers must leave it alone. */
int runner_zygote(const struct runner *runner);
/* Appends what it counts, as Prometheus reads it. */
void runner_metrics(const struct runner *runner, struct buf *text);
/* Why it can't work, a sentence; NULL: it can. See vitals.h. */
const char *runner_problem(const struct runner *runner);
/* Once the loop has stopped: the exit code. */
int runner_exit_code(const struct runner *runner);
void runner_drop(struct runner **runner);

#endif
