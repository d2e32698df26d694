/* Standard input, line by line, read by a thread of its own: however long the broker writes or
 * parses, whoever feeds it is never held up, so that two full pipes can't wait for each other. */
#ifndef BROKER_LINES_H
#define BROKER_LINES_H

#include <stdbool.h>

#include "runner/base/buf.h"

struct lines;
struct error;

/* `arrived` is called in the reading thread after each line and at the end. Never freed: the thread
 * may sit in read() until the process exits. */
struct lines *lines_start(void (*arrived)(void *owner), void *owner, struct error **err);

enum lines_state { LINES_NONE, LINES_TAKEN, LINES_END };

/* Takes the next line, without its line break. LINES_END once all have been taken. */
enum lines_state lines_take(struct lines *lines, struct buf *line);

/* `arrived` is not called any more: its owner is about to go. NULL is fine. */
void lines_mute(struct lines *lines);

#endif
