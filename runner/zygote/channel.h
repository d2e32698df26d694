/*
 * The child's end of its channel to the host: frames out (see base/frame.h), one request in.
 */
#ifndef ZYGOTE_CHANNEL_H
#define ZYGOTE_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

struct error;

/* A frame from the host, in memory of its own. */
struct request {
    uint32_t type;
    uint32_t flags;
    char *text;
    size_t length;
    void *map;     /* what is mapped of the host's memfd, `text` in it; NULL: free() frees it */
    size_t mapped; /* bytes */
};

void request_free(struct request *request);

/* Sends one frame, blocking. When that fails, as it does when the host is gone, the channel is at
 * its end for both: -1. */
int channel_send(int channel, uint32_t type, const void *bytes, size_t length);

/* Waits for the next frame; request_free(). Without a text there is no memory for it. -1 when none
 * will come. */
int channel_receive(int channel, struct request *request, struct error **err);

#endif
