/*
 * Small allocations, and owners that clean up after themselves.
 *
 * These allocators never return NULL: a process that can't get a few hundred bytes can't report it
 * either, so they print one line and abort. Payload-sized memory is `struct buf`'s, which reports.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

void *mem_alloc(size_t size);                           /* zeroed; free() */
void *mem_resize(void *old, size_t count, size_t size); /* like reallocarray */
char *mem_dup(const char *text);                        /* a copy; NULL for NULL */
char *mem_dup_n(const char *text, size_t length);       /* NUL-terminated copy of `length` bytes */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* There is none: prints the line and aborts. */
_Noreturn void mem_exhausted(void);

/* Moves a pointer out of its owner, which is left NULL and so frees nothing. */
#define mem_steal(owner)                                                                           \
    (__extension__({                                                                               \
        __typeof__(*(owner)) stolen_ = *(owner);                                                   \
        *(owner) = NULL;                                                                           \
        stolen_;                                                                                   \
    }))

static inline void mem_autofree(void *owner)
{
    free(*(void **)owner);
}
#define AUTO_FREE __attribute__((cleanup(mem_autofree)))

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
