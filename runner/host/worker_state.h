/*
 * The inside of a worker, for the files that make up workers.h: workers.c (all of them, and the
 * zygote), worker.c (one), pool.c (those made ahead), worker_request.c (what its child is given),
 * worker_read.c (what its child sends).
 */
#ifndef HOST_WORKER_STATE_H
#define HOST_WORKER_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "runner/base/buf.h"
#include "runner/base/frame.h"
#include "runner/host/backoff.h"
#include "runner/host/memory.h"
#include "runner/host/workers.h"

struct worker {
    struct worker *next;
    struct workers *workers;
    uint64_t id;
    struct watch *channel;
    int channel_fd; /* owned by the watch */
    int pidfd;
    bool asked;  /* the zygote has been asked for its child */
    bool forked; /* the zygote has said so */
    int64_t asked_us;
    bool again; /* its child is the second one */
    bool idle;  /* it waits in the pool; nobody's yet */
    /* What the child was or will be given, as frames; kept until something comes from it: one that
     * has died before it had read all has run nothing, and another takes over. */
    struct request {
        struct buf lead; /* what goes before the task: its code */
        bool compiles;   /* the task follows when the lead has been answered */
        struct buf text; /* the settings, when they are small; else `payload` has them */
        int payload;
        bool given, delivered;
        bool unread; /* the child has died, and had not read all */
        bool begun;  /* something has come from it since it had all */
    } request;
    bool doomed;
    bool only_prints; /* it is given up: nothing else is read any more */
    const struct worker_events *events;
    void *owner; /* with events NULL: nobody waits any more */

    struct frame_header head;
    size_t head_read;
    struct buf payload; /* of a frame that is no part of the result */
    struct buf result;  /* what has come of it */
    size_t frame_end;   /* the length of the one or the other when the frame is whole */
    unsigned prints;
    unsigned long long dropped;

    /* the guard's: 0 until it has looked */
    pid_t pid; /* as our /proc has it */
    struct process_use use;
    char *reason; /* why the host has ended it, for its user; NULL: it has not */
};

struct workers {
    struct loop *loop;
    const struct zygote_options *options;
    size_t result_max;
    const struct workers_events *events;
    void *owner;
    struct zygote_link *zygote;
    struct timer *restart, *again, *hang;
    struct backoff backoff;
    bool ready, was_ready;
    bool unable; /* the last fork failed, which has been said */
    uint64_t last_id;
    struct worker *list;
    struct guard *guard;
    struct imports *imports;
    struct pool *pool;
    struct code_cache *codes;
};

/* Asks for a child that is nobody's yet. NULL with `err`. */
struct worker *worker_make(struct workers *workers, struct error **err);
/* Asks the zygote for the worker's child, and gives it what waits for it; later when the zygote has
 * been asked for more than it can hear. -1 with `err`. */
int worker_ask(struct worker *worker, struct error **err);
/* Those that have not been asked for are, in a moment. */
void workers_ask_again(struct workers *workers);
/* The zygote has been asked for a child: it forks within some time, or is taken to hang. */
void workers_expect_fork(struct workers *workers);
/* Sends the signal, now or when the process is known. */
void worker_kill(struct worker *worker);
/* Its process is gone: forgets it. */
void worker_free(struct worker *worker);

/* Stores the task, copied. -1 with `err`. */
int request_fill(struct request *request, struct code_cache *codes, const struct worker_task *task,
                 struct error **err);
/* Tells a child that has rested, and has nothing yet, that a task is on its way. Without a child
 * there, or when it has not rested, nothing. */
void request_announce(struct worker *worker);
/* Gives it, or its code to compile, to the child that is or will be at the other end of the
 * channel. When that can't be done the child is ended, and another is given it. */
void request_send(struct worker *worker);
/* Has the child been asked to compile the code, and not been given anything else? */
bool request_waits_for_code(const struct request *request);
/* It has, and says this: keeps the code, and gives the child its task. */
void request_take_code(struct worker *worker, struct span code);
void request_free(struct request *request);

/* Reads up to `turns` times while somebody waits and something comes, and tells who waits. 1:
 * something came; 0: nothing for now; -1: the channel is at its end. */
int worker_read(struct worker *worker, int turns);

/* Kills the child, if it still lives, and tells who waits how it ended. Frees what `outcome` has.
 */
void worker_finish(struct worker *worker, struct worker_outcome *outcome);
void worker_finish_simply(struct worker *worker, enum worker_end end, int status);

/* Kills the child; its end will be told with the reason, which is owned from here on. */
void worker_end(struct worker *worker, char *reason);

#endif
