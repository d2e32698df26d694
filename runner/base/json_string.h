/* JSON string literals and UTF-8: text to literal and back. */
#ifndef BASE_JSON_STRING_H
#define BASE_JSON_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runner/base/json_span.h"

struct buf;

/* A byte of a string's text that stands for itself: no quote, no backslash, no control character,
 * ASCII. */
static inline bool json_is_plain(unsigned char byte)
{
    return byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\';
}

/* How many plain bytes there are from `at` on, of up to `left`; eight at a time. */
static inline size_t json_plain_run(const char *at, size_t left)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    size_t run = 0;

    for (; left - run >= sizeof(uint64_t); run += sizeof(uint64_t)) {
        uint64_t v, quote, backslash, others;

        memcpy(&v, at + run, sizeof(v));
        quote = v ^ (ones * '"');
        backslash = v ^ (ones * '\\');
        /* of the bytes marked by it, the least significant is one; a borrow may mark those above */
        others = ((quote - ones) | (backslash - ones) | (v - ones * 0x20) | v) & highs;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        if (others)
            return run + (size_t)__builtin_ctzll(others) / 8;
#else
        if (others)
            break;
#endif
    }
    while (run < left && json_is_plain((unsigned char)at[run]))
        run++;
    return run;
}

/* Adds `text` as a JSON string literal, quotes included. Bytes that are not UTF-8 become U+FFFD. */
void json_string_add(struct buf *buf, const char *text, size_t length);

/* The content of a checked string literal with its escapes undone, as UTF-8, NUL-terminated;
 * free(). Lone surrogates become U+FFFD. NULL when `literal` is no string or holds a NUL. */
char *json_string_decode(struct span literal);

/* The length (1-4) of the UTF-8 character at `text`; 0 when it is none. */
size_t json_utf8_length(const char *text, size_t length);

#endif
