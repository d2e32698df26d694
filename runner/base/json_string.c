/* JSON string literals and UTF-8; see json_string.h. */
#include "runner/base/json_string.h"

#include <stdbool.h>
#include <string.h>

#include "runner/base/buf.h"
#include "runner/base/mem.h"

size_t json_utf8_length(const char *text, size_t length)
{
    const unsigned char *u = (const unsigned char *)text;
    size_t size;

    if (!length)
        return 0;
    if (u[0] < 0x80)
        return 1;
    size = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
    if (u[0] < 0xc2 || u[0] > 0xf4 || size > length)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    /* overlong forms, surrogates, and beyond U+10FFFF */
    if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
        (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
        return 0;
    return size;
}

void json_string_add(struct buf *buf, const char *text, size_t length)
{
    static const char short_escapes[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    size_t i = 0;

    buf_add_char(buf, '"');
    while (i < length) {
        unsigned char c = (unsigned char)text[i];
        size_t run = json_utf8_length(text + i, length - i);

        if (run == 0) {
            buf_add_text(buf, "\xef\xbf\xbd");
            run = 1;
        } else if (c == '"' || c == '\\') {
            buf_add_char(buf, '\\');
            buf_add_char(buf, (char)c);
        } else if (c < 0x20 && short_escapes[c]) {
            buf_add_char(buf, '\\');
            buf_add_char(buf, short_escapes[c]);
        } else if (c < 0x20) {
            buf_add_format(buf, "\\u%04x", c);
        } else {
            buf_add(buf, text + i, run);
        }
        i += run;
    }
    buf_add_char(buf, '"');
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static unsigned hex4(const char *at)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++)
        value = value << 4 | (unsigned)hex_value(at[i]);
    return value;
}

/* Writes a code point as UTF-8; returns how many bytes. */
static size_t put_utf8(char *to, unsigned point)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (char)(0xc0 | point >> 6);
        to[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (char)(0xe0 | point >> 12);
        to[1] = (char)(0x80 | (point >> 6 & 0x3f));
        to[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | point >> 18);
    to[1] = (char)(0x80 | (point >> 12 & 0x3f));
    to[2] = (char)(0x80 | (point >> 6 & 0x3f));
    to[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

/* The code point of the \u escape(s) at `at`; `used` gets 6 or, for a pair, 12. */
static unsigned unicode_escape(const char *at, const char *end, size_t *used)
{
    unsigned point = hex4(at + 2);

    *used = 6;
    if (point >= 0xd800 && point < 0xdc00 && end - at >= 12 && at[6] == '\\' && at[7] == 'u') {
        unsigned low = hex4(at + 8);

        if (low >= 0xdc00 && low < 0xe000) {
            *used = 12;
            return 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return point >= 0xd800 && point < 0xe000 ? 0xfffd : point;
}

char *json_string_decode(struct span literal)
{
    static const char plain[256] = {['b'] = '\b', ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r',
                                    ['t'] = '\t', ['"'] = '"',  ['\\'] = '\\', ['/'] = '/'};
    AUTO_FREE char *text = NULL;
    const char *at, *end;
    size_t length = 0;

    if (literal.length < 2 || literal.at[0] != '"')
        return NULL;
    text = mem_alloc(literal.length);
    end = literal.at + literal.length - 1;
    for (at = literal.at + 1; at < end;) {
        size_t used = 1;

        if (*at != '\\') {
            text[length++] = *at;
        } else if (at[1] == 'u') {
            unsigned point = unicode_escape(at, end, &used);

            if (!point)
                return NULL;
            length += put_utf8(text + length, point);
        } else {
            text[length++] = plain[(unsigned char)at[1]];
            used = 2;
        }
        at += used;
    }
    text[length] = '\0';
    return mem_steal(&text);
}
