#include "server/flow.h"
#include <string.h>
#include <sys/random.h>

bool lb_flow_init(struct lb_flow *flow) {
    *flow = (struct lb_flow){.until_us = 0};
    return getrandom(&flow->key, sizeof flow->key, 0) == sizeof flow->key;
}

bool lb_flow_may_answer(struct lb_flow *flow, uint64_t now_us, struct lb_addr to) {
    if (now_us >= flow->until_us) {
        memset(flow->answers, 0, sizeof flow->answers);
        flow->until_us = now_us + LB_US_SEC;
    }
    uint8_t *answers =
        &flow->answers[lb_siphash(&flow->key, lb_bytes(to.bytes, sizeof to.bytes)) % LB_FLOW_KINDS];
    if (*answers == LB_FLOW_EACH)
        return false;
    (*answers)++;
    return true;
}
