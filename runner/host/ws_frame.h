/*
 * WebSocket frames from a client, RFC 6455: the head, and the mask. Pure.
 *
 * lws frames what it sends, too, but masks a byte at a time, which for a large result takes as long
 * as making it; so data frames are made here, and lws sends them as they are, between its own
 * control frames.
 */
#ifndef HOST_WS_FRAME_H
#define HOST_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>

enum {
    WS_HEAD_MAX = 14, /* bytes: two, a length of up to eight, the key */
    WS_KEY_BYTES = 4,
};

/* Writes the head of a frame of `length` payload bytes and returns its length. A text message is
 * one frame or several: the `first` says that it is text, the `last` that it is complete. `key` is
 * the frame's own, from chance. */
size_t ws_frame_head(unsigned char *out, size_t length, bool first, bool last,
                     const unsigned char *key);

/* Copies `length` payload bytes, masked with the key from its start. */
void ws_frame_mask(unsigned char *out, const char *payload, size_t length,
                   const unsigned char *key);

#endif
