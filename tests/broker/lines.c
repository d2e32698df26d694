/* Owns the thread that reads standard input, and the queue between it and the loop. */
#include "tests/broker/lines.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/error.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

enum { READ_SIZE = 1 << 20 };

struct line {
    struct line *next;
    struct buf text;
};

struct lines {
    pthread_mutex_t lock; /* guards first, last, ended, arrived */
    struct line *first;
    struct line **last;
    bool ended;
    void (*arrived)(void *owner);
    void *owner;
};

/* With the lock held: whoever is woken must still be there. */
static void wake(struct lines *lines)
{
    if (lines->arrived)
        lines->arrived(lines->owner);
}

static void push(struct lines *lines, struct buf *text)
{
    struct line *line = mem_alloc(sizeof(*line));

    line->text = buf_steal(text);
    pthread_mutex_lock(&lines->lock);
    *lines->last = line;
    lines->last = &line->next;
    wake(lines);
    pthread_mutex_unlock(&lines->lock);
}

/* Pushes the complete lines in `text`, whose bytes before `searched` have no line break. */
static void split(struct lines *lines, struct buf *text, size_t searched)
{
    size_t start = 0;
    char *end;

    while (text->length > searched &&
           (end = memchr(text->data + searched, '\n', text->length - searched))) {
        size_t after = (size_t)(end - text->data) + 1;
        AUTO_BUF struct buf line = {0};

        if (start == 0 && after == text->length && after > READ_SIZE / 4) {
            line = buf_steal(text); /* a big line all by itself is not copied */
            line.length--;
            push(lines, &line);
            return;
        }
        buf_add(&line, text->data + start, after - 1 - start);
        push(lines, &line);
        start = searched = after;
    }
    if (start) {
        memmove(text->data, text->data + start, text->length - start);
        text->length -= start;
    }
}

static void *read_lines(void *owner)
{
    struct lines *lines = owner;
    AUTO_BUF struct buf text = {0};

    for (;;) {
        char *into = buf_reserve(&text, READ_SIZE);
        ssize_t count = into ? io_read(STDIN_FILENO, into, READ_SIZE) : -1;

        if (count <= 0)
            break;
        text.length += (size_t)count;
        split(lines, &text, text.length - (size_t)count);
    }
    if (text.length)
        push(lines, &text);
    pthread_mutex_lock(&lines->lock);
    lines->ended = true;
    wake(lines);
    pthread_mutex_unlock(&lines->lock);
    return NULL;
}

struct lines *lines_start(void (*arrived)(void *owner), void *owner, struct error **err)
{
    struct lines *lines = mem_alloc(sizeof(*lines));
    pthread_t thread;
    int failed;

    pthread_mutex_init(&lines->lock, NULL);
    lines->last = &lines->first;
    lines->arrived = arrived;
    lines->owner = owner;
    failed = pthread_create(&thread, NULL, read_lines, lines);
    if (failed) {
        free(lines);
        error_set_errno(err, failed, "start the thread that reads standard input");
        return NULL;
    }
    pthread_detach(thread);
    return lines;
}

enum lines_state lines_take(struct lines *lines, struct buf *text)
{
    enum lines_state state = LINES_NONE;
    struct line *line;

    pthread_mutex_lock(&lines->lock);
    line = lines->first;
    if (line) {
        lines->first = line->next;
        if (!lines->first)
            lines->last = &lines->first;
    } else if (lines->ended) {
        state = LINES_END;
    }
    pthread_mutex_unlock(&lines->lock);
    if (!line)
        return state;
    buf_free(text);
    *text = line->text;
    free(line);
    return LINES_TAKEN;
}

void lines_mute(struct lines *lines)
{
    if (!lines)
        return;
    pthread_mutex_lock(&lines->lock);
    lines->arrived = NULL;
    pthread_mutex_unlock(&lines->lock);
}
