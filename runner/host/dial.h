/*
 * Trying the addresses of a name one after the other, until one answers: what broker and
 * http_post share. Who opens and closes connections is the owner; dial says which and when.
 */
#ifndef HOST_DIAL_H
#define HOST_DIAL_H

struct dial;
struct loop;

struct dial_events {
    /* Connect to `address` (numeric), then say dial_done() or dial_failed(). */
    void (*attempt)(void *owner, const char *address);
    /* The attempt has taken too long: forget it; the next one follows. */
    void (*abandon)(void *owner);
    /* No address is left. `why`: the last one's failure, or the name's. The dial may be dropped
     * inside; nothing is called afterwards. */
    void (*failed)(void *owner, const char *why);
};

/* Starts with the name's lookup. Each address gets 10 s. No event comes before this returns; the
 * arguments but `loop`, `events` and `owner` are copied. free with dial_drop(). */
struct dial *dial_start(struct loop *loop, const char *host, const struct dial_events *events,
                        void *owner);
/* The attempt succeeded: nothing more to try, and no hurry. */
void dial_done(struct dial *dial);
/* The attempt failed; the next event comes from the loop, not from inside. */
void dial_failed(struct dial *dial, const char *why);
/* No event follows. NULL is fine. */
void dial_drop(struct dial **dial);

#endif
