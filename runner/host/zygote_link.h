/*
 * The host's end of the zygote: starting it, asking it for children, hearing how they end.
 */
#ifndef HOST_ZYGOTE_LINK_H
#define HOST_ZYGOTE_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct error;
struct loop;
struct policy;
struct scratch;
struct zygote_link;

struct zygote_events {
    /* Before ready(): the import of `module` begins; "": all imports are over. */
    void (*importing)(void *owner, const char *module);
    /* `module` is not to be imported ahead, for the reason `why`, a clause; gone() follows. */
    void (*unfit)(void *owner, const char *module, const char *why);
    /* Python is up; `text`: its version, its walls, then a warning a line. */
    void (*ready)(void *owner, const char *text);
    /* The zygote is gone. `why` is one line; it is reaped, and the link may be dropped inside. */
    void (*gone)(void *owner, const char *why);
    /* Child `id` is running; the callee owns `pidfd` (-1: there is none, and it
     * is being killed). */
    void (*forked)(void *owner, uint64_t id, int pidfd);
    /* Child `id` could not be forked: `number` is an errno. */
    void (*unable)(void *owner, uint64_t id, int number);
    /* Child `id` ended; `status` as from waitpid(). */
    void (*exited)(void *owner, uint64_t id, int status);
};

struct zygote_options {
    const char *program;      /* path of task-runner-zygote */
    char *const *environment; /* all that it gets */
    const struct policy *policy;
    const char *venv;            /* NULL: no packages */
    int env_access;              /* tasks may see `environment` */
    const char *sandbox;         /* auto, require, off */
    int network;                 /* tasks may open connections */
    long long memory_mb, tmp_mb; /* of a task; 0: no limit, no place to write */
    long long result_max;        /* bytes */
    const char *scratch;         /* where children make their folders; "" when they have none */
    const struct scratch *scratch_folder; /* the same, for who watches it; or NULL */
    int tasks;                            /* at once */
    int ahead;                            /* tasks that children are made ahead for; 0: none */
    int check;                            /* children try their walls instead of running a task */
};

/* Starts a zygote; `options` and `skip`, the modules not to import ahead (separated by commas), are
 * only used during the call. NULL with `err` on failure. */
struct zygote_link *zygote_start(struct loop *loop, const struct zygote_options *options,
                                 const char *skip, const struct zygote_events *events, void *owner,
                                 struct error **err);

/* Asks for child `id`, whose end of its channel is `channel` (closed here). 1: not now, there is
 * more before it than the zygote's socket holds, or the zygote is dead, which gone() will tell. -1
 * with `err`. */
int zygote_fork(struct zygote_link *link, uint64_t id, int channel, struct error **err);

/* The zygote's process id, for who reaps; 0 once it has been told of its end. */
pid_t zygote_pid(const struct zygote_link *link);

/* Inside gone(): it was killed, by whom or what is not known, and had nothing to say. */
bool zygote_was_killed(const struct zygote_link *link);

/* Kills the zygote (its children die with it), reaps it and frees; no event follows. NULL is fine.
 */
void zygote_drop(struct zygote_link **link);

#endif
