/*
 * A strict JSON scanner over bytes; see json_span.h.
 *
 * Iterative: nesting costs one bit a level, so no document can exhaust the stack. Strings are the
 * bulk of every payload; their plain ASCII is skipped eight bytes at a time.
 */
#include "runner/base/json_span.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "runner/base/json_string.h"

struct scan {
    const char *start, *at, *end;
    const char *fault; /* static sentence; NULL while all is well */
};

static bool fail(struct scan *s, const char *what)
{
    s->fault = what;
    return false;
}

static void skip_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

static bool scan_escape(struct scan *s)
{
    if (s->end - s->at < 2)
        return fail(s, "unterminated string");
    switch (s->at[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        s->at += 2;
        return true;
    case 'u':
        if (s->end - s->at < 6)
            return fail(s, "unterminated string");
        for (int i = 2; i < 6; i++)
            if (!isxdigit((unsigned char)s->at[i]))
                return fail(s, "bad \\u escape in a string");
        s->at += 6;
        return true;
    default:
        return fail(s, "bad escape in a string");
    }
}

static bool scan_string(struct scan *s)
{
    s->at++;
    for (;;) {
        size_t length;

        s->at += json_plain_run(s->at, (size_t)(s->end - s->at));
        if (s->at == s->end)
            return fail(s, "unterminated string");
        if (*s->at == '"') {
            s->at++;
            return true;
        }
        if (*s->at == '\\') {
            if (!scan_escape(s))
                return false;
            continue;
        }
        if ((unsigned char)*s->at < 0x20)
            return fail(s, "control character in a string");
        length = json_utf8_length(s->at, (size_t)(s->end - s->at));
        if (!length)
            return fail(s, "text that is not UTF-8");
        s->at += length;
    }
}

static bool scan_digits(struct scan *s)
{
    const char *first = s->at;

    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > first || fail(s, "bad number");
}

static bool scan_number(struct scan *s)
{
    if (*s->at == '-')
        s->at++;
    if (s->at < s->end && *s->at == '0')
        s->at++;
    else if (!scan_digits(s))
        return false;
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        if (!scan_digits(s))
            return false;
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        return scan_digits(s);
    }
    return true;
}

static bool scan_word(struct scan *s, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
        return fail(s, "unknown word");
    s->at += length;
    return true;
}

/* A value that holds no other; JSON_NONE on a fault. */
static enum json_type scan_scalar(struct scan *s)
{
    switch (*s->at) {
    case '"':
        return scan_string(s) ? JSON_STRING : JSON_NONE;
    case 't':
        return scan_word(s, "true") ? JSON_TRUE : JSON_NONE;
    case 'f':
        return scan_word(s, "false") ? JSON_FALSE : JSON_NONE;
    case 'n':
        return scan_word(s, "null") ? JSON_NULL : JSON_NONE;
    default:
        if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9'))
            return scan_number(s) ? JSON_NUMBER : JSON_NONE;
        fail(s, "a value was expected");
        return JSON_NONE;
    }
}

/* The walk's place in the document: which levels are objects, and the two keys a path can name. */
struct walk {
    struct scan scan;
    struct json_want *wants;
    size_t wants_count;
    struct span keys[2];
    size_t depth;
    struct json_want *open_want[2]; /* a wanted container that is still open, by its depth - 1 */
    unsigned char is_object[JSON_DEPTH_MAX / 8 + 1];
};

static bool in_object(const struct walk *w)
{
    return w->is_object[w->depth / 8] >> (w->depth % 8) & 1;
}

static bool span_is(struct span span, const char *text, size_t length)
{
    return span.length == length && memcmp(span.at, text, length) == 0;
}

/* The want that the member just reached satisfies, or NULL. `depth` is how many objects are open.
 */
static struct json_want *find_want(const struct walk *w)
{
    if (w->depth < 1 || w->depth > 2 || !in_object(w))
        return NULL;
    for (size_t i = 0; i < w->wants_count; i++) {
        const char *path = w->wants[i].path;
        const char *dot = strchr(path, '.');

        if (w->depth == 1 && !dot && span_is(w->keys[0], path, strlen(path)))
            return &w->wants[i];
        if (w->depth == 2 && dot && span_is(w->keys[0], path, (size_t)(dot - path)) &&
            span_is(w->keys[1], dot + 1, strlen(dot + 1)))
            return &w->wants[i];
    }
    return NULL;
}

static bool scan_key(struct walk *w)
{
    struct scan *s = &w->scan;
    const char *quote = s->at;

    if (s->at == s->end || *s->at != '"')
        return fail(s, "a key was expected");
    if (!scan_string(s))
        return false;
    if (w->depth <= 2)
        w->keys[w->depth - 1] = (struct span){quote + 1, (size_t)(s->at - quote) - 2};
    skip_space(s);
    if (s->at == s->end || *s->at != ':')
        return fail(s, "a colon was expected");
    s->at++;
    skip_space(s);
    return true;
}

/* A new value of `settings` makes what an earlier one held void. */
static void forget_below(struct walk *w)
{
    for (size_t i = 0; w->depth == 1 && i < w->wants_count; i++) {
        const char *dot = strchr(w->wants[i].path, '.');

        if (dot && span_is(w->keys[0], w->wants[i].path, (size_t)(dot - w->wants[i].path)))
            w->wants[i].type = JSON_NONE;
    }
}

