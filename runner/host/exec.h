/*
 * `exec`: one script through the same zygote, child and walls as a task, without a broker.
 */
#ifndef HOST_EXEC_H
#define HOST_EXEC_H

struct config;
struct error;
struct exec;
struct loop;
struct options;
struct zygote_options;

/* Reads the script and its items and starts. All arguments must outlive it. NULL with `err`. */
struct exec *exec_start(struct loop *loop, const struct config *config,
                        const struct zygote_options *zygote, const struct options *options,
                        struct error **err);
int exec_zygote(const struct exec *exec);
/* Ends it: the loop stops, with exit code 130. */
void exec_stop(struct exec *exec);
int exec_exit_code(const struct exec *exec);
void exec_drop(struct exec **exec);

#endif
