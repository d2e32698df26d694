/*
 * What the processes say to each other, and how.
 *
 * host <-> zygote: one SOCK_SEQPACKET socket, one message a packet (struct zygote_message),
 * descriptors beside it. host <-> child: one SOCK_STREAM socket per child (its channel), frames:
 * a header, then `length` bytes. The host believes nothing in a frame from a child.
 */
#ifndef BASE_FRAME_H
#define BASE_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/* ---- host <-> zygote ---- */

enum zygote_message_type {
    /* host -> zygote */
    ZYGOTE_SETUP = 1, /* the first packet: settings, as `name=value\0…` after the message */
    ZYGOTE_FORK,      /* fork child `id`; its end of the channel comes along */
    /* zygote -> host */
    ZYGOTE_IMPORTING, /* text: the module whose import begins; none: all imports are over */
    ZYGOTE_UNFIT, /* text: a module that is not to be imported ahead, and, in a second line, why; it
                     exits when it has named all of them */
    ZYGOTE_READY, /* Python is up; text: its version, the walls, and warnings, one a line */
    ZYGOTE_FAILED, /* it can't start: text says why; it exits */
    ZYGOTE_FORKED, /* child `id` runs; its pidfd comes along, or it is killed for want of one */
    ZYGOTE_UNABLE, /* child `id` could not be forked; `status` is an errno */
    ZYGOTE_EXITED, /* child `id` is gone; `status` as from waitpid() */
};

struct zygote_message {
    uint32_t type;
    uint32_t text_length; /* bytes that follow, not NUL-terminated */
    uint64_t id;
    int32_t status;
};

enum { ZYGOTE_TEXT_MAX = 60000 };

/* ---- host <-> child ---- */

enum frame_type {
    /* host -> child */
    FRAME_TASK = 1, /* the task's `settings`, raw JSON; with FRAME_BY_FD among the flags the
                       `length` bytes stand in a memfd that comes along, and in the stream a
                       uint64_t: where in it they begin */
    /* child -> host */
    FRAME_PRINT,   /* one print call: a JSON array of strings, its RPC params */
    FRAME_OUTPUT,  /* text for the runner's log: what print made of `sep` and `end` */
    FRAME_DROPPED, /* a uint64_t: how many prints were not sent so far */
    FRAME_RESULT,  /* the result's last bytes, or all: then it is one JSON value */
    FRAME_ERROR,   /* a JSON object: kind, message, description, lineNumber, itemIndex */
    FRAME_PART,    /* the next bytes of a result that is longer than one frame */
    /* both ways, before the task */
    FRAME_SOURCE, /* to a child: the code of the task that follows, a JSON string; it is answered by
                     a FRAME_CODE, or by an error (flags: FRAME_EACH) */
    FRAME_CODE,   /* compiled code; to a child: that of the task which follows. Empty, from a child:
                     it goes on without */
    /* child -> host */
    FRAME_TAKEN, /* empty: it has the memfd's text, which nobody else needs to keep */
    /* host -> child */
    FRAME_SOON, /* empty, before all others: a task comes in a moment */
};

enum {
    FRAME_BY_FD = 1,
    FRAME_EACH = 2, /* the code is run once for each item */
};

struct frame_header {
    uint32_t type;
    uint32_t flags;
    uint64_t length;
};

/* The host ends a task with more threads than this; the kernel's limit allows no more, either. */
enum { TASK_THREADS_MAX = 256 };

/* What a child may send, enforced on both sides. */
enum {
    PRINT_CALLS_MAX = 1000,
    PRINT_BYTES_MAX = 1 << 20,
    ERROR_BYTES_MAX = 1 << 20,
    /* of a result, so many bytes are sent when they are there */
    RESULT_PART_BYTES = 1 << 20,
    /* a request up to this size travels in the stream: the socket's buffer always takes it */
    REQUEST_INLINE_MAX = 64 * 1024,
    /* longer code is compiled by each task for itself, as is what is longer once compiled */
    SOURCE_BYTES_MAX = 32 * 1024,
    CODE_BYTES_MAX = 64 * 1024,
};

#endif
