/*
 * The page that a test and the programs under it share: what is counted, and what is ordered to
 * fail. control.py has the same layout.
 */
#ifndef FAULTS_SHIM_H
#define FAULTS_SHIM_H

#include <stdint.h>

enum shim_kind { SHIM_HOST, SHIM_ZYGOTE, SHIM_CHILD, SHIM_KINDS };

/* Whose call it is: our code's, or that of a library which it uses. */
enum shim_scope { SHIM_OURS, SHIM_THEIRS, SHIM_SCOPES };

enum shim_call {
    SHIM_ALLOCATE, /* malloc, calloc, realloc */
    SHIM_MAP,      /* mmap */
    SHIM_FORK,
    SHIM_PIPE,  /* pipe, pipe2, socketpair */
    SHIM_MEMFD, /* memfd_create */
    SHIM_READ,  /* read, readv, recv, recvmsg */
    SHIM_WRITE, /* write, writev, send, sendmsg */
    SHIM_CALLS,
};

/* What becomes of a call, if not an errno. */
enum { SHIM_SHORT = -1 };

enum { SHIM_FRAMES = 16 };

struct shim_control {
    int32_t kind, scope, call;
    int32_t how;     /* an errno, or SHIM_SHORT; 0: nothing is ordered */
    uint64_t number; /* of the call that fails; 0: each of them, an EINTR every other time */
    uint64_t fired;
    int64_t clock_s;              /* by how much the calendar's clock is off */
    uint64_t frames[SHIM_FRAMES]; /* of the last that failed, from the program's start */
    uint64_t counts[SHIM_KINDS][SHIM_SCOPES][SHIM_CALLS];
};

#endif
