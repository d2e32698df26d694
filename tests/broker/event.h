/*
 * What the demo broker reports: one JSON object per line on standard output, written at once.
 *
 *     AUTO_BUF struct buf line = {0};
 *     event_begin(&line, broker, "accepted");
 *     event_text(&line, "taskId", id);
 *     event_end(&line);
 */
#ifndef BROKER_EVENT_H
#define BROKER_EVENT_H

#include "runner/base/buf.h"
#include "runner/base/json_span.h"

struct broker;

void event_begin(struct buf *line, const struct broker *broker, const char *name);
void event_text(struct buf *line, const char *key, const char *text); /* NULL: null */
void event_bytes(struct buf *line, const char *key, struct span bytes);
void event_integer(struct buf *line, const char *key, long long number);
void event_decimal(struct buf *line, const char *key, double number); /* 3 places */
/* JSON, byte for byte, except that a line break between its tokens becomes a space. */
void event_json(struct buf *line, const char *key, struct span json);
void event_end(struct buf *line);

void event_problem(const struct broker *broker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
