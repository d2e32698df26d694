/* Trying a name's addresses; see dial.h. */
#include "runner/host/dial.h"

#include <stdbool.h>
#include <stdlib.h>

#include "runner/base/mem.h"
#include "runner/host/loop.h"
#include "runner/host/resolve.h"

enum { PATIENCE_US = 10 * 1000 * 1000 };

struct dial {
    const struct dial_events *events;
    void *owner;
    struct resolve *resolve;
    struct timer *timer; /* the next attempt, or the end of our patience with this one */
    bool attempting;
    char **addresses;
    size_t count;
    size_t next;
    char *why; /* the last failure */
};

static void set_why(struct dial *dial, const char *why)
{
    char *copy = mem_dup(why ? why : "no answer");

    free(dial->why);
    dial->why = copy;
}

static void on_timer(void *owner)
{
    struct dial *dial = owner;

    if (dial->attempting) {
        dial->attempting = false;
        set_why(dial, "no answer within 10 s");
        dial->events->abandon(dial->owner);
    }
    if (dial->next == dial->count) {
        AUTO_FREE char *why = mem_steal(&dial->why); /* it outlives a dial that is dropped inside */

        dial->events->failed(dial->owner, why);
        return;
    }
    dial->attempting = true;
    timer_set(dial->timer, PATIENCE_US);
    dial->events->attempt(dial->owner, dial->addresses[dial->next++]);
}

static void on_resolved(void *owner, char *const *addresses, size_t count, const char *why)
{
    struct dial *dial = owner;

    dial->resolve = NULL;
    dial->addresses = mem_resize(NULL, count + 1, sizeof(*dial->addresses));
    for (size_t i = 0; i < count; i++)
        dial->addresses[dial->count++] = mem_dup(addresses[i]);
    if (!count)
        set_why(dial, why);
    on_timer(dial);
}

struct dial *dial_start(struct loop *loop, const char *host, const struct dial_events *events,
                        void *owner)
{
    struct dial *dial = mem_alloc(sizeof(*dial));

    *dial = (struct dial){.events = events, .owner = owner};
    dial->timer = timer_new(loop, on_timer, dial);
    dial->resolve = resolve_start(loop, host, on_resolved, dial);
    return dial;
}

void dial_done(struct dial *dial)
{
    dial->attempting = false;
    timer_cancel(dial->timer);
}

void dial_failed(struct dial *dial, const char *why)
{
    if (!dial->attempting)
        return;
    dial->attempting = false;
    set_why(dial, why);
    timer_set(dial->timer, 0);
}

void dial_drop(struct dial **dial)
{
    struct dial *dropped = mem_steal(dial);

    if (!dropped)
        return;
    resolve_cancel(&dropped->resolve);
    timer_drop(&dropped->timer);
    for (size_t i = 0; i < dropped->count; i++)
        free(dropped->addresses[i]);
    free(dropped->addresses);
    free(dropped->why);
    free(dropped);
}
