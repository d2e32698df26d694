/*
 * Compiled code of the nodes that ran lately, so that the next task with the same code need not
 * have it checked and compiled again. Pure.
 *
 * A code is known by its whole text and its mode: two are the same only when every byte is. What
 * is kept comes from children that had been given the code and nothing else, and nothing but the
 * settings that this process started with decides how code is checked.
 */
#ifndef HOST_CODE_CACHE_H
#define HOST_CODE_CACHE_H

#include <stdbool.h>

#include "runner/base/json_span.h"

struct code_cache;

/* Empty. code_cache_drop(). */
struct code_cache *code_cache_new(void);
void code_cache_drop(struct code_cache **cache);

/* The compiled form of `source`, a node's code as it stands in its settings, for a run once for
 * `each` item or for all; of length 0 when it is not known. Good until the next call. */
struct span code_cache_find(struct code_cache *cache, struct span source, bool each);

/* Keeps the compiled form, copied, in the place of that which has been longest out of use when
 * there are too many, or too much of them. */
void code_cache_keep(struct code_cache *cache, struct span source, bool each, struct span code);

/* Forgets all. */
void code_cache_clear(struct code_cache *cache);

#endif
