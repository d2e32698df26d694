/*
 * No two tasks draw the same random numbers. `random`, `secrets` and `uuid` see to that themselves;
 * what the packages' imports seeded from chance is seeded anew in every child. What code seeded
 * with a number of its own stays as it was, wherever the number is from. In numpy, where a
 * generator's seed alone tells, one of more than 64 bits counts as chance, and so do that of a
 * generator whose state was set, and the legacy functions' own.
 */
#ifndef ZYGOTE_RANDOMNESS_H
#define ZYGOTE_RANDOMNESS_H

/* Before the packages are imported: notes each random.Random that gets its seed from chance. -1
 * with an exception. */
int randomness_watch(void);

/* After it: has all of them, and numpy's, seeded in every child; nothing when nothing was watched.
 * -1 with an exception, which names what can't be: the rest is seeded all the same. */
int randomness_settle(void);

#endif
