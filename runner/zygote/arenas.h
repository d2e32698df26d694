/*
 * Where CPython's small objects live. The items of a large task become some seven times their text;
 * taken from the system a page at a time, that memory costs more than what is done in it, so a
 * large task gets it in huge pages. Small tasks touch little, and keep the small ones.
 */
#ifndef ZYGOTE_ARENAS_H
#define ZYGOTE_ARENAS_H

#include <stddef.h>

/* Takes over from CPython's own source of arenas; at any time, it frees what that one has given. */
void arenas_install(void);

/* In a child: a request of so many bytes is about to become objects. */
void arenas_expect(size_t bytes);

#endif
