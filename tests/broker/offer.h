/* The open offers of all runners, oldest first. */
#ifndef BROKER_OFFER_H
#define BROKER_OFFER_H

struct broker;
struct peer;

void offer_add(struct broker *broker, struct peer *peer, const char *id, double valid_ms);

/* Takes the oldest unexpired offer: its runner, and its id to free(). NULL: there is none. */
struct peer *offer_take(struct broker *broker, char **id);

/* Takes the offer with this id, expired or not, and returns its runner; NULL: unknown. */
struct peer *offer_take_id(struct broker *broker, const char *id);

/* Forgets a runner's offers, or everyone's (NULL), as the broker does after an acknowledgement that
 * did not come. */
void offer_forget(struct broker *broker, const struct peer *peer);

#endif
