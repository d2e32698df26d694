/*
 * Children made ahead of their tasks: forked, behind their walls, and warm. As many wait as ran at
 * once lately, and one to spare; at rest, one; they are replaced while tasks run or when one has
 * ended, never while a task waits for its child.
 */
#ifndef HOST_POOL_H
#define HOST_POOL_H

#include <stddef.h>

struct pool;
struct worker;
struct workers;

/* `most`: how many tasks may run at once; 0: none waits, every child is made when it is asked for.
 * pool_drop(). */
struct pool *pool_new(struct workers *workers, size_t most);
/* The children are the workers' to free. */
void pool_drop(struct pool **pool);

/* One that waits, or NULL. Its successor is made a moment later. */
struct worker *pool_take(struct pool *pool);

/* A task has ended, or children can be made again: makes what is missing. */
void pool_fill(struct pool *pool);

#endif
