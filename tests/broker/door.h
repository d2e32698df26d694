/*
 * Who may come in: the auth token, the grant tokens given out, and the answers that a test has
 * ordered for the next requests ("refuse", "silent").
 */
#ifndef BROKER_DOOR_H
#define BROKER_DOOR_H

#include <stdbool.h>

struct grant;

enum door_request { DOOR_AUTH, DOOR_UPGRADE, DOOR_REQUESTS };

enum { DOOR_SILENT = 0 }; /* the status of a request that is never answered */

struct door_order {
    int status; /* or DOOR_SILENT */
    int count;  /* how many more requests get it */
};

struct door {
    const char *auth_token; /* NULL: any will do */
    bool unchecked;         /* no grant is needed either */
    struct grant *grants;
    struct door_order orders[DOOR_REQUESTS];
};

/* A new grant token, good for one upgrade; free(). */
char *door_grant(struct door *door);

/* The status for a request. `token` may be NULL; a good grant is used up. */
int door_auth(struct door *door, const char *token);
int door_upgrade(struct door *door, const char *grant);

void door_close(struct door *door);

#endif
