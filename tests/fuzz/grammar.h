/*
 * A second opinion on JSON: RFC 8259's grammar, rule by rule and byte by byte, sharing nothing with
 * the runner's own scanner but the names of the types. The fuzz targets judge by it.
 */
#ifndef TESTS_FUZZ_GRAMMAR_H
#define TESTS_FUZZ_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

#include "runner/base/json_span.h"

/* The type of the one value that `text` is; JSON_NONE: it is none, or deeper than JSON_DEPTH_MAX.
 */
enum json_type grammar_type(struct span text);

/* `key` has its quotes, and is empty in an array. */
typedef void grammar_visit(void *owner, struct span key, struct span value);

/* Visits what stands in a valid object or array, in order. */
void grammar_each(struct span container, grammar_visit *visit, void *owner);

/* The last value of the key as it is written; empty when it is not there, or `object` is none. */
struct span grammar_find(struct span object, const char *key);

/* Nothing but UTF-8? */
bool grammar_is_utf8(struct span text);

#endif
