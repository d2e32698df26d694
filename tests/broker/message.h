/* What runners say: checks it, reports it, hands it on. */
#ifndef BROKER_MESSAGE_H
#define BROKER_MESSAGE_H

#include "runner/base/json_span.h"

struct broker;
struct peer;

void message_received(struct broker *broker, struct peer *peer, struct span text);

#endif
