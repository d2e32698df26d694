/* What the fuzz targets share; see fuzz.h. */
#include "tests/fuzz/fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_broken(const char *file, int line, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%d: does not hold: ", file, line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

struct span fuzz_cut(struct span *rest, char separator)
{
    const char *end = rest->length ? memchr(rest->at, separator, rest->length) : NULL;
    struct span part = {rest->at, end ? (size_t)(end - rest->at) : rest->length};
    size_t used = part.length + (end != NULL);

    if (used)
        *rest = (struct span){rest->at + used, rest->length - used};
    return part;
}

struct span fuzz_trimmed(struct span part)
{
    static const char space[] = " \t\r\n\f\v";

    while (part.length && memchr(space, part.at[part.length - 1], sizeof(space) - 1))
        part.length--;
    while (part.length && memchr(space, part.at[0], sizeof(space) - 1))
        part.at++, part.length--;
    return part;
}

bool fuzz_same(struct span a, struct span b)
{
    return a.length == b.length && (!a.length || memcmp(a.at, b.at, a.length) == 0);
}

bool fuzz_is_text(struct span a, const char *text)
{
    return fuzz_same(a, (struct span){text, strlen(text)});
}

bool fuzz_has(struct span a, const char *text)
{
    return a.length && memmem(a.at, a.length, text, strlen(text)) != NULL;
}

bool fuzz_inside(struct span part, struct span whole)
{
    return part.at >= whole.at && part.length <= whole.length &&
           (size_t)(part.at - whole.at) <= whole.length - part.length;
}
