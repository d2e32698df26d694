/* Owns the format of an event's line. Only the loop's thread writes, so lines never mix. */
#include "tests/broker/event.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/base/clock.h"
#include "runner/base/io.h"
#include "runner/base/json_string.h"
#include "runner/base/mem.h"
#include "tests/broker/broker.h"

static void add_key(struct buf *line, const char *key)
{
    buf_add_text(line, ",\"");
    buf_add_text(line, key);
    buf_add_text(line, "\":");
}

void event_begin(struct buf *line, const struct broker *broker, const char *name)
{
    buf_add_format(line, "{\"event\":\"%s\",\"ms\":%.3f", name,
                   (double)(clock_us() - broker->started_us) / 1000);
}

void event_text(struct buf *line, const char *key, const char *text)
{
    add_key(line, key);
    if (text)
        json_string_add(line, text, strlen(text));
    else
        buf_add_text(line, "null");
}

void event_bytes(struct buf *line, const char *key, struct span bytes)
{
    add_key(line, key);
    json_string_add(line, bytes.at, bytes.length);
}

void event_integer(struct buf *line, const char *key, long long number)
{
    add_key(line, key);
    buf_add_format(line, "%lld", number);
}

void event_decimal(struct buf *line, const char *key, double number)
{
    add_key(line, key);
    buf_add_format(line, "%.3f", number);
}

void event_json(struct buf *line, const char *key, struct span json)
{
    size_t start;

    add_key(line, key);
    if (!json.at) {
        buf_add_text(line, "null");
        return;
    }
    start = line->length;
    buf_add(line, json.at, json.length);
    if (buf_failed(line))
        return;
    /* Checked JSON has line breaks only between tokens, where they mean nothing. */
    for (char *at = line->data + start, *end = line->data + line->length;
         (at = memchr(at, '\n', (size_t)(end - at))); at++)
        *at = ' ';
}

void event_end(struct buf *line)
{
    static const char no_memory[] = "{\"event\":\"problem\",\"message\":\"out of memory\"}\n";

    buf_add_text(line, "}\n");
    /* A reader that is gone shows itself at stdin's end; there is nobody to tell here. */
    if (buf_failed(line))
        (void)io_write_all(STDOUT_FILENO, no_memory, sizeof(no_memory) - 1);
    else
        (void)io_write_all(STDOUT_FILENO, line->data, line->length);
    line->length = 0;
}

void event_problem(const struct broker *broker, const char *format, ...)
{
    AUTO_BUF struct buf line = {0};
    AUTO_FREE char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0)
        message = NULL;
    va_end(arguments);
    event_begin(&line, broker, "problem");
    event_text(&line, "message", message);
    event_end(&line);
}
