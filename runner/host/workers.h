/*
 * The children as the host sees them: made by the zygote, given one task each, read, killed.
 *
 * Owns the zygote's link and starts another zygote when one dies. Nothing that a child sends is
 * believed: a frame has a known type and a bounded length, and what should be JSON has been checked
 * before an event carries it.
 */
#ifndef HOST_WORKERS_H
#define HOST_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/base/buf.h"
#include "runner/base/json_span.h"
#include "runner/host/message.h"

struct error;
struct loop;
struct worker;
struct workers;
struct zygote_options;

/* A task as it is given to a child. */
struct worker_task {
    struct span settings; /* the raw JSON object */
    struct span source;   /* the code in it, a JSON string; empty: its child does all by itself */
    bool each;            /* it runs once for each item */
    int file;             /* a sealed file that has the settings, too; -1: none; not kept */
    size_t offset;        /* where in it they begin */
};

/* How a child's one task ended. */
enum worker_end {
    WORKER_RESULT,    /* `result` is one valid JSON value */
    WORKER_ERROR,     /* `error` and `kind` say what the code did */
    WORKER_TOO_LARGE, /* a result beyond the limit */
    WORKER_NO_MEMORY, /* a result that this process has no memory for */
    WORKER_BREACH,    /* it sent what no child of ours sends */
    WORKER_EXITED,    /* neither result nor error came; `status` as from waitpid() */
    WORKER_LOST,      /* its zygote died, or it could not be forked */
};

struct worker_outcome {
    enum worker_end end;
    struct buf result;
    struct task_error error; /* spans into `result` */
    char *kind;              /* "raised", "violation", "syntax", "settings"; free() by workers */
    int status;
    const char *reason; /* why the host killed it, a sentence; NULL: it did not */
    unsigned long long prints_dropped;
};

struct worker_events {
    /* `params`: a checked JSON array of strings, one print call. */
    void (*print)(void *owner, struct span params);
    /* Text that the task printed, for the log. */
    void (*output)(void *owner, const char *text, size_t length);
    /* Its process is there, as of `now_us` (clock_us()); again after one that died before its task
     * reached it. Not called when worker_is_forked() already. May be NULL. */
    void (*forked)(void *owner, int64_t now_us);
    /* The task is over; the worker is gone after this call. The callee may steal `result`. */
    void (*ended)(void *owner, struct worker_outcome *outcome);
};

struct workers_events {
    /* Children can be made; `text`: Python's version, its walls, then a warning a line. */
    void (*ready)(void *owner, const char *text);
    /* Python can't be started: there will be no children. */
    void (*failed)(void *owner, const char *why);
    /* The rest may be NULL. A child is there, `us` microseconds after it was asked for. */
    void (*forked)(void *owner, int64_t us);
    /* Python was ready once, and is gone, or could not be started again (`never_came`); another
     * start follows. `why`: one line. */
    void (*lost)(void *owner, bool never_came, const char *why);
    /* A child can't be forked, and is tried for until it can; `why`: the system's words. Once,
     * until one could. */
    void (*unable)(void *owner, const char *why);
};

/* Starts the zygote. `options` and what it points to must outlive the workers; `result_max` in
 * bytes. free with workers_drop(). */
struct workers *workers_start(struct loop *loop, const struct zygote_options *options,
                              size_t result_max, const struct workers_events *events, void *owner,
                              struct error **err);
bool workers_ready(const struct workers *workers);
/* Kills all and frees; no event follows. NULL is fine. */
void workers_drop(struct workers **workers);
/* How many children wait for a task that has not come. */
size_t workers_waiting(const struct workers *workers);
/* The zygote's process id, or 0. */
int workers_zygote(const struct workers *workers);

/* Asks for a child, which waits for its task. While Python is away, and when it dies before the
 * task has reached the child, the worker waits for the next Python. NULL with `err` on failure. */
struct worker *worker_new(struct workers *workers, const struct worker_events *events, void *owner,
                          struct error **err);
/* Is its process there? */
bool worker_is_forked(const struct worker *worker);
/* Gives it its task, copied. Once. */
int worker_give(struct worker *worker, const struct worker_task *task, struct error **err);
/* Before it is abandoned: delivers the prints that have come and not been read yet. Whatever else
 * has come is left where it is, and from here on; `ended` is not called. */
void worker_drain_prints(struct worker *worker);
/* Kills the child and forgets it; no event follows. NULL is fine. */
void worker_abandon(struct worker **worker);
/* How many prints the child left out so far. */
unsigned long long worker_prints_dropped(const struct worker *worker);

#endif
