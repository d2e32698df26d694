/*
 * A burst of the same line, gathered: of each kind of line the first few in 10 s are written, the
 * others counted, and one line says at the end how many there were and what the last one said.
 *
 * Lines are of one kind when they come from the same format, at the same level: what differs
 * between them is which task it was. A format without words of its own (`%s`) makes as many kinds
 * as texts. Pure; time is given, in microseconds.
 */
#ifndef BASE_LOG_BURST_H
#define BASE_LOG_BURST_H

#include <stdbool.h>
#include <stdint.h>

#include "runner/base/log.h"

enum { LOG_BURST_LINES = 5, LOG_BURST_US = 10 * 1000 * 1000 };

struct log_burst;

struct log_burst *log_burst_new(void);
/* Frees, with what is still gathered; sets to NULL; NULL is fine. */
void log_burst_free(struct log_burst **burst);

/* Is this line, `text`, made by `format`, to be written? Else it is gathered. */
bool log_burst_passes(struct log_burst *burst, enum log_level level, const char *format,
                      const char *text, int64_t now_us);
/* When log_burst_take() will first have a line; -1: nothing is gathered. */
int64_t log_burst_due(const struct log_burst *burst);
/* The line for something that was gathered, and its level; of all kinds, or of those whose 10 s are
 * over. NULL: there is no more. free(). */
char *log_burst_take(struct log_burst *burst, bool all, int64_t now_us, enum log_level *level);

#endif
