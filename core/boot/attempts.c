#include "core/boot/attempts.h"
#include "core/base/pace.h"

#define DELAY_MAX_US      (30 * LB_US_SEC)
#define STARTING_DELAY_US (4 * LB_US_SEC) /* at most, while storage starts */
#define STARTING_ATTEMPTS 30              /* about two minutes of them */

void lb_attempts_init(struct lb_attempts *attempts, uint64_t now_us, struct lb_common *common) {
    *attempts = (struct lb_attempts){.common = common, .start_us = now_us};
}

void lb_attempts_begin(struct lb_attempts *attempts) {
    attempts->begun++;
}

bool lb_attempts_is_first(const struct lb_attempts *attempts) {
    return attempts->begun == 1;
}

/* The random part keeps machines that start together from retrying at the same time. While
 * storage starts, each of its steps takes seconds, and the next one should be noticed soon; an
 * attempt costs the target one connection. */
uint64_t lb_attempts_delay_us(struct lb_attempts *attempts, enum lb_code why) {
    const struct lb_config *config = attempts->common->plan->config;
    uint64_t first_us = lb_config_u32(config, LB_KEY_RETRY_DELAY) * LB_US_MS;
    bool starts = attempts->begun <= STARTING_ATTEMPTS && lb_code_tells(why, LB_TELLS_STARTING);
    uint64_t most_us = starts ? LB_MAX(first_us, STARTING_DELAY_US) : DELAY_MAX_US;
    uint64_t delay_us =
        lb_pace(first_us, LB_MIN(most_us, DELAY_MAX_US), LB_MAX(attempts->begun, 1) - 1);
    return delay_us + lb_rand_below(attempts->common->rand, (uint32_t)(delay_us / 4) + 1);
}

bool lb_attempts_are_left(const struct lb_attempts *attempts, uint64_t now_us, uint64_t delay_us) {
    const struct lb_config *config = attempts->common->plan->config;
    uint32_t most = lb_config_u32(config, LB_KEY_ATTEMPTS);
    uint64_t retry_us = lb_config_u32(config, LB_KEY_RETRY_TIME) * LB_US_MS;
    if (most != 0 && attempts->begun >= most)
        return false;
    return now_us + delay_us - attempts->start_us <= retry_us;
}
