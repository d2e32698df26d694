/* Growable bytes; see buf.h. */
#include "runner/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 256 };

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

char *buf_reserve(struct buf *buf, size_t more)
{
    size_t wanted, capacity;
    char *data;

    if (buf->failed || more > SIZE_MAX / 2 - buf->length) {
        buf->failed = true;
        return NULL;
    }
    wanted = buf->length + more;
    if (wanted <= buf->capacity && buf->data)
        return buf->data + buf->length;
    capacity = buf->capacity + buf->capacity / 2;
    if (capacity < wanted)
        capacity = wanted;
    if (capacity < SMALLEST)
        capacity = SMALLEST;
    data = realloc(buf->data, capacity);
    if (!data) {
        buf->failed = true;
        return NULL;
    }
    buf->data = data;
    buf->capacity = capacity;
    return data + buf->length;
}

void buf_add(struct buf *buf, const void *bytes, size_t count)
{
    char *room = buf_reserve(buf, count);

    if (!room || !count)
        return;
    memcpy(room, bytes, count);
    buf->length += count;
}

void buf_add_before(struct buf *buf, const void *bytes, size_t count)
{
    if (!buf_reserve(buf, count) || !count)
        return;
    memmove(buf->data + count, buf->data, buf->length);
    memcpy(buf->data, bytes, count);
    buf->length += count;
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_format(struct buf *buf, const char *format, ...)
{
    va_list arguments, again;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !buf_reserve(buf, (size_t)length + 1)) {
        buf->failed = true;
    } else {
        vsnprintf(buf->data + buf->length, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
}

struct buf buf_steal(struct buf *owner)
{
    struct buf moved = *owner;

    *owner = (struct buf){0};
    return moved;
}
