/* What to write in the lists of allowed modules instead of a name that can't mean anything there.
 */
#ifndef ZYGOTE_ADVICE_H
#define ZYGOTE_ADVICE_H

#include <stdbool.h>

struct buf;
struct packages;

/* Is `module` (judged by its top-level name) of the standard library? */
bool advice_is_stdlib(const char *module);

/* Appends a line of advice on a name that N8N_RUNNERS_STDLIB_ALLOW has and the library has not. */
void advice_on_stdlib(struct buf *warnings, const char *name);

/* The same for a name in N8N_RUNNERS_EXTERNAL_ALLOW: of the standard library, or no module at all.
 * `packages`: what is installed. */
void advice_on_external(struct buf *warnings, const char *name, const struct packages *packages);

#endif
