/* See arenas.h. */
#include <Python.h>

#include "runner/zygote/arenas.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

enum {
    HUGE_PAGE = 2 << 20,     /* bytes of a huge page, on every machine with pages of 4 KiB */
    CHUNK = 8 * HUGE_PAGE,   /* taken at a time: an arena has half a huge page, or less */
    WORTH_IT_FROM = 1 << 19, /* bytes of a request; its objects fill some huge pages */
};

static bool large;
static char *reserve; /* the rest of the last chunk */
static size_t reserved;

static void *map(size_t size)
{
    void *got = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return got == MAP_FAILED ? NULL : got;
}

/* A chunk that begins where a huge page does. false when there is no memory for it. */
static bool take_chunk(void)
{
    char *got = map(CHUNK + HUGE_PAGE);
    size_t before;

    if (!got)
        return false;
    before = (HUGE_PAGE - (uintptr_t)got % HUGE_PAGE) % HUGE_PAGE;
    if (before)
        munmap(got, before);
    if (before < HUGE_PAGE)
        munmap(got + before + CHUNK, HUGE_PAGE - before);
    if (reserved)
        munmap(reserve, reserved);
    reserve = got + before;
    reserved = CHUNK;
    madvise(reserve, reserved, MADV_HUGEPAGE); /* a wish */
    return true;
}

static void *arena_new(void *unused, size_t size)
{
    char *arena;

    (void)unused;
    if (!large || size > HUGE_PAGE || (reserved < size && !take_chunk()))
        return map(size);
    arena = reserve;
    reserve += size;
    reserved -= size;
    return arena;
}

static void arena_free(void *unused, void *arena, size_t size)
{
    (void)unused;
    munmap(arena, size);
}

void arenas_install(void)
{
    PyObjectArenaAllocator ours = {NULL, arena_new, arena_free};

    PyObject_SetArenaAllocator(&ours);
}

void arenas_expect(size_t bytes)
{
    large = bytes >= WORTH_IT_FROM;
}
