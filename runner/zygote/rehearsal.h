/*
 * Tasks of our own before the real one, so that this finds memory and caches warm: every page that
 * a rehearsal writes to, a fork has given us to copy, and the real task will find it copied.
 */
#ifndef ZYGOTE_REHEARSAL_H
#define ZYGOTE_REHEARSAL_H

struct execution;
struct rehearsal;

/* Compiles what is rehearsed. `execution` is borrowed and must outlive it; the process's own, never
 * freed. */
struct rehearsal *rehearsal_new(const struct execution *execution);

/* As if the task's code had been compiled before: what most children need. */
void rehearsal_of_known_code(const struct rehearsal *rehearsal);
/* Only the loading of code that is known: a few hundredths of a millisecond. */
void rehearsal_of_loading(const struct rehearsal *rehearsal);
/* As if it were new, and of some length. */
void rehearsal_of_new_code(const struct rehearsal *rehearsal);
/* As if it had made small objects of each size, some 130 KB together. */
void rehearsal_of_memory(void);

#endif
