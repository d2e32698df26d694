/* What a process may do beyond an ordinary one, and how soon the kernel ends it: both given up. */
#ifndef ZYGOTE_PRIVILEGES_H
#define ZYGOTE_PRIVILEGES_H

/*
 * Drops every capability, also from the bounding set where that is allowed. The parent-death signal
 * stays. -1 with errno.
 */
int privileges_drop(void);

/*
 * When memory runs out the kernel ends children first (1000), then the zygote (500), then the host.
 * oom_open() must come while the process is dumpable: afterwards its file belongs to root. It
 * returns a descriptor for oom_set(), or -1 with errno: then the kernel chooses by size alone.
 */
enum { OOM_SCORE_ZYGOTE = 500, OOM_SCORE_CHILD = 1000 };
int oom_open(void);
/* A child inherits what its parent has at the fork: that is the moment to change it. */
void oom_set(int fd, int score);

#endif
