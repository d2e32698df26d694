/* Owns nothing: values out of JSON that has been checked. */
#include "tests/broker/fields.h"

#include <stdlib.h>
#include <string.h>

#include "runner/base/json_string.h"

char *field_text(const struct json_want *want)
{
    return want->type == JSON_STRING ? json_string_decode(want->value) : NULL;
}

double field_number(const struct json_want *want, double fallback)
{
    char digits[64] = {0};

    if (want->type != JSON_NUMBER)
        return fallback;
    memcpy(digits, want->value.at,
           want->value.length < sizeof(digits) ? want->value.length : sizeof(digits) - 1);
    return strtod(digits, NULL);
}

bool field_bool(const struct json_want *want, bool fallback)
{
    if (want->type == JSON_TRUE)
        return true;
    return want->type == JSON_FALSE ? false : fallback;
}

struct span field_json(const struct json_want *want)
{
    return want->type == JSON_NONE ? (struct span){0} : want->value;
}
