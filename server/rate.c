#include "server/rate.h"
#include <string.h>
#include <sys/random.h>

bool lb_rate_init(struct lb_rate *rate) {
    *rate = (struct lb_rate){.until_us = 0};
    return getrandom(&rate->key, sizeof rate->key, 0) == sizeof rate->key;
}

bool lb_rate_may_answer(struct lb_rate *rate, uint64_t now_us, struct lb_addr to) {
    if (now_us >= rate->until_us) {
        memset(rate->answers, 0, sizeof rate->answers);
        rate->until_us = now_us + LB_US_SEC;
    }
    uint8_t *answers =
        &rate->answers[lb_siphash(&rate->key, lb_bytes(to.bytes, sizeof to.bytes)) % LB_RATE_KINDS];
    if (*answers == LB_RATE_EACH)
        return false;
    (*answers)++;
    return true;
}
