/*
 * The runner's policy: when to connect, what to offer, what to do with each message, when to stop.
 */
#ifndef HOST_RUNNER_H
#define HOST_RUNNER_H

struct config;
struct error;
struct loop;
struct runner;
struct zygote_options;

/* Starts serving the broker that `config` names. `config` and `zygote` must outlive the runner.
 * NULL with `err` when it can't. */
struct runner *runner_start(struct loop *loop, const struct config *config,
                            const struct zygote_options *zygote, struct error **err);
/* SIGTERM and its like: no more offers, running tasks get the graceful time-out; a second call ends
 * them at once. */
void runner_stop(struct runner *runner);
/* The zygote's process id, or 0: who reaps strangers must leave it alone. */
int runner_zygote(const struct runner *runner);
/* Once the loop has stopped: the exit code. */
int runner_exit_code(const struct runner *runner);
void runner_drop(struct runner **runner);

#endif
