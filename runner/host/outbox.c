/* See outbox.h. */
#include "runner/host/outbox.h"

#include <stdlib.h>
#include <sys/random.h>

#include "runner/base/mem.h"
#include "runner/host/ws_frame.h"

enum {
    KEYS_BYTES = 64 * WS_KEY_BYTES, /* getrandom() gives up to 256 bytes at once, whole */
    SMALL_FRAME = 1024,             /* with less room than this nothing is added */
};

struct outgoing {
    struct outgoing *next;
    struct buf message;
    size_t sent;
};

struct outbox {
    struct outgoing *first, **last;
    size_t waiting;
    unsigned char keys[KEYS_BYTES]; /* for the next frames */
    size_t keys_left;               /* bytes */
};

struct outbox *outbox_new(void)
{
    struct outbox *outbox = mem_alloc(sizeof(*outbox));

    outbox->last = &outbox->first;
    return outbox;
}

static void drop_first(struct outbox *outbox)
{
    struct outgoing *done = outbox->first;

    outbox->first = done->next;
    if (!outbox->first)
        outbox->last = &outbox->first;
    outbox->waiting -= done->message.length - done->sent;
    buf_free(&done->message);
    free(done);
}

void outbox_drop(struct outbox **outbox)
{
    struct outbox *dropped = mem_steal(outbox);

    while (dropped && dropped->first)
        drop_first(dropped);
    free(dropped);
}

void outbox_add(struct outbox *outbox, struct buf *message)
{
    struct outgoing *outgoing = mem_alloc(sizeof(*outgoing));

    outgoing->message = buf_steal(message);
    outbox->waiting += outgoing->message.length;
    *outbox->last = outgoing;
    outbox->last = &outgoing->next;
}

bool outbox_is_empty(const struct outbox *outbox)
{
    return !outbox->first;
}

size_t outbox_waiting(const struct outbox *outbox)
{
    return outbox->waiting;
}

/* A frame's key; NULL when chance can't be had. */
static const unsigned char *next_key(struct outbox *outbox)
{
    if (!outbox->keys_left) {
        if (getrandom(outbox->keys, KEYS_BYTES, 0) != KEYS_BYTES)
            return NULL;
        outbox->keys_left = KEYS_BYTES;
    }
    outbox->keys_left -= WS_KEY_BYTES;
    return outbox->keys + outbox->keys_left;
}

/* The first message's next frame, in up to `size` bytes: how many, or -1. */
static ssize_t take_frame(struct outbox *outbox, unsigned char *out, size_t size)
{
    struct outgoing *outgoing = outbox->first;
    size_t left = outgoing->message.length - outgoing->sent, room = size - WS_HEAD_MAX;
    size_t count = left < room ? left : room, head;
    const unsigned char *key = next_key(outbox);

    if (!key)
        return -1;
    head = ws_frame_head(out, count, outgoing->sent == 0, count == left, key);
    ws_frame_mask(out + head, outgoing->message.data + outgoing->sent, count, key);
    outgoing->sent += count;
    outbox->waiting -= count;
    if (count == left)
        drop_first(outbox);
    return (ssize_t)(head + count);
}

ssize_t outbox_take(struct outbox *outbox, unsigned char *out, size_t size)
{
    size_t filled = 0;

    while (outbox->first && (filled == 0 || size - filled > SMALL_FRAME)) {
        ssize_t frame = take_frame(outbox, out + filled, size - filled);

        if (frame < 0)
            return -1;
        filled += (size_t)frame;
    }
    return (ssize_t)filled;
}
