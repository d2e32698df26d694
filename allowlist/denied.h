/*
 * The names and attributes that user code may not touch, and the sentences that say so. Pure: no
 * Python here.
 */
#ifndef ALLOWLIST_DENIED_H
#define ALLOWLIST_DENIED_H

#include <stdbool.h>

enum { DENIED_LENGTH_MAX = 32 }; /* no denied name or attribute is longer */

bool denied_name(const char *name);
bool denied_attribute(const char *name);
/* `_ClassName__attr`, what `self.__attr` becomes in a class. */
bool denied_mangled(const char *name);

/* The ways to touch one; each has a sentence. */
enum denied_use {
    DENIED_NAME,
    DENIED_ATTRIBUTE,
    DENIED_STRING,
    DENIED_PATTERN,
    DENIED_GLOBAL,
    DENIED_FUNCTION,
    DENIED_CLASS,
    DENIED_PARAMETER,
};

/* The sentence, without `Line N: `. free(). */
char *denied_sentence(enum denied_use use, const char *name);

#endif
