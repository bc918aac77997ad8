/* How many datagrams an address may be answered. Who asks by UDP may write another's address into
 * the question: answers that are longer than the question would then flood that other one. A
 * machine that asks for itself asks a few times a second, and what is lost it asks again. */
#ifndef LB_SERVER_FLOW_H
#define LB_SERVER_FLOW_H

#include "core/base/addr.h"
#include "core/base/siphash.h"

#define LB_FLOW_EACH  64  /* answers to one address, in one second */
#define LB_FLOW_KINDS 256 /* of addresses that are told apart */

struct lb_flow {
    struct lb_hash_key key; /* so that nobody knows whose answers count as whose */
    uint64_t until_us;      /* the end of this second */
    uint8_t answers[LB_FLOW_KINDS];
};

/* False: there are no random numbers. */
bool lb_flow_init(struct lb_flow *flow);
/* Whether one more answer may go there now, which it then does. */
bool lb_flow_may_answer(struct lb_flow *flow, uint64_t now_us, struct lb_addr to);

#endif
