/*
 * The open offers: which free slots the broker knows of, and until when. Pure; time is given.
 *
 * An offer is valid for 5 s and up to half a second more by chance (validFor, what the broker is
 * told); we keep it 100 ms longer, for an acceptance that is on its way when it expires.
 */
#ifndef HOST_OFFER_H
#define HOST_OFFER_H

#include <stddef.h>
#include <stdint.h>

enum { OFFER_ID_LENGTH = 22 };

struct offer {
    char id[OFFER_ID_LENGTH + 1];
    int valid_for_ms;
    int64_t expires_us; /* clock_us(), our own bookkeeping */
};

struct offers;

enum offer_taken {
    OFFER_TAKEN,
    OFFER_EXPIRED, /* it was ours once, or never */
};

/* Up to `capacity` offers can be open. free with offers_free(). */
struct offers *offers_new(size_t capacity);
/* Frees and sets to NULL; NULL is fine. */
void offers_free(struct offers **offers);

/* Opens one more; fewer than `capacity` must be open. Borrowed until the next call. */
const struct offer *offer_make(struct offers *offers, int64_t now_us);
/* The broker accepts an offer: it is closed. `id` may be NULL. */
enum offer_taken offer_take(struct offers *offers, const char *id, int64_t now_us);

size_t offers_open(const struct offers *offers);
void offers_forget_all(struct offers *offers);
/* When the first of them expires (clock_us()); -1: none is open. */
int64_t offers_next_expiry(const struct offers *offers);
/* Closes those whose time is over. */
void offers_expire(struct offers *offers, int64_t now_us);

/* Fills `id` with `length` random characters of A-Z a-z 0-9 and a NUL. */
void offer_random_id(char *id, size_t length);

#endif
