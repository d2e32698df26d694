/* The open offers; see offer.h. */
#include "runner/host/offer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "runner/base/mem.h"

enum { VALID_MS = 5000, JITTER_MS = 500, LATENCY_MS = 100 };

struct offers {
    struct offer *open;
    size_t count;
    size_t capacity;
};

/* Random bytes, or an end: an id that can be guessed or stands twice would mix tasks up. */
static void random_bytes(void *bytes, size_t count)
{
    if (getrandom(bytes, count, 0) != (ssize_t)count)
        abort();
}

void offer_random_id(char *id, size_t length)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    enum { LETTERS = sizeof(letters) - 1, FAIR = 256 / LETTERS * LETTERS };

    for (size_t i = 0; i < length;) {
        unsigned char byte;

        random_bytes(&byte, 1);
        if (byte < FAIR)
            id[i++] = letters[byte % LETTERS];
    }
    id[length] = '\0';
}

struct offers *offers_new(size_t capacity)
{
    struct offers *offers = mem_alloc(sizeof(*offers));

    offers->open = mem_resize(NULL, capacity, sizeof(*offers->open));
    offers->capacity = capacity;
    return offers;
}

void offers_free(struct offers **offers)
{
    struct offers *freed = mem_steal(offers);

    if (freed)
        free(freed->open);
    free(freed);
}

const struct offer *offer_make(struct offers *offers, int64_t now_us)
{
    struct offer *offer = &offers->open[offers->count];
    unsigned short chance;

    if (offers->count == offers->capacity)
        abort();
    offers->count++;
    random_bytes(&chance, sizeof(chance));
    offer_random_id(offer->id, OFFER_ID_LENGTH);
    offer->valid_for_ms = VALID_MS + chance % (JITTER_MS + 1);
    offer->expires_us = now_us + (int64_t)(offer->valid_for_ms + LATENCY_MS) * 1000;
    return offer;
}

enum offer_taken offer_take(struct offers *offers, const char *id, int64_t now_us)
{
    for (size_t i = 0; id && i < offers->count; i++) {
        int64_t expires = offers->open[i].expires_us;

        if (strcmp(offers->open[i].id, id) != 0)
            continue;
        offers->open[i] = offers->open[--offers->count];
        return expires > now_us ? OFFER_TAKEN : OFFER_EXPIRED;
    }
    return OFFER_EXPIRED;
}

size_t offers_open(const struct offers *offers)
{
    return offers->count;
}

void offers_forget_all(struct offers *offers)
{
    offers->count = 0;
}

int64_t offers_next_expiry(const struct offers *offers)
{
    int64_t next = -1;

    for (size_t i = 0; i < offers->count; i++)
        if (next < 0 || offers->open[i].expires_us < next)
            next = offers->open[i].expires_us;
    return next;
}

void offers_expire(struct offers *offers, int64_t now_us)
{
    for (size_t i = offers->count; i-- > 0;)
        if (offers->open[i].expires_us <= now_us)
            offers->open[i] = offers->open[--offers->count];
}
