/* Owns the open offers. Expired ones leave when somebody looks for one. */
#include "tests/broker/offer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runner/base/clock.h"
#include "runner/base/mem.h"
#include "tests/broker/broker.h"

struct offer {
    struct offer *next;
    struct peer *peer;
    char *id;
    int64_t expires_us; /* INT64_MAX: never */
};

void offer_add(struct broker *broker, struct peer *peer, const char *id, double valid_ms)
{
    struct offer *offer = mem_alloc(sizeof(*offer));
    struct offer **at = &broker->offers;

    offer->peer = peer;
    offer->id = mem_dup(id);
    offer->expires_us =
        valid_ms < 0 || valid_ms > 1e12 ? INT64_MAX : clock_us() + (int64_t)(valid_ms * 1000);
    while (*at)
        at = &(*at)->next;
    *at = offer;
}

/* Unlinks and frees `*at`. */
static void drop(struct offer **at)
{
    struct offer *offer = *at;

    *at = offer->next;
    free(offer->id);
    free(offer);
}

struct peer *offer_take(struct broker *broker, char **id)
{
    int64_t now = clock_us();
    struct peer *peer;

    while (broker->offers && broker->offers->expires_us <= now)
        drop(&broker->offers);
    if (!broker->offers)
        return NULL;
    peer = broker->offers->peer;
    *id = mem_steal(&broker->offers->id);
    drop(&broker->offers);
    return peer;
}

struct peer *offer_take_id(struct broker *broker, const char *id)
{
    for (struct offer **at = &broker->offers; *at; at = &(*at)->next) {
        struct peer *peer = (*at)->peer;

        if (strcmp((*at)->id, id) != 0)
            continue;
        drop(at);
        return peer;
    }
    return NULL;
}

void offer_forget(struct broker *broker, const struct peer *peer)
{
    struct offer **at = &broker->offers;

    while (*at) {
        if (!peer || (*at)->peer == peer)
            drop(at);
        else
            at = &(*at)->next;
    }
}
