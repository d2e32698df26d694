/*
 * JSON as bytes: checks a text and finds values in it without building anything.
 *
 * The host reads messages of up to a gigabyte this way, and believes a child's result only after
 * json_span_check() has walked all of it. Strict RFC 8259: exactly one value, valid UTF-8, no
 * control characters in strings, nesting no deeper than JSON_DEPTH_MAX.
 */
#ifndef BASE_JSON_SPAN_H
#define BASE_JSON_SPAN_H

#include <stdbool.h>
#include <stddef.h>

/* Far beyond what n8n can write itself (V8 gives up at some thousand levels). */
enum { JSON_DEPTH_MAX = 10000 };

enum json_type {
    JSON_NONE, /* not there */
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

/* Bytes somewhere else; borrowed, not NUL-terminated. */
struct span {
    const char *at;
    size_t length;
};

/* A value looked for: `path` is one key, or two with a dot between ("settings.items"). A key that
 * stands twice gives its last value, as JSON.parse does. Keys written with escapes don't match. */
struct json_want {
    const char *path;
    enum json_type type; /* out; JSON_NONE when it is not there */
    struct span value;   /* out; without surrounding white space, strings with their quotes */
};

/* What json_span_read() found wrong, and at which byte. */
struct json_fault {
    const char *what; /* a static sentence */
    size_t at;
};

/*
 * Checks that `text` is exactly one JSON value and fills `wants` on the way, in one pass. Returns
 * the value's type, or JSON_NONE when the text is not valid; then `fault` (may be NULL) says why.
 */
enum json_type json_span_read(struct span text, struct json_want *wants, size_t count,
                              struct json_fault *fault);

/* True when `text` is exactly one JSON value. */
bool json_span_check(struct span text);

/* Calls `visit` for every element of a checked array, in order, until it returns false. Returns the
 * number of elements visited. */
size_t json_span_each(struct span array, bool (*visit)(void *owner, struct span element),
                      void *owner);

#endif
