/*
 * Which system calls a task's process may make.
 *
 * The program is compiled once, before CPython starts (libseccomp leaves holes in the heap that
 * every child would pay for), and loaded by each child. What a child may do is a list; a call that
 * the list knows and refuses fails with EPERM, one that it does not know with ENOSYS, as on an
 * older kernel.
 */
#ifndef ZYGOTE_SECCOMP_H
#define ZYGOTE_SECCOMP_H

#include <stdbool.h>

struct error;
struct seccomp_program;

/* What the operator's settings open; all false is the strictest. */
struct seccomp_options {
    bool network;       /* client sockets of IPv4 and IPv6 */
    bool scratch;       /* files may be made and removed, where Landlock lets them */
    bool files_guarded; /* Landlock stands; without it nothing is opened for writing */
};

/* NULL with `err` when libseccomp can't make it. seccomp_free(). */
struct seccomp_program *seccomp_compile(const struct seccomp_options *options, struct error **err);
void seccomp_free(struct seccomp_program *program);

/* Puts the calling process under the program, for good: it needs no_new_privs, and gets signals for
 * no process but itself. -1 with errno. */
int seccomp_load_program(struct seccomp_program *program);

#endif
