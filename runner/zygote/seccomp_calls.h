/* Which system calls a task may make, whatever their arguments, and which it may not: lists of
 * names, each ended by NULL. What depends on arguments is in seccomp.c. */
#ifndef ZYGOTE_SECCOMP_CALLS_H
#define ZYGOTE_SECCOMP_CALLS_H

extern const char *const seccomp_allowed[];
extern const char *const seccomp_allowed_scratch[]; /* with a folder to write to */
extern const char *const seccomp_allowed_network[]; /* with the network */
extern const char *const seccomp_refused[];         /* known, and refused with EPERM */
extern const char *const seccomp_absurd[];          /* they end the process */

#endif
