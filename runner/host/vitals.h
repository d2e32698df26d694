/*
 * Is the runner able to work? The rule behind /healthz. Pure; time is given, as clock_us() has it.
 *
 * It is not when Python can't be brought back: three starts in a row have failed (it could not be
 * started, or ended within 10 s of being ready), or there has been none for 2 minutes. Nor is one
 * that was started by hand when its broker has been out of reach for 60 s. A first start that is
 * still importing is well, and so is a runner whose broker is away while a launcher, which knows
 * better, is in charge.
 */
#ifndef HOST_VITALS_H
#define HOST_VITALS_H

#include <stdbool.h>
#include <stdint.h>

struct vitals {
    bool by_hand;            /* no launcher: the runner itself must find the broker again */
    int64_t python_gone_us;  /* since when it is away; 0: it is there, or never was */
    int64_t python_ready_us; /* since when it is there; 0: it is not */
    unsigned failed_starts;  /* in a row */
    int64_t broker_gone_us;  /* since when it is out of reach; 0: there is a connection */
};

/* Python, or the attempt to start it again, has come to an end. Never for the first start. */
void vitals_python_lost(struct vitals *vitals, int64_t now_us);
void vitals_python_ready(struct vitals *vitals, int64_t now_us);
/* There is no connection: from the start on, and again after each. */
void vitals_broker_lost(struct vitals *vitals, int64_t now_us);
void vitals_broker_found(struct vitals *vitals);

/* Why it can't work, a sentence; NULL: it can. */
const char *vitals_problem(const struct vitals *vitals, int64_t now_us);

#endif
