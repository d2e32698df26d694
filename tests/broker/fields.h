/* The values that json_span_read() found, as C has them. */
#ifndef BROKER_FIELDS_H
#define BROKER_FIELDS_H

#include <stdbool.h>

#include "runner/base/json_span.h"

/* The string, to free(); NULL when there is none. */
char *field_text(const struct json_want *want);

/* The number, or `fallback` when there is none. */
double field_number(const struct json_want *want, double fallback);

/* True or false, or `fallback` when there is neither. */
bool field_bool(const struct json_want *want, bool fallback);

/* The JSON; `at` is NULL when it is not there. */
struct span field_json(const struct json_want *want);

#endif
