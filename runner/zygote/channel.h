/*
 * The child's end of its channel to the host: frames out (see base/frame.h), one request in.
 */
#ifndef ZYGOTE_CHANNEL_H
#define ZYGOTE_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;

/* Sends one frame, blocking. Returns -1 when the host is gone. */
int channel_send(int channel, uint32_t type, const void *bytes, size_t length);

/* Waits for the task and appends its settings to `request`; -1 when none will come. */
int channel_receive_task(int channel, struct buf *request, struct error **err);

#endif
