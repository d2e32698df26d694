/* Is the runner able to work? See vitals.h. */
#include "runner/host/vitals.h"

#include <stddef.h>

enum { FAILED_STARTS_MAX = 3 };
static const int64_t settled_after_us = 10LL * 1000 * 1000, python_away_us = 120LL * 1000 * 1000,
                     broker_away_us = 60LL * 1000 * 1000;

static bool is_settled(const struct vitals *vitals, int64_t now_us)
{
    return vitals->python_ready_us && now_us - vitals->python_ready_us >= settled_after_us;
}

void vitals_python_lost(struct vitals *vitals, int64_t now_us)
{
    vitals->failed_starts = is_settled(vitals, now_us) ? 0 : vitals->failed_starts + 1;
    if (!vitals->python_gone_us)
        vitals->python_gone_us = now_us;
    vitals->python_ready_us = 0;
}

void vitals_python_ready(struct vitals *vitals, int64_t now_us)
{
    vitals->python_gone_us = 0;
    vitals->python_ready_us = now_us;
}

void vitals_broker_lost(struct vitals *vitals, int64_t now_us)
{
    if (!vitals->broker_gone_us)
        vitals->broker_gone_us = now_us;
}

void vitals_broker_found(struct vitals *vitals)
{
    vitals->broker_gone_us = 0;
}

const char *vitals_problem(const struct vitals *vitals, int64_t now_us)
{
    bool failing = vitals->failed_starts >= FAILED_STARTS_MAX && !is_settled(vitals, now_us);
    bool away = vitals->python_gone_us && now_us - vitals->python_gone_us >= python_away_us;

    if (failing || away)
        return "the Python process that tasks are forked from can't be brought back";
    if (vitals->by_hand && vitals->broker_gone_us &&
        now_us - vitals->broker_gone_us >= broker_away_us)
        return "the broker has been out of reach for a minute or longer";
    return NULL;
}
