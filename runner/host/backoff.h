/* Growing pauses between attempts: 200 ms, doubled up to 5 s, each 20 % shorter or longer by chance
 * so that many runners don't come back at once. Zeroed is ready. */
#ifndef HOST_BACKOFF_H
#define HOST_BACKOFF_H

#include <stdint.h>

struct backoff {
    unsigned attempts; /* since the last success */
};

/* The next pause, in microseconds. */
int64_t backoff_next(struct backoff *backoff);
/* It worked: start small again. */
void backoff_reset(struct backoff *backoff);

#endif
