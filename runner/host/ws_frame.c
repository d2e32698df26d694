/* See ws_frame.h. */
#include "runner/host/ws_frame.h"

#include <stdint.h>
#include <string.h>

enum { FINAL = 0x80, CONTINUATION = 0, TEXT = 1, MASKED = 0x80, LENGTH_16 = 126, LENGTH_64 = 127 };

size_t ws_frame_head(unsigned char *out, size_t length, bool first, bool last,
                     const unsigned char *key)
{
    size_t at = 0, bytes = length < LENGTH_16 ? 0 : length <= UINT16_MAX ? 2 : 8;

    out[at++] = (unsigned char)((last ? FINAL : 0) | (first ? TEXT : CONTINUATION));
    out[at++] = (unsigned char)(MASKED | (bytes == 0   ? length
                                          : bytes == 2 ? (size_t)LENGTH_16
                                                       : (size_t)LENGTH_64));
    while (bytes--)
        out[at++] = (unsigned char)((uint64_t)length >> 8 * bytes);
    memcpy(out + at, key, WS_KEY_BYTES);
    return at + WS_KEY_BYTES;
}

void ws_frame_mask(unsigned char *out, const char *payload, size_t length, const unsigned char *key)
{
    unsigned char twice[sizeof(uint64_t)];
    uint64_t wide, word;
    size_t at = 0;

    memcpy(twice, key, WS_KEY_BYTES);
    memcpy(twice + WS_KEY_BYTES, key, WS_KEY_BYTES);
    memcpy(&wide, twice, sizeof(wide));
    for (; length - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, payload + at, sizeof(word));
        word ^= wide;
        memcpy(out + at, &word, sizeof(word));
    }
    for (; at < length; at++)
        out[at] = (unsigned char)payload[at] ^ key[at % WS_KEY_BYTES];
}
