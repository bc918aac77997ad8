/* A limit to the datagrams that answer one address. A client can forge the source address of a UDP
 * request: longer answers would then flood another machine. A machine that asks for itself asks a
 * few times a second, and repeats what is lost. */
#ifndef LB_SERVER_RATE_H
#define LB_SERVER_RATE_H

#include "core/base/addr.h"
#include "core/base/siphash.h"

#define LB_RATE_EACH  64  /* answers to one address, in one second */
#define LB_RATE_KINDS 256 /* counts, which addresses share */

struct lb_rate {
    struct lb_hash_key key; /* so that nobody knows which addresses share a count */
    uint64_t until_us;      /* the end of this second */
    uint8_t answers[LB_RATE_KINDS];
};

/* False: there are no random numbers. */
bool lb_rate_init(struct lb_rate *rate);
/* Whether one more answer may go there now, which it then does. */
bool lb_rate_may_answer(struct lb_rate *rate, uint64_t now_us, struct lb_addr to);

#endif
