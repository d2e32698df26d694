/* Errors as values: a text that grows a prefix on its way up. */
#include "runner/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runner/base/mem.h"

struct error {
    char *text;
};

static void store(struct error **err, char *text)
{
    if (!err) {
        free(text);
        return;
    }
    if (!*err)
        *err = mem_alloc(sizeof(**err));
    free((*err)->text);
    (*err)->text = text;
}

static char *format_text(const char *format, va_list arguments)
{
    char *text = NULL;

    return vasprintf(&text, format, arguments) < 0 ? mem_dup(format) : text;
}

int error_set(struct error **err, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    store(err, format_text(format, arguments));
    va_end(arguments);
    return -1;
}

int error_set_errno(struct error **err, int number, const char *format, ...)
{
    AUTO_FREE char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = format_text(format, arguments);
    va_end(arguments);
    store(err, mem_format("%s: %s", text, strerror(number)));
    return -1;
}

int error_wrap(struct error **err, const char *format, ...)
{
    AUTO_FREE char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = format_text(format, arguments);
    va_end(arguments);
    if (err)
        store(err, mem_format("%s: %s", text, error_text(*err)));
    return -1;
}

const char *error_text(const struct error *error)
{
    return error && error->text ? error->text : "unknown error";
}

void error_free(struct error **err)
{
    if (err && *err) {
        free((*err)->text);
        free(*err);
        *err = NULL;
    }
}
