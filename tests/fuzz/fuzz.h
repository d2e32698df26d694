/*
 * What every fuzz target includes. A target is one C file whose LLVMFuzzerTestOneInput() gives the
 * bytes to a part of the runner and says with MUST() what holds whatever they are.
 *
 * Linked with libFuzzer it makes up inputs (`make fuzz`), with replay.c it runs those that are kept
 * in corpus/ (`make test`).
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/base/buf.h"
#include "runner/base/json_span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Prints the sentence and aborts: libFuzzer then keeps the input. */
_Noreturn void fuzz_broken(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define MUST(holds, ...) ((holds) ? (void)0 : fuzz_broken(__FILE__, __LINE__, __VA_ARGS__))

/* What stands before the next `separator` in *rest, which moves past it. */
struct span fuzz_cut(struct span *rest, char separator);

/* Without white space around it, C's. */
struct span fuzz_trimmed(struct span part);

bool fuzz_same(struct span a, struct span b);
bool fuzz_is_text(struct span a, const char *text);
/* Is `text` somewhere in it? */
bool fuzz_has(struct span a, const char *text);
/* Do all bytes of `part` lie inside `whole`? */
bool fuzz_inside(struct span part, struct span whole);

static inline struct span span_of_buf(const struct buf *buf)
{
    return (struct span){buf->data, buf->length};
}

#endif
