/* Owns the grant tokens: each is given out once and taken back once. */
#include "tests/broker/door.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "runner/base/buf.h"
#include "runner/base/mem.h"

struct grant {
    struct grant *next;
    char *token;
};

char *door_grant(struct door *door)
{
    struct grant *grant = mem_alloc(sizeof(*grant));
    AUTO_BUF struct buf text = {0};
    unsigned char random[32] = {0};

    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        abort(); /* can't happen for so few bytes */
    for (size_t i = 0; i < sizeof(random); i++)
        buf_add_format(&text, "%02x", random[i]);
    grant->token = mem_dup_n(text.data, text.length);
    grant->next = door->grants;
    door->grants = grant;
    return mem_dup(grant->token);
}

static bool take_grant(struct door *door, const char *token)
{
    for (struct grant **at = &door->grants; *at; at = &(*at)->next) {
        struct grant *grant = *at;

        if (strcmp(grant->token, token) != 0)
            continue;
        *at = grant->next;
        free(grant->token);
        free(grant);
        return true;
    }
    return false;
}

/* True when a test has ordered what this request gets. */
static bool ordered(struct door *door, enum door_request request, int *status)
{
    struct door_order *order = &door->orders[request];

    if (order->count <= 0)
        return false;
    order->count--;
    *status = order->status;
    return true;
}

int door_auth(struct door *door, const char *token)
{
    int status;

    if (ordered(door, DOOR_AUTH, &status))
        return status;
    if (door->unchecked)
        return 200;
    if (!token)
        return 400;
    return !door->auth_token || strcmp(token, door->auth_token) == 0 ? 200 : 403;
}

int door_upgrade(struct door *door, const char *grant)
{
    int status;

    if (ordered(door, DOOR_UPGRADE, &status))
        return status;
    if (door->unchecked)
        return 101;
    if (!grant)
        return 401;
    return take_grant(door, grant) ? 101 : 403;
}

void door_close(struct door *door)
{
    while (door->grants) {
        struct grant *grant = door->grants;

        door->grants = grant->next;
        free(grant->token);
        free(grant);
    }
}
