/* The runner's log; see log.h for what goes where. */
#include "runner/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/io.h"
#include "runner/base/log_burst.h"
#include "runner/base/mem.h"

static enum log_level lowest = LOG_LEVEL_INFO;
static bool only_stderr;

/* NULL: nothing is gathered. */
static struct log_burst *burst;
static void (*burst_due)(void *owner, int64_t at_us);
static void *burst_owner;

static const struct {
    const char *name;
    const char *colour;
} levels[] = {
    [LOG_LEVEL_DEBUG] = {"debug", "\x1b[2m"},
    [LOG_LEVEL_INFO] = {"info", "\x1b[34m"},
    [LOG_LEVEL_WARN] = {"warn", "\x1b[33m"},
    [LOG_LEVEL_ERROR] = {"error", "\x1b[31m"},
};

void log_set_level(enum log_level level)
{
    lowest = level;
}

void log_use_stderr(void)
{
    only_stderr = true;
}

bool log_wants(enum log_level level)
{
    return level >= lowest;
}

int log_level_from_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(levels); i++)
        if (strcmp(name, levels[i].name) == 0)
            return (int)i;
    return -1;
}

static void add_terminal_prefix(struct buf *line, enum log_level level)
{
    bool colour = !getenv("NO_COLOR");
    struct timespec now;
    struct tm local;
    char stamp[32] = "";

    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &local))
        strftime(stamp, sizeof(stamp), "%H:%M:%S", &local);
    buf_add_format(line, "%s.%03ld %s%-5s%s ", stamp, now.tv_nsec / 1000000,
                   colour ? levels[level].colour : "", levels[level].name, colour ? "\x1b[0m" : "");
}

/* One line, whatever the text has in it. */
static void write_line(enum log_level level, const char *text)
{
    AUTO_BUF struct buf line = {0};
    int fd = level >= LOG_LEVEL_WARN || only_stderr ? STDERR_FILENO : STDOUT_FILENO;

    if (isatty(fd))
        add_terminal_prefix(&line, level);
    for (const char *c = text; *c; c++) {
        unsigned char byte = (unsigned char)*c;

        if (byte < 0x20 || byte == 0x7f)
            buf_add_format(&line, "\\x%02x", byte);
        else
            buf_add_char(&line, *c);
    }
    buf_add_char(&line, '\n');
    if (!buf_failed(&line))
        (void)!io_write(fd, line.data, line.length);
}

/* ---- bursts ---- */

static void flush(bool all, int64_t now)
{
    enum log_level level;
    char *line;

    while (burst && (line = log_burst_take(burst, all, now, &level))) {
        write_line(level, line);
        free(line);
    }
}

/* Is the line counted, and not written? */
static bool is_gathered(enum log_level level, const char *format, const char *text)
{
    int64_t now = clock_us(), due;

    if (!burst || level < LOG_LEVEL_WARN)
        return false;
    flush(false, now);
    due = log_burst_due(burst);
    if (log_burst_passes(burst, level, format, text, now))
        return false;
    if (log_burst_due(burst) != due)
        burst_due(burst_owner, log_burst_due(burst));
    return true;
}

void log_gather(void (*due)(void *owner, int64_t at_us), void *owner)
{
    log_gather_end();
    burst = log_burst_new();
    burst_due = due;
    burst_owner = owner;
}

int64_t log_flush(bool all)
{
    flush(all, clock_us());
    return burst ? log_burst_due(burst) : -1;
}

void log_gather_end(void)
{
    flush(true, clock_us());
    log_burst_free(&burst);
}

void log_write(enum log_level level, const char *format, ...)
{
    AUTO_FREE char *text = NULL;
    va_list arguments;

    if (!log_wants(level))
        return;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    if (text && !is_gathered(level, format, text))
        write_line(level, text);
}
