/* Small allocations; see mem.h for why they abort. */
#include "runner/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void mem_exhausted(void)
{
    fputs("task-runner-python: out of memory\n", stderr);
    abort();
}

static void *checked(void *memory)
{
    if (!memory)
        mem_exhausted();
    return memory;
}

void *mem_alloc(size_t size)
{
    return checked(calloc(1, size ? size : 1));
}

void *mem_resize(void *old, size_t count, size_t size)
{
    if (size && count > (size_t)-1 / size)
        checked(NULL);
    return checked(realloc(old, count && size ? count * size : 1));
}

char *mem_dup(const char *text)
{
    return text ? mem_dup_n(text, strlen(text)) : NULL;
}

char *mem_dup_n(const char *text, size_t length)
{
    char *copy = mem_alloc(length + 1);

    if (length)
        memcpy(copy, text, length);
    return copy;
}

char *mem_format(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    int length;

    va_start(arguments, format);
    length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return checked(length < 0 ? NULL : text);
}
