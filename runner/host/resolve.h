/*
 * Names to addresses without stopping the loop: getaddrinfo() blocks, so it runs on a thread of its
 * own, which owns all it touches and is left to itself when nobody waits any more.
 */
#ifndef HOST_RESOLVE_H
#define HOST_RESOLVE_H

#include <stddef.h>

struct loop;
struct resolve;

/* `addresses`: numeric, in getaddrinfo()'s order, owned by the resolver and valid during the call;
 * none: `why` says what went wrong. The resolve is over, and freed after this call. */
typedef void resolve_fn(void *owner, char *const *addresses, size_t count, const char *why);

/* Starts looking `host` up; `done` is called from the loop, never before this returns. */
struct resolve *resolve_start(struct loop *loop, const char *host, resolve_fn *done, void *owner);
/* Forgets it; `done` will not be called. NULL is fine. */
void resolve_cancel(struct resolve **resolve);

#endif
