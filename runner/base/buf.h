/*
 * Growable bytes, up to payload size. Running out of memory is remembered, not fatal: the appends
 * after it do nothing, and who needs the content asks buf_failed() once, at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* not NUL-terminated; NULL while empty */
    size_t length;
    size_t capacity;
    bool failed;
};

void buf_free(struct buf *buf); /* frees and empties; fit for cleanup */
#define AUTO_BUF __attribute__((cleanup(buf_free)))

/* Makes room for `more` bytes beyond the length; returns where they go, or NULL when there is no
 * memory. */
char *buf_reserve(struct buf *buf, size_t more);

void buf_add(struct buf *buf, const void *bytes, size_t count);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts bytes in front of the content, which moves behind them. */
void buf_add_before(struct buf *buf, const void *bytes, size_t count);

static inline void buf_add_char(struct buf *buf, char byte)
{
    if (buf->length < buf->capacity && !buf->failed)
        buf->data[buf->length++] = byte;
    else
        buf_add(buf, &byte, 1);
}

static inline bool buf_failed(const struct buf *buf)
{
    return buf->failed;
}

/* Moves the content out of its owner, which is left empty. */
struct buf buf_steal(struct buf *owner);

#endif
