/*
 * The kernel's walls around a task's process, as one: what this system gives is found out once, in
 * the zygote; a child then puts up all of it or does not run.
 */
#ifndef ZYGOTE_SANDBOX_H
#define ZYGOTE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;
struct paths;
struct sandbox;
struct warmed;

enum sandbox_mode {
    SANDBOX_AUTO,    /* the most that the system gives */
    SANDBOX_REQUIRE, /* seccomp and Landlock, or no start */
    SANDBOX_OFF,
};

struct sandbox_options {
    enum sandbox_mode mode;
    bool network;
    size_t memory; /* bytes a task may map above what the zygote has; 0: no limit of its own */
    size_t tmp;    /* bytes in the task's own folder; 0: there is none */
    size_t result; /* bytes of the largest result */
    size_t tasks;  /* at once */
    char *scratch; /* where tasks make their folders when they can't have a file system each */
};

/*
 * First, while the process is young: it has one thread, no Python, and is dumpable. It may come
 * back in another process (see namespaces.h). Tries seccomp and Landlock in a process of their own.
 * NULL with `err` when the mode asks for what the system does not give. Afterwards the process is
 * not dumpable.
 */
struct sandbox *sandbox_new(const struct sandbox_options *options, struct error **err);

/*
 * Then, when all is imported that will be: closes the zygote off (a root of its own, no
 * capabilities), opens `paths` for its children, and measures what is mapped. -1 with `err`, also
 * when the memory limit is less than what was imported needs.
 */
int sandbox_close(struct sandbox *sandbox, const struct paths *paths, const struct warmed *warmed,
                  struct error **err);

/* Around each fork: the child is to be the kernel's first choice when memory runs out. */
void sandbox_before_fork(struct sandbox *sandbox);
void sandbox_after_fork(struct sandbox *sandbox);

/* In child `id`, with one thread: puts the walls up. -1: it must not run. */
int sandbox_enter(struct sandbox *sandbox, uint64_t id);
/* Afterwards: the folder that the task may write to; NULL: there is none. */
const char *sandbox_scratch(const struct sandbox *sandbox);

/* One line: what stands, and what does not. Appended. */
void sandbox_say(const struct sandbox *sandbox, struct buf *line);
/* The same as a JSON array: name, stands, detail. Appended. */
void sandbox_list(const struct sandbox *sandbox, struct buf *json);

#endif
