/*
 * The runner's log: one line an event. Debug and info go to standard output, warnings and errors to
 * standard error (n8n's launcher shows only that at its default level). On a terminal a line has
 * the time, its level and, unless NO_COLOR is set, colour; elsewhere the text alone, because who
 * collects it adds those. Control characters are shown as \xNN: one event is one line, always.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR,
};

/* Lines below `level` are dropped, before their text is formatted. */
void log_set_level(enum log_level level);
/* Send debug and info to standard error too (for commands whose standard output is data). */
void log_use_stderr(void);
bool log_wants(enum log_level level);

/*
 * Gather bursts of warnings and errors from now on; see log_burst.h. When something has been
 * gathered, `due` is called with the time (clock_us()) to call log_flush() at.
 */
void log_gather(void (*due)(void *owner, int64_t at_us), void *owner);
/* Writes what was gathered and is due, or all. The time to call again; -1: nothing is gathered. */
int64_t log_flush(bool all);
/* Writes all, and gathers no more. */
void log_gather_end(void);

/* LOG_LEVEL_INFO for "info", and so on; -1 for an unknown name. */
int log_level_from_name(const char *name);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...)                                                                             \
    (log_wants(LOG_LEVEL_DEBUG) ? log_write(LOG_LEVEL_DEBUG, __VA_ARGS__) : (void)0)
#define log_info(...) (log_wants(LOG_LEVEL_INFO) ? log_write(LOG_LEVEL_INFO, __VA_ARGS__) : (void)0)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
