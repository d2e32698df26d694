/* What a test orders on standard input, a JSON object a line; main.c's help lists it. */
#ifndef BROKER_COMMAND_H
#define BROKER_COMMAND_H

#include "runner/base/json_span.h"

struct broker;

void command_run(struct broker *broker, struct span text);

#endif
