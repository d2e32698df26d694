/*
 * The interpreter's wall: an audit hook in C that Python code can't take off.
 *
 * CPython tells it what is about to happen – a file is opened, a process started, a frame looked
 * into – and it refuses by a table what a task may not do. Some rules bind all code, some only the
 * user's own: packages look into frames and call ctypes for good reasons. A refusal is a
 * PermissionError, or for an import an ImportError, which code with a fallback may catch.
 */
#ifndef ALLOWLIST_AUDIT_H
#define ALLOWLIST_AUDIT_H

#include <stdbool.h>

struct policy;

struct audit_options {
    const struct policy *policy;
    bool network; /* N8N_RUNNERS_TASK_NETWORK is `allow` */
    /* May a task read this path (absolute, without links)? */
    bool (*readable)(void *owner, const char *path);
    void *owner;
};

/* What a task is told that tries to reach the network. */
extern const char audit_network_sentence[];

/* Before CPython is initialised: nothing that runs later can remove the hook. -1: it can't be. */
int audit_install(void);

/* Once, in the zygote, after judge_prepare(). What `options` points to is kept. -1 with an
 * exception. */
int audit_prepare(const struct audit_options *options);

/* What the settings say. */
bool audit_network_allowed(void);

/* In the child, when the user's code is about to start: from now on the rules hold, for good. They
 * never do when the policy is plain (policy_is_plain()). `folder` is where files may be made, an
 * absolute path without links (borrowed); NULL: nowhere. */
void audit_begin(const char *folder);

#endif
