/* See code_cache.h. A few hundred entries: looking at each one's hash is quicker than a tree. */
#include "runner/host/code_cache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/mem.h"

/* A node's code is mostly below 4 KB, and compiled not much longer. */
enum { ENTRIES_MAX = 500, BYTES_MAX = 4 << 20 };

struct entry {
    uint64_t hash, used;
    bool each;
    size_t source_length, code_length;
    char *bytes; /* the source, then the code */
};

struct code_cache {
    struct entry entries[ENTRIES_MAX];
    size_t count, bytes;
    uint64_t uses;
};

/* FNV-1a, 64 bits: only to be quick, every byte is compared as well. */
static uint64_t hash_of(struct span source, bool each)
{
    uint64_t hash = 0xcbf29ce484222325u ^ each;

    for (size_t i = 0; i < source.length; i++)
        hash = (hash ^ (unsigned char)source.at[i]) * 0x100000001b3u;
    return hash;
}

static size_t bytes_of(const struct entry *entry)
{
    return entry->source_length + entry->code_length;
}

static struct entry *find(struct code_cache *cache, uint64_t hash, struct span source, bool each)
{
    for (size_t i = 0; i < cache->count; i++) {
        struct entry *entry = &cache->entries[i];

        if (entry->hash == hash && entry->each == each && entry->source_length == source.length &&
            memcmp(entry->bytes, source.at, source.length) == 0)
            return entry;
    }
    return NULL;
}

static void forget(struct code_cache *cache, struct entry *entry)
{
    cache->bytes -= bytes_of(entry);
    free(entry->bytes);
    *entry = cache->entries[--cache->count];
}

static void forget_oldest(struct code_cache *cache)
{
    struct entry *oldest = &cache->entries[0];

    for (size_t i = 1; i < cache->count; i++)
        if (cache->entries[i].used < oldest->used)
            oldest = &cache->entries[i];
    forget(cache, oldest);
}

struct code_cache *code_cache_new(void)
{
    return mem_alloc(sizeof(struct code_cache));
}

void code_cache_drop(struct code_cache **cache)
{
    if (*cache)
        code_cache_clear(*cache);
    free(mem_steal(cache));
}

struct span code_cache_find(struct code_cache *cache, struct span source, bool each)
{
    struct entry *entry = find(cache, hash_of(source, each), source, each);

    if (!entry)
        return (struct span){0};
    entry->used = ++cache->uses;
    return (struct span){entry->bytes + entry->source_length, entry->code_length};
}

void code_cache_keep(struct code_cache *cache, struct span source, bool each, struct span code)
{
    uint64_t hash = hash_of(source, each);
    struct entry *known = find(cache, hash, source, each);
    char *bytes = code.length ? malloc(source.length + code.length) : NULL;

    if (!bytes) /* then the next task has it compiled once more */
        return;
    if (known)
        forget(cache, known);
    memcpy(bytes, source.at, source.length);
    memcpy(bytes + source.length, code.at, code.length);
    while (cache->count &&
           (cache->count == ENTRIES_MAX || cache->bytes + source.length + code.length > BYTES_MAX))
        forget_oldest(cache);
    cache->entries[cache->count++] = (struct entry){.hash = hash,
                                                    .used = ++cache->uses,
                                                    .each = each,
                                                    .source_length = source.length,
                                                    .code_length = code.length,
                                                    .bytes = bytes};
    cache->bytes += source.length + code.length;
}

void code_cache_clear(struct code_cache *cache)
{
    while (cache->count)
        forget(cache, &cache->entries[cache->count - 1]);
}
