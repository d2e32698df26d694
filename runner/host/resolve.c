/*
 * Names to addresses; see resolve.h.
 *
 * The lookup is shared by its thread and the loop and freed by whichever leaves last; the thread
 * writes its answer, then closes its end of a pipe, which the loop watches. A numeric address takes
 * no thread.
 */
#include "runner/host/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/host/loop.h"

enum { STACK_SIZE = 256 * 1024, ADDRESSES_MAX = 64 };

struct lookup {
    atomic_int users; /* the thread and the resolve */
    char *host;
    int done_fd; /* the thread's end of the pipe */
    char *addresses[ADDRESSES_MAX];
    size_t count;
    char *why; /* when there is no address */
};

struct resolve {
    struct lookup *lookup;
    struct watch *watch;
    struct timer *soon; /* when the answer needs no thread */
    resolve_fn *done;
    void *owner;
};

static void lookup_leave(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->users, 1) != 1)
        return;
    for (size_t i = 0; i < lookup->count; i++)
        free(lookup->addresses[i]);
    io_close(&lookup->done_fd);
    free(lookup->why);
    free(lookup->host);
    free(lookup);
}

static void add_addresses(struct lookup *lookup, const struct addrinfo *list)
{
    for (; list && lookup->count < ADDRESSES_MAX; list = list->ai_next) {
        char text[NI_MAXHOST];

        if (getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof(text), NULL, 0,
                        NI_NUMERICHOST) == 0)
            lookup->addresses[lookup->count++] = mem_dup(text);
    }
}

static void *look_up(void *argument)
{
    struct lookup *lookup = argument;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int failed = getaddrinfo(lookup->host, NULL, &hints, &list);

    if (failed)
        lookup->why = mem_format("the name `%s` can't be resolved: %s", lookup->host,
                                 failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed));
    else
        add_addresses(lookup, list);
    if (!lookup->count && !lookup->why)
        lookup->why = mem_format("the name `%s` has no address", lookup->host);
    if (list)
        freeaddrinfo(list);
    io_close(&lookup->done_fd);
    lookup_leave(lookup);
    return NULL;
}

static void finish(struct resolve *resolve)
{
    struct lookup *lookup = resolve->lookup;
    resolve_fn *done = resolve->done;
    void *owner = resolve->owner;

    resolve->lookup = NULL;
    resolve_cancel(&resolve);
    done(owner, lookup->addresses, lookup->count, lookup->why);
    lookup_leave(lookup);
}

static void on_pipe(void *owner, int fd)
{
    (void)fd; /* nothing is ever written: it is the end */
    finish(owner);
}

/* Starts the thread; the pipe's end says that it is done. -1 with the reason in lookup->why. */
static int start_thread(struct resolve *resolve, struct loop *loop)
{
    struct lookup *lookup = resolve->lookup;
    AUTO_ERROR struct error *err = NULL;
    pthread_attr_t attributes;
    pthread_t thread;
    int ends[2], failed;

    if (pipe2(ends, O_CLOEXEC) < 0) {
        lookup->why = mem_format("no pipe for a name's lookup: %s", strerror(errno));
        return -1;
    }
    lookup->done_fd = ends[1];
    resolve->watch = watch_new(loop, ends[0], on_pipe, resolve, &err);
    if (!resolve->watch) {
        lookup->why = mem_dup(error_text(err));
        return -1;
    }
    atomic_fetch_add(&lookup->users, 1);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    failed = pthread_create(&thread, &attributes, look_up, lookup);
    pthread_attr_destroy(&attributes);
    if (!failed)
        return 0;
    lookup->why = mem_format("no thread for a name's lookup: %s", strerror(failed));
    watch_drop(&resolve->watch);
    lookup_leave(lookup);
    return -1;
}

static bool is_numeric(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static void on_soon(void *owner)
{
    finish(owner);
}

struct resolve *resolve_start(struct loop *loop, const char *host, resolve_fn *done, void *owner)
{
    struct resolve *resolve = mem_alloc(sizeof(*resolve));
    struct lookup *lookup = mem_alloc(sizeof(*lookup));

    *lookup = (struct lookup){.users = 1, .host = mem_dup(host), .done_fd = -1};
    *resolve = (struct resolve){.lookup = lookup, .done = done, .owner = owner};
    if (is_numeric(host))
        lookup->addresses[lookup->count++] = mem_dup(host);
    else if (start_thread(resolve, loop) == 0)
        return resolve;
    resolve->soon = timer_new(loop, on_soon, resolve);
    timer_set(resolve->soon, 0);
    return resolve;
}

void resolve_cancel(struct resolve **resolve)
{
    struct resolve *cancelled = mem_steal(resolve);

    if (!cancelled)
        return;
    watch_drop(&cancelled->watch);
    timer_drop(&cancelled->soon);
    if (cancelled->lookup)
        lookup_leave(cancelled->lookup);
    free(cancelled);
}
