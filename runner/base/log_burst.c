/* A burst of the same line, gathered; see log_burst.h. */
#include "runner/base/log_burst.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/mem.h"

/* More kinds at once than this are written without counting. */
enum { KINDS = 32, SECOND_US = 1000 * 1000 };

struct kind {
    char *key; /* NULL: the place is free */
    enum log_level level;
    int64_t began_us;
    unsigned long long lines;
    char *last; /* of those that were gathered; NULL: none was */
};

struct log_burst {
    struct kind kinds[KINDS];
};

struct log_burst *log_burst_new(void)
{
    return mem_alloc(sizeof(struct log_burst));
}

static void forget(struct kind *kind)
{
    free(kind->key);
    free(kind->last);
    *kind = (struct kind){0};
}

void log_burst_free(struct log_burst **burst)
{
    struct log_burst *freed = mem_steal(burst);

    for (size_t i = 0; freed && i < KINDS; i++)
        forget(&freed->kinds[i]);
    free(freed);
}

/* Does the format say anything itself, between its conversions? */
static bool has_words(const char *format)
{
    for (; *format; format++) {
        if (*format == '%')
            format += 1 + strspn(format + 1, "-+ #0123456789.*hlzjt");
        else if (isalpha((unsigned char)*format))
            return true;
        if (!*format)
            break;
    }
    return false;
}

/* The line's kind, or a place for it; NULL: there is none. */
static struct kind *find(struct log_burst *burst, enum log_level level, const char *key,
                         int64_t now_us)
{
    struct kind *place = NULL;

    for (size_t i = 0; i < KINDS; i++) {
        struct kind *kind = &burst->kinds[i];

        if (kind->key && kind->level == level && strcmp(kind->key, key) == 0)
            return kind;
        if (!kind->key || (!kind->last && now_us - kind->began_us >= LOG_BURST_US))
            place = kind;
    }
    return place;
}

bool log_burst_passes(struct log_burst *burst, enum log_level level, const char *format,
                      const char *text, int64_t now_us)
{
    const char *key = has_words(format) ? format : text;
    struct kind *kind = find(burst, level, key, now_us);

    if (!kind)
        return true;
    if (!kind->key || (!kind->last && now_us - kind->began_us >= LOG_BURST_US)) {
        forget(kind);
        *kind = (struct kind){.key = mem_dup(key), .level = level, .began_us = now_us};
    }
    if (kind->lines++ < LOG_BURST_LINES)
        return true;
    free(kind->last);
    kind->last = mem_dup(text);
    return false;
}

int64_t log_burst_due(const struct log_burst *burst)
{
    int64_t due = -1;

    for (size_t i = 0; i < KINDS; i++) {
        const struct kind *kind = &burst->kinds[i];

        if (kind->last && (due < 0 || kind->began_us + LOG_BURST_US < due))
            due = kind->began_us + LOG_BURST_US;
    }
    return due;
}

/* "1,234,567" */
static char *count_text(unsigned long long count)
{
    char *text = mem_format("%llu", count), *grown;

    for (size_t at = strlen(text); at > 3; at -= 3) {
        grown = mem_format("%.*s,%s", (int)at - 3, text, text + at - 3);
        free(text);
        text = grown;
    }
    return text;
}

char *log_burst_take(struct log_burst *burst, bool all, int64_t now_us, enum log_level *level)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct kind *kind = &burst->kinds[i];
        int64_t lasted = now_us - kind->began_us;
        AUTO_FREE char *count = NULL;
        char *line;

        if (!kind->last || (!all && lasted < LOG_BURST_US))
            continue;
        count = count_text(kind->lines - LOG_BURST_LINES);
        if (lasted > LOG_BURST_US) /* what came later would be of the next burst */
            lasted = LOG_BURST_US;
        line = mem_format("... and %s more like it in %d s, the last: %s", count,
                          (int)((lasted + SECOND_US - 1) / SECOND_US), kind->last);
        *level = kind->level;
        forget(kind);
        return line;
    }
    return NULL;
}