/* Opens an object or array; `want` gets its span when it closes. */
static bool open_container(struct walk *w, struct json_want *want)
{
    bool object = *w->scan.at == '{';
    unsigned char bit;

    if (w->depth + 1 > JSON_DEPTH_MAX)
        return fail(&w->scan, "nested too deeply");
    if (want) {
        want->type = object ? JSON_OBJECT : JSON_ARRAY;
        want->value.at = w->scan.at;
        w->open_want[w->depth - 1] = want;
    }
    w->depth++;
    bit = (unsigned char)(1u << (w->depth % 8));
    if (object)
        w->is_object[w->depth / 8] |= bit;
    else
        w->is_object[w->depth / 8] &= (unsigned char)~bit;
    w->scan.at++;
    return true;
}

static void close_container(struct walk *w)
{
    w->scan.at++;
    w->depth--;
    if (w->depth >= 1 && w->depth <= 2 && w->open_want[w->depth - 1]) {
        struct json_want *want = w->open_want[w->depth - 1];

        want->value.length = (size_t)(w->scan.at - want->value.at);
        w->open_want[w->depth - 1] = NULL;
    }
}

/* After a value: closes what ends here and stops at the next value's first byte. False at the end
 * of the document and on a fault. */
static bool next_value(struct walk *w)
{
    struct scan *s = &w->scan;

    for (;;) {
        skip_space(s);
        if (w->depth == 0)
            return s->at == s->end ? false : fail(s, "more after the value");
        if (s->at == s->end)
            return fail(s, "it ends too early");
        if (*s->at == (in_object(w) ? '}' : ']')) {
            close_container(w);
            continue;
        }
        if (*s->at != ',')
            return fail(s, "a comma or a closing bracket was expected");
        s->at++;
        skip_space(s);
        return !in_object(w) || scan_key(w);
    }
}

/* One value. A container is only opened, down to the first value in it; next_value() closes it. */
static bool scan_value(struct walk *w)
{
    struct scan *s = &w->scan;

    for (;;) {
        struct json_want *want = find_want(w);
        const char *first = s->at;
        enum json_type type;

        if (s->at == s->end)
            return fail(s, "it ends too early");
        if (w->depth == 1 && in_object(w))
            forget_below(w);
        if (*first != '{' && *first != '[') {
            type = scan_scalar(s);
            if (type != JSON_NONE && want) {
                want->type = type;
                want->value = (struct span){first, (size_t)(s->at - first)};
            }
            return type != JSON_NONE;
        }
        if (!open_container(w, want))
            return false;
        skip_space(s);
        if (s->at < s->end && *s->at == (*first == '{' ? '}' : ']'))
            return true;
        if (*first == '{' && !scan_key(w))
            return false;
    }
}

static enum json_type first_type(const char *at, const char *end)
{
    static const enum json_type types[256] = {
        ['{'] = JSON_OBJECT, ['['] = JSON_ARRAY,  ['"'] = JSON_STRING, ['t'] = JSON_TRUE,
        ['f'] = JSON_FALSE,  ['n'] = JSON_NULL,   ['-'] = JSON_NUMBER, ['0'] = JSON_NUMBER,
        ['1'] = JSON_NUMBER, ['2'] = JSON_NUMBER, ['3'] = JSON_NUMBER, ['4'] = JSON_NUMBER,
        ['5'] = JSON_NUMBER, ['6'] = JSON_NUMBER, ['7'] = JSON_NUMBER, ['8'] = JSON_NUMBER,
        ['9'] = JSON_NUMBER,
    };

    return at < end ? types[(unsigned char)*at] : JSON_NONE;
}

enum json_type json_span_read(struct span text, struct json_want *wants, size_t count,
                              struct json_fault *fault)
{
    struct walk w = {.wants = wants, .wants_count = count};
    enum json_type type;

    if (!text.length)
        text.at = ""; /* an empty buf has no bytes to point at */
    w.scan = (struct scan){text.at, text.at, text.at + text.length, NULL};
    for (size_t i = 0; i < count; i++)
        wants[i].type = JSON_NONE;
    skip_space(&w.scan);
    type = first_type(w.scan.at, w.scan.end);
    do {
        if (!scan_value(&w))
            break;
    } while (next_value(&w));
    if (!w.scan.fault)
        return type;
    if (fault)
        *fault = (struct json_fault){w.scan.fault, (size_t)(w.scan.at - w.scan.start)};
    return JSON_NONE;
}

bool json_span_check(struct span text)
{
    return json_span_read(text, NULL, 0, NULL) != JSON_NONE;
}

size_t json_span_each(struct span array, bool (*visit)(void *owner, struct span element),
                      void *owner)
{
    struct scan s = {array.at, array.at, array.at + array.length, NULL};
    size_t visited = 0, depth = 0;
    const char *first = NULL;

    skip_space(&s);
    for (s.at++; s.at < s.end; s.at++) {
        char c = *s.at;

        if (depth == 0 && (c == ',' || c == ']')) {
            if (first) {
                const char *last = s.at;

                while (last > first && strchr(" \t\r\n", last[-1]))
                    last--;
                visited++;
                if (!visit(owner, (struct span){first, (size_t)(last - first)}))
                    return visited;
            }
            first = NULL;
            if (c == ']')
                break;
            continue;
        }
        if (!first && !strchr(" \t\r\n", c))
            first = s.at;
        if (c == '"') {
            if (!scan_string(&s))
                break;
            s.at--;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return visited;
}
