/* Growing pauses; see backoff.h. */
#include "runner/host/backoff.h"

#include <sys/random.h>

enum { FIRST_US = 200 * 1000, LONGEST_US = 5 * 1000 * 1000, DOUBLINGS = 5 };

int64_t backoff_next(struct backoff *backoff)
{
    int64_t pause = (int64_t)FIRST_US
                    << (backoff->attempts < DOUBLINGS ? backoff->attempts : DOUBLINGS);
    uint32_t chance = 0;

    if (pause > LONGEST_US)
        pause = LONGEST_US;
    backoff->attempts++;
    (void)!getrandom(&chance, sizeof(chance), GRND_NONBLOCK); /* without chance: the shortest */
    return pause * 8 / 10 + pause * 4 / 10 * (chance % 1024) / 1024;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->attempts = 0;
}
