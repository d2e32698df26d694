/* JSON string literals and UTF-8: text to literal and back. */
#ifndef BASE_JSON_STRING_H
#define BASE_JSON_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runner/base/json_span.h"

struct buf;

/* Is none of the eight bytes at `at` a quote, a backslash, a control character or non-ASCII? */
static inline bool json_eight_plain(const char *at)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t v, quote, backslash;

    memcpy(&v, at, sizeof(v));
    quote = v ^ (ones * '"');
    backslash = v ^ (ones * '\\');
    return (((quote - ones) | (backslash - ones) | (v - ones * 0x20) | v) & highs) == 0;
}

/* Adds `text` as a JSON string literal, quotes included. Bytes that are not UTF-8 become U+FFFD. */
void json_string_add(struct buf *buf, const char *text, size_t length);

/* The content of a checked string literal with its escapes undone, as UTF-8, NUL-terminated;
 * free(). Lone surrogates become U+FFFD. NULL when `literal` is no string or holds a NUL. */
char *json_string_decode(struct span literal);

/* The length (1-4) of the UTF-8 character at `text`; 0 when it is none. */
size_t json_utf8_length(const char *text, size_t length);

#endif
