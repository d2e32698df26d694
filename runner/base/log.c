/* The runner's log; see log.h for what goes where. */
#include "runner/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runner/base/buf.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

static enum log_level lowest = LOG_LEVEL_INFO;
static bool only_stderr;

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

void log_write(enum log_level level, const char *format, ...)
{
    AUTO_BUF struct buf line = {0};
    AUTO_FREE char *text = NULL;
    int fd = level >= LOG_LEVEL_WARN || only_stderr ? STDERR_FILENO : STDOUT_FILENO;
    va_list arguments;

    if (!log_wants(level))
        return;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    if (!text)
        return;
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
